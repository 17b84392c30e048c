"""Whether a place fits its time zone: longitude and latitude the other way round, and a town under another town's clock."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EARTH_KM = 6371.0
BEYOND_KM = 200.0
"""A place is asked about when a town of another clock is nearer by that much than every town of its own."""
BEYOND_IF_NAMED_KM = 600.0
"""The same where the user has named the zone."""
METRES_FROM = 400.0
_PLACE = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?([+-])(\d{3})(\d{2})(\d{2})?")
Town = tuple[float, float, str]


def doubt(points: Sequence[Sequence[float]], timezone: str, *, is_named: bool) -> str:
    """Return a question about points that do not lie where their time zone is; nothing when they do.

    Parameters
    ----------
    points
        Longitude and latitude, degrees.
    timezone
        IANA zone.
    is_named
        Somebody has chosen the zone; it is not the default.

    Returns
    -------
    str
        What is odd, as a sentence that goes on "...: ".
    """
    if not points:
        return ""
    lon, lat = points[0][0], points[0][1]
    if max(abs(lon), abs(lat)) > METRES_FROM:
        return f"[{lon:g}, {lat:g}] are no degrees: save the file in WGS84 (EPSG:4326)"
    beyond = _beyond_km(lon, lat, timezone)
    if beyond is None or beyond <= (BEYOND_IF_NAMED_KM if is_named else BEYOND_KM):
        return ""
    other = _beyond_km(lat, lon, timezone) if abs(lon) <= 90 else None
    if other is not None and other <= 0 and beyond > 2 * BEYOND_IF_NAMED_KM:
        return (
            f"[{lon:g}, {lat:g}] is not in {timezone}, and [{lat:g}, {lon:g}] is: are longitude and latitude swapped?"
        )
    return f"[{lon:g}, {lat:g}] is not in {timezone}; the nearest town keeps the time of {nearest(lon, lat)}"


def nearest(lon: float, lat: float) -> str:
    """Return the time zone whose town is nearest."""
    return min(_towns(), key=lambda town: _km(lon, lat, town))[2]


def _beyond_km(lon: float, lat: float, timezone: str) -> float | None:
    """Return how much farther the nearest town with this zone's clock is than the nearest of all."""
    clock = _clock(timezone)
    own = [_km(lon, lat, town) for town in _towns() if _clock(town[2]) == clock]
    if clock is None or not own:
        return None
    return min(own) - min(_km(lon, lat, town) for town in _towns())


@lru_cache(maxsize=1)
def _towns() -> tuple[Town, ...]:
    """Return the principal town of each zone, as the time zone database has them."""
    text = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    out = []
    for line in text.splitlines():
        fields = line.split("\t")
        match = _PLACE.fullmatch(fields[1]) if len(fields) > 2 and not line.startswith("#") else None
        if match:
            lat = int(match[2]) + int(match[3]) / 60
            lon = int(match[6]) + int(match[7]) / 60
            out.append((lon if match[5] == "+" else -lon, lat if match[1] == "+" else -lat, fields[2]))
    return tuple(out)


@lru_cache(maxsize=1024)
def _clock(timezone: str) -> tuple[timedelta | None, ...] | None:
    """Return what the clock of a zone shows in a January and a July: zones that show the same are not told apart."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return tuple(datetime(2025, month, 15, 12, tzinfo=zone).utcoffset() for month in (1, 7))


def _km(lon: float, lat: float, town: Town) -> float:
    a, b = math.radians(lat), math.radians(town[1])
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(town[0] - lon) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))
