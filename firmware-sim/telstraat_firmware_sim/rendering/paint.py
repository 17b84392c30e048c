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

from telstraat_firmware_sim.rendering.columns import (
    AX,
    DX,
    GLOW,
    LIGHT,
    MIRROR,
    MODE,
    OWNER,
    OX,
    PAINT,
    PAINT1,
    PAINT2,
    SHADE,
    SHADE_GROUND,
    WHICH,
)
from telstraat_firmware_sim.street.camera import NEAR_M

LEVELS = 4  # a sprite is stored at full, half, quarter and eighth size
TEXELS_A_PIXEL_MAX = 1.5
PAINT_UNIT = 204


@njit(cache=True, error_model="numpy")
def _to_camera(cam, x, y, z, out):  # type: ignore[no-untyped-def]
    """Turn a direction (world, metres) into the camera's axes: right, down, forward."""
    out[0] = x * cam[3] + y * cam[4] + z * cam[5]
    out[1] = x * cam[6] + y * cam[7] + z * cam[8]
    out[2] = x * cam[9] + y * cam[10] + z * cam[11]


@njit(cache=True, error_model="numpy")
def _project(cam, corners, count, flat):  # type: ignore[no-untyped-def]
    """Cut a convex polygon (camera axes, metres) at the near plane and project it; return how many corners remain."""
    clipped = 0
    for k in range(count):
        j = (k + 1) % count
        za, zb = corners[k, 2], corners[j, 2]
        if za >= NEAR_M:
            flat[clipped, 0] = cam[13] + cam[12] * corners[k, 0] / za
            flat[clipped, 1] = cam[14] + cam[12] * corners[k, 1] / za
            clipped += 1
        if (za >= NEAR_M) != (zb >= NEAR_M):
            part = (NEAR_M - za) / (zb - za)
            flat[clipped, 0] = cam[13] + cam[12] * (corners[k, 0] + part * (corners[j, 0] - corners[k, 0])) / NEAR_M
            flat[clipped, 1] = cam[14] + cam[12] * (corners[k, 1] + part * (corners[j, 1] - corners[k, 1])) / NEAR_M
            clipped += 1
    return clipped


@njit(cache=True, error_model="numpy")
def _spans(flat, count, spans):  # type: ignore[no-untyped-def]
    """Write the columns that the polygon covers in each row of the picture; return the first row and one past the last.

    spans : int64 (rows + 1, 2), first column and one past the last; the last row holds (columns, 0) of the picture
    """
    rows, columns = spans.shape[0] - 1, spans[spans.shape[0] - 1, 0]
    top, bottom = 1e9, -1e9
    for k in range(count):
        top, bottom = min(top, flat[k, 1]), max(bottom, flat[k, 1])
    first_row = int(min(max(top + 0.5, 0.0), 1.0 * rows))
    last_row = int(min(max(bottom + 0.5, 0.0), 1.0 * rows))
    for y in range(first_row, last_row):
        left, right = 1e9, -1e9
        middle = y + 0.5
        for k in range(count):
            j = k + 1 if k + 1 < count else 0
            ya, yb = flat[k, 1], flat[j, 1]
            if (ya <= middle) != (yb <= middle):
                x = flat[k, 0] + (middle - ya) / (yb - ya) * (flat[j, 0] - flat[k, 0])
                left, right = min(left, x), max(right, x)
        spans[y, 0] = int(min(max(left + 0.5, 0.0), 1.0 * columns))
        spans[y, 1] = int(min(max(right + 0.5, 0.0), 1.0 * columns))
    return first_row, last_row


