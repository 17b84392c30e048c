"""Speed limits as OpenStreetMap and GeoJSON write them, in km/h (https://wiki.openstreetmap.org/wiki/Key:maxspeed)."""

from __future__ import annotations

import re

MPH_KMH = 1.609344
LIMIT_MIN, LIMIT_MAX = 5, 150
_NUMBER = re.compile(r"(\d{1,3})(?:\.0)?\s*(mph|km/h|kmh|kph)?", re.ASCII)
_ZONE = re.compile(r"([A-Z]{2}):(?:zone:?)?(\d{1,3})", re.ASCII)


def speed_limit(value: object) -> int | None:
    """Return a speed limit in km/h, rounded.

    ``30``, ``30 mph``, ``50 km/h``, ``DE:zone:30``; a list when all of it says the same. None where there is no number (``walk`` and
    ``RO:urban`` leave it to the law of a country, which changes), where it changes along the way (``50;30``, ``signals``), or
    where it cannot be one.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, list | tuple):
        limits = {speed_limit(part) for part in value}
        return limits.pop() if len(limits) == 1 else None
    text = str(value).strip()
    parts = [part for part in re.split(r"[;|,]", text) if part.strip()]
    if len(parts) > 1:
        return speed_limit(parts)
    kmh: int | None = None
    if match := _NUMBER.fullmatch(text.lower()):
        kmh = round(int(match[1]) * (MPH_KMH if match[2] == "mph" else 1))
    elif match := _ZONE.fullmatch(text):
        kmh = round(int(match[2]) * (MPH_KMH if match[1] in {"GB", "UK", "US"} else 1))
    return kmh if kmh is not None and LIMIT_MIN <= kmh <= LIMIT_MAX else None
