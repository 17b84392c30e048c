"""Decides which pixels do not belong to the empty street.

A frame is averaged down to about 320 pixels of width. Each pixel keeps a mean, a spread and a candidate for a new mean.
A pixel is foreground when it lies outside the range of the means around it, widened by what is usual there: that way a
swaying edge or a trembling camera is no object. A change of exposure is measured on a sparse sample and taken out.

All planes are flat (height * width of the working size), row by row, and are allocated once. What is done to every
pixel is in `pixels`, what is done to the masks in `words`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.foreground.bitmask import ONE, Rows, Words, last_word, words_across
from telstraat_device.counting.foreground.pixels import (
    ROOM,
    SPREAD_SHIFT,
    SPREAD_TIMES,
    halve_64,
    learn_64,
    learn_some_16,
    range_32,
    scale_16,
)
from telstraat_device.native.kernel import kernel
from telstraat_device.native.simd import first_one

Plane = NDArray[Any]  # flat, uint8 unless told otherwise

WORKING_WIDTH_PX = 320
BOOT_SAMPLES = 16
BOOT_S = 1.0  # the median of less is no background; issue 4 asks to count within one to two seconds
BOOT_HALF = 6  # of 16 samples: an empty street needs to be seen for little more than a third of the time
FLOOR = 9  # grey levels; compression noise of the clips in use stays below
COUNTERS = 1024
GAIN_MAX = 0.9  # powers of two: no automatic exposure jumps so far from one frame to the next
GAIN_STEP = 0.012  # smaller changes of exposure are left to the running mean
ADOPT_YOUNG_S = 1.2
ADOPT_S = 25.0
YOUNG_S = 8.0
LEARN_S = 2.5  # time constant of the running mean
STEADY = 7  # grey levels by which something still may waver


def shrink_factor(width: int) -> int:
    """Return how many pixels of the frame become one of the working size, in each direction."""
    return max(1, round(width / WORKING_WIDTH_PX))


@kernel
def shrink(luma: Plane, across: int, factor: int, small: Plane, width: int, height: int) -> None:
    """Average a frame with rows of `across` over squares of `factor` into `small` (width * height pixels), rounded."""
    if factor == 1:
        for y in range(height):
            for x in range(width):
                small[y * width + x] = luma[y * across + x]
    elif factor == 2 and width >= 64:
        for y in range(height):
            top = 2 * y * across
            for x in range(0, width - 64, 64):
                halve_64(luma, top + 2 * x, top + across + 2 * x, small, y * width + x)
            x = width - 64
            halve_64(luma, top + 2 * x, top + across + 2 * x, small, y * width + x)
    else:
        area = factor * factor
        for y in range(height):
            for x in range(width):
                total = area // 2
                for dy in range(factor):
                    for dx in range(factor):
                        total += luma[(y * factor + dy) * across + x * factor + dx]
                small[y * width + x] = total // area


@kernel
def boot(samples: Plane, count: int, mean: Plane, spread: Plane, column: Plane) -> None:
    """Set the mean to the middle of the densest samples of each pixel (samples: count * pixels; column: scratch)."""
    pixels = mean.shape[0]
    half = max(1, count * BOOT_HALF // BOOT_SAMPLES)
    for i in range(pixels):
        for k in range(count):
            value = np.int32(samples[k * pixels + i])
            j = k
            while j > 0 and column[j - 1] > value:
                column[j] = column[j - 1]
                j -= 1
            column[j] = value
        best, start = 1 << 30, 0
        for k in range(count - half + 1):
            width = column[k + half - 1] - column[k]
            if width < best:
                best, start = width, k
        total = 0
        for k in range(start, start + half):
            total += column[k]
        mean[i] = np.uint16(total * 256 // half)
        spread[i] = np.uint8(min(255, (best << SPREAD_SHIFT) // 3 + 6))


@kernel
def gain_of(small: Plane, mean: Plane, logs: Plane, counts: Plane) -> int:
    """Return 256 times the median of log2(frame / background) over every 61st pixel that is neither black nor white."""
    counts[:] = 0
    total = 0
    middle = counts.shape[0] // 2
    for i in range(np.uint64(7), np.uint64(small.shape[0]), np.uint64(61)):
        x, m = small[i], mean[i] >> 8
        if 16 < x < 240 and 16 < m < 240:
            step = np.int32(logs[x]) - np.int32(logs[m]) + middle
            counts[min(max(step, 0), counts.shape[0] - 1)] += 1
            total += 1
    if total < 50:
        return 0
    seen = 0
    for k in range(counts.shape[0]):
        seen += counts[k]
        if 2 * seen >= total:
            return int(k - middle)
    return 0


@kernel
def follow_exposure(mean: Plane, candidate: Plane, times_4096: int) -> None:
    """Follow a change of exposure: multiply the background."""
    pixels = candidate.shape[0]
    for at in range(0, pixels, 16):
        scale_16(mean, at, times_4096)
    times = np.int32(times_4096)
    for i in range(pixels):
        candidate[i] = np.uint8(min(np.int32(255), (np.int32(candidate[i]) * times) >> np.int32(12)))


@kernel
def range_at(
    mean: Plane, spread: Plane, floor: int, width: int, height: int, x: int, y: int, low: Plane, high: Plane
) -> None:
    """Set the range of one pixel, whose neighbours may be beyond the border."""
    least, most = np.int32(255), np.int32(0)
    for row in (max(y - 1, 0), y, min(y + 1, height - 1)):
        for column in (max(x - 1, 0), x, min(x + 1, width - 1)):
            value = np.int32(mean[row * width + column]) >> np.int32(8)
            least, most = min(least, value), max(most, value)
    i = y * width + x
    wide = max(np.int32(floor), (np.int32(SPREAD_TIMES) * np.int32(spread[i])) >> np.int32(SPREAD_SHIFT))
    low[i] = np.uint8(max(np.int32(0), least - wide))
    high[i] = np.uint8(min(np.int32(255), most + wide))


@kernel
def widen(
    mean: Plane, spread: Plane, floor: int, width: int, height: int, low: Plane, high: Plane, first: int, last: int
) -> None:
    """Set the range in which rows first..last count as street: the 3x3 extremes of the mean, widened by the usual."""
    for y in range(first, last):
        here = y * width
        up, down = max(y - 1, 0) * width, min(y + 1, height - 1) * width
        range_at(mean, spread, floor, width, height, 0, y, low, high)
        range_at(mean, spread, floor, width, height, width - 1, y, low, high)
        x = 1
        while x + 32 < width:
            range_32(mean, spread, floor, up + x, here + x, down + x, low, high)
            x += 32
        if width > 33:
            x = width - 33  # once more for some: they come out the same
            range_32(mean, spread, floor, up + x, here + x, down + x, low, high)
        else:
            for x in range(1, width - 1):
                range_at(mean, spread, floor, width, height, x, y, low, high)


@kernel
def absorb(
    small: Plane, raw: Words, mean: Plane, spread: Plane, width: int, x0: int, y0: int, x1: int, y1: int
) -> None:
    """Make the foreground inside a box part of the street: it never moved."""
    for y in range(y0, y1):
        for x in range(x0, x1):
            if (raw[y, x >> 6] >> np.uint64(x & 63)) & ONE:
                i = y * width + x
                mean[i] = np.uint16(small[i]) << np.uint16(8)
                spread[i] = max(spread[i], np.uint8(24))


@kernel
def hold(small: Plane, mean: Plane, spread: Plane, candidate: Plane, held: Plane, i: Any, adopt: int) -> None:
    """Let a foreground pixel that is still become street after `adopt` times."""
    x, c = np.int32(small[i]), np.int32(candidate[i])
    if abs(x - c) > STEADY:
        candidate[i] = small[i]
        held[i] = np.uint8(0)
        return
    times = min(np.int32(255), np.int32(held[i]) + np.int32(1))
    held[i] = np.uint8(times)
    candidate[i] = np.uint8(c + (1 if x > c else 0) - (1 if x < c else 0))
    if times >= adopt:
        mean[i] = np.uint16(c << 8)
        spread[i] = np.uint8(16)
        held[i] = np.uint8(0)


@kernel
def learn_street(
    small: Plane, raw: Words, mean: Plane, spread: Plane, held: Plane, width: int, rate: int, first: int, last: int
) -> None:
    """Move mean and spread of rows first..last by `rate` / 65536, in words that are all street."""
    words = raw.shape[1]
    whole = words if width % 64 == 0 else words - 1
    for y in range(first, last):
        for k in range(whole):
            if raw[y, k] == 0:
                learn_64(small, mean, spread, held, y * width + 64 * k, rate)


@kernel
def learn(
    small: Plane,
    raw: Words,
    rows: Rows,
    mean: Plane,
    spread: Plane,
    candidate: Plane,
    held: Plane,
    width: int,
    rate: int,
    adopt: int,
    first: int,
    last: int,
) -> None:
    """Move mean and spread of rows first..last where they show street by `rate` / 4096; hold what is foreground."""
    rate *= 16
    learn_street(small, raw, mean, spread, held, width, rate, first, last)
    words = raw.shape[1]
    beyond = ~last_word(width)
    for y in range(first, last):
        if not rows[y] and not beyond:
            continue
        for k in range(words):
            word = raw[y, k]
            kept = word | beyond if k == words - 1 else word
            if kept == 0:
                continue
            at = y * width + 64 * k
            for q in range(4):
                part = (kept >> np.uint64(16 * q)) & np.uint64(0xFFFF)
                if part != 0xFFFF:
                    learn_some_16(small, mean, spread, held, at + 16 * q, rate, part)
            while word:
                hold(small, mean, spread, candidate, held, at + np.int64(first_one(word)), adopt)
                word &= word - ONE


def plane(pixels: int, kind: type[np.unsignedinteger[Any]] = np.uint8) -> Plane:
    """Return a plane of zeros with room behind its end for the lanes that reach beyond it."""
    return np.zeros(pixels + ROOM, kind)[:pixels]


class Background:
    """The empty street as one camera sees it, and what does not belong to it now.

    Attributes
    ----------
    factor, width, height : int
        How many pixels of the frame become one, and the working size.
    small, previous : uint8 (pixels,)
        The frame at the working size, and the one before.
    mask, solid : uint64 (height, words)
        What does not belong to the street, and what of it is no shadow; before cleaning `raw` and `shade`. Each has
        its `_rows`.
    """

    def __init__(self, width: int, height: int) -> None:
        self.factor = shrink_factor(width)
        self.width, self.height = width // self.factor, height // self.factor
        self.pixels = self.width * self.height
        self.small, self.previous = plane(self.pixels), plane(self.pixels)
        self.mean = plane(self.pixels, np.uint16)
        self.spread, self.candidate, self.held, self.low, self.high = (plane(self.pixels) for _ in range(5))
        shape = (self.height, words_across(self.width))
        self.raw, self.mask, self.flat, self.edge, self.shade, self.solid = (
            np.zeros(shape, np.uint64) for _ in range(6)
        )
        self.raw_rows, self.mask_rows, self.shade_rows, self.solid_rows = (
            np.zeros(self.height, np.uint64) for _ in range(4)
        )
        self.logs = np.array([round(256 * math.log2(max(v, 1))) for v in range(256)], np.int16)
        self.counts = np.zeros(COUNTERS, np.int32)
