"""Rows of traffic as Telraam's clients read them: their names, their order, their rounding, nothing null that they trip over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from telstraat_api.counts import KINDS, SPEED_BINS, v85_kmh
from telstraat_api.errors import AskedError

DECIMALS = 10
NONE_YET = "1970-01-01T00:00:00.000Z"
TOGETHER = ("heavy", "car", "bike", "pedestrian", "night")
PLACES = {kind: 2 * n for n, kind in enumerate(KINDS)}
NOTHING = (0.0,) * (2 * len(KINDS))
NOT_TOLD_APART = ("bus", "lighttruck", "stroller", "tractor", "trailer", "truck")
"""Modes of a ten-class sensor that ours does not tell apart: null, never an invented number."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One interval of one segment or instance, corrected for uptime."""

    start: datetime
    uptime: float
    counts: tuple[float, ...]  # as COLUMNS
    speeds: Sequence[float] | None  # cars per 5 km/h


def report_stamp(at: datetime | None) -> str:
    """Write a time as reports do; 1970 stands for never."""
    if at is None:
        return NONE_YET
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


@lru_cache(maxsize=4096)
def shares_and_v85(bins: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[float, ...], float | None]:
    """Return the two histograms in percent, and V85; all zero and None without cars."""
    total = sum(bins)
    if not total:
        return (0.0,) * 8, (0.0,) * SPEED_BINS, None
    fine = tuple(round(100 * n / total, DECIMALS) for n in bins)
    coarse = [round(100 * sum(bins[2 * n : 2 * n + 2]) / total, DECIMALS) for n in range(7)]
    return (*coarse, round(100 * sum(bins[14:]) / total, DECIMALS)), fine, v85_kmh(bins)


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
    for kind in TOGETHER:
        place = PLACES[kind]
        row[kind] = round(counts[place] + counts[place + 1], DECIMALS)
    for kind in TOGETHER:
        place = PLACES[kind]
        row[f"{kind}_lft"] = round(counts[place], DECIMALS)
        row[f"{kind}_rgt"] = round(counts[place + 1], DECIMALS)
    coarse, fine, v85 = shares_and_v85(tuple(interval.speeds or ()))
    row["direction"] = 1
    row["car_speed_hist_0to70plus"] = coarse
    row["car_speed_hist_0to120plus"] = fine
    row["timezone"] = timezone
    row["v85"] = v85
    return row


def modes_of(counts: Sequence[float]) -> dict[str, float | None]:
    """Return the ten modes and night, as far as four classes can tell: strollers are among the pedestrians."""
    modes: dict[str, float | None] = {}
    for offset, way in enumerate(("lft", "rgt")):
        of = {kind: counts[place + offset] for kind, place in PLACES.items()}
        modes[f"mode_bicycle_{way}"] = round(of["bike"] - of["motorcycle"], DECIMALS)
        modes[f"mode_car_{way}"] = round(of["car"], DECIMALS)
        modes[f"mode_motorcycle_{way}"] = round(of["motorcycle"], DECIMALS)
        modes[f"mode_pedestrian_{way}"] = round(of["pedestrian"], DECIMALS)
        modes[f"mode_night_{way}"] = round(of["night"], DECIMALS)
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


def chosen(columns: str, available: dict[str, Any]) -> dict[str, Any]:
    """Return the columns asked for, in the order asked for."""
    names = [name.strip() for name in columns.split(",") if name.strip()]
    unknown = [name for name in names if name not in available]
    if unknown:
        raise AskedError(f"columns: there is no {unknown[0]!r}; known are {', '.join(sorted(available))}")
    return {name: available[name] for name in names}
