"""Which crossings in the dark are lamps and outlines of one vehicle, and which are two."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from telstraat_device.counting.crossings.line_crossing import judge, one_in_the_dark, piece_of
from telstraat_device.counting.tracking import track_table as c
from telstraat_device.counting.tracking.measure_track import MEDIANS


def crossed(
    t_s: float, x: float, y: float, w: float, h: float, vx: float = 200.0, vy: float = 0.0, way: float = 1.0
) -> NDArray[np.float64]:
    """Return the row of a track that has crossed."""
    row = np.zeros(c.TRACK_COLUMNS)
    row[c.CROSSED], row[c.CROSSED_T], row[c.SOLID_X], row[c.SOLID_Y] = way, t_s, x, y
    row[c.SOLID_W], row[c.SOLID_H], row[c.SOLID_VX], row[c.SOLID_VY] = w, h, vx, vy
    return row


LAMP = crossed(3.0, 160, 100, 14, 10)

CASES: dict[str, tuple[NDArray[np.float64], NDArray[np.float64], float, bool]] = {
    "a lamp in front of its car": (LAMP, crossed(3.2, 160, 95, 80, 40), 1.0, True),
    "a front and a rear lamp": (LAMP, crossed(3.4, 160, 101, 14, 10), 1.0, True),
    "by day nothing": (LAMP, crossed(3.2, 160, 95, 80, 40), 0.0, False),
    "at dusk two that are alike": (LAMP, crossed(3.4, 160, 101, 14, 10), 0.5, False),
    "roof and wheels": (crossed(3.0, 160, 80, 60, 15), crossed(3.1, 160, 100, 90, 18), 1.0, True),
    "the next car": (LAMP, crossed(3.9, 160, 100, 14, 10), 1.0, False),
    "two lanes side by side": (crossed(3.0, 60, 200, 40, 40, 0, 90), crossed(3.1, 140, 200, 44, 40, 0, 90), 1.0, False),
    "one that comes the other way": (LAMP, crossed(3.2, 160, 95, 80, 40, -200, 0, -1.0), 1.0, False),
    "one that is overtaken": (LAMP, crossed(3.2, 160, 95, 80, 40, 60, 0), 1.0, False),
}


@pytest.mark.parametrize("name", CASES)
def test_pieces_in_the_dark(name: str) -> None:
    one, other, share, expected = CASES[name]
    assert one_in_the_dark(one, other, share) is expected
    assert one_in_the_dark(other, one, share) is expected


@pytest.mark.parametrize(
    ("moved", "height", "share", "expected"),
    [
        (0.2, 8.0, 1.0, c.STREAK_OF_LIGHT),
        (0.8, 8.0, 1.0, c.COUNTED),
        (0.4, 8.0, 1.0, c.STREAK_OF_LIGHT),
        (0.4, 15.0, 1.0, c.COUNTED),
        (0.2, 30.0, 1.0, c.COUNTED),
        (0.2, 8.0, 0.0, c.COUNTED),
        (0.0, 8.0, 1.0, c.STILL),
    ],
)
def test_a_flat_streak_that_hardly_moves_in_the_dark_is_light(
    moved: float, height: float, share: float, expected: int
) -> None:
    tracks, recent = np.zeros((2, c.TRACK_COLUMNS)), np.zeros((2, c.TRACK_COLUMNS))
    tracks[0, c.ALIVE] = tracks[0, c.PENDING] = 1.0
    tracks[0, c.MOVED], tracks[0, c.LINE_W], tracks[0, c.LINE_H], tracks[0, c.LINE_AREA] = moved, 70.0, height, 400.0
    frame = np.zeros(7)
    frame[c.WIDTH], frame[c.HEIGHT], frame[c.SMALLEST], frame[c.DARK_SHARE] = 320, 240, 70, share
    history, scratch = np.zeros((2, c.HISTORY, c.HISTORY_COLUMNS)), np.zeros((MEDIANS, c.HISTORY))
    assert judge(tracks, 0, frame, recent, history, scratch) == expected


@pytest.mark.parametrize(
    ("area", "own_s", "share", "expected"),
    [
        (69.0, 1.6, 0.0, c.COUNTED),  # somebody far away
        (69.0, 1.4, 0.0, c.SMALL),
        (69.0, 1.6, 1.0, c.SMALL),  # a lamp that burns for long
        (27.0, 9.0, 0.0, c.SMALL),
        (71.0, 0.2, 0.0, c.COUNTED),
    ],
)
def test_what_is_small_counts_when_it_was_alone_for_long_by_day(
    area: float, own_s: float, share: float, expected: int
) -> None:
    tracks, recent = np.zeros((2, c.TRACK_COLUMNS)), np.zeros((2, c.TRACK_COLUMNS))
    tracks[0, c.ALIVE] = tracks[0, c.PENDING] = 1.0
    tracks[0, c.MOVED], tracks[0, c.LINE_W], tracks[0, c.LINE_H], tracks[0, c.LINE_AREA] = 0.8, 8.0, 16.0, area
    tracks[0, c.OWN_S] = own_s
    frame = np.zeros(7)
    frame[c.WIDTH], frame[c.HEIGHT], frame[c.SMALLEST], frame[c.DARK_SHARE] = 320, 240, 70, share
    history, scratch = np.zeros((2, c.HISTORY, c.HISTORY_COLUMNS)), np.zeros((MEDIANS, c.HISTORY))
    assert judge(tracks, 0, frame, recent, history, scratch) == expected


DRAWN: dict[str, tuple[NDArray[np.float64], bool]] = {
    "the box of a cargo bicycle": (crossed(3.1, 165, 169, 23, 19, 143, -4), True),
    "somebody overtaken": (crossed(3.0, 165, 169, 23, 19, 110, -4), False),
    "somebody behind, on another lane": (crossed(3.0, 165, 140, 23, 19, 143, -4), False),
    "the next one": (crossed(3.7, 165, 169, 23, 19, 143, -4), False),
    "one as large": (crossed(3.0, 165, 160, 35, 40, 143, -4), False),
}


@pytest.mark.parametrize("name", DRAWN)
def test_what_moves_exactly_as_something_larger_beside_it_hangs_on_it(name: str) -> None:
    small, expected = DRAWN[name]
    small[c.OWN_S] = 2.0
    assert piece_of(small, crossed(3.3, 163, 152, 40, 54, 145, -4)) is expected
