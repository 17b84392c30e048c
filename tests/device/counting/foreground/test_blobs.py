"""Blobs against a flood fill, and the box without shadow."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from tests.device.counting.masks import Mask, bitmask, packed

from telstraat_device.counting.foreground.background import plane
from telstraat_device.counting.foreground.blobs import (
    BLOB,
    MAX_BLOBS,
    add_up_runs,
    blob_scratch,
    connect_runs,
    find_blobs,
    find_runs,
    write_blobs,
)

WIDTH, HEIGHT = 150, 30


def blobs_of(mask: Mask, solid: Mask, changed: Mask, area_min: int) -> Any:
    """Return the blobs of a mask; what has changed is 100 grey levels brighter than before."""
    blobs: Any = np.zeros(MAX_BLOBS, BLOB)
    current, previous = plane(mask.size), plane(mask.size)
    current[:] = 100 * changed.ravel()
    scratch = blob_scratch(WIDTH, HEIGHT)
    return blobs[: find_blobs(bitmask(mask), packed(solid), current, previous, area_min, scratch, blobs)]


def boxes(mask: Mask, gap: int, gap_y: int) -> list[tuple[float, ...]]:
    """Return x0, y0, x1, y1 and area of the blobs of a mask, sorted."""
    blobs: Any = np.zeros(2000, BLOB)
    scratch, empty = blob_scratch(WIDTH, HEIGHT), plane(mask.size)
    count = find_runs(bitmask(mask), empty, empty, 8, gap, scratch)
    connect_runs(gap_y, scratch)
    add_up_runs(count, scratch)
    number = write_blobs(count, 1, scratch, blobs)
    return sorted(tuple(map(float, blob.item()[:5])) for blob in blobs[:number])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.6))
def test_blobs_are_what_a_flood_fill_finds(seed: int, share: float) -> None:
    mask = (np.random.default_rng(seed).random((HEIGHT, WIDTH)) < share).astype(np.uint8)
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    expected = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        area = float((labels == number).sum())
        expected.append((float(columns.start), float(rows.start), float(columns.stop), float(rows.stop), area))
    assert boxes(mask, 0, 0) == sorted(expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 5), st.integers(0, 3))
def test_bridging_gaps_loses_no_pixel_and_only_unites(seed: int, gap: int, gap_y: int) -> None:
    mask = (np.random.default_rng(seed).random((HEIGHT, WIDTH)) < 0.08).astype(np.uint8)
    apart, united = boxes(mask, 0, 0), boxes(mask, gap, gap_y)
    assert len(united) <= len(apart)
    assert sum(row[4] for row in united) == mask.sum()


def test_a_gap_is_bridged_up_to_its_limit() -> None:
    for between in range(8):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[10:14, 10:14] = 1
        mask[10:14, 14 + between : 18 + between] = 1
        assert len(boxes(mask, 5, 0)) == (1 if between <= 5 else 2)


def test_small_blobs_are_left_out_and_movement_is_told() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[5:15, 60:70] = 1
    mask[20, 40] = 1
    changed = np.zeros_like(mask)
    changed[5:15, 60:65] = 1
    [blob] = blobs_of(mask, mask, changed, 10)
    assert blob[["x0", "y0", "x1", "y1", "area", "changed"]].item() == (60, 5, 70, 15, 100, 0.5)


def test_the_box_without_shadow_is_told_beside_the_whole() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[5:25, 5:145] = 1
    solid = mask.copy()
    solid[:, 95:] = 0
    [blob] = blobs_of(mask, solid, mask, 10)
    assert blob[["x0", "x1", "solid_x0", "solid_x1", "solid_area"]].item() == (5, 145, 5, 95, 1800)


def test_more_runs_than_there_is_room_for_lose_the_rest_and_nothing_else() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, ::7] = 1
    scratch, empty = blob_scratch(WIDTH, HEIGHT), plane(mask.size)
    little = scratch._replace(runs=scratch.runs[:50])
    assert find_runs(bitmask(mask), empty, empty, 8, 5, little) == 50
    assert scratch.first_run[HEIGHT] == 50
