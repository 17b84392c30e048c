"""Models the empty street: what each pixel usually is, how far it strays, and how it is learnt.

A frame is averaged down to about 320 pixels of width. Each pixel has a mean, a spread and a candidate for a new mean. A
pixel is foreground when it lies outside the range of the means around it, widened by what is usual there: that way a
swaying edge or a trembling camera is no object. A change of exposure is measured on a sparse sample and taken out.

All planes are flat (height * width of the working size), row by row, and are allocated once.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.foreground.bitmask import ONE, Bitmask, Plane, last_word
from telstraat_device.counting.foreground.pixels import (
    PADDING,
    SPREAD_SHIFT,
    SPREAD_TIMES,
    halve_64,
    learn_64,
    learn_some_16,
    range_32,
    scale_16,
)
from telstraat_device.native.kernel import kernel
from telstraat_device.native.simd import trailing_zeros

WORKING_WIDTH_PX = 320
WHITE_LUMA = 255
BOOT_SAMPLES = 16
BOOT_S = 1.0  # the median of less is no background, and counting is to begin within one to two seconds
BOOT_HALF = 6  # of 16 samples: an empty street needs to be seen for little more than a third of the time
BOOT_SPREAD_SHARE, BOOT_SPREAD_MIN = (
    3,
    6,
)  # the spread is a third of that of these samples, and three quarters of a level
RANGE_MIN = 9  # grey levels to either side; compression noise of the clips in use stays below
GAIN_MAX = 0.9  # powers of two: no automatic exposure jumps so far from one frame to the next
GAIN_STEP = 0.012  # smaller changes of exposure are left to the running mean
GAIN_BINS = 1024  # in 256ths of a power of two: from a quarter to four times as bright
GAIN_SAMPLE_STEP, GAIN_SAMPLES_MIN = 61, 50  # every which pixel is a sample; fewer say nothing
GAIN_LUMA_MIN, GAIN_LUMA_MAX = 16, 240  # neither black nor white, which no exposure changes
ADOPT_YOUNG_S = 1.2  # until a still pixel becomes street, while the street was seen for less than YOUNG_S
ADOPT_S = 25.0
YOUNG_S = 8.0
LEARN_S = 2.5  # time constant of the running mean
STEADY = 7  # grey levels by which a still pixel may waver
ADOPTED_SPREAD, ABSORBED_SPREAD = 16, 24  # eighths of a grey level


class StreetModel(NamedTuple):
    """The empty street of one camera; planes are uint8 unless said otherwise.

    Attributes
    ----------
    mean : uint16 (pixels,)
        In 256ths of a grey level.
    spread : (pixels,)
        Usual deviation, in eighths of a grey level.
    candidate, held : (pixels,)
        What foreground that is still looks like, and for how many updates it has.
    low, high : (pixels,)
        The range that counts as street.
    width, height : int
    """

    mean: NDArray[np.uint16]
    spread: Plane
    candidate: Plane
    held: Plane
    low: Plane
    high: Plane
    width: int
    height: int


def shrink_factor(width: int) -> int:
    """Return how many pixels of the frame become one of the working size, in each direction."""
    return max(1, round(width / WORKING_WIDTH_PX))


@kernel
def shrink(luma: Plane, full_width: int, factor: int, small: Plane, width: int, height: int) -> None:
    """Average a frame over squares of `factor` into `small` (height * width), rounded; its rows have `full_width`."""
    if factor == 1:
        for y in range(height):
            for x in range(width):
                small[y * width + x] = luma[y * full_width + x]
    elif factor == 2 and width >= 64:
        for y in range(height):
            top = 2 * y * full_width
            for x in range(0, width - 64, 64):
                halve_64(luma, top + 2 * x, top + full_width + 2 * x, small, y * width + x)
            x = width - 64
            halve_64(luma, top + 2 * x, top + full_width + 2 * x, small, y * width + x)
    else:
        area = factor * factor
        for y in range(height):
            for x in range(width):
                total = area // 2
                for dy in range(factor):
                    for dx in range(factor):
                        total += luma[(y * factor + dy) * full_width + x * factor + dx]
                small[y * width + x] = total // area


@kernel
def insert_sorted(column: Any, count: int, value: Any) -> None:
    """Insert a value into the first `count` values of a sorted column."""
    j = count
    while j > 0 and column[j - 1] > value:
        column[j] = column[j - 1]
        j -= 1
    column[j] = value


@kernel
def bootstrap(samples: Plane, count: int, street: StreetModel, column: NDArray[np.int32]) -> None:
    """Set the mean to the middle of the densest samples of each pixel (half-sample mode).

    samples : uint8 (count * pixels,), a picture after the other; column : scratch for `count` values.
    """
    pixels = len(street.mean)
    half = max(1, count * BOOT_HALF // BOOT_SAMPLES)
    for i in range(pixels):
        for k in range(count):
            insert_sorted(column, k, np.int32(samples[k * pixels + i]))
        best, start = 1 << 30, 0
        for k in range(count - half + 1):
            width = column[k + half - 1] - column[k]
            if width < best:
                best, start = width, k
        total = 0
        for k in range(start, start + half):
            total += column[k]
        street.mean[i] = np.uint16(total * 256 // half)
        spread = (best << SPREAD_SHIFT) // BOOT_SPREAD_SHARE + BOOT_SPREAD_MIN
        street.spread[i] = np.uint8(min(WHITE_LUMA, spread))
        street.candidate[i] = samples[(count - 1) * pixels + i]


@kernel
def measure_gain(small: Plane, mean: Plane, log2_256: NDArray[np.int16], histogram: NDArray[np.int32]) -> int:
    """Return 256 times the median of log2(frame / street) over a sparse sample that is neither black nor white.

    log2_256 : 256 times the logarithm of each grey level; histogram : scratch, int32 (GAIN_BINS,).
    """
    histogram[:] = 0
    total = 0
    middle = len(histogram) // 2
    for i in range(np.uint64(7), np.uint64(small.shape[0]), np.uint64(GAIN_SAMPLE_STEP)):
        x, m = small[i], mean[i] >> 8
        if GAIN_LUMA_MIN < x < GAIN_LUMA_MAX and GAIN_LUMA_MIN < m < GAIN_LUMA_MAX:
            step: Any = np.int32(log2_256[x]) - np.int32(log2_256[m]) + middle
            histogram[min(max(step, 0), len(histogram) - 1)] += 1
            total += 1
    if total < GAIN_SAMPLES_MIN:
        return 0
    below = 0
    for k in range(len(histogram)):
        below += histogram[k]
        if 2 * below >= total:
            return int(k - middle)
    return 0


@kernel
def follow_exposure(street: StreetModel, times_4096: int) -> None:
    """Follow a change of exposure: multiply the street by `times_4096` / 4096."""
    pixels = len(street.candidate)
    for at in range(0, pixels, 16):
        scale_16(street.mean, at, times_4096)
    times = np.int32(times_4096)
    for i in range(pixels):
        scaled = (np.int32(street.candidate[i]) * times) >> np.int32(12)
        street.candidate[i] = np.uint8(min(np.int32(WHITE_LUMA), scaled))


@kernel
def update_range_of(street: StreetModel, x: int, y: int) -> None:
    """Set the range of one pixel, whose neighbours may be beyond the border."""
    width, height = street.width, street.height
    least, most = np.int32(WHITE_LUMA), np.int32(0)
    for row in (max(y - 1, 0), y, min(y + 1, height - 1)):
        for column in (max(x - 1, 0), x, min(x + 1, width - 1)):
            value = np.int32(street.mean[row * width + column]) >> np.int32(8)
            least, most = min(least, value), max(most, value)
    i = y * width + x
    spread = (np.int32(SPREAD_TIMES) * np.int32(street.spread[i])) >> np.int32(SPREAD_SHIFT)
    margin = max(np.int32(RANGE_MIN), spread)
    street.low[i] = np.uint8(max(np.int32(0), least - margin))
    street.high[i] = np.uint8(min(np.int32(WHITE_LUMA), most + margin))


@kernel
def update_range(street: StreetModel, first: int, last: int) -> None:
    """Set the range in which rows first..last count as street: the 3 x 3 extremes of the mean, widened by the usual."""
    width, height = street.width, street.height
    mean, spread, low, high = street.mean, street.spread, street.low, street.high
    for y in range(first, last):
        here = y * width
        up, down = max(y - 1, 0) * width, min(y + 1, height - 1) * width
        update_range_of(street, 0, y)
        update_range_of(street, width - 1, y)
        x = 1
        while x + 32 < width:
            range_32(mean, spread, RANGE_MIN, up + x, here + x, down + x, low, high)
            x += 32
        if width > 33:
            x = width - 33  # once more for some: they come out the same
            range_32(mean, spread, RANGE_MIN, up + x, here + x, down + x, low, high)
        else:
            for x in range(1, width - 1):
                update_range_of(street, x, y)


@kernel
def absorb(street: StreetModel, small: Plane, foreground: Bitmask, x0: int, y0: int, x1: int, y1: int) -> None:
    """Make the foreground inside a box part of the street: it never moved."""
    for y in range(y0, y1):
        for x in range(x0, x1):
            if (foreground.words[y, x >> 6] >> np.uint64(x & 63)) & ONE:
                i = y * street.width + x
                street.mean[i] = np.uint16(small[i]) << np.uint16(8)
                street.spread[i] = max(street.spread[i], np.uint8(ABSORBED_SPREAD))


@kernel
def adopt_when_still(street: StreetModel, luma: Any, i: Any, adopt: int) -> None:
    """Let a foreground pixel that is still become street after `adopt` updates."""
    x, c = np.int32(luma), np.int32(street.candidate[i])
    if abs(x - c) > STEADY:
        street.candidate[i] = luma
        street.held[i] = np.uint8(0)
        return
    times = min(np.int32(255), np.int32(street.held[i]) + np.int32(1))
    street.held[i] = np.uint8(times)
    street.candidate[i] = np.uint8(c + (1 if x > c else 0) - (1 if x < c else 0))
    if times >= adopt:
        street.mean[i] = np.uint16(c << 8)
        street.spread[i] = np.uint8(ADOPTED_SPREAD)
        street.held[i] = np.uint8(0)


@kernel
def learn_whole_words(street: StreetModel, small: Plane, foreground: Bitmask, rate: int, first: int, last: int) -> None:
    """Move mean and spread of rows first..last by `rate` / 65536, in words that are all street."""
    words, width = foreground.words.shape[1], street.width
    whole = words if width % 64 == 0 else words - 1
    for y in range(first, last):
        for k in range(whole):
            if foreground.words[y, k] == 0:
                learn_64(small, street.mean, street.spread, street.held, y * width + 64 * k, rate)


@kernel
def learn(street: StreetModel, small: Plane, foreground: Bitmask, rate: int, adopt: int, first: int, last: int) -> None:
    """Learn the street of rows first..last: move mean and spread by `rate` / 4096, adopt still foreground."""
    rate *= 16
    learn_whole_words(street, small, foreground, rate, first, last)
    words, width = foreground.words.shape[1], street.width
    beyond = ~last_word(width)
    for y in range(first, last):
        if not foreground.rows[y] and not beyond:
            continue
        for k in range(words):
            word = foreground.words[y, k]
            other = word | beyond if k == words - 1 else word
            if other == 0:
                continue
            at = y * width + 64 * k
            for q in range(4):
                part = (other >> np.uint64(16 * q)) & np.uint64(0xFFFF)
                if part != 0xFFFF:
                    learn_some_16(small, street.mean, street.spread, street.held, at + 16 * q, rate, part)
            while word:
                i = at + np.int64(trailing_zeros(word))
                adopt_when_still(street, small[i], i, adopt)
                word &= word - ONE


def plane(pixels: int, kind: type[np.unsignedinteger[Any]] = np.uint8) -> Plane:
    """Return a plane of zeros with PADDING behind its end for vectors that reach beyond it."""
    return np.zeros(pixels + PADDING, kind)[:pixels]


def empty_street(width: int, height: int) -> StreetModel:
    """Return the planes of a street of which nothing is known yet."""
    pixels = width * height
    spread, candidate, held, low, high = (plane(pixels) for _ in range(5))
    return StreetModel(plane(pixels, np.uint16), spread, candidate, held, low, high, width, height)


def log2_table() -> NDArray[np.int16]:
    """Return 256 times the binary logarithm of every grey level."""
    return np.array([round(256 * math.log2(max(v, 1))) for v in range(256)], np.int16)
