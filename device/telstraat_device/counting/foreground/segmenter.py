"""One frame from its pixels to its blobs, in one call of machine code.

    luma -> shrink -> gain -> range -> outside -> majority -> shade -> majority -> runs -> blobs
                                         └──────────► learn (every second time, half of the rows)

The call gets one array: where everything lies in memory, and a few numbers. So it costs next to nothing and allocates
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telstraat_device.cameras.frames import Luma
from telstraat_device.counting.foreground.background import (
    ADOPT_S,
    ADOPT_YOUNG_S,
    COUNTERS,
    FLOOR,
    GAIN_MAX,
    GAIN_STEP,
    LEARN_S,
    YOUNG_S,
    Background,
    absorb,
    boot,
    follow_exposure,
    gain_of,
    learn,
    shrink,
    widen,
)
from telstraat_device.counting.foreground.bitmask import majority, mark_outside, shade
from telstraat_device.counting.foreground.blobs import BLOB_COLUMNS, MAX_BLOBS, MAX_RUNS, Blobs, find_blobs
from telstraat_device.native.kernel import address, entry, kernel
from telstraat_device.native.simd import carray, pointer

LOST_SHARE = 0.5  # of the picture is new at once: a lamp went on, a hand is before the lens, the camera was turned
LOST = -1  # instead of a number of blobs


# what each place of the array says: the addresses of planes, masks and tables
(SMALL, PREVIOUS, MEAN, SPREAD, CANDIDATE, HELD, LOW, HIGH) = range(8)
(RAW, MASK, FLAT, EDGE, SHADE, SOLID) = range(8, 14)
(LOGS, COUNTS, BLOBS, COLUMNS, LINES, ROWS, RUNS, PARENT, SUMS) = range(14, 23)
# sizes; frames seen; the last exposure, in 256ths of a power of two; solid pixels of the frame, and of those brighter
# than the street; both added up
(WIDTH, HEIGHT, WORDS, AREA_MIN, NUMBER, GAIN_256, SOLID_COUNT, BRIGHT_COUNT, MOVING, BRIGHTER) = range(23, 33)
# width of the frame as it comes, and how many of its pixels, in each direction, become one
(ACROSS, FACTOR) = range(33, 35)
(RAW_ROWS, MASK_ROWS, SHADE_ROWS, SOLID_ROWS) = range(35, 39)  # addresses: which rows of a mask are empty
PLACES = 39


@kernel
def bytes_at(address: int, count: int) -> Any:
    """Return what lies at an address as a plane."""
    return carray(pointer(address), (count,), np.uint8)


@kernel
def words_at(address: int, height: int, words: int) -> Any:
    """Return what lies at an address as a mask."""
    return carray(pointer(address), (height, words), np.uint64)


@kernel
def rows_at(address: int, height: int) -> Any:
    """Return what lies at an address as a word a row."""
    return carray(pointer(address), (height,), np.uint64)


@kernel
def ints_at(address: int, count: int) -> Any:
    """Return what lies at an address as numbers of 32 bits."""
    return carray(pointer(address), (count,), np.int32)


@kernel
def blobs_of(at: Any) -> int:
    """Write a row for every blob of the mask; return how many."""
    width, height, words = at[WIDTH], at[HEIGHT], at[WORDS]
    pixels = width * height
    return find_blobs(
        words_at(at[MASK], height, words),
        rows_at(at[MASK_ROWS], height),
        words_at(at[SOLID], height, words),
        bytes_at(at[SMALL], pixels),
        bytes_at(at[PREVIOUS], pixels),
        width,
        at[AREA_MIN],
        ints_at(at[ROWS], height + 1),
        carray(pointer(at[RUNS]), (MAX_RUNS, 5), np.int32),
        ints_at(at[PARENT], MAX_RUNS),
        carray(pointer(at[SUMS]), (MAX_RUNS, 8), np.int64),
        carray(pointer(at[COLUMNS]), (MAX_BLOBS, width), np.int32),
        carray(pointer(at[LINES]), (MAX_BLOBS, height), np.int32),
        carray(pointer(at[BLOBS]), (MAX_BLOBS, BLOB_COLUMNS), np.float64),
    )


@kernel
def shrink_into(at: Any, picture: int, working: int) -> None:
    """Take a frame in that is of full, or of working, size; the one before stays."""
    at[SMALL], at[PREVIOUS] = at[PREVIOUS], at[SMALL]
    width, height = at[WIDTH], at[HEIGHT]
    across, factor = (width, 1) if working else (at[ACROSS], at[FACTOR])
    shrink(
        bytes_at(picture, across * height * factor), across, factor, bytes_at(at[SMALL], width * height), width, height
    )


@entry
def take(at: Any, picture: int, working: int, _first: float, _second: float) -> int:
    """Take a frame in at the working size, and nothing else."""
    shrink_into(at, picture, working)
    return 0


@entry
def begin(at: Any, pictures: int, count: int, _first: float, _second: float) -> int:
    """Begin with the street as it shows through the traffic of so many working pictures, one behind the other."""
    width, height = at[WIDTH], at[HEIGHT]
    pixels = width * height
    samples = bytes_at(pictures, count * pixels)
    mean = carray(pointer(at[MEAN]), (pixels,), np.uint16)
    spread, candidate = bytes_at(at[SPREAD], pixels), bytes_at(at[CANDIDATE], pixels)
    boot(samples, count, mean, spread, ints_at(at[COUNTS], COUNTERS))
    for i in range(pixels):
        candidate[i] = samples[(count - 1) * pixels + i]
    low, high = bytes_at(at[LOW], pixels), bytes_at(at[HIGH], pixels)
    widen(mean, spread, FLOOR, width, height, low, high, 0, height)
    return 0


@kernel
def expose(at: Any, pixels: int) -> bool:
    """Measure the exposure and take a change of it out; tell whether the street is still the same."""
    mean = carray(pointer(at[MEAN]), (pixels,), np.uint16)
    logs, counts = carray(pointer(at[LOGS]), (256,), np.int16), ints_at(at[COUNTS], COUNTERS)
    small, candidate = bytes_at(at[SMALL], pixels), bytes_at(at[CANDIDATE], pixels)
    at[GAIN_256] = gain_of(small, mean, logs, counts)
    gain_log2 = at[GAIN_256] / 256.0
    if abs(gain_log2) > GAIN_MAX:
        return False
    whole = abs(gain_log2) > GAIN_STEP
    if whole:
        follow_exposure(mean, candidate, int(np.rint(4096.0 * 2.0**gain_log2)))
    width, height = at[WIDTH], at[HEIGHT]
    eighth = at[NUMBER] & 7
    first, last = (0, height) if whole else (eighth * height // 8, (eighth + 1) * height // 8)
    low, high = bytes_at(at[LOW], pixels), bytes_at(at[HIGH], pixels)
    widen(mean, bytes_at(at[SPREAD], pixels), FLOOR, width, height, low, high, first, last)
    return True


@entry
def see(at: Any, picture: int, working: int, age_s: float, dt_s: float) -> int:
    """Find the blobs of a frame, and learn from it; return how many, or LOST.

    at : int64 (PLACES,); age_s, dt_s : seconds since the first frame, and since the last.
    """
    shrink_into(at, picture, working)
    width, height, words = at[WIDTH], at[HEIGHT], at[WORDS]
    pixels = width * height
    if not expose(at, pixels):
        return LOST
    small, mean = bytes_at(at[SMALL], pixels), carray(pointer(at[MEAN]), (pixels,), np.uint16)
    raw, mask = words_at(at[RAW], height, words), words_at(at[MASK], height, words)
    shaded, solid = words_at(at[SHADE], height, words), words_at(at[SOLID], height, words)
    raw_rows, mask_rows = rows_at(at[RAW_ROWS], height), rows_at(at[MASK_ROWS], height)
    shaded_rows = rows_at(at[SHADE_ROWS], height)
    mark_outside(small, bytes_at(at[LOW], pixels), bytes_at(at[HIGH], pixels), width, raw, raw_rows)
    majority(raw, raw_rows, width, mask, mask_rows)
    flat, edge = words_at(at[FLAT], height, words), words_at(at[EDGE], height, words)
    at[SOLID_COUNT], at[BRIGHT_COUNT] = shade(small, mean, mask, mask_rows, width, flat, edge, shaded, shaded_rows)
    majority(shaded, shaded_rows, width, solid, rows_at(at[SOLID_ROWS], height))
    spread, held = bytes_at(at[SPREAD], pixels), bytes_at(at[HELD], pixels)
    half = at[NUMBER] & 1
    first, last = half * height // 2, (half + 1) * height // 2
    rate = max(1, min(2048, int(np.rint(4096.0 * 2.0 * dt_s / LEARN_S))))
    adopt_s = ADOPT_YOUNG_S if age_s < YOUNG_S else ADOPT_S
    adopt = max(4, min(255, int(np.rint(adopt_s / (2.0 * dt_s)))))
    learn(small, raw, raw_rows, mean, spread, bytes_at(at[CANDIDATE], pixels), held, width, rate, adopt, first, last)
    at[NUMBER] += 1
    at[MOVING] += at[SOLID_COUNT]
    at[BRIGHTER] += at[BRIGHT_COUNT]
    return blobs_of(at)


@entry
def forget(at: Any, _picture: int, corner: int, across: float, down: float) -> int:
    """Make the foreground in a box part of the street; `corner` is its first pixel."""
    width, height, words = at[WIDTH], at[HEIGHT], at[WORDS]
    pixels = width * height
    small, spread = bytes_at(at[SMALL], pixels), bytes_at(at[SPREAD], pixels)
    mean, raw = carray(pointer(at[MEAN]), (pixels,), np.uint16), words_at(at[RAW], height, words)
    x0, y0 = corner % width, corner // width
    absorb(small, raw, mean, spread, width, x0, y0, x0 + int(across), y0 + int(down))
    return 0


class Sight:
    """What one camera sees: its street and the blobs on it."""

    def __init__(self, width: int, height: int) -> None:
        self.background = street = Background(width, height)
        self.blobs = blobs = Blobs(street.width, street.height)
        self.at: NDArray[np.int64] = np.zeros(PLACES, np.int64)
        arrays: tuple[NDArray[Any], ...] = (
            street.small,
            street.previous,
            street.mean,
            street.spread,
            street.candidate,
            street.held,
        )
        arrays += (street.low, street.high, street.raw, street.mask, street.flat, street.edge)
        arrays += (street.shade, street.solid, street.logs, street.counts, blobs.table, blobs.columns, blobs.lines)
        arrays += (blobs.rows, blobs.runs, blobs.parent, blobs.sums)
        self.at[: len(arrays)] = [address(array) for array in arrays]
        self.at[WIDTH], self.at[HEIGHT], self.at[WORDS] = street.width, street.height, street.mask.shape[1]
        self.at[ACROSS], self.at[FACTOR] = width, street.factor
        rows = (street.raw_rows, street.mask_rows, street.shade_rows, street.solid_rows)
        self.at[RAW_ROWS : RAW_ROWS + len(rows)] = [address(array) for array in rows]
        self.at[AREA_MIN] = max(6, round(street.pixels * 0.00025))
        self.numbers = self.at.data  # the same as Python's own numbers, one by one: quicker to read
        self._take, self._begin, self._see, self._forget = take(self.at), begin(self.at), see(self.at), forget(self.at)

    def take(self, luma: Luma) -> None:
        """Take a frame (height, width) in at the working size, and nothing else."""
        self._take(address(luma), 0, 0.0, 0.0)
        self._turn()

    def begin(self, samples: Sequence[NDArray[np.uint8]]) -> None:
        """Begin with the street as it shows through the traffic of the first second, at the working size."""
        behind = np.concatenate([sample.reshape(-1) for sample in samples])
        self._begin(address(behind), len(samples), 0.0, 0.0)

    def see(self, luma: Luma, age_s: float, dt_s: float, *, working: bool = False) -> int:
        """Find the blobs of a frame of full, or of working, size; return how many, or LOST."""
        found = self._see(address(luma), int(working), float(age_s), float(dt_s))
        self._turn()
        return found

    def absorb(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Take what is foreground in a box (working pixels) into the street."""
        street = self.background
        left, top = max(0, int(x0) - 2), max(0, int(y0) - 2)
        right, bottom = min(street.width, int(x1) + 3), min(street.height, int(y1) + 3)
        if right > left and bottom > top:
            self._forget(0, top * street.width + left, float(right - left), float(bottom - top))

    def movement(self) -> tuple[int, int]:
        """Return how many solid pixels there were since the last call, and how many were brighter than the street."""
        moving, brighter = self.numbers[MOVING], self.numbers[BRIGHTER]
        self.numbers[MOVING] = self.numbers[BRIGHTER] = 0
        return moving, brighter

    def _turn(self) -> None:
        """Let the two pictures change places as the kernel did."""
        street = self.background
        street.small, street.previous = street.previous, street.small
