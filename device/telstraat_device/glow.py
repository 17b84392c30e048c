"""Takes the light that lamps throw on the street out of the foreground of a dark view: beams, glow, mirrored lamps.

Light changes the street evenly: a pixel in a beam is to the pixels around it as the street there is to the street
around it. What stands or drives there is not. So what can be told from the pixels around it is light; what cannot is an
edge of something, and foreground near such an edge belongs to it.

    foreground           edges              what is left
    ..#####.#########    ..#...#.........   ..#####..........
    ..#######.#######    ..#...#.........   ..#####..........    a car and its beam: gaps are closed,
    ..#####.#########    ..#####.........   ..#####..........    the light ahead is gone
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from telstraat_device.core import (
    HEIGHT,
    MASK,
    MASK_ROWS,
    MEAN,
    SMALL,
    WIDTH,
    WORDS,
    Sight,
    blobs_of,
    bytes_at,
    rows_at,
    words_at,
)
from telstraat_device.kernel import address, entry, kernel
from telstraat_device.lanes import carray, pointer

Plane = NDArray[Any]  # uint8 (pixels,)
Words = NDArray[Any]  # uint64 (height, words): pixel x of a row is bit x % 64 of word x // 64
Rows = NDArray[Any]  # uint64 (height,): 0 says that a row is empty

RING_PX = 4  # from a pixel to those that it is told from; lamps are smaller, beams larger
LEAST = 10.0  # grey levels; the noise of a dark picture averaged over 2 x 2 pixels stays below 3
SHARE = 0.16  # of the expected brightness: a beam is not quite evenly bright
DARK = 8.0  # grey levels of a black picture
ENOUGH = 4  # of 3 x 3 pixels are edges where there is one
DUSK_LUMA = 85  # a street by day is at least about 90 grey levels, at dusk about 70
LOOK_EVERY_S, LOOK_STEP = 1.0, 61
NEAR_PX, NEAR_DARK_PX = 5, 10  # how far from an edge something is still what has that edge; light is never dark
SCRATCH = 5  # planes
ACROSS_PX, DOWN_PX = 10, 6  # dark bodywork before a dark street leaves gaps


@kernel
def unpack(mask: Words, width: int, plane: Plane) -> None:
    """Write a byte a pixel."""
    for y in range(mask.shape[0]):
        for x in range(width):
            plane[y * width + x] = np.uint8((mask[y, x >> 6] >> np.uint64(x & 63)) & np.uint64(1))


@kernel
def pack(plane: Plane, width: int, mask: Words, rows: Rows) -> None:
    """Write a bit a pixel."""
    mask[:] = 0
    for y in range(mask.shape[0]):
        rows[y] = np.uint64(1)
        for x in range(width):
            mask[y, x >> 6] |= np.uint64(plane[y * width + x]) << np.uint64(x & 63)


@kernel
def edges(small: Plane, mean: Plane, mask: Plane, width: int, out: Plane) -> None:
    """Mark the foreground that the street and the light around it do not explain; mean is in 256ths of a grey level."""
    n = small.shape[0]
    margin = RING_PX * width + RING_PX
    for i in range(n):
        out[i] = np.uint8(0)
        if mask[i] == 0:
            continue
        if i < margin or i >= n - margin:
            out[i] = np.uint8(1)
            continue
        seen, street = 8.0 * DARK, 8.0 * DARK
        for row in (i - RING_PX * width, i, i + RING_PX * width):
            for k in (row - RING_PX, row, row + RING_PX):
                if k != i:
                    seen += small[k]
                    street += mean[k] / 256.0
        expected = (mean[i] / 256.0 + DARK) * seen / street
        out[i] = np.uint8(abs(small[i] + DARK - expected) > max(LEAST, SHARE * expected))


@kernel
def settle_edges(marks: Plane, width: int, out: Plane) -> None:
    """Keep a mark when enough of the 3 x 3 around it are marked: the rest is noise."""
    n = marks.shape[0]
    for i in range(n):
        out[i] = np.uint8(0)
        if marks[i] != 0 and width < i < n - width - 1:
            around = 0
            for row in (i - width, i, i + width):
                around += marks[row - 1] + marks[row] + marks[row + 1]
            out[i] = np.uint8(around >= ENOUGH)


@kernel
def keep_near(marks: Plane, small: Plane, mean: Plane, mask: Plane, width: int, away: Plane, out: Plane) -> None:
    """Keep the foreground near a mark; `away` is scratch for how far, along its row, a pixel is from one."""
    n = marks.shape[0]
    height = n // width
    for y in range(height):
        since = 255
        for i in range(y * width, (y + 1) * width):
            since = 0 if marks[i] != 0 else min(255, since + 1)
            away[i] = np.uint8(since)
        since = 255
        for i in range((y + 1) * width - 1, y * width - 1, -1):
            since = 0 if marks[i] != 0 else min(255, since + 1)
            nearer: Any = min(np.int32(away[i]), since)
            away[i] = np.uint8(nearer)
    for i in range(n):
        out[i] = np.uint8(0)
        if mask[i] == 0:
            continue
        reach = NEAR_DARK_PX if small[i] < mean[i] >> 8 else NEAR_PX
        y, x = i // width, i % width
        for row in range(max(0, y - reach), min(height, y + reach + 1)):
            if away[row * width + x] <= reach:
                out[i] = np.uint8(1)
                break


@kernel
def close_gaps(plane: Plane, width: int, across: int, down: int) -> None:
    """Fill gaps of at most `across` pixels in rows and `down` in columns."""
    height = plane.shape[0] // width
    for y in range(height):
        last = -1
        for i in range(y * width, (y + 1) * width):
            if plane[i] != 0:
                if last >= 0 and 1 < i - last <= across + 1:
                    plane[last + 1 : i] = np.uint8(1)
                last = i
    for x in range(width):
        last = -1
        for y in range(height):
            if plane[y * width + x] != 0:
                if last >= 0 and 1 < y - last <= down + 1:
                    for row in range(last + 1, y):
                        plane[row * width + x] = np.uint8(1)
                last = y


@kernel
def take_light_off(small: Plane, mean: Plane, mask: Words, rows: Rows, width: int, scratch: Plane) -> None:
    """Take light out of the mask; scratch : uint8 (SCRATCH * pixels,)."""
    n = small.shape[0]
    full, marks, kept, away, left = (
        scratch[:n],
        scratch[n : 2 * n],
        scratch[2 * n : 3 * n],
        scratch[3 * n : 4 * n],
        scratch[4 * n :],
    )
    unpack(mask, width, full)
    edges(small, mean, full, width, marks)
    settle_edges(marks, width, kept)
    keep_near(kept, small, mean, full, width, away, left)
    close_gaps(left, width, ACROSS_PX, DOWN_PX)
    pack(left, width, mask, rows)


@entry
def find_lit(at: Any, scratch: int, _whole: int, _first: float, _second: float) -> int:
    """Find the blobs of the last frame that `see` saw again, in a mask without light; return how many."""
    width, height, words = at[WIDTH], at[HEIGHT], at[WORDS]
    pixels = width * height
    small, mean = bytes_at(at[SMALL], pixels), carray(pointer(at[MEAN]), (pixels,), np.uint16)
    mask, rows = words_at(at[MASK], height, words), rows_at(at[MASK_ROWS], height)
    take_light_off(small, mean, mask, rows, width, bytes_at(scratch, SCRATCH * pixels))
    return blobs_of(at)


class Glow:
    """Leaves of the foreground what is no light on the street."""

    def __init__(self, width: int, height: int) -> None:
        self._look_s = -LOOK_EVERY_S
        self.dim = False  # the street itself is dark
        self._scratch = np.zeros(SCRATCH * width * height, np.uint8)

    def light(self, said: str, mean: Plane, t_s: float) -> str:
        """Return what the view says, but "day" when it says "dusk" of a bright street: white cars on grey asphalt."""
        if said not in {"dusk", "night"}:
            return said
        if t_s - self._look_s >= LOOK_EVERY_S:
            self._look_s, self.dim = t_s, bool(np.median(mean[::LOOK_STEP]) < 256 * DUSK_LUMA)
        return said if self.dim or said == "night" else "day"

    def find(self, sight: Sight) -> int:
        """Find the blobs of the last frame again, in a mask without light; return how many."""
        return find_lit(sight.at)(address(self._scratch), 0, 0.0, 0.0)
