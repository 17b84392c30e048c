"""Decides which pixels do not belong to the empty street.

A frame is averaged down to about 320 pixels of width. Each pixel keeps a mean, a spread and a candidate for a new mean.
A pixel is foreground when it lies outside the range of the means around it, widened by what is usual there: that way a
swaying edge or a trembling camera is no object. A change of exposure is measured on a sparse sample and taken out.

All planes are flat (height * width of the working size), row by row, and are allocated once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telstraat_device.frames import Luma
from telstraat_device.kernel import kernel

Plane = NDArray[Any]  # flat, uint8 unless told otherwise

WORKING_WIDTH_PX = 320
BOOT_SAMPLES = 16
BOOT_S = 1.0  # the median of less is no background; issue 4 asks to count within one to two seconds
BOOT_HALF = 6  # of 16 samples: an empty street needs to be seen for little more than a third of the time
FLOOR = 9  # grey levels; compression noise of the clips in use stays below
SPREAD_TIMES = 3
SPREAD_SHIFT = 3  # the spread is kept in eighths of a grey level
SHADOW_EDGE = 7  # grey levels over two pixels that a shadow does not add to the street's own texture
CHANGE_STEP = 8  # grey levels from frame to frame that mean movement
GAIN_MAX = 0.9  # powers of two: no automatic exposure jumps so far from one frame to the next
GAIN_STEP = 0.012  # smaller changes of exposure are left to the running mean
ADOPT_YOUNG_S = 1.2
ADOPT_S = 25.0
YOUNG_S = 8.0
LEARN_S = 2.5  # time constant of the running mean


def shrink_factor(width: int) -> int:
    """Return how many pixels of the frame become one of the working size, in each direction."""
    return max(1, round(width / WORKING_WIDTH_PX))


@kernel
def shrink(luma: Plane, factor: int, small: Plane) -> None:
    """Average `luma` (height, width) over squares of `factor` into `small` (height // factor, width // factor)."""
    height, width = small.shape
    if factor == 1:
        for y in range(height):
            for x in range(width):
                small[y, x] = luma[y, x]
    elif factor == 2:
        for y in range(height):
            top, low, out = luma[2 * y], luma[2 * y + 1], small[y]
            for x in range(width):
                four = (
                    np.uint16(top[2 * x])
                    + np.uint16(top[2 * x + 1])
                    + np.uint16(low[2 * x])
                    + np.uint16(low[2 * x + 1])
                )
                out[x] = np.uint8((four + np.uint16(2)) >> np.uint16(2))
    else:
        area = factor * factor
        for y in range(height):
            for x in range(width):
                total = area // 2
                for dy in range(factor):
                    for dx in range(factor):
                        total += luma[y * factor + dy, x * factor + dx]
                small[y, x] = total // area


@kernel
def boot(samples: Plane, mean: Plane, spread: Plane) -> None:
    """Set the mean to the middle of the densest samples of each pixel (samples: (count, pixels))."""
    count, pixels = samples.shape
    half = max(1, count * BOOT_HALF // BOOT_SAMPLES)
    column = np.empty(count, np.int32)
    for i in range(pixels):
        for k in range(count):
            value = np.int32(samples[k, i])
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
def gain_of(small: Plane, mean: Plane, logs: Plane, counts: Plane) -> float:
    """Return the median of log2(frame / background) over every 61st pixel that is neither black nor white."""
    counts[:] = 0
    total = 0
    middle = counts.shape[0] // 2
    for i in range(7, small.shape[0], 61):
        x, m = small[i], mean[i] >> 8
        if 16 < x < 240 and 16 < m < 240:
            step = np.int32(logs[x]) - np.int32(logs[m]) + middle
            counts[min(max(step, 0), counts.shape[0] - 1)] += 1
            total += 1
    if total < 50:
        return 0.0
    seen = 0
    for k in range(counts.shape[0]):
        seen += counts[k]
        if 2 * seen >= total:
            return float((k - middle) / 256.0)
    return 0.0


@kernel
def scale_mean(mean: Plane, candidate: Plane, times_4096: int) -> None:
    """Follow a change of exposure: multiply the background."""
    for i in range(mean.shape[0]):
        whole: Any = (np.int64(mean[i]) * times_4096) >> 12
        second: Any = (np.int64(candidate[i]) * times_4096) >> 12
        mean[i] = np.uint16(min(65280, whole))
        candidate[i] = np.uint8(min(255, second))


@kernel
def envelope(
    mean: Plane, spread: Plane, floor: int, width: int, low: Plane, high: Plane, first: int, last: int
) -> None:
    """Set the range in which rows first..last count as street: the 3x3 extremes of the mean, widened by the usual."""
    height = mean.shape[0] // width
    for y in range(first, last):
        up, down = max(y - 1, 0) * width, min(y + 1, height - 1) * width
        here = y * width
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            a: Any = mean[here + x]
            b: Any = a
            for row in (up, here, down):
                for k in (left, x, right):
                    value = mean[row + k]
                    a = min(a, value)
                    b = max(b, value)
            wide: Any = max(floor, (SPREAD_TIMES * np.int32(spread[here + x])) >> SPREAD_SHIFT)
            low[here + x] = np.uint8(max(0, (np.int32(a) >> 8) - wide))
            high[here + x] = np.uint8(min(255, (np.int32(b) >> 8) + wide))


@kernel
def detect(small: Plane, low: Plane, high: Plane, mask: Plane) -> None:
    """Mark what lies outside the range with 1."""
    for i in range(small.shape[0]):
        mask[i] = np.uint8(small[i] < low[i]) | np.uint8(small[i] > high[i])


@kernel
def compare(small: Plane, previous: Plane, step: int, changed: Plane) -> None:
    """Mark what differs from the frame before by more than `step` with 1."""
    limit = np.uint8(step)
    for i in range(small.shape[0]):
        a, b = small[i], previous[i]
        changed[i] = np.uint8(np.uint8(max(a, b) - min(a, b)) > limit)


@kernel
def absorb(
    small: Plane, raw: Plane, mean: Plane, spread: Plane, width: int, x0: int, y0: int, x1: int, y1: int
) -> None:
    """Make the foreground inside a box part of the street: it never moved."""
    for y in range(y0, y1):
        for i in range(y * width + x0, y * width + x1):
            if raw[i] != 0:
                mean[i] = np.uint16(small[i]) << np.uint16(8)
                spread[i] = max(spread[i], np.uint8(24))


@kernel
def learn(
    small: Plane,
    mask: Plane,
    mean: Plane,
    spread: Plane,
    candidate: Plane,
    held: Plane,
    rate: int,
    adopt: int,
    first: int,
    last: int,
) -> None:
    """Move mean and spread of street pixels; let a pixel that is foreground, but still, become street after a while."""
    for i in range(first, last):
        x = np.int32(small[i])
        m = np.int32(mean[i])
        if mask[i] == 0:
            difference = (x << 8) - m
            mean[i] = np.uint16(m + ((difference * rate) >> 12))
            off: Any = min(255, abs(difference) >> (8 - SPREAD_SHIFT))
            s = np.int32(spread[i])
            spread[i] = np.uint8(min(200, s + ((off - s) >> 4) + (1 if off > s else 0)))
            if held[i] > 0:
                held[i] -= np.uint8(1)
        else:
            c = np.int32(candidate[i])
            if abs(x - c) <= 7:
                held[i] = np.uint8(min(255, held[i] + 1))
                candidate[i] = np.uint8(c + (1 if x > c else 0) - (1 if x < c else 0))
                if held[i] >= adopt:
                    mean[i] = np.uint16(c << 8)
                    spread[i] = np.uint8(16)
                    held[i] = np.uint8(0)
            else:
                candidate[i] = np.uint8(x)
                held[i] = np.uint8(0)


@kernel
def clean(mask: Plane, width: int, sums: Plane, out: Plane) -> None:
    """Keep a pixel when at least 5 of the 3x3 around it are marked; the border row and column are left empty."""
    height = mask.shape[0] // width
    n = mask.shape[0]
    for i in range(1, n - 1):
        sums[i] = mask[i - 1] + mask[i] + mask[i + 1]
    sums[0] = sums[n - 1] = np.uint8(0)
    for i in range(width, n - width):
        out[i] = np.uint8((sums[i - width] + sums[i] + sums[i + width]) >= np.uint8(5))
    out[:width] = np.uint8(0)
    out[n - width :] = np.uint8(0)
    for y in range(height):
        out[y * width] = np.uint8(0)
        out[y * width + width - 1] = np.uint8(0)


@kernel
def shade(small: Plane, mean: Plane, mask: Plane, width: int, kind: Plane, solid: Plane) -> tuple[int, int]:
    """Mark the foreground that is no shadow: brighter than the street, or with edges that the street has not.

    The rim of a hard shadow has such edges, too; it is known by lying between street and shadow. Returns how many
    pixels are solid, and how many of them are brighter than the street.
    """
    n = small.shape[0]
    margin = 3 * width + 3
    count, bright = 0, 0
    for i in range(n):
        kind[i] = 0
        if mask[i] == 0 or i < width or i >= n - width:
            continue
        x, m = np.int32(small[i]), np.int32(mean[i] >> 8)
        if 32 * x > 31 * m:
            kind[i] = 3
            continue
        across = (np.int32(small[i + 1]) - np.int32(small[i - 1])) * m
        across -= (np.int32(mean[i + 1] >> 8) - np.int32(mean[i - 1] >> 8)) * x
        down = (np.int32(small[i + width]) - np.int32(small[i - width])) * m
        down -= (np.int32(mean[i + width] >> 8) - np.int32(mean[i - width] >> 8)) * x
        kind[i] = 2 if max(abs(across), abs(down)) > SHADOW_EDGE * m or 8 * x < m else 1
    for i in range(n):
        solid[i] = 0
        if kind[i] < 2:
            continue
        rim = False
        if kind[i] == 2 and margin <= i < n - margin:
            for step in (1, width):
                for d in (2 * step, 3 * step):
                    if (mask[i - d] == 0 and kind[i + d] == 1) or (mask[i + d] == 0 and kind[i - d] == 1):
                        rim = True
        if not rim:
            solid[i] = 1
            count += 1
            bright += kind[i] == 3
    return count, bright


class Background:
    """The empty street as one camera sees it, and what does not belong to it now."""

    def __init__(self, width: int, height: int) -> None:
        self.factor = shrink_factor(width)
        self.width, self.height = width // self.factor, height // self.factor
        pixels = self.width * self.height
        self.small: Plane = np.zeros(pixels, np.uint8)
        self.mean: Plane = np.zeros(pixels, np.uint16)
        self.spread: Plane = np.zeros(pixels, np.uint8)
        self.candidate: Plane = np.zeros(pixels, np.uint8)
        self.held: Plane = np.zeros(pixels, np.uint8)
        self.low: Plane = np.zeros(pixels, np.uint8)
        self.high: Plane = np.zeros(pixels, np.uint8)
        self.previous: Plane = np.zeros(pixels, np.uint8)
        self.changed: Plane = np.zeros(pixels, np.uint8)
        self.raw: Plane = np.zeros(pixels, np.uint8)
        self.kind: Plane = np.zeros(pixels, np.uint8)
        self.shade: Plane = np.zeros(pixels, np.uint8)
        self.solid: Plane = np.zeros(pixels, np.uint8)
        self.sums: Plane = np.zeros(pixels, np.uint8)
        self.mask: Plane = np.zeros(pixels, np.uint8)
        self.logs = np.array([round(256 * math.log2(max(v, 1))) for v in range(256)], np.int16)
        self.counts = np.zeros(1024, np.int32)
        self.floor = FLOOR
        self.gain_log2 = 0.0
        self.lost = False
        self.solid_count = self.bright_count = 0
        self._number = 0

    def shrink(self, luma: Luma) -> None:
        """Take a frame (height, width) in at the working size."""
        self.previous, self.small = self.small, self.previous
        shrink(luma, self.factor, self.small.reshape(self.height, self.width))

    def boot(self, samples: Plane) -> None:
        """Begin with the street as it shows through the traffic of the first second; samples (count, pixels)."""
        boot(samples, self.mean, self.spread)
        self.candidate[:] = samples[-1]
        envelope(self.mean, self.spread, self.floor, self.width, self.low, self.high, 0, self.height)

    def process(self, age_s: float, dt_s: float) -> None:
        """Find the foreground of the frame taken in last, and learn from it."""
        self.gain_log2 = gain_of(self.small, self.mean, self.logs, self.counts)
        self.lost = abs(self.gain_log2) > GAIN_MAX
        if self.lost:
            return
        whole = abs(self.gain_log2) > GAIN_STEP
        if whole:
            scale_mean(self.mean, self.candidate, round(4096 * 2.0**self.gain_log2))
            envelope(self.mean, self.spread, self.floor, self.width, self.low, self.high, 0, self.height)
        else:
            eighth = self._number & 7
            first, last = eighth * self.height // 8, (eighth + 1) * self.height // 8
            envelope(self.mean, self.spread, self.floor, self.width, self.low, self.high, first, last)
        detect(self.small, self.low, self.high, self.raw)
        compare(self.small, self.previous, CHANGE_STEP, self.changed)
        clean(self.raw, self.width, self.sums, self.mask)
        self.solid_count, self.bright_count = shade(self.small, self.mean, self.mask, self.width, self.kind, self.shade)
        clean(self.shade, self.width, self.sums, self.solid)
        half = self._number & 1
        pixels = self.small.shape[0]
        rate = max(1, min(2048, round(4096 * 2 * dt_s / LEARN_S)))
        adopt_s = ADOPT_YOUNG_S if age_s < YOUNG_S else ADOPT_S
        adopt = max(4, min(255, round(adopt_s / (2 * dt_s))))
        first, last = half * pixels // 2, (half + 1) * pixels // 2
        learn(self.small, self.raw, self.mean, self.spread, self.candidate, self.held, rate, adopt, first, last)
        self._number += 1

    def absorb(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Take what is foreground in a box (working pixels) into the street."""
        left, top = max(0, int(x0) - 2), max(0, int(y0) - 2)
        right, bottom = min(self.width, int(x1) + 3), min(self.height, int(y1) + 3)
        absorb(self.small, self.raw, self.mean, self.spread, self.width, left, top, right, bottom)
