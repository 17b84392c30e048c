"""Which crossings in the dark are lamps and outlines of one vehicle, and which are two."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from telstraat_device import track_table as c
from telstraat_device.passages import one_in_the_dark


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
