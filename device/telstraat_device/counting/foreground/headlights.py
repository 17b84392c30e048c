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

from telstraat_device.counting.foreground.bitmask import ALL, ONE, TOP, clear_row, nine, three, words_across
from telstraat_device.counting.foreground.pixels import RING_PX, darker_64, uneven_16
from telstraat_device.counting.foreground.segmenter import (
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
from telstraat_device.native.kernel import address, entry, kernel
from telstraat_device.native.simd import carray, first_one, pointer

Plane = NDArray[Any]  # uint8 (pixels,); the street in 256ths of a grey level: uint16
Words = NDArray[Any]  # uint64 (height, words): pixel x of a row is bit x % 64 of word x // 64
Rows = NDArray[Any]  # uint64 (height,): 0 says that a row is empty

DUSK_LUMA = 85  # a street by day is at least about 90 grey levels, at dusk about 70
LOOK_EVERY_S, LOOK_STEP = 1.0, 61
NEAR_PX, NEAR_DARK_PX = 5, 10  # how far from an edge something is still what has that edge; light is never dark
SCRATCH_MASKS, SCRATCH_ROWS = 4, 2
ACROSS_PX, DOWN_PX = 10, 6  # dark bodywork before a dark street leaves gaps


@kernel
def edges_of(small: Plane, mean: Plane, at: int, width: int, word: Any) -> Any:
    """Return which of 64 pixels of the foreground are edges: all that have not eight pixels RING_PX away, too."""
    first, last = RING_PX * (width + 1), small.shape[0] - RING_PX * (width + 1)
    found = np.uint64(0)
    for here in range(at, at + 64, 16):
        part = np.uint64(here - at)
        if not (word >> part) & np.uint64(0xFFFF):
            continue
        late, stop = max(0, first - here), max(0, last - here)
        uneven = uneven_16(small, mean, here + late, RING_PX * width) << np.uint64(late)
        uneven |= (ONE << np.uint64(late)) - ONE
        if stop < 16:
            uneven |= ALL << np.uint64(stop)
        found |= uneven << part
    return found & word


@kernel
def edges(small: Plane, mean: Plane, mask: Words, rows: Rows, width: int, out: Words, out_rows: Rows) -> None:
    """Mark the foreground that the street and the light around it do not explain."""
    height, words = mask.shape
    for y in range(height):
        if not rows[y]:
            clear_row(out, out_rows, y)
            continue
        inside = RING_PX <= y < height - RING_PX
        for k in range(words):
            word = mask[y, k]
            if word and inside:
                word = edges_of(small, mean, y * width + 64 * k, width, word)
            out[y, k] = word
        out_rows[y] = ONE


@kernel
def settle_edges(marks: Words, rows: Rows, out: Words, out_rows: Rows) -> None:
    """Keep a mark when at least 4 of the 3 x 3 around it are marked: the rest is noise."""
    height, words = marks.shape
    for y in range(height):
        if not rows[y] or not 0 < y < height - 1:
            clear_row(out, out_rows, y)
            continue
        kept = np.uint64(0)
        for k in range(words):
            word = marks[y, k]
            if word:
                left = three(marks, y, k - 1) if k > 0 else (np.uint64(0), np.uint64(0))
                right = three(marks, y, k + 1) if k + 1 < words else (np.uint64(0), np.uint64(0))
                _, twos, more, fours = nine(left, three(marks, y, k), right)
                word &= fours | (twos & more)
            out[y, k] = word
            kept |= word
        out_rows[y] = kept


@kernel
def broaden(marks: Words, rows: Rows, reach: int, out: Words) -> None:
    """Mark what is at most `reach` (below 64) pixels to the left or right of a mark; rows without marks stay as they are."""
    height, words = marks.shape
    for y in range(height):
        if not rows[y]:
            continue
        for k in range(words):
            left = marks[y, k - 1] if k > 0 else np.uint64(0)
            right = marks[y, k + 1] if k + 1 < words else np.uint64(0)
            after = before = marks[y, k]  # the marks, drawn out to the right and to the left
            if left | after | right:
                drawn = 0
                while drawn < reach:
                    step = min(drawn + 1, reach - drawn)
                    by, rest = np.uint64(step), np.uint64(64 - step)
                    after |= (after << by) | (left >> rest)
                    before |= (before >> by) | (right << rest)
                    left |= left << by
                    right |= right >> by
                    drawn += step
            out[y, k] = after | before


@kernel
def keep_near(
    near: Words, far: Words, edge_rows: Rows, small: Plane, mean: Plane, width: int, mask: Words, rows: Rows
) -> None:
    """Keep of the mask what is near an edge, and what is darker than the street and not far from one.

    near, far : the edges of each row, drawn out by NEAR_PX and NEAR_DARK_PX.
    """
    height, words = mask.shape
    for y in range(height):
        if not rows[y]:
            continue
        kept = np.uint64(0)
        for k in range(words):
            word = mask[y, k]
            if not word:
                continue
            by_edge = dark = np.uint64(0)
            for row in range(max(0, y - NEAR_DARK_PX), min(height, y + NEAR_DARK_PX + 1)):
                if edge_rows[row]:
                    dark |= far[row, k]
                    if abs(row - y) <= NEAR_PX:
                        by_edge |= near[row, k]
            dark &= word & ~by_edge
            if dark:
                dark &= darker_64(small, mean, y * width + 64 * k)
            mask[y, k] = word & (by_edge | dark)
            kept |= mask[y, k]
        rows[y] = kept


@kernel
def close_rows(mask: Words, rows: Rows, across: int) -> None:
    """Fill gaps of at most `across` (below 64) pixels in rows."""
    height, words = mask.shape
    for y in range(height):
        if not rows[y]:
            continue
        end: Any = -across - 1  # of the last run
        for k in range(words):
            word = mask[y, k]
            while word:
                skip = first_one(word)
                ones = first_one(~(word >> skip))
                gap = 64 * k + np.int64(skip) - end
                if 0 < gap <= across:
                    filling, place = ALL >> np.uint64(64 - gap), np.uint64(end & 63)
                    mask[y, end >> 6] |= filling << place
                    if end >> 6 < k:
                        mask[y, k] |= (filling >> (TOP - place)) >> ONE
                end = 64 * k + np.int64(skip + ones)
                word &= ~((ALL >> (np.uint64(64) - ones)) << skip)


@kernel
def close_columns(mask: Words, rows: Rows, down: int) -> None:
    """Fill gaps of at most `down` pixels in columns: what ends in a row and begins again a few rows below."""
    height, words = mask.shape
    for y in range(height - 1):
        if not rows[y]:
            continue
        for k in range(words):
            ends = mask[y, k] & ~mask[y + 1, k]
            for below in range(y + 2, min(height, y + down + 2)):
                if not ends:
                    break
                again = ends & mask[below, k]
                ends &= ~again
                if again:
                    for row in range(y + 1, below):
                        mask[row, k] |= again
                        rows[row] = ONE


@kernel
def take_light_off(
    small: Plane, mean: Plane, mask: Words, rows: Rows, width: int, masks: Words, masks_rows: Rows
) -> None:
    """Take light out of a mask whose border is empty.

    masks : scratch, uint64 (SCRATCH_MASKS, height, words); masks_rows : uint64 (SCRATCH_ROWS, height), of the first two.
    """
    marks, kept, near, far = masks[0], masks[1], masks[2], masks[3]
    mark_rows, kept_rows = masks_rows[0], masks_rows[1]
    edges(small, mean, mask, rows, width, marks, mark_rows)
    settle_edges(marks, mark_rows, kept, kept_rows)
    broaden(kept, kept_rows, NEAR_PX, near)
    broaden(near, kept_rows, NEAR_DARK_PX - NEAR_PX, far)
    keep_near(near, far, kept_rows, small, mean, width, mask, rows)
    close_rows(mask, rows, ACROSS_PX)
    close_columns(mask, rows, DOWN_PX)


@entry
def find_lit(at: Any, masks: int, masks_rows: int, _first: float, _second: float) -> int:
    """Find the blobs of the last frame that `see` saw again, in a mask without light; return how many."""
    width, height, words = at[WIDTH], at[HEIGHT], at[WORDS]
    pixels = width * height
    take_light_off(
        bytes_at(at[SMALL], pixels),
        carray(pointer(at[MEAN]), (pixels,), np.uint16),
        words_at(at[MASK], height, words),
        rows_at(at[MASK_ROWS], height),
        width,
        carray(pointer(masks), (SCRATCH_MASKS, height, words), np.uint64),
        carray(pointer(masks_rows), (SCRATCH_ROWS, height), np.uint64),
    )
    return blobs_of(at)


class Glow:
    """Leaves of the foreground what is no light on the street."""

    def __init__(self, width: int, height: int) -> None:
        self._look_s = -LOOK_EVERY_S
        self.dim = False  # the street itself is dark
        self._masks = np.zeros((SCRATCH_MASKS, height, words_across(width)), np.uint64)
        self._rows = np.zeros((SCRATCH_ROWS, height), np.uint64)

    def light(self, said: str, mean: Plane, t_s: float) -> str:
        """Return what the view says, but "day" when it says "dusk" of a bright street: white cars on grey asphalt."""
        if said not in {"dusk", "night"}:
            return said
        if t_s - self._look_s >= LOOK_EVERY_S:
            self._look_s, self.dim = t_s, bool(np.median(mean[::LOOK_STEP]) < 256 * DUSK_LUMA)
        return said if self.dim or said == "night" else "day"

    def find(self, sight: Sight) -> int:
        """Find the blobs of the last frame again, in a mask without light; return how many."""
        return find_lit(sight.at)(address(self._masks), address(self._rows), 0.0, 0.0)
