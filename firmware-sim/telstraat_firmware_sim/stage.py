"""Paints everything that is not backdrop into one frame: shadows, reflections, road users far to near, lights, rain.

The road users of a frame come as rows of `meta` with their places at knots; the models as rows of
`bodies` and `panels`. All in one compiled call, so that a frame costs no Python per object.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from telstraat_firmware_sim.columns import (
    BEAM,
    BODY,
    DRIVING,
    DT,
    FIRST_KNOT,
    FIRST_PANEL,
    FIXED,
    HEADING,
    HEADLIGHTS,
    HOUSE_SHADE_Y,
    KIND,
    KNOTS,
    LENGTH,
    MIRRORS,
    NUMBER,
    PANELS,
    PHASE,
    PHASES,
    RAIN,
    RIDING,
    SCALE,
    SHADE_LIGHT,
    SPRITE,
    STANDING,
    STRIDE,
    SUN_X,
    SUN_Y,
    T0,
    TONE1,
    TONE2,
    VARIANT,
    VARIANTS,
    WALKING,
    WIDTH,
    WIND,
)
from telstraat_firmware_sim.lighting import burn_lamps, let_it_rain, light_at, shade_vehicle
from telstraat_firmware_sim.paint import paint_board

ON_SCREEN_MAX = 256
SWAYS_ABOVE_M = 1.2  # leaves; what stands lower, a trunk or a post, does not sway


@njit(cache=True, error_model="numpy")
def _place(meta, xs, ys, row, t_s, places):  # type: ignore[no-untyped-def]
    """Write x, y and the way gone of a road user at `t_s`; return whether it is there."""
    at = (t_s - meta[row, T0]) / meta[row, DT]
    knots = int(meta[row, KNOTS])
    if meta[row, FIXED] > 0:
        at = 0.0
    elif at < 0 or at >= knots - 1:
        return False
    first = int(meta[row, FIRST_KNOT])
    k = int(at)
    part = at - k
    j = min(k + 1, knots - 1)
    places[row, 0] = xs[first + k] + part * (xs[first + j] - xs[first + k])
    places[row, 1] = ys[first + k] + part * (ys[first + j] - ys[first + k])
    places[row, 2] = abs(places[row, 0] - xs[first])
    return True


@njit(cache=True, error_model="numpy")
def _order(meta, bodies, places, shown, count):  # type: ignore[no-untyped-def]
    """Sort so that who is farther is painted first: by lanes where they do not overlap, along the street where they do."""
    for i in range(1, count):
        row = shown[i]
        j = i - 1
        while j >= 0:
            other = shown[j]
            apart = places[row, 1] - places[other, 1]
            wide = 0.5 * (bodies[int(meta[row, BODY]), WIDTH] + bodies[int(meta[other, BODY]), WIDTH])
            beside = abs(apart) > 0.7 * wide
            farther = apart > 0 if beside else abs(places[row, 0]) > abs(places[other, 0])
            if not farther:
                break
            shown[j + 1] = other
            j -= 1
        shown[j + 1] = row


@njit(cache=True, error_model="numpy")
def _sprite_of(meta, bodies, row, way_m):  # type: ignore[no-untyped-def]
    """Choose the sprite of someone who moves legs."""
    body = int(meta[row, BODY])
    phases = int(bodies[body, PHASES])
    variant = int(meta[row, VARIANT]) % int(bodies[body, VARIANTS])
    phase = int((meta[row, PHASE] + way_m / (bodies[body, STRIDE] * meta[row, SCALE])) * phases) % phases
    per = 2 if bodies[body, KIND] == RIDING else 1
    return int(bodies[body, SPRITE]) + (variant * phases + phase) * per


@njit(cache=True, error_model="numpy")
def _boards(  # type: ignore[no-untyped-def]
    canvas,
    stamp,
    ids,
    cam,
    atlas,
    sprites,
    sizes,
    corners,
    flat,
    meta,
    bodies,
    panels,
    row,
    x,
    y,
    way_m,
    flip,
    mode,
    light,
    mark,
    number,
    numbers,
    t_s,
):
    """Paint one road user: upright (flip 1), mirrored in the road (flip -1) or as a shadow thrown on it (mode 1)."""
    body = int(meta[row, BODY])
    kind = int(bodies[body, KIND])
    heading, scale = meta[row, HEADING], meta[row, SCALE]
    sun_x, sun_y = numbers[SUN_X], numbers[SUN_Y]
    tone1, tone2 = int(meta[row, TONE1]), int(meta[row, TONE2])
    if kind == DRIVING:
        _vehicle(
            canvas,
            stamp,
            ids,
            cam,
            atlas,
            sprites,
            sizes,
            corners,
            flat,
            bodies,
            panels,
            body,
            heading,
            x,
            y,
            tone1,
            tone2,
            flip,
            mode,
            light,
            mark,
            number,
        )
        return
    if kind == STANDING:
        sprite = int(bodies[body, SPRITE])
        wide, high = sizes[sprite, 0] * scale, sizes[sprite, 1] * scale
        base = meta[row, PHASE]
        if base > SWAYS_ABOVE_M:
            pace = 1.1 + 0.013 * meta[row, VARIANT]
            x += numbers[WIND] * (np.sin(pace * t_s + meta[row, VARIANT]) + 0.6 * np.sin(2.7 * pace * t_s))
            base += 0.4 * numbers[WIND] * np.sin(1.9 * pace * t_s)
        paint_board(
            canvas,
            stamp,
            ids,
            cam,
            atlas,
            sprites,
            sprite,
            corners,
            flat,
            x - 0.5 * wide * cam[3],
            y - 0.5 * wide * cam[4],
            base + high,
            wide * cam[3],
            wide * cam[4],
            0.0,
            0.0,
            0.0,
            -high,
            mode,
            tone1,
            tone2,
            light,
            mark,
            number,
        )
        return
    sprite = _sprite_of(meta, bodies, row, way_m)
    wide, high = sizes[sprite, 0] * scale, sizes[sprite, 1] * scale
    if kind == WALKING:
        facing = heading if cam[3] > 0 else -heading
        share = facing * (0.6 + 0.4 * abs(cam[3]))
        ax, ay, slices, apart = wide * share * cam[3], wide * share * cam[4], 1, 0.0
    else:
        ax, ay, slices, apart = heading * wide, 0.0, 3, 0.32 * bodies[body, WIDTH]
    if mode == 1 and kind == WALKING:  # the sun sees the walker's breadth whatever the window sees
        ax, ay = heading * 0.75 * wide * abs(sun_y) / max(0.3, (sun_x**2 + sun_y**2) ** 0.5) + 0.2, 0.25 * wide
    for k in range(slices):
        if slices == 3 and k != 1 and (mode == 3 or abs(cam[3]) > 0.97) and mode != 1:
            continue
        beside = apart * (1 - k)
        px, py, pz = x - 0.5 * ax, y - 0.5 * ay + beside, flip * high
        dx, dy, dz = 0.0, 0.0, -flip * high
        if mode == 1:
            px, py, pz = px + sun_x * high, py + sun_y * high, 0.0
            dx, dy, dz = -sun_x * high, -sun_y * high, 0.0
        which = sprite + 1 if slices == 3 and k != 1 else sprite
        paint_board(
            canvas,
            stamp,
            ids,
            cam,
            atlas,
            sprites,
            which,
            corners,
            flat,
            px,
            py,
            pz,
            ax,
            ay,
            0.0,
            dx,
            dy,
            dz,
            mode,
            tone1,
            tone2,
            light,
            mark,
            number,
        )


@njit(cache=True, error_model="numpy")
def _vehicle(  # type: ignore[no-untyped-def]
    canvas,
    stamp,
    ids,
    cam,
    atlas,
    sprites,
    sizes,
    corners,
    flat,
    bodies,
    panels,
    body,
    heading,
    x,
    y,
    tone1,
    tone2,
    flip,
    mode,
    light,
    mark,
    number,
):
    """Paint the panels that face the camera, the farther ones first, and then the near side."""
    length, width = bodies[body, LENGTH], bodies[body, WIDTH]
    side = int(bodies[body, SPRITE])
    rear = x - heading * 0.5 * length
    near = y - 0.5 * width
    first, count = int(bodies[body, FIRST_PANEL]), int(bodies[body, PANELS])
    rising = (heading > 0) == (x < 0)
    for k in range(count):
        p = first + (k if rising else count - 1 - k)
        xa, za, xb, zb = panels[p, 0], panels[p, 1], panels[p, 2], panels[p, 3]
        wa, wb = rear + heading * xa, rear + heading * xb
        towards = (cam[0] - wa) * (-heading * (zb - za)) + (cam[2] - za) * (xb - xa)
        if towards <= 0:
            continue
        if zb > za:
            wa, wb, za, zb = wb, wa, zb, za
        paint_board(
            canvas,
            stamp,
            ids,
            cam,
            atlas,
            sprites,
            int(panels[p, 4]),
            corners,
            flat,
            wa,
            near,
            flip * za,
            0.0,
            width,
            0.0,
            wb - wa,
            0.0,
            flip * (zb - za),
            mode,
            tone1,
            tone2,
            int(light * panels[p, 5]) >> 8 if mode == 0 else light,
            mark,
            number,
        )
    paint_board(
        canvas,
        stamp,
        ids,
        cam,
        atlas,
        sprites,
        side,
        corners,
        flat,
        rear,
        near,
        flip * sizes[side, 1],
        heading * sizes[side, 0],
        0.0,
        0.0,
        0.0,
        0.0,
        -flip * sizes[side, 1],
        mode,
        tone1,
        tone2,
        light,
        mark,
        number,
    )


@njit(cache=True, error_model="numpy")
def paint_street(  # type: ignore[no-untyped-def]  # noqa: C901
    canvas, stamp, ids, cam, atlas, sprites, sizes, meta, xs, ys, bodies, panels, lamps, numbers, t_s, mark, seed
):
    """Paint the street's users at `t_s` over the backdrop; see columns.py for `meta`, `bodies`, `numbers`."""
    corners = np.empty((12, 3))
    flat = np.empty((14, 2))
    points = np.empty((8, 2))
    ground = np.empty((18, 2))
    places = np.empty((meta.shape[0], 3))
    shown = np.empty(min(meta.shape[0], ON_SCREEN_MAX), dtype=np.int64)
    count = 0
    for row in range(meta.shape[0]):
        if count < shown.size and _place(meta, xs, ys, row, t_s, places):
            shown[count] = row
            count += 1
    _order(meta, bodies, places, shown, count)
    shade = int(numbers[SHADE_LIGHT])
    for i in range(count):
        row = shown[i]
        x, y, body = places[row, 0], places[row, 1], int(meta[row, BODY])
        kind = bodies[body, KIND]
        if kind == STANDING and meta[row, PHASE] > 0:
            continue
        if kind == DRIVING:
            shade_vehicle(
                canvas, stamp, cam, bodies, body, x, y, meta[row, HEADING], numbers, points, ground, corners, flat, mark
            )
        elif kind != STANDING and shade < 255 and y >= numbers[HOUSE_SHADE_Y]:
            _boards(
                canvas,
                stamp,
                ids,
                cam,
                atlas,
                sprites,
                sizes,
                corners,
                flat,
                meta,
                bodies,
                panels,
                row,
                x,
                y,
                places[row, 2],
                1.0,
                1,
                shade,
                mark,
                0,
                numbers,
                t_s,
            )
    if numbers[MIRRORS] > 0:
        for i in range(count):
            row = shown[i]
            if bodies[int(meta[row, BODY]), KIND] != STANDING:
                _boards(
                    canvas,
                    stamp,
                    ids,
                    cam,
                    atlas,
                    sprites,
                    sizes,
                    corners,
                    flat,
                    meta,
                    bodies,
                    panels,
                    row,
                    places[row, 0],
                    places[row, 1],
                    places[row, 2],
                    -1.0,
                    3,
                    int(numbers[MIRRORS]),
                    mark,
                    0,
                    numbers,
                    t_s,
                )
    if numbers[HEADLIGHTS] > 0:
        for i in range(count):
            row = shown[i]
            body = int(meta[row, BODY])
            if (bodies[body, KIND] == DRIVING and meta[row, FIXED] == 0) or (
                bodies[body, KIND] == RIDING and bodies[body, STRIDE] > 50
            ):
                heading = meta[row, HEADING]
                front = places[row, 0] + heading * (0.5 * bodies[body, LENGTH] + 0.3)
                paint_board(
                    canvas,
                    stamp,
                    ids,
                    cam,
                    atlas,
                    sprites,
                    int(numbers[BEAM]),
                    corners,
                    flat,
                    front,
                    places[row, 1] - 2.6,
                    0.0,
                    heading * 15.0,
                    0.0,
                    0.0,
                    0.0,
                    5.2,
                    0.0,
                    2,
                    0,
                    0,
                    int(120 * numbers[HEADLIGHTS]),
                    mark,
                    0,
                )
    for i in range(count):
        row = shown[i]
        x, y, body = places[row, 0], places[row, 1], int(meta[row, BODY])
        light = int(light_at(numbers, lamps, x, y))
        _boards(
            canvas,
            stamp,
            ids,
            cam,
            atlas,
            sprites,
            sizes,
            corners,
            flat,
            meta,
            bodies,
            panels,
            row,
            x,
            y,
            places[row, 2],
            1.0,
            0,
            light,
            mark,
            int(meta[row, NUMBER]),
            numbers,
            t_s,
        )
        kind = bodies[body, KIND]
        if numbers[HEADLIGHTS] > 0 and meta[row, FIXED] == 0 and kind in (DRIVING, RIDING):
            burn_lamps(
                canvas, stamp, ids, cam, atlas, sprites, corners, flat, bodies, numbers, body, meta[row, HEADING], x, y
            )
    if numbers[RAIN] > 0:
        let_it_rain(canvas, numbers, seed)
