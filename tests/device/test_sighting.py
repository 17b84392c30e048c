"""Speed and size from the edges of drawn tracks, whole or cut off by the picture's border."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from telstraat_device.counting.tracking import track_table as c
from telstraat_device.counting.tracking.measure_track import MEDIANS, median, settle

WIDTH = 320.0


def settled(
    length: float, speed: float, height: float = 20.0, growth: float = 0.0, cut: float = 0.0, fps: float = 25.0
) -> NDArray[np.float64]:
    """Drive a box of this length across the middle of the picture at time 10 s; return its row."""
    tracks = np.zeros((1, c.TRACK_COLUMNS))
    history = np.zeros((1, c.HISTORY, c.HISTORY_COLUMNS))
    row: NDArray[np.float64] = tracks[0]
    row[c.PENDING_T] = 10.0
    row[c.LINE_W], row[c.LINE_H], row[c.LINE_AREA] = 11.0, 12.0, 66.0
    number = 0
    for t in np.arange(-0.7, 0.5, 1 / fps):
        left, right = 160 + speed * t - length / 2, 160 + speed * t + length / 2
        if right <= 0 or left >= WIDTH:
            continue
        seen_left, seen_right = max(left, 0.0), min(right, WIDTH)
        tall = height * np.exp(growth * t)
        at = history[0, number % c.HISTORY]
        at[c.AT_T] = 10.0 + t
        at[c.AT_X], at[c.AT_W] = (seen_left + seen_right) / 2, seen_right - seen_left
        at[c.AT_Y], at[c.AT_H] = 100.0 - tall / 2, tall
        at[c.AT_FILL], at[c.AT_CUT_RIGHT] = 0.7, cut
        at[c.AT_BORDER] = (1 if seen_left <= 1 else 0) + (4 if seen_right >= WIDTH - 1 else 0)
        number += 1
    row[c.HISTORY_N] = number
    settle(tracks, history, np.zeros((MEDIANS, c.HISTORY)), 0)
    return row


@pytest.mark.parametrize(("length", "speed"), [(40.0, 100.0), (40.0, -200.0), (120.0, 300.0)])
def test_a_vehicle_in_full_view_has_its_length_and_speed(length: float, speed: float) -> None:
    row = settled(length, speed)
    assert row[c.SOLID_W] == pytest.approx(length)
    assert row[c.SOLID_VX] == pytest.approx(speed)
    assert row[c.SOLID_X] == pytest.approx(160.0)
    assert (row[c.FOOT], row[c.FOOT_V]) == (pytest.approx(100.0), pytest.approx(0.0, abs=1e-9))
    assert row[c.SOLID_FILL] == 0.7


def test_a_lorry_that_never_fits_into_the_picture_has_its_length_and_speed_all_the_same() -> None:
    row = settled(300.0, 240.0)
    assert row[c.SOLID_N] < 3
    assert row[c.SOLID_VX] == pytest.approx(240.0)
    assert row[c.SOLID_W] == pytest.approx(300.0)


def test_growth_is_told_with_its_error() -> None:
    row = settled(40.0, 100.0, growth=0.4)
    assert row[c.GROWTH] == pytest.approx(0.4)
    assert 0.0 < row[c.GROWTH_ERROR] < 0.01


def test_what_was_cut_as_shadow_is_kept() -> None:
    row = settled(40.0, 100.0, cut=6.0)
    assert (row[c.CUT_LEFT], row[c.CUT_RIGHT]) == (0.0, 6.0)


def test_what_was_never_alone_is_told_as_it_was_tracked() -> None:
    row = settled(40.0, 1e6)
    assert row[c.SOLID_N] == 0
    assert (row[c.SOLID_W], row[c.SOLID_H], row[c.SOLID_FILL]) == (11.0, 12.0, 0.5)
    assert row[c.GROWTH_ERROR] == row[c.SOLID_WOBBLE] == 0.0


def test_the_median_is_that_of_sorting() -> None:
    rng = np.random.default_rng(2)
    for count in range(1, 12):
        values = rng.normal(size=12)
        assert median(values.copy(), count) == sorted(values[:count])[count // 2]
