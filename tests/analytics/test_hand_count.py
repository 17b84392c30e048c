"""Counting by hand: the interval holds what is true, and few passages are said to tell little."""

from __future__ import annotations

import numpy as np
import pytest

from telstraat_analytics.describe.hand_count import DIFFERENT, FEWEST, compare_by_hand


@pytest.mark.parametrize("kind", ["pedestrian", "bike", "car", "heavy"])
@pytest.mark.parametrize("passed", [12, 41, 160])
@pytest.mark.parametrize("share_missed", [0.2, 0.5, 0.8])
def test_the_interval_holds_the_true_error(kind: str, passed: int, share_missed: float) -> None:
    rng = np.random.default_rng(7)
    missed = DIFFERENT[kind] * share_missed
    extra = DIFFERENT[kind] * (1 - share_missed)
    held = 0
    for _ in range(2000):
        by_hand = max(int(rng.poisson(passed)), FEWEST)
        by_sensor = by_hand - int(rng.binomial(by_hand, missed)) + int(rng.poisson(extra * by_hand))
        comparison = compare_by_hand(kind, by_hand, by_sensor, 15)
        assert comparison.low is not None
        assert comparison.high is not None
        held += comparison.low <= extra - missed <= comparison.high
    assert held / 2000 > 0.92


def test_a_quarter_with_few_bicycles_tells_little() -> None:
    comparison = compare_by_hand("bike", 41, 38, 15)
    assert comparison.error is not None
    assert comparison.low == pytest.approx(-0.24, abs=0.01)
    assert comparison.high == pytest.approx(0.09, abs=0.01)
    assert not comparison.is_off
    assert comparison.minutes_for_goal == pytest.approx(42, abs=1)


def test_fewer_than_ten_are_told_without_a_percentage() -> None:
    comparison = compare_by_hand("pedestrian", 9, 4, 15)
    assert (comparison.error, comparison.low, comparison.high, comparison.minutes_for_goal) == (None,) * 4
    assert (comparison.by_hand, comparison.by_sensor) == (9, 4)


def test_a_sensor_that_sees_half_is_surely_off() -> None:
    assert compare_by_hand("car", 100, 50, 15).is_off
    assert compare_by_hand("car", 100, 0, 15).low == -1
    assert not compare_by_hand("car", 100, 97, 15).is_off


@pytest.mark.parametrize("numbers", [(-1, 0, 15), (0, -1, 15), (1, 1, 0)])
def test_numbers_that_cannot_be_are_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="none may be negative"):
        compare_by_hand("car", *numbers)
