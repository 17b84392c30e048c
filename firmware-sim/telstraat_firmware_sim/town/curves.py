"""Lines of a made-up map: smooth curves through a few points in metres, and metres on the globe."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely

from telstraat_firmware_sim.fleet.towns import METRES_A_DEGREE

Metres = tuple[float, float]
"""East and north of the town's middle."""
STEP_M = 15.0
BEND_M = 0.4
"""How far a drawn line may leave its curve: a curve has as few points as a person would click."""


def curve(points: Sequence[Metres], *, is_closed: bool = False) -> list[Metres]:
    """Return a smooth line through points, metres; a closed one ends where it begins."""
    from scipy.interpolate import CubicSpline

    if len(points) < 3:
        return [(float(x), float(y)) for x, y in points]
    corners = np.array([*points, points[0]] if is_closed else points, dtype=float)
    # Knots at the root of the distance: no loops where points lie unevenly.
    steps = np.sqrt(np.hypot(*np.diff(corners, axis=0).T))
    knots = np.concatenate([[0.0], np.cumsum(steps)])
    spline = CubicSpline(knots, corners, bc_type="periodic" if is_closed else "natural")
    many = math.ceil(float(np.hypot(*np.diff(corners, axis=0).T).sum()) / STEP_M)
    at = np.unique(np.concatenate([np.linspace(0.0, knots[-1], many + 1), knots]))
    return [(float(x), float(y)) for x, y in shapely.LineString(spline(at)).simplify(BEND_M).coords]


def on_the_globe(point: Metres, longitude: float, latitude: float) -> tuple[float, float]:
    """Return longitude and latitude (degrees, 7 decimals) of a point in metres around a place."""
    north = point[1] / METRES_A_DEGREE
    east = point[0] / (METRES_A_DEGREE * math.cos(math.radians(latitude)))
    return round(longitude + east, 7), round(latitude + north, 7)
