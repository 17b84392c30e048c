"""What the camera does to the picture: its shaking, rain before the lens, blur, exposure and noise."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy")
def lay_backdrop(canvas, backdrop, margin, shift_x, shift_y):  # type: ignore[no-untyped-def]
    """Copy the backdrop (larger by `margin` on every side) shifted by parts of a pixel: the shaking camera."""
    height, width = canvas.shape
    whole_x, whole_y = int(margin - shift_x), int(margin - shift_y)
    part_x = int(256 * ((margin - shift_x) - whole_x))
    part_y = int(256 * ((margin - shift_y) - whole_y))
    if part_x == 0 and part_y == 0:
        for y in range(height):
            line, source = canvas[y], backdrop[y + whole_y, whole_x : whole_x + width]
            for x in range(width):
                line[x] = source[x]
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
def gather(light, canvas, first):  # type: ignore[no-untyped-def]
    """Add a moment of an open shutter to `light`, uint16 (height, width); the `first` (1) replaces what was there."""
    keep = 1 - first
    for y in range(canvas.shape[0]):
        row, total = canvas[y], light[y]
        for x in range(row.size):
            total[x] = total[x] * keep + row[x]


@njit(cache=True, error_model="numpy")
def close_shutter(canvas, light, moments):  # type: ignore[no-untyped-def]
    """Make the picture of what was gathered at so many moments."""
    part = 65536 // moments
    for y in range(canvas.shape[0]):
        row, total = canvas[y], light[y]
        for x in range(row.size):
            row[x] = (total[x] * part + 32768) >> 16


@njit(cache=True, error_model="numpy")
def let_it_rain(canvas, amount, dice):  # type: ignore[no-untyped-def]
    """Draw one frame's streaks; `dice` is a uint64 that is not 0."""
    height, width = canvas.shape
    state = np.uint64(dice)
    for _ in range(int(amount * width * height / 2600)):
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


@njit(cache=True, error_model="numpy")
def expose(canvas, noise, noise_x, noise_y, gain, dark_noise, light_noise):  # type: ignore[no-untyped-def]
    """Turn the canvas into the sensor's picture in place: a soft lens, gain (256 = 1), noise that grows with the light.

    Every pixel becomes the mean of itself, its right, its lower and its lower right neighbour: a blur of one pixel,
    and a shift of half a pixel that the camera's centre already holds.
    noise : int8, larger than the canvas; 32 units are one standard deviation, which is in 1/8 grey level
    """
    height, width = canvas.shape
    for y in range(height):
        row = canvas[y]
        below = canvas[min(y + 1, height - 1)]
        grain = noise[y + noise_y, noise_x : noise_x + width]
        for x in range(width - 1):
            grey = np.int32(row[x]) + np.int32(row[x + 1]) + np.int32(below[x]) + np.int32(below[x + 1])
            grey = (grey * np.int32(gain)) >> np.int32(10)
            spread = np.int32(dark_noise) + ((np.int32(light_noise) * grey) >> np.int32(8))
            grey += (np.int32(grain[x]) * spread + np.int32(128)) >> np.int32(8)
            row[x] = min(max(grey, np.int32(0)), np.int32(255))
        row[width - 1] = row[width - 2]
