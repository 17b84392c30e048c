"""Sets the stage of one frame: which boards are to be painted, in which order, with which light.

First shadows, then reflections, then the light of headlights on the road, then road users from far to near with their
lamps. All tables are described in `columns`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from telstraat_firmware_sim.rendering.columns import (
    AMBIENT,
    BEAM,
    BELT,
    BOARDS_MAX,
    BODY,
    CABIN0,
    CABIN1,
    CONTACT,
    DRIVING,
    DT,
    FIRST_KNOT,
    FIRST_PANEL,
    FIXED,
    GLOW,
    HALO,
    HEADING,
    HEADLIGHTS,
    HEIGHT,
    HOUSE_LIGHT,
    HOUSE_SHADE_Y,
    KIND,
    KNOTS,
    LAMP_GAIN,
    LENGTH,
    MIRROR,
    MIRRORS,
    MOTORING,
    NUMBER,
    PAINT,
    PANELS,
    PHASE,
    PHASES,
    RIDING,
    SCALE,
    SHADE,
    SHADE_GROUND,
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
from telstraat_firmware_sim.rendering.convex_hull import hull

ON_SCREEN_MAX = 256
SWAYS_ABOVE_M = 1.2  # leaves; what stands lower, a trunk or a post, does not sway
BEAM_M, BEAM_WIDE_M = 15.0, 5.2
BEAM_LIGHT = 85.0  # of 256 at the brightest; a wet road throws more of it back
SIDE_ON = 0.97  # cosine beyond which a rider's breadth does not show
LAMP_REACH_M2 = 22.0


@njit(cache=True, error_model="numpy")
def _add(boards, written, o, a, d, sprite, mode, paints, light, owner):  # type: ignore[no-untyped-def]
    """Append a board (origin o, along a, down d, each x, y, z) and count it in `written`, int64 (1,)."""
    count = written[0]
    if count >= BOARDS_MAX:
        return
    board = boards[count]
    board[0], board[1], board[2] = o
    board[3], board[4], board[5] = a
    board[6], board[7], board[8] = d
    board[9], board[10], board[11], board[12], board[13], board[14] = sprite, mode, paints[0], paints[1], light, owner
    written[0] = count + 1


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
    places[row, 2] = np.hypot(places[row, 0] - xs[first], places[row, 1] - ys[first])
    return True


@njit(cache=True, error_model="numpy")
def _order(meta, bodies, places, visible, count):  # type: ignore[no-untyped-def]
    """Sort so that who is farther is painted first: across the street where they do not overlap, else along it."""
    for i in range(1, count):
        row = visible[i]
        j = i - 1
        while j >= 0:
            other = visible[j]
            apart = places[row, 1] - places[other, 1]
            wide = 0.5 * (bodies[int(meta[row, BODY]), WIDTH] + bodies[int(meta[other, BODY]), WIDTH])
            beside = abs(apart) > 0.7 * wide
            farther = apart > 0 if beside else abs(places[row, 0]) > abs(places[other, 0])
            if not farther:
                break
            visible[j + 1] = other
            j -= 1
        visible[j + 1] = row


@njit(cache=True, error_model="numpy")
def _figure(boards, written, cam, sizes, bodies, user, place, numbers, mode, light, owner):  # type: ignore[no-untyped-def]
    """Add someone on foot, or a rider: three slices when seen obliquely; mirrored or thrown as a shadow by `mode`."""
    x, y, way_m = place[0], place[1], place[2]
    body, heading = bodies[int(user[BODY])], user[HEADING]
    sun_x, sun_y = numbers[SUN_X], numbers[SUN_Y]
    walking = body[KIND] == WALKING
    phases = int(body[PHASES])
    phase = int((user[PHASE] + way_m / (body[STRIDE] * user[SCALE])) * phases) % phases
    sprite = int(body[SPRITE]) + (int(user[VARIANT]) % int(body[VARIANTS]) * phases + phase) * (1 if walking else 2)
    wide, high = sizes[sprite, 0] * user[SCALE], sizes[sprite, 1] * user[SCALE]
    slices, apart = 1, 0.0
    if walking and mode == SHADE:  # the sun sees the walker's breadth whatever the window sees
        reach = max(0.3, (sun_x**2 + sun_y**2) ** 0.5)
        ax, ay = heading * (0.75 * wide * abs(sun_y) / reach + 0.2), 0.25 * wide
    elif walking:
        facing = (heading if cam[3] > 0 else -heading) * (0.6 + 0.4 * abs(cam[3]))
        ax, ay = wide * facing * cam[3], wide * facing * cam[4]
    else:
        ax, ay = heading * wide, 0.0
        if mode == SHADE or (mode == PAINT and abs(cam[3]) < SIDE_ON):
            slices, apart = 3, 0.24 * body[WIDTH]
    flip = -1.0 if mode == MIRROR else 1.0
    paints = (user[TONE1], user[TONE2])
    for k in range(slices):
        which = sprite + (1 if slices == 3 and k != 1 else 0)
        beside = apart * (1 - k) if slices == 3 else 0.0
        px, py = x - 0.5 * ax, y - 0.5 * ay + beside
        if mode == SHADE:
            origin, down = (px + sun_x * high, py + sun_y * high, 0.0), (-sun_x * high, -sun_y * high, 0.0)
        else:
            origin, down = (px, py, flip * high), (0.0, 0.0, -flip * high)
        _add(boards, written, origin, (ax, ay, 0.0), down, 1.0 * which, mode, paints, light, owner)


@njit(cache=True, error_model="numpy")
def _fixture(boards, written, cam, sizes, bodies, user, place, numbers, t_s, mode, light):  # type: ignore[no-untyped-def]
    """Add a trunk or a piece of a tree's crown, swaying in the wind, or its shadow."""
    sprite = int(bodies[int(user[BODY]), SPRITE])
    wide, high = sizes[sprite, 0] * user[SCALE], sizes[sprite, 1] * user[SCALE]
    x, y, base = place[0], place[1], user[PHASE]
    if base > SWAYS_ABOVE_M:
        pace = 1.1 + 0.013 * user[VARIANT]
        x += numbers[WIND] * (np.sin(pace * t_s + user[VARIANT]) + 0.6 * np.sin(2.7 * pace * t_s))
        base += 0.4 * numbers[WIND] * np.sin(1.9 * pace * t_s)
    ax, ay = wide * cam[3], wide * cam[4]
    origin, down = (x - 0.5 * ax, y - 0.5 * ay, base + high), (0.0, 0.0, -high)
    if mode == SHADE:
        sun_x, sun_y, top = numbers[SUN_X], numbers[SUN_Y], base + high
        origin, down = (
            (x - 0.5 * ax + sun_x * top, y - 0.5 * ay + sun_y * top, 0.0),
            (-sun_x * high, -sun_y * high, 0.0),
        )
    _add(boards, written, origin, (ax, ay, 0.0), down, 1.0 * sprite, mode, (user[TONE1], user[TONE2]), light, 0.0)


