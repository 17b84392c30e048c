"""Rows of traffic as Telraam's clients read them: their names, their order, their rounding, nothing null that they trip over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from telstraat_api.errors import BadRequestError
from telstraat_contract.road_users import COUNTED, SPEED_BINS
from telstraat_contract.speeds import COARSE_BINS, coarse, v85_kmh
from telstraat_store.counts.period import both

DECIMALS = 10
NONE_YET = "1970-01-01T00:00:00.000Z"
MODES = ("heavy", "car", "bike", "pedestrian", "night")
"""Telraam's own list, in its order: a class that it does not know has no place in its formats."""

PLACES: dict[str, int] = {kind: 2 * n for n, kind in enumerate(COUNTED)}
NOTHING = (0.0,) * (2 * len(COUNTED))
NOT_TOLD_APART = ("bus", "lighttruck", "stroller", "tractor", "trailer", "truck")
"""Modes of a ten-class sensor that ours does not tell apart: null, never an invented number."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One interval of one segment or instance, corrected for uptime."""

    start: datetime
    uptime: float
    counts: tuple[float | None, ...]  # as COLUMNS; None where a class was not counted
    speeds: Sequence[float] | None  # cars per 5 km/h, or per 10 km/h
    published_v85_kmh: float | None = None

    def both(self, kind: str) -> float | None:
        """Return a class's count in both directions; None where it was not counted."""
        return both(self.counts, kind)

    @property
    def v85_kmh(self) -> float | None:
        """The speed that 85 % of the cars stayed below, as published where it was."""
        return v85_kmh(self.speeds or ()) if self.published_v85_kmh is None else self.published_v85_kmh


def report_stamp(at: datetime | None) -> str:
    """Write a time as reports do; 1970 stands for never."""
    if at is None:
        return NONE_YET
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def rounded(count: float | None) -> float | None:
    """Return a count as reports round it; null where the class was not counted."""
    return None if count is None else round(count, DECIMALS)


@lru_cache(maxsize=4096)
def shares_and_v85(bins: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[float, ...] | None, float | None]:
    """Return the two histograms in percent, and V85; all zero and None without cars, no fine one where only a coarse is known."""
    cars = sum(bins)
    if not cars:
        return (0.0,) * COARSE_BINS, (0.0,) * SPEED_BINS, None
    fine = None if len(bins) == COARSE_BINS else tuple(round(100 * n / cars, DECIMALS) for n in bins)
    return tuple(round(100 * n / cars, DECIMALS) for n in coarse(bins)), fine, v85_kmh(bins)


def row_of(
    interval: Interval, length: str, timezone: str, *, segment_id: int = -1, instance_id: int = -1
) -> dict[str, Any]:
    """Return the row of an interval, its keys in the order that clients build their columns from."""
    counts = interval.counts
    row: dict[str, Any] = {
        "instance_id": instance_id,
        "segment_id": segment_id,
        "date": report_stamp(interval.start),
        "interval": length,
        "uptime": round(interval.uptime, DECIMALS),
    }
    for kind in MODES:
        row[kind] = rounded(interval.both(kind))
    for kind in MODES:
        place = PLACES[kind]
        row[f"{kind}_lft"] = rounded(counts[place])
        row[f"{kind}_rgt"] = rounded(counts[place + 1])
    per_10_kmh, per_5_kmh, v85 = shares_and_v85(tuple(interval.speeds or ()))
    has_cars = row["car"] is not None  # no speeds of what was not counted
    row["direction"] = 1
    row["car_speed_hist_0to70plus"] = per_10_kmh if has_cars else None
    row["car_speed_hist_0to120plus"] = per_5_kmh if has_cars else None
    row["timezone"] = timezone
    row["v85"] = v85 if interval.published_v85_kmh is None else interval.published_v85_kmh
    return row


def without_motorcycles(bikes: float | None, motorcycles: float | None) -> float | None:
    """Return the bicycles among bikes; where motorcycles were not told apart, all of them."""
    return None if bikes is None else round(bikes - (motorcycles or 0.0), DECIMALS)


def modes_of(counts: Sequence[float | None]) -> dict[str, float | None]:
    """Return the ten modes and night, as far as four classes can tell: strollers are among the pedestrians."""
    modes: dict[str, float | None] = {}
    for offset, way in enumerate(("lft", "rgt")):
        of = {kind: counts[place + offset] for kind, place in PLACES.items()}
        modes[f"mode_bicycle_{way}"] = without_motorcycles(of["bike"], of["motorcycle"])
        modes[f"mode_car_{way}"] = rounded(of["car"])
        modes[f"mode_motorcycle_{way}"] = rounded(of["motorcycle"])
        modes[f"mode_pedestrian_{way}"] = rounded(of["pedestrian"])
        modes[f"mode_night_{way}"] = rounded(of["night"])
        modes.update({f"mode_{mode}_{way}": None for mode in NOT_TOLD_APART})
    return modes


def more_columns(interval: Interval, row: dict[str, Any], device_id: int) -> dict[str, Any]:
    """Return every column that the advanced reports know, for choosing from."""
    length_s = {"quarterly": 900, "hourly": 3600}.get(str(row["interval"]), 86_400)
    return {
        **row,
        **modes_of(interval.counts),
        "device_id": device_id,
        "speed_hist_car_lft": None,
        "speed_hist_car_rgt": None,
        "brightness": None,
        "sharpness": None,
        "period_start": row["date"],
        "period_duration": round(min(1.0, interval.uptime) * length_s),
    }


def chosen(columns: str, available: dict[str, Any], id_column: str) -> dict[str, Any]:
    """Return the columns asked for, in the order asked for; whose they are is always among them."""
    names = [name.strip() for name in columns.split(",") if name.strip()]
    if id_column not in names:
        names.insert(0, id_column)
    unknown = [name for name in names if name not in available]
    if unknown:
        raise BadRequestError(f"columns: there is no {unknown[0]!r}; known are {', '.join(sorted(available))}")
    return {name: available[name] for name in names}
