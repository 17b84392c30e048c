"""The one primitive of the renderer: a board, a flat textured piece of the world, painted in true perspective.

    world                                   picture
    origin ── along ──►                     polygon of up to 5 corners after the near plane has cut it;
      │                                     for every pixel (u, v) on the board follow from three cross products
      down                                  of the board's axes, so no board is ever approximated
      ▼

A texel is one uint32: alpha << 24 | base << 16 | paint1 << 8 | paint2; its grey is
`light * (base + (paint1 * tone1 + paint2 * tone2) / 204)`: 204 of 255 is a paint as it is, 255 is brighter.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from telstraat_firmware_sim.camera import NEAR_M

PAINT = 0  # opaque, weighted by the texel's alpha
SHADE = 1  # darkens what is there, at most once a frame and pixel
GLOW = 2  # adds light
MIRROR = 3  # blends weakly: reflections on a wet road

LEVELS = 4  # a sprite is stored at full, half, quarter and eighth size
CORNERS_MAX = 12


@njit(cache=True, error_model="numpy")
def cut_and_project(cam, corners, count, flat):  # type: ignore[no-untyped-def]
    """Cut a convex polygon (camera axes, metres) at the near plane and project it; return how many corners remain."""
    kept = 0
    for k in range(count):
        j = (k + 1) % count
        za, zb = corners[k, 2], corners[j, 2]
        if za >= NEAR_M:
            flat[kept, 0] = cam[13] + cam[12] * corners[k, 0] / za
            flat[kept, 1] = cam[14] + cam[12] * corners[k, 1] / za
            kept += 1
        if (za >= NEAR_M) != (zb >= NEAR_M):
            part = (NEAR_M - za) / (zb - za)
            flat[kept, 0] = cam[13] + cam[12] * (corners[k, 0] + part * (corners[j, 0] - corners[k, 0])) / NEAR_M
            flat[kept, 1] = cam[14] + cam[12] * (corners[k, 1] + part * (corners[j, 1] - corners[k, 1])) / NEAR_M
            kept += 1
    return kept


@njit(cache=True, error_model="numpy")
def row_span(flat, count, y_px, width):  # type: ignore[no-untyped-def]
    """Give the first and one past the last column of the polygon in a row; empty when first >= last."""
    left, right = 1e9, -1e9
    middle = y_px + 0.5
    for k in range(count):
        j = k + 1 if k + 1 < count else 0
        ya, yb = flat[k, 1], flat[j, 1]
        if (ya <= middle) != (yb <= middle):
            x = flat[k, 0] + (middle - ya) / (yb - ya) * (flat[j, 0] - flat[k, 0])
            left = min(left, x)
            right = max(right, x)
    first = max(0, int(min(max(left + 0.5, 0.0), 1e6)))
    last = min(width, int(min(max(right + 0.5, 0.0), 1e6)))
    return first, last


@njit(cache=True, error_model="numpy")
def row_limits(flat, count, height):  # type: ignore[no-untyped-def]
    """Give the first and one past the last row of the polygon inside the picture."""
    top, bottom = 1e9, -1e9
    for k in range(count):
        top = min(top, flat[k, 1])
        bottom = max(bottom, flat[k, 1])
    first = max(0, int(min(max(top + 0.5, 0.0), 1e6)))
    last = min(height, int(min(max(bottom + 0.5, 0.0), 1e6)))
    return first, last


@njit(cache=True, error_model="numpy")
def paint_board(  # type: ignore[no-untyped-def]  # noqa: C901
    canvas,
    stamp,
    ids,
    cam,
    atlas,
    sprites,
    sprite,
    corners,
    flat,
    ox,
    oy,
    oz,
    ax,
    ay,
    az,
    dx,
    dy,
    dz,
    mode,
    tone1,
    tone2,
    light,
    mark,
    number,
):
    """Paint sprite number `sprite` on the board (origin o, along a, down d; world metres).

    canvas, ids : uint8, uint16 (height, width); ids of size 1 are not written
    stamp : uint16 (height, width), the mark of the last frame that shaded a pixel
    light : 256 = as it is; for SHADE what remains of 256; for GLOW and MIRROR the strength
    """
    height, width = canvas.shape
    px, py, pz = ox - cam[0], oy - cam[1], oz - cam[2]
    p0 = px * cam[3] + py * cam[4] + pz * cam[5]
    p1 = px * cam[6] + py * cam[7] + pz * cam[8]
    p2 = px * cam[9] + py * cam[10] + pz * cam[11]
    u0 = ax * cam[3] + ay * cam[4] + az * cam[5]
    u1 = ax * cam[6] + ay * cam[7] + az * cam[8]
    u2 = ax * cam[9] + ay * cam[10] + az * cam[11]
    v0 = dx * cam[3] + dy * cam[4] + dz * cam[5]
    v1 = dx * cam[6] + dy * cam[7] + dz * cam[8]
    v2 = dx * cam[9] + dy * cam[10] + dz * cam[11]
    corners[0, 0], corners[0, 1], corners[0, 2] = p0, p1, p2
    corners[1, 0], corners[1, 1], corners[1, 2] = p0 + u0, p1 + u1, p2 + u2
    corners[2, 0], corners[2, 1], corners[2, 2] = p0 + u0 + v0, p1 + u1 + v1, p2 + u2 + v2
    corners[3, 0], corners[3, 1], corners[3, 2] = p0 + v0, p1 + v1, p2 + v2
    count = cut_and_project(cam, corners, 4, flat)
    if count < 3:
        return
    first_row, last_row = row_limits(flat, count, height)
    if first_row >= last_row:
        return
    middle = max(NEAR_M, p2 + 0.5 * (u2 + v2))
    texels = sprites[sprite, 0, 1] / (cam[12] * (ax * ax + ay * ay + az * az) ** 0.5 / middle + 1e-9)
    rows = sprites[sprite, 0, 2] / (cam[12] * (dx * dx + dy * dy + dz * dz) ** 0.5 / middle + 1e-9)
    texels = min(texels, rows)
    level = 0
    while texels > 1.5 and level < LEVELS - 1:
        texels *= 0.5
        level += 1
    offset, tw, th = sprites[sprite, level, 0], sprites[sprite, level, 1], sprites[sprite, level, 2]
    # A pixel's ray r meets the board at u = (v x p).r / (u x v).r and v = (p x u).r / (u x v).r.
    a0, a1, a2 = (v1 * p2 - v2 * p1) * tw, (v2 * p0 - v0 * p2) * tw, (v0 * p1 - v1 * p0) * tw
    b0, b1, b2 = (p1 * u2 - p2 * u1) * th, (p2 * u0 - p0 * u2) * th, (p0 * u1 - p1 * u0) * th
    c0, c1, c2 = u1 * v2 - u2 * v1, u2 * v0 - u0 * v2, u0 * v1 - u1 * v0
    inverse = 1.0 / cam[12]
    a0, b0, c0 = a0 * inverse, b0 * inverse, c0 * inverse
    marks = ids.size > 1 and mode == 0
    for y in range(first_row, last_row):
        first, last = row_span(flat, count, y, width)
        if first >= last:
            continue
        rx = first + 0.5 - cam[13]
        ry = (y + 0.5 - cam[14]) * inverse
        a = a0 * rx + a1 * ry + a2
        b = b0 * rx + b1 * ry + b2
        c = c0 * rx + c1 * ry + c2
        for x in range(first, last):
            w = 1.0 / c
            tu = min(max(int(a * w), 0), tw - 1)
            tv = min(max(int(b * w), 0), th - 1)
            a += a0
            b += b0
            c += c0
            texel = np.int64(atlas[offset + tv * tw + tu])
            alpha = texel >> 24
            if alpha == 0:
                continue
            if mode == 1:
                if stamp[y, x] != mark:
                    if alpha > 64:
                        stamp[y, x] = mark
                    canvas[y, x] = (np.int64(canvas[y, x]) * (65280 - alpha * (256 - light))) >> 16
                continue
            grey = ((((texel >> 16) & 255) * 204 + ((texel >> 8) & 255) * tone1 + (texel & 255) * tone2) * 321) >> 16
            if mode == 2:
                canvas[y, x] = min(255, np.int64(canvas[y, x]) + ((alpha * light) >> 8))
                continue
            if mode == 3:
                alpha = (alpha * light) >> 8
            else:
                grey = min(255, (grey * light) >> 8)
            if alpha >= 250:
                canvas[y, x] = grey
            else:
                here = np.int64(canvas[y, x])
                canvas[y, x] = here + (((grey - here) * alpha) >> 8)
            if marks and alpha >= 128:
                ids[y, x] = number


@njit(cache=True, error_model="numpy")
def shade_polygon(canvas, stamp, cam, ground, count, corners, flat, light, mark):  # type: ignore[no-untyped-def]
    """Darken a convex polygon on the ground (`ground`: x, y in metres) to `light` of 256, once a frame and pixel."""
    height, width = canvas.shape
    for k in range(count):
        px, py, pz = ground[k, 0] - cam[0], ground[k, 1] - cam[1], -cam[2]
        corners[k, 0] = px * cam[3] + py * cam[4] + pz * cam[5]
        corners[k, 1] = px * cam[6] + py * cam[7] + pz * cam[8]
        corners[k, 2] = px * cam[9] + py * cam[10] + pz * cam[11]
    kept = cut_and_project(cam, corners, count, flat)
    if kept < 3:
        return
    first_row, last_row = row_limits(flat, kept, height)
    for y in range(first_row, last_row):
        first, last = row_span(flat, kept, y, width)
        for x in range(first, last):
            if stamp[y, x] != mark:
                stamp[y, x] = mark
                canvas[y, x] = (np.int64(canvas[y, x]) * light) >> 8


@njit(cache=True, error_model="numpy")
def hull(points, count, out):  # type: ignore[no-untyped-def]
    """Write the convex hull of the first `count` points (x, y) to `out`, in order around it; return its size."""
    for k in range(1, count):
        x, y = points[k, 0], points[k, 1]
        j = k - 1
        while j >= 0 and (points[j, 0] > x or (points[j, 0] == x and points[j, 1] > y)):
            points[j + 1, 0], points[j + 1, 1] = points[j, 0], points[j, 1]
            j -= 1
        points[j + 1, 0], points[j + 1, 1] = x, y
    size = 0
    for way in range(2):
        start = size
        for step in range(count):
            k = step if way == 0 else count - 1 - step
            x, y = points[k, 0], points[k, 1]
            while size >= start + 2 and (out[size - 1, 0] - out[size - 2, 0]) * (y - out[size - 2, 1]) <= (
                out[size - 1, 1] - out[size - 2, 1]
            ) * (x - out[size - 2, 0]):
                size -= 1
            out[size, 0], out[size, 1] = x, y
            size += 1
        size -= 1
    return size


@njit(cache=True, error_model="numpy")
def lay_backdrop(canvas, backdrop, margin, shift_x, shift_y):  # type: ignore[no-untyped-def]
    """Copy the backdrop (larger by `margin` on every side) shifted by parts of a pixel: the shaking camera."""
    height, width = canvas.shape
    whole_x, whole_y = int(margin - shift_x), int(margin - shift_y)
    part_x = int(256 * ((margin - shift_x) - whole_x))
    part_y = int(256 * ((margin - shift_y) - whole_y))
    if part_x == 0 and part_y == 0:
        for y in range(height):
            canvas[y, :] = backdrop[y + whole_y, whole_x : whole_x + width]
        return
    w00 = (256 - part_x) * (256 - part_y) >> 8
    w01 = part_x * (256 - part_y) >> 8
    w10 = (256 - part_x) * part_y >> 8
    w11 = 256 - w00 - w01 - w10
    for y in range(height):
        upper = backdrop[y + whole_y, whole_x : whole_x + width + 1]
        lower = backdrop[y + whole_y + 1, whole_x : whole_x + width + 1]
        row = canvas[y]
        for x in range(width):
            row[x] = (w00 * upper[x] + w01 * upper[x + 1] + w10 * lower[x] + w11 * lower[x + 1]) >> 8


@njit(cache=True, error_model="numpy")
def expose(canvas, noise, noise_x, noise_y, gain, dark_noise, light_noise):  # type: ignore[no-untyped-def]
    """Turn the canvas into the sensor's picture in place: gain (256 = 1), and noise that grows with the light.

    noise : int8, larger than the canvas; 32 units are one standard deviation, which is in 1/8 grey level
    """
    height, width = canvas.shape
    for y in range(height):
        row = canvas[y]
        grain = noise[y + noise_y, noise_x : noise_x + width]
        for x in range(width):
            grey = (row[x] * gain) >> 8
            spread = dark_noise + ((light_noise * grey) >> 8)
            grey = grey + ((grain[x] * spread + 128) >> 8)
            row[x] = min(max(grey, 0), 255)
