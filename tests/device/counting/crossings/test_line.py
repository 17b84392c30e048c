"""The counting line: sides, distances, and lines that cannot be counted on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from telstraat_device.counting.crossings.line import WORKING_LINE, CountingLine, checked_line, parse_line
from telstraat_device.counting.crossings.line_crossing import place_along, signed_distance
from telstraat_device.errors import CountingLineError

number = st.floats(-500, 500, allow_nan=False)


def working(line: CountingLine) -> Any:
    """Return a line as kernels see it."""
    return np.array((line.x1, line.y1, line.x2, line.y2, line.length_px), WORKING_LINE)[()]


@pytest.mark.parametrize(
    ("line", "point", "side"),
    [
        (CountingLine(0, 50, 100, 50), (50, 80), 1),  # drawn to the right: further down is the right-hand side
        (CountingLine(0, 50, 100, 50), (50, 20), -1),
        (CountingLine(50, 0, 50, 100), (20, 50), 1),  # drawn downwards: further left is the right-hand side
        (CountingLine(50, 0, 50, 100), (80, 50), -1),
        (CountingLine(50, 100, 50, 0), (80, 50), 1),
        (CountingLine(0, 50, 100, 50), (70, 50), 0),
    ],
)
def test_sides_are_told_as_one_who_stands_at_the_first_end(
    line: CountingLine, point: tuple[float, float], side: int
) -> None:
    distance = signed_distance(working(line), *map(float, point))
    assert (distance > 0) - (distance < 0) == side


@settings(deadline=None)
@given(number, number, number, number, st.floats(-1, 2), st.floats(-50, 50))
def test_place_and_distance_lead_back_to_the_point(
    x1: float, y1: float, x2: float, y2: float, place: float, away: float
) -> None:
    line = CountingLine(x1, y1, x2, y2)
    assume(line.length_px > 1)
    nx, ny = -(y2 - y1) / line.length_px, (x2 - x1) / line.length_px
    x, y = x1 + place * (x2 - x1) + away * nx, y1 + place * (y2 - y1) + away * ny
    assert place_along(working(line), x, y) == pytest.approx(place, abs=1e-6)
    assert signed_distance(working(line), x, y) == pytest.approx(away, abs=1e-6)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1;2;3;4"])
def test_a_line_that_is_not_four_numbers_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(CountingLineError, match="x1,y1,x2,y2, for instance"):
        parse_line(text)


def test_a_line_is_read_as_two_points() -> None:
    assert parse_line("1, 2,3.5,-4") == ((1.0, 2.0), (3.5, -4.0))


@pytest.mark.parametrize(
    "segment", [((-1, 5), (50, 5)), ((0, 5), (101, 5)), ((0, 5), (50, 81)), ((0, float("nan")), (50, 5))]
)
def test_a_line_outside_of_the_picture_is_refused_with_the_picture_s_size(
    segment: tuple[tuple[float, float], tuple[float, float]],
) -> None:
    with pytest.raises(CountingLineError, match="100 x 80"):
        checked_line(segment, 100, 80)


def test_a_line_without_length_is_refused() -> None:
    with pytest.raises(CountingLineError, match="shorter than 8"):
        checked_line(((10, 10), (12, 10)), 100, 80)
