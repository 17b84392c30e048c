"""Which crossings in the dark are lamps and outlines of one vehicle, and which are two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from telstraat_device.counting.crossings.line_crossing import (
    is_fragment_of,
    rejection_of,
    same_vehicle_in_the_dark,
)
from telstraat_device.counting.tracking.state import TRACKER_STATE
from telstraat_device.counting.tracking.track import TRACK, Rejection, Side


def crossed(
    t_s: float, x: float, y: float, w: float, h: float, vx: float = 200.0, vy: float = 0.0, side: Side = Side.RIGHT
) -> Any:
    """Return a track that has crossed: TRACK."""
    track = np.zeros(1, TRACK)[0]
    track["crossed"], track["crossed_s"] = side, t_s
    for name, value in {"x": x, "y": y, "w": w, "h": h, "vx": vx, "vy": vy}.items():
        track["measured"][name] = value
    return track


LAMP = crossed(3.0, 160, 100, 14, 10)

CASES: dict[str, tuple[Any, Any, float, bool]] = {
    "a lamp in front of its car": (LAMP, crossed(3.2, 160, 95, 80, 40), 1.0, True),
    "a front and a rear lamp": (LAMP, crossed(3.4, 160, 101, 14, 10), 1.0, True),
    "by day nothing": (LAMP, crossed(3.2, 160, 95, 80, 40), 0.0, False),
    "at dusk two that are alike": (LAMP, crossed(3.4, 160, 101, 14, 10), 0.5, False),
    "roof and wheels": (crossed(3.0, 160, 80, 60, 15), crossed(3.1, 160, 100, 90, 18), 1.0, True),
    "the next car": (LAMP, crossed(3.9, 160, 100, 14, 10), 1.0, False),
    "two lanes side by side": (crossed(3.0, 60, 200, 40, 40, 0, 90), crossed(3.1, 140, 200, 44, 40, 0, 90), 1.0, False),
    "one that comes the other way": (LAMP, crossed(3.2, 160, 95, 80, 40, -200, 0, Side.LEFT), 1.0, False),
    "one that is overtaken": (LAMP, crossed(3.2, 160, 95, 80, 40, 60, 0), 1.0, False),
}


@pytest.mark.parametrize("name", CASES)
def test_pieces_in_the_dark(name: str) -> None:
    first, second, share, expected = CASES[name]
    assert same_vehicle_in_the_dark(first, second, share) is expected
    assert same_vehicle_in_the_dark(second, first, share) is expected


def waiting(share: float, w: float, h: float, area: float, moving: float, alone_s: float = 0.0) -> Any:
    """Return the state of a tracker in which one crossing waits that was never measured: TRACKER_STATE."""
    state = np.zeros(1, TRACKER_STATE)[0]
    state["width"], state["height"], state["area_min"], state["dark_share"] = 320, 240, 70.0, share
    track = state["tracks"][0]
    track["alive"], track["pending"], track["moving_max"], track["alone_s"] = True, Side.RIGHT, moving, alone_s
    track["at_line"]["w"], track["at_line"]["h"], track["at_line"]["area"] = w, h, area
    return state


@pytest.mark.parametrize(
    ("moved", "height", "share", "expected"),
    [
        (0.2, 8.0, 1.0, Rejection.STREAK_OF_LIGHT),
        (0.8, 8.0, 1.0, Rejection.NONE),
        (0.4, 8.0, 1.0, Rejection.STREAK_OF_LIGHT),
        (0.4, 15.0, 1.0, Rejection.NONE),
        (0.2, 30.0, 1.0, Rejection.NONE),
        (0.2, 8.0, 0.0, Rejection.NONE),
        (0.0, 8.0, 1.0, Rejection.STATIONARY),
    ],
)
def test_a_flat_streak_that_hardly_moves_in_the_dark_is_light(
    moved: float, height: float, share: float, expected: Rejection
) -> None:
    assert rejection_of(waiting(share, 70.0, height, 400.0, moved), 0) == expected


@pytest.mark.parametrize(
    ("area", "alone_s", "share", "expected"),
    [
        (69.0, 1.6, 0.0, Rejection.NONE),  # somebody far away
        (69.0, 1.4, 0.0, Rejection.TOO_SMALL),
        (69.0, 1.6, 1.0, Rejection.TOO_SMALL),  # a lamp that burns for long
        (27.0, 9.0, 0.0, Rejection.TOO_SMALL),
        (71.0, 0.2, 0.0, Rejection.NONE),
    ],
)
def test_what_is_small_counts_when_it_was_alone_for_long_by_day(
    area: float, alone_s: float, share: float, expected: Rejection
) -> None:
    assert rejection_of(waiting(share, 8.0, 16.0, area, 0.8, alone_s), 0) == expected


TOWED: dict[str, tuple[Any, bool]] = {
    "the box of a cargo bicycle": (crossed(3.1, 165, 169, 23, 19, 143, -4), True),
    "somebody overtaken": (crossed(3.0, 165, 169, 23, 19, 110, -4), False),
    "somebody behind, on another lane": (crossed(3.0, 165, 140, 23, 19, 143, -4), False),
    "the next one": (crossed(3.7, 165, 169, 23, 19, 143, -4), False),
    "one as large": (crossed(3.0, 165, 160, 35, 40, 143, -4), False),
}


@pytest.mark.parametrize("name", TOWED)
def test_what_moves_exactly_as_something_larger_beside_it_hangs_on_it(name: str) -> None:
    small, expected = TOWED[name]
    small["alone_s"] = 2.0
    assert is_fragment_of(small, crossed(3.3, 163, 152, 40, 54, 145, -4)) is expected
