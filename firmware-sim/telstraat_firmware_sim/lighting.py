"""Light and weather on the street: shadows on the ground, lamps of vehicles, light from street lamps, rain."""

from __future__ import annotations

import numpy as np
from numba import njit

from telstraat_firmware_sim.columns import (
    AMBIENT,
    BELT,
    CABIN0,
    CABIN1,
    CONTACT,
    DRIVING,
    FRAME,
    HALO,
    HEADLIGHTS,
    HEIGHT,
    HOUSE_LIGHT,
    HOUSE_SHADE_Y,
    KIND,
    LAMP_GAIN,
    LENGTH,
    RAIN,
    SHADE_LIGHT,
    STRIDE,
    SUN_X,
    SUN_Y,
    WIDTH,
)
from telstraat_firmware_sim.paint import hull, paint_board, shade_polygon


@njit(cache=True, error_model="numpy")
def light_at(numbers, lamps, x, y):  # type: ignore[no-untyped-def]
    """Give the light on something at (x, y), 256 = full day."""
    light = numbers[AMBIENT]
    if y < numbers[HOUSE_SHADE_Y]:
        light *= numbers[HOUSE_LIGHT]
    for k in range(lamps.shape[0]):
        far = (x - lamps[k, 0]) ** 2 + (y - lamps[k, 1]) ** 2
        light += numbers[LAMP_GAIN] / (1.0 + far / 22.0)
    return min(light, 1.15) * 256.0


@njit(cache=True, error_model="numpy")
def shade_vehicle(canvas, stamp, cam, bodies, body, x, y, heading, numbers, points, ground, corners, flat, mark):  # type: ignore[no-untyped-def]
    """Shade the ground under a vehicle, and where body and cabin throw their shadow."""
    length, width, height = bodies[body, LENGTH], bodies[body, WIDTH], bodies[body, HEIGHT]
    for part in range(3):
        if part == 0:
            x0, x1, z0, z1, out = -0.5 * length, 0.5 * length, 0.0, 0.0, 0.06
        elif part == 1:
            x0, x1, z0, z1, out = -0.49 * length, 0.49 * length, 0.05, bodies[body, BELT], 0.0
        else:
            x0, x1, out = bodies[body, CABIN0] - 0.5 * length, bodies[body, CABIN1] - 0.5 * length, -0.06
            z0, z1 = bodies[body, BELT] * 0.9, height
        if part > 0 and numbers[SHADE_LIGHT] >= 255:
            continue
        count = 0
        for corner in range(8 if part > 0 else 4):
            z = z1 if corner >= 4 else z0
            points[count, 0] = x + heading * (x1 if corner & 1 else x0) + z * numbers[SUN_X]
            points[count, 1] = y + (0.5 * width + out) * (1 if corner & 2 else -1) + z * numbers[SUN_Y]
            count += 1
        size = hull(points, count, ground)
        light = numbers[CONTACT] if part == 0 else numbers[SHADE_LIGHT]
        shade_polygon(canvas, stamp, cam, ground, size, corners, flat, int(light), mark)


@njit(cache=True, error_model="numpy")
def _glow(canvas, stamp, ids, cam, atlas, sprites, corners, flat, sprite, x, y, z, size_m, strength):  # type: ignore[no-untyped-def]
    """Add a round glow that faces the camera."""
    paint_board(
        canvas, stamp, ids, cam, atlas, sprites, sprite, corners, flat,
        x - 0.5 * size_m * (cam[3] + cam[6]), y - 0.5 * size_m * (cam[4] + cam[7]), z - 0.5 * size_m * cam[8],
        size_m * cam[3], size_m * cam[4], 0.0, size_m * cam[6], size_m * cam[7], size_m * cam[8],
        2, 0, 0, strength, 0, 0,
    )  # fmt: skip


@njit(cache=True, error_model="numpy")
def burn_lamps(  # type: ignore[no-untyped-def]
    canvas, stamp, ids, cam, atlas, sprites, corners, flat, bodies, numbers, body, heading, x, y
):
    """Add a vehicle's or bicycle's lamps as the camera sees them: bright in front, weak behind, halos at night."""
    length, width = bodies[body, LENGTH], bodies[body, WIDTH]
    motor = bodies[body, KIND] == DRIVING
    pairs = 2 if motor else 1
    strength = numbers[HEADLIGHTS] * (256 if motor or bodies[body, STRIDE] > 50 else 110)
    for end in range(2):
        way = heading if end == 0 else -heading
        lx = x + way * 0.5 * length
        for k in range(pairs):
            ly = y + (0.36 * width * (1 - 2 * k) if motor else 0.0)
            far = ((lx - cam[0]) ** 2 + ly**2 + 9.0) ** 0.5
            facing = way * (cam[0] - lx) / far
            bright = max(0.0, 0.12 + 0.88 * facing) if facing > -0.15 else 0.0
            if end == 1:
                bright *= 0.35
            if bright <= 0.02:
                continue
            z = 0.68 if motor else 0.85
            _glow(
                canvas,
                stamp,
                ids,
                cam,
                atlas,
                sprites,
                corners,
                flat,
                int(numbers[HALO]),
                lx,
                ly,
                z,
                0.42,
                int(strength * min(1.0, 0.5 + bright)),
            )
            _glow(
                canvas,
                stamp,
                ids,
                cam,
                atlas,
                sprites,
                corners,
                flat,
                int(numbers[HALO]),
                lx,
                ly,
                z,
                2.4,
                int(0.55 * strength * bright),
            )


@njit(cache=True, error_model="numpy")
def let_it_rain(canvas, numbers, seed):  # type: ignore[no-untyped-def]
    """Draw this frame's streaks."""
    height, width = canvas.shape
    state = np.uint64(seed) * np.uint64(2654435761) + np.uint64(numbers[FRAME]) * np.uint64(40503) + np.uint64(97)
    count = int(numbers[RAIN] * width * height / 2600)
    for _ in range(count):
        state ^= state << np.uint64(13)
        state ^= state >> np.uint64(7)
        state ^= state << np.uint64(17)
        x = int(state % np.uint64(width))
        y = int((state >> np.uint64(16)) % np.uint64(height))
        long = 4 + int((state >> np.uint64(34)) % np.uint64(max(1, height // 26)))
        light = 8 + int((state >> np.uint64(48)) % np.uint64(22))
        for k in range(long):
            yy, xx = y + k, x + k // 5
            if yy < height and xx < width:
                canvas[yy, xx] = min(255, canvas[yy, xx] + light)