@njit(cache=True, error_model="numpy")
def _vehicle(boards, written, cam, sizes, bodies, panels, user, place, mode, light, owner):  # type: ignore[no-untyped-def]
    """Add the panels that face the camera, the farther ones first, and then the near side."""
    body, heading = bodies[int(user[BODY])], user[HEADING]
    flip = -1.0 if mode == MIRROR else 1.0
    scale = user[SCALE]
    wide = scale * body[WIDTH]
    rear = place[0] - heading * 0.5 * scale * body[LENGTH]
    near = place[1] - 0.5 * wide
    first, total = int(body[FIRST_PANEL]), int(body[PANELS])
    rising = (heading > 0) == (place[0] < 0)
    paints = (user[TONE1], user[TONE2])
    for k in range(total):
        p = panels[first + (k if rising else total - 1 - k)]
        xa, za, xb, zb = scale * p[0], scale * p[1], scale * p[2], scale * p[3]
        wa, wb = rear + heading * xa, rear + heading * xb
        towards = (cam[0] - wa) * (-heading * (zb - za)) + (cam[2] - za) * (xb - xa)
        if towards <= 0:
            continue
        if zb > za:
            wa, wb, za, zb = wb, wa, zb, za
        origin, along, down = (wa, near, flip * za), (0.0, wide, 0.0), (wb - wa, 0.0, flip * (zb - za))
        lit = light * p[5] / 256.0 if mode == PAINT else light
        _add(boards, written, origin, along, down, p[4], mode, paints, lit, owner)
    side = int(body[SPRITE])
    high = flip * scale * sizes[side, 1]
    along = (heading * scale * sizes[side, 0], 0.0, 0.0)
    _add(boards, written, (rear, near, high), along, (0.0, 0.0, -high), 1.0 * side, mode, paints, light, owner)