@njit(cache=True, error_model="numpy")
def paint_boards(  # type: ignore[no-untyped-def]  # noqa: C901
    canvas, stamp, ids, cam, atlas, sprites, boards, grounds, total, spans, mark
):
    """Paint the first `total` boards one over the other; see `columns` for `boards` and `grounds`.

    canvas : uint8 (height, width); ids : uint16 of the same shape, or of size 1 when nobody asks whose a pixel is
    stamp : uint16 (height, width), the mark of the last frame that shaded a pixel
    """
    corners, flat = np.empty((12, 3)), np.empty((16, 2))
    p, u, v = np.empty(3), np.empty(3), np.empty(3)
    inverse = 1.0 / cam[12]
    wants_ids = ids.size > 1
    for n in range(total):
        board = boards[n]
        mode, sprite, light = board[MODE], int(board[WHICH]), int(board[LIGHT])
        if mode == SHADE_GROUND:
            ground = grounds[sprite]
            count = int(ground[0])
            for k in range(count):
                _to_camera(cam, ground[1 + 2 * k] - cam[0], ground[2 + 2 * k] - cam[1], -cam[2], corners[k])
        else:
            _to_camera(cam, board[OX] - cam[0], board[OX + 1] - cam[1], board[OX + 2] - cam[2], p)
            _to_camera(cam, board[AX], board[AX + 1], board[AX + 2], u)
            _to_camera(cam, board[DX], board[DX + 1], board[DX + 2], v)
            count = 4
            for k in range(3):
                corners[0, k] = p[k]
                corners[1, k] = p[k] + u[k]
                corners[2, k] = p[k] + u[k] + v[k]
                corners[3, k] = p[k] + v[k]
        count = _project(cam, corners, count, flat)
        if count < 3:
            continue
        first_row, last_row = _spans(flat, count, spans)
        if mode == SHADE_GROUND:
            for y in range(first_row, last_row):
                for x in range(spans[y, 0], spans[y, 1]):
                    if stamp[y, x] != mark:
                        stamp[y, x] = mark
                        canvas[y, x] = (np.int64(canvas[y, x]) * light) >> 8
            continue
        depth = max(NEAR_M, p[2] + 0.5 * (u[2] + v[2]))
        along_px = cam[12] * np.sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2]) / depth + 1e-9
        down_px = cam[12] * np.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) / depth + 1e-9
        texels = min(sprites[sprite, 0, 1] / along_px, sprites[sprite, 0, 2] / down_px)
        level = 0
        while texels > TEXELS_A_PIXEL_MAX and level < LEVELS - 1:
            texels *= 0.5
            level += 1
        offset, tw, th = sprites[sprite, level, 0], sprites[sprite, level, 1], sprites[sprite, level, 2]
        # A pixel's ray r meets the board at u = (v x p).r / (u x v).r and v = (p x u).r / (u x v).r.
        a0, a1, a2 = (
            (v[1] * p[2] - v[2] * p[1]) * tw,
            (v[2] * p[0] - v[0] * p[2]) * tw,
            (v[0] * p[1] - v[1] * p[0]) * tw,
        )
        b0, b1, b2 = (
            (p[1] * u[2] - p[2] * u[1]) * th,
            (p[2] * u[0] - p[0] * u[2]) * th,
            (p[0] * u[1] - p[1] * u[0]) * th,
        )
        c0, c1, c2 = u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]
        a0, b0, c0 = a0 * inverse, b0 * inverse, c0 * inverse
        tone1, tone2, owner = int(board[PAINT1]), int(board[PAINT2]), int(board[OWNER])
        for y in range(first_row, last_row):
            rx = spans[y, 0] + 0.5 - cam[13]
            ry = (y + 0.5 - cam[14]) * inverse
            a = a0 * rx + a1 * ry + a2
            b = b0 * rx + b1 * ry + b2
            c = c0 * rx + c1 * ry + c2
            for x in range(spans[y, 0], spans[y, 1]):
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
                here = np.int64(canvas[y, x])
                if mode == SHADE:
                    if stamp[y, x] != mark:
                        if alpha > 64:
                            stamp[y, x] = mark
                        canvas[y, x] = (here * (65280 - alpha * (256 - light))) >> 16
                elif mode == GLOW:
                    canvas[y, x] = min(here + ((alpha * light) >> 8), np.int64(255))
                else:
                    mix = ((texel >> 8) & 255) * tone1 + (texel & 255) * tone2
                    grey = ((((texel >> 16) & 255) * PAINT_UNIT + mix) * 321) >> 16  # 321 / 65536 is 1 / 204
                    if mode == MIRROR:
                        alpha = (alpha * light) >> 8
                    else:
                        grey = min((grey * light) >> 8, np.int64(255))
                    if alpha >= 250:
                        canvas[y, x] = grey
                    else:
                        canvas[y, x] = here + (((grey - here) * alpha) >> 8)
                    if wants_ids and mode == PAINT and alpha >= 128:
                        ids[y, x] = owner
