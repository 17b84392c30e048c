"""Which line is a piece of a street: on the globe, drawn at all, and no country long."""

from __future__ import annotations

import math
from collections.abc import Sequence

from telstraat_store.errors import LineError

LENGTH_MIN_M, LENGTH_MAX_M = 1.0, 20_000.0
POINTS_MAX = 500


def is_on_earth(lon: float, lat: float) -> bool:
    """Tell whether two numbers are a longitude and a latitude, degrees."""
    return math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90


def check_line(points: Sequence[Sequence[float]]) -> None:
    """Refuse what is not a piece of a street: off the globe, at 0, 0, a point, or a country long.

    Parameters
    ----------
    points
        From A to B; of each the first two numbers are longitude and latitude, degrees, WGS84.

    Raises
    ------
    LineError
        It says which point or length cannot be.
    """
    for lon, lat, *_ in points:
        if not is_on_earth(lon, lat):
            raise LineError(f"[{lon}, {lat}] is not longitude and latitude")
        if lon == 0 and lat == 0:
            raise LineError("[0, 0] is in the sea off Africa: the position was not set")
    from pyproj import Geod  # 10 MB that an ingester, which measures no line, shall not take

    length_m = Geod(ellps="WGS84").line_length([point[0] for point in points], [point[1] for point in points])
    if not LENGTH_MIN_M <= length_m <= LENGTH_MAX_M:
        raise LineError(f"the line is {length_m:.1f} m long; a segment has {LENGTH_MIN_M} to {LENGTH_MAX_M} m")