@njit(cache=True, error_model="numpy")
def _vehicle_shadow(boards, written, grounds, bodies, user, place, numbers, points, out):  # type: ignore[no-untyped-def]
    """Add the shade under a vehicle, and where body and cabin throw their shadow."""
    body = bodies[int(user[BODY])]
    scale = user[SCALE]
    half, wide, belt = 0.5 * scale * body[LENGTH], 0.5 * scale * body[WIDTH], scale * body[BELT]
    for part in range(3):
        if part > 0 and numbers[SHADE_LIGHT] >= 255:
            break
        if part == 0:
            x0, x1, z0, z1, more = -half, half, 0.0, 0.0, 0.06
        elif part == 1:
            x0, x1, z0, z1, more = -0.98 * half, 0.98 * half, 0.05, belt, 0.0
        else:
            x0, x1 = scale * body[CABIN0] - half, scale * body[CABIN1] - half
            z0, z1, more = belt * 0.9, scale * body[HEIGHT], -0.06
        for corner in range(8):
            z = z1 if corner >= 4 else z0
            points[corner, 0] = place[0] + user[HEADING] * (x1 if corner & 1 else x0) + z * numbers[SUN_X]
            points[corner, 1] = place[1] + (wide + more) * (1.0 if corner & 2 else -1.0) + z * numbers[SUN_Y]
        size = hull(points, 8, out)
        count = written[0]
        if count >= BOARDS_MAX:
            return
        grounds[count, 0] = size
        for k in range(size):
            grounds[count, 1 + 2 * k], grounds[count, 2 + 2 * k] = out[k, 0], out[k, 1]
        light = numbers[CONTACT] if part == 0 else numbers[SHADE_LIGHT]
        zero = (0.0, 0.0, 0.0)
        _add(boards, written, zero, zero, zero, 1.0 * count, SHADE_GROUND, (0.0, 0.0), light, 0.0)


@njit(cache=True, error_model="numpy")
def _glow(boards, written, cam, sprite, x, y, z, size_m, strength):  # type: ignore[no-untyped-def]
    """Add a round glow that faces the camera."""
    half = 0.5 * size_m
    origin = (x - half * (cam[3] + cam[6]), y - half * (cam[4] + cam[7]), z - half * (cam[5] + cam[8]))
    along = (size_m * cam[3], size_m * cam[4], size_m * cam[5])
    down = (size_m * cam[6], size_m * cam[7], size_m * cam[8])
    _add(boards, written, origin, along, down, sprite, GLOW, (0.0, 0.0), strength, 0.0)


@njit(cache=True, error_model="numpy")
def _lamps(boards, written, cam, bodies, user, place, numbers):  # type: ignore[no-untyped-def]
    """Add a vehicle's or bicycle's lamps as the camera sees them: bright in front, weak behind, halos around."""
    body, heading = bodies[int(user[BODY])], user[HEADING]
    driving = body[KIND] == DRIVING
    strength = numbers[HEADLIGHTS] * (110.0 if body[KIND] == RIDING else 256.0)
    for end in range(2):
        way = heading if end == 0 else -heading
        x = place[0] + way * 0.5 * user[SCALE] * body[LENGTH]
        facing = way * (cam[0] - x) / ((cam[0] - x) ** 2 + place[1] ** 2 + 9.0) ** 0.5
        bright = (0.12 + 0.88 * max(0.0, facing)) * (1.0 if end == 0 else 0.35) if facing > -0.15 else 0.0
        if bright <= 0.02:
            continue
        for k in range(2 if driving else 1):
            y = place[1] + (0.36 * body[WIDTH] * (1 - 2 * k) if driving else 0.0)
            z = 0.68 if driving else 0.85
            _glow(boards, written, cam, numbers[HALO], x, y, z, 0.42, strength * min(1.0, 0.5 + bright))
            _glow(boards, written, cam, numbers[HALO], x, y, z, 2.4, 0.55 * strength * bright)


