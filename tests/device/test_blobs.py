"""Blobs against a flood fill, and the box without shadow."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from telstraat_device import blobs as module
from telstraat_device.blobs import AREA, CHANGED, SOLID, SOLID_X0, SOLID_X1, X0, X1, Y0, Y1, Blobs, find_blobs

WIDTH, HEIGHT = 50, 30


def found(mask: NDArray[np.uint8], gap: int, gap_y: int) -> list[tuple[float, ...]]:
    flat = mask.ravel()
    table = np.zeros((500, module.BLOB_COLUMNS))
    runs, parent = np.zeros((4000, 5), np.int32), np.zeros(4000, np.int32)
    sums, counts, rows = np.zeros((4000, 8), np.int64), np.zeros(2, np.int32), np.zeros(100, np.int32)
    count = find_blobs(flat, flat, WIDTH, gap, gap_y, rows, 1, runs, parent, sums, table, counts)
    return sorted(tuple(map(float, row[:5])) for row in table[:count])


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
    mask[5:15, 5:15] = 1
    mask[20, 40] = 1
    changed = np.zeros_like(mask)
    changed[5:15, 5:10] = 1
    blobs = Blobs()
    assert blobs.find(mask.ravel(), changed.ravel(), mask.ravel(), WIDTH, 10) == 1
    row = blobs.table[0]
    assert (row[X0], row[Y0], row[X1], row[Y1], row[AREA], row[CHANGED]) == (5, 5, 15, 15, 100, 0.5)


def test_the_box_without_shadow_is_told_beside_the_whole() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[5:25, 5:45] = 1
    solid = mask.copy()
    solid[:, 25:] = 0
    blobs = Blobs()
    blobs.find(mask.ravel(), mask.ravel(), solid.ravel(), WIDTH, 10)
    row = blobs.table[0]
    assert (row[X0], row[X1], row[SOLID_X0], row[SOLID_X1], row[SOLID]) == (5, 45, 5, 25, 400)
