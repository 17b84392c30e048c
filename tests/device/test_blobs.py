"""Blobs against a flood fill, and the box without shadow."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from telstraat_device.counting.foreground import blobs as module
from telstraat_device.counting.foreground.background import plane
from telstraat_device.counting.foreground.bitmask import runs_of, words_across
from telstraat_device.counting.foreground.blobs import (
    AREA,
    CHANGED,
    SOLID,
    SOLID_X0,
    SOLID_X1,
    X0,
    X1,
    Y0,
    Y1,
    Blobs,
    find_blobs,
    gather,
    unite,
)

WIDTH, HEIGHT = 150, 30
Mask = NDArray[np.uint8]
ALL_ROWS = np.ones(HEIGHT, np.uint64)


def packed(mask: Mask) -> NDArray[np.uint64]:
    """Return a mask of bytes as one of words."""
    height, width = mask.shape
    across = np.zeros((height, 64 * words_across(width)), np.uint8)
    across[:, :width] = mask
    return np.packbits(across, axis=1, bitorder="little").view(np.uint64)


def table_of(mask: Mask, solid: Mask, changed: Mask, area_min: int) -> NDArray[np.float64]:
    """Return the rows of the blobs; what has changed is 100 brighter than before."""
    blobs, now, before = Blobs(WIDTH, HEIGHT), plane(mask.size), plane(mask.size)
    now[:] = 100 * changed.ravel()
    words = packed(mask), ALL_ROWS, packed(solid), now, before, WIDTH, area_min
    scratch = blobs.rows, blobs.runs, blobs.parent, blobs.sums, blobs.columns, blobs.lines
    return blobs.table[: find_blobs(*words, *scratch, blobs.table)]


def found(mask: Mask, gap: int, gap_y: int) -> list[tuple[float, ...]]:
    blobs, empty = Blobs(WIDTH, HEIGHT), plane(mask.size)
    table = np.zeros((2000, module.BLOB_COLUMNS))
    count = runs_of(packed(mask), ALL_ROWS, empty, empty, 8, WIDTH, gap, blobs.rows, blobs.runs)
    unite(blobs.rows, HEIGHT, gap_y, blobs.runs, blobs.parent)
    rows = table[: gather(count, 1, blobs.runs, blobs.parent, blobs.sums, table)]
    return sorted(tuple(map(float, row[:5])) for row in rows)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.6))
def test_blobs_are_what_a_flood_fill_finds(seed: int, share: float) -> None:
    mask = (np.random.default_rng(seed).random((HEIGHT, WIDTH)) < share).astype(np.uint8)
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    expected = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        area = float((labels == number).sum())
        expected.append((float(columns.start), float(rows.start), float(columns.stop), float(rows.stop), area))
    assert found(mask, 0, 0) == sorted(expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 5), st.integers(0, 3))
def test_bridging_gaps_loses_no_pixel_and_only_unites(seed: int, gap: int, gap_y: int) -> None:
    mask = (np.random.default_rng(seed).random((HEIGHT, WIDTH)) < 0.08).astype(np.uint8)
    apart, united = found(mask, 0, 0), found(mask, gap, gap_y)
    assert len(united) <= len(apart)
    assert sum(row[4] for row in united) == mask.sum()


def test_a_gap_is_bridged_up_to_its_limit() -> None:
    for between in range(8):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[10:14, 10:14] = 1
        mask[10:14, 14 + between : 18 + between] = 1
        assert len(found(mask, 5, 0)) == (1 if between <= 5 else 2)


def test_small_blobs_are_left_out_and_movement_is_told() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[5:15, 60:70] = 1
    mask[20, 40] = 1
    changed = np.zeros_like(mask)
    changed[5:15, 60:65] = 1
    [row] = table_of(mask, mask, changed, 10)
    assert (row[X0], row[Y0], row[X1], row[Y1], row[AREA], row[CHANGED]) == (60, 5, 70, 15, 100, 0.5)


def test_the_box_without_shadow_is_told_beside_the_whole() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[5:25, 5:145] = 1
    solid = mask.copy()
    solid[:, 95:] = 0
    [row] = table_of(mask, solid, mask, 10)
    assert (row[X0], row[X1], row[SOLID_X0], row[SOLID_X1], row[SOLID]) == (5, 145, 5, 95, 1800)


def test_more_runs_than_there_is_room_for_lose_the_rest_and_nothing_else() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, ::7] = 1
    blobs, empty = Blobs(WIDTH, HEIGHT), plane(mask.size)
    assert runs_of(packed(mask), ALL_ROWS, empty, empty, 8, WIDTH, 5, blobs.rows, blobs.runs[:50]) == 50
    assert blobs.rows[HEIGHT] == 50