@njit(cache=True, error_model="numpy")
def set_stage(  # type: ignore[no-untyped-def]  # noqa: C901
    boards, grounds, cam, sizes, meta, xs, ys, bodies, panels, lamps, numbers, t_s
):
    """Write the boards of the frame at `t_s`, in the order of painting; return how many they are."""
    points = np.empty((8, 2))
    out = np.empty((18, 2))
    places = np.empty((meta.shape[0], 3))
    visible = np.empty(min(meta.shape[0], ON_SCREEN_MAX), dtype=np.int64)
    users = 0
    for row in range(meta.shape[0]):
        if users < visible.size and _place(meta, xs, ys, row, t_s, places):
            visible[users] = row
            users += 1
    _order(meta, bodies, places, visible, np.int64(users))
    written = np.zeros(1, dtype=np.int64)
    for step in range(4):  # shadows, reflections, headlights on the road, road users
        if (step == 1 and numbers[MIRRORS] <= 0) or (step == 2 and numbers[HEADLIGHTS] <= 0):
            continue
        for i in range(users):
            user, place = meta[visible[i]], places[visible[i]]
            body = bodies[int(user[BODY])]
            kind = int(body[KIND])
            lit = numbers[HEADLIGHTS] > 0 and user[FIXED] == 0 and kind in (DRIVING, RIDING, MOTORING)
            if step == 0 and kind == DRIVING:
                _vehicle_shadow(boards, written, grounds, bodies, user, place, numbers, points, out)
            elif step == 2 and lit and kind != RIDING:
                front = place[0] + user[HEADING] * (0.5 * body[LENGTH] + 0.3)
                origin, along = (front, place[1] - 0.5 * BEAM_WIDE_M, 0.0), (user[HEADING] * BEAM_M, 0.0, 0.0)
                down = (0.0, BEAM_WIDE_M, 0.0)
                strength = BEAM_LIGHT * numbers[HEADLIGHTS] * (1.0 + numbers[MIRRORS] / 128.0)
                _add(boards, written, origin, along, down, numbers[BEAM], GLOW, (0.0, 0.0), strength, 0.0)
            if step == 2 or (step == 1 and kind == STANDING) or (step == 0 and kind == DRIVING):
                continue
            mode, light, owner = PAINT, 0.0, 0.0
            if step == 0:
                mode, light = SHADE, numbers[SHADE_LIGHT]
                if light >= 255 or place[1] < numbers[HOUSE_SHADE_Y]:
                    continue
            elif step == 1:
                mode, light = MIRROR, numbers[MIRRORS]
            else:
                light, owner = numbers[AMBIENT], user[NUMBER]
                if place[1] < numbers[HOUSE_SHADE_Y]:
                    light *= numbers[HOUSE_LIGHT]
                for k in range(lamps.shape[0]):
                    far = (place[0] - lamps[k, 0]) ** 2 + (place[1] - lamps[k, 1]) ** 2
                    light += numbers[LAMP_GAIN] / (1.0 + far / LAMP_REACH_M2)
                light = 256.0 * min(light, 1.15)
            if kind == DRIVING:
                _vehicle(boards, written, cam, sizes, bodies, panels, user, place, mode, light, owner)
            elif kind == STANDING:
                _fixture(boards, written, cam, sizes, bodies, user, place, numbers, t_s, mode, light)
            else:
                _figure(boards, written, cam, sizes, bodies, user, place, numbers, mode, light, owner)
            if step == 3 and lit:
                _lamps(boards, written, cam, bodies, user, place, numbers)
    return written[0]
