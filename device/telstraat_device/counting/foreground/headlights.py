"""Suppresses the light of headlights on the street in the foreground of a dark view: beams, glow, mirrored lamps.

Light changes the street evenly: a pixel in a beam is to the pixels around it as the street there is to the street
around it. What stands or drives there is not. So what the pixels around it predict is light; what they do not is an
edge of something, and foreground near such an edge belongs to it.

    foreground           edges              what is left
    ..#####.#########    ..#...#.........   ..#####..........
    ..#######.#######    ..#...#.........   ..#####..........    a car and its beam: gaps are closed,
    ..#####.#########    ..#####.........   ..#####..........    the light ahead is gone
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from telstraat_contract.messages import Light
from telstraat_device.counting.foreground.bitmask import (
    ALL,
    ONE,
    TOP,
    Bitmask,
    Plane,
    Word,
    Words,
    add_column,
    add_columns,
    clear_row,
    words_per_row,
)
from telstraat_device.counting.foreground.pixels import RING_PX, darker_64, uneven_16
from telstraat_device.counting.foreground.segmenter import (
    ForegroundSegmenter,
    bitmask_at,
    find_blobs_of_frame,
    masks_of,
    plane_at,
    state_at,
    street_of,
    words_at,
)
from telstraat_device.native.kernel import Address, address, entry, kernel
from telstraat_device.native.record import layout
from telstraat_device.native.simd import carray, pointer, trailing_zeros

DUSK_LUMA = 85  # a street by day is at least about 90 grey levels, at dusk about 70
LOOK_EVERY_S, LOOK_STEP = 1.0, 61
NEAR_PX, NEAR_DARK_PX = 5, 10  # how far from an edge something still is what has that edge; light is never dark
ACROSS_PX, DOWN_PX = 10, 6  # dark bodywork before a dark street leaves gaps


class EdgeMasks(NamedTuple):
    """Masks that headlight suppression works with.

    Attributes
    ----------
    raw, edges : Bitmask
        Edges in the foreground, with and without noise.
    near, far : uint64 (height, words)
        The edges of each row, broadened by NEAR_PX and NEAR_DARK_PX.
    """

    raw: Bitmask
    edges: Bitmask
    near: Words
    far: Words


class HeadlightState:
    """Where the masks are that headlight suppression works with."""

    raw: Address
    raw_rows: Address
    edges: Address
    edges_rows: Address
    near: Address
    far: Address


HEADLIGHT_STATE = layout(HeadlightState)


@kernel
def edges_of_word(small: Plane, mean: Plane, at: int, width: int, word: Word) -> Word:
    """Return which of 64 pixels of the foreground are edges; those without a whole ring around them are, too."""
    first, last = RING_PX * (width + 1), small.shape[0] - RING_PX * (width + 1)
    marked = np.uint64(0)
    for here in range(at, at + 64, 16):
        part = np.uint64(here - at)
        if not (word >> part) & np.uint64(0xFFFF):
            continue
        late, stop = max(0, first - here), max(0, last - here)
        uneven = uneven_16(small, mean, here + late, RING_PX * width) << np.uint64(late)
        uneven |= (ONE << np.uint64(late)) - ONE
        if stop < 16:
            uneven |= ALL << np.uint64(stop)
        marked |= uneven << part
    return marked & word


@kernel
def mark_edges(small: Plane, mean: Plane, mask: Bitmask, out: Bitmask) -> None:
    """Mark the foreground that the street and the light around it do not explain."""
    height, words = mask.words.shape
    for y in range(height):
        if not mask.rows[y]:
            clear_row(out, y)
            continue
        inside = RING_PX <= y < height - RING_PX
        for k in range(words):
            word = mask.words[y, k]
            if word and inside:
                word = edges_of_word(small, mean, y * mask.width + 64 * k, mask.width, word)
            out.words[y, k] = word
        out.rows[y] = ONE


@kernel
def remove_noise(marks: Bitmask, out: Bitmask) -> None:
    """Keep a mark when at least 4 of the 3 x 3 around it are marked."""
    height, words = marks.words.shape
    for y in range(height):
        if not marks.rows[y] or not 0 < y < height - 1:
            clear_row(out, y)
            continue
        row = np.uint64(0)
        for k in range(words):
            word = marks.words[y, k]
            if word:
                left = add_column(marks.words, y, k - 1) if k > 0 else (np.uint64(0), np.uint64(0))
                right = add_column(marks.words, y, k + 1) if k + 1 < words else (np.uint64(0), np.uint64(0))
                _, twos, more, fours = add_columns(left, add_column(marks.words, y, k), right)
                word &= fours | (twos & more)
            out.words[y, k] = word
            row |= word
        out.rows[y] = row


@kernel
def broaden(marks: Words, rows: Words, reach: int, out: Words) -> None:
    """Mark what is at most `reach` (below 64) pixels beside a mark in its row; rows without marks stay as they are."""
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
def keep_near_edges(masks: EdgeMasks, small: Plane, mean: Plane, mask: Bitmask) -> None:
    """Keep of the mask what is near an edge, and what is darker than the street and not far from one."""
    height, words = mask.words.shape
    for y in range(height):
        if not mask.rows[y]:
            continue
        kept_row = np.uint64(0)
        for k in range(words):
            word = mask.words[y, k]
            if not word:
                continue
            by_edge = dark = np.uint64(0)
            for row in range(max(0, y - NEAR_DARK_PX), min(height, y + NEAR_DARK_PX + 1)):
                if masks.edges.rows[row]:
                    dark |= masks.far[row, k]
                    if abs(row - y) <= NEAR_PX:
                        by_edge |= masks.near[row, k]
            dark &= word & ~by_edge
            if dark:
                dark &= darker_64(small, mean, y * mask.width + 64 * k)
            mask.words[y, k] = word & (by_edge | dark)
            kept_row |= mask.words[y, k]
        mask.rows[y] = kept_row


@kernel
def close_rows(mask: Bitmask, across: int) -> None:
    """Fill gaps of at most `across` (below 64) pixels in rows."""
    height, words = mask.words.shape
    for y in range(height):
        if not mask.rows[y]:
            continue
        end = np.int64(-across - 1)  # of the last run
        for k in range(words):
            word = mask.words[y, k]
            while word:
                skip = trailing_zeros(word)
                ones = trailing_zeros(~(word >> skip))
                gap = 64 * k + np.int64(skip) - end
                if 0 < gap <= across:
                    filling, place = ALL >> np.uint64(64 - gap), np.uint64(end & 63)
                    mask.words[y, end >> 6] |= filling << place
                    if end >> 6 < k:
                        mask.words[y, k] |= (filling >> (TOP - place)) >> ONE
                end = 64 * k + np.int64(skip + ones)
                word &= ~((ALL >> (np.uint64(64) - ones)) << skip)


@kernel
def close_columns(mask: Bitmask, down: int) -> None:
    """Fill gaps of at most `down` pixels in columns: what ends in a row and begins again a few rows below."""
    height, words = mask.words.shape
    for y in range(height - 1):
        if not mask.rows[y]:
            continue
        for k in range(words):
            ends = mask.words[y, k] & ~mask.words[y + 1, k]
            for below in range(y + 2, min(height, y + down + 2)):
                if not ends:
                    break
                again = ends & mask.words[below, k]
                ends &= ~again
                if again:
                    for row in range(y + 1, below):
                        mask.words[row, k] |= again
                        mask.rows[row] = ONE


@kernel
def suppress_light(small: Plane, mean: Plane, mask: Bitmask, masks: EdgeMasks) -> None:
    """Remove light on the street from a mask whose border is empty."""
    mark_edges(small, mean, mask, masks.raw)
    remove_noise(masks.raw, masks.edges)
    broaden(masks.edges.words, masks.edges.rows, NEAR_PX, masks.near)
    broaden(masks.near, masks.edges.rows, NEAR_DARK_PX - NEAR_PX, masks.far)
    keep_near_edges(masks, small, mean, mask)
    close_rows(mask, ACROSS_PX)
    close_columns(mask, DOWN_PX)


@entry
def suppress_headlights(state: Address, headlights: Address) -> int:
    """Remove light from the mask of the last frame, and find its blobs again; return how many."""
    segmenter = state_at(state)
    memory = carray(pointer(headlights), (1,), HEADLIGHT_STATE)[0]
    masks = EdgeMasks(
        bitmask_at(memory.raw, memory.raw_rows, segmenter),
        bitmask_at(memory.edges, memory.edges_rows, segmenter),
        words_at(memory.near, segmenter),
        words_at(memory.far, segmenter),
    )
    suppress_light(plane_at(segmenter.current, segmenter), street_of(segmenter).mean, masks_of(segmenter).mask, masks)
    return find_blobs_of_frame(segmenter)


def edge_masks(width: int, height: int) -> EdgeMasks:
    """Return the masks for a working picture of this size."""
    raw, edges, near, far = (np.zeros((height, words_per_row(width)), np.uint64) for _ in range(4))
    rows = (np.zeros(height, np.uint64) for _ in range(2))
    return EdgeMasks(Bitmask(raw, next(rows), width), Bitmask(edges, next(rows), width), near, far)


class HeadlightSuppression:
    """Leaves of the foreground of a dark view what is no light on the street.

    Attributes
    ----------
    dim : bool
        The street itself is dark.
    """

    def __init__(self, width: int, height: int) -> None:
        self._checked_s = -LOOK_EVERY_S
        self.dim = False
        self._masks = edge_masks(width, height)
        self._state = np.zeros(1, HEADLIGHT_STATE)
        for name in ("raw", "edges"):
            bitmask: Bitmask = getattr(self._masks, name)
            self._state[name], self._state[f"{name}_rows"] = address(bitmask.words), address(bitmask.rows)
        self._state["near"], self._state["far"] = address(self._masks.near), address(self._masks.far)
        self._address = address(self._state)

    def corrected(self, light: Light, mean: Plane, t_s: float) -> Light:
        """Return the light of the view, but "day" for dusk over a bright street: white cars on grey asphalt."""
        if light not in {"dusk", "night"}:
            return light
        if t_s - self._checked_s >= LOOK_EVERY_S:
            self._checked_s, self.dim = t_s, bool(np.median(mean[::LOOK_STEP]) < 256 * DUSK_LUMA)
        return light if self.dim or light == "night" else "day"

    def suppress(self, segmenter: ForegroundSegmenter) -> int:
        """Remove light from the foreground of the last frame; return the number of its blobs."""
        return suppress_headlights(segmenter.address, self._address)
