"""Computes a comparison with the analysis' own functions, of the hours that everybody may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import psycopg

from telstraat_analytics import as_counts
from telstraat_analytics.days import local_table
from telstraat_analytics.describe import Caveat, compare_periods, compare_streets, speeding, working_day
from telstraat_api.evaluations.evaluating import read_frame
from telstraat_api.web.compare.compare_view import CompareView, Days
from telstraat_contract.road_users import CLASSES
from telstraat_store.summaries.summary_table import SummaryRow

NO_LIMIT_KMH = 1000
CARS_MIN = 100
"""As in summaries: with fewer timed cars no speed is told."""


@dataclass(frozen=True)
class SpeedOfHours:
    """How fast cars drove: over all hours, and by hour of the day where enough were timed."""

    v85_kmh: float | None
    above: float | None
    cars: int
    by_hour: dict[int, float]


@dataclass
class ComparedSide:
    """A street, or a period of one: what is told of it alone, and within what both have in common."""

    name: str
    days: Days
    per_class: dict[str, float] = field(default_factory=dict)  # per hour of streets, per day of periods
    ways: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)  # per hour: A to B, B to A
    by_hour: dict[str, dict[int, float]] = field(default_factory=dict)  # of working days, by class
    speed: SpeedOfHours | None = None
    hours: int = 0


@dataclass
class Compared:
    """A comparison: its sides, how many hours they have in common, and what speaks against comparing them."""

    sides: list[ComparedSide]
    hours: int = 0
    caveats: list[Caveat] = field(default_factory=list)
    has_other_sensor: bool = False  # what counted in one period counted not in the other


def compare(dsn: str, view: CompareView, rows: Sequence[SummaryRow], *, whole: bool) -> Compared:
    """Return the comparison of a view; sides without any hour have no numbers.

    Parameters
    ----------
    dsn
        Of the database.
    view, rows
        What is asked, and the streets that it names.
    whole
        Only hours that were watched whole: what the public reads.
    """
    frame = frame_of(dsn, view, rows, whole=whole)
    return periods_of(view, rows[0], frame) if view.other else streets_of(view, rows, frame)


def frame_of(dsn: str, view: CompareView, rows: Sequence[SummaryRow], *, whole: bool) -> pd.DataFrame | None:
    """Return the hours of all streets in all periods, as the analysis takes them; None without any."""
    frames: list[pd.DataFrame] = []
    with psycopg.connect(dsn) as connection:
        for days in filter(None, (view.days, view.other)):
            windows = {row.segment_id: window_of(days, row.timezone) for row in rows}
            frame = read_frame(connection, windows, whole=whole)
            if frame is not None:
                frames.append(frame)
    if not frames:
        return None
    together = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    return as_counts(together.drop_duplicates(["segment", "start"]), period_s=3600)


def window_of(days: Days, timezone: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return first moment and end of local days."""
    first = pd.Timestamp(days.first).tz_localize(timezone, nonexistent="shift_forward", ambiguous=True)
    end = (pd.Timestamp(days.last) + pd.Timedelta(days=1)).tz_localize(
        timezone, nonexistent="shift_forward", ambiguous=True
    )
    return first, end


def streets_of(view: CompareView, rows: Sequence[SummaryRow], frame: pd.DataFrame | None) -> Compared:
    """Compare streets in the hours in which all of them were watched."""
    sides = [ComparedSide(row.name, view.days) for row in rows]
    if frame is None:
        return Compared(sides)
    names = [str(row.segment_id) for row in rows]
    zone = rows[0].timezone
    for row, name, side in zip(rows, names, sides, strict=True):
        fill_alone(side, frame, name, row)
    beside = compare_streets(frame, names, zone) if len(set(names)) > 1 else None
    if beside is None:
        return Compared(sides)
    for name, side in zip(names, sides, strict=True):
        counts = beside.table.loc[name].to_dict()
        side.per_class = {kind: float(counts[kind]) for kind in CLASSES if kind in counts}
    streets = {str(row.segment_id): row.name for row in rows}
    caveats = [named(caveat, streets) for caveat in beside.warnings]
    return Compared(sides, beside.hours, caveats)


def named(caveat: Caveat, streets: dict[str, str]) -> Caveat:
    """Return a caveat with a street's name instead of its number."""
    street = str(caveat.figures.get("street", ""))
    return Caveat(caveat.key, {**caveat.figures, "street": streets[street]}) if street in streets else caveat


def periods_of(view: CompareView, row: SummaryRow, frame: pd.DataFrame | None) -> Compared:
    """Compare two periods of a street, the earlier first, like hours with like hours."""
    assert view.other is not None
    first, second = sorted((view.days, view.other), key=lambda days: (days.first, days.last))
    sides = [ComparedSide(row.name, days) for days in (first, second)]
    if frame is None:
        return Compared(sides)
    name = str(row.segment_id)
    known: dict[str, Caveat] = {}
    hours = 0
    for side in sides:
        fill_alone(side, inside(frame, side.days, row.timezone), name, row)
    if second.first <= first.last:
        return Compared(sides)
    spans: list[Any] = [(pd.Timestamp(days.first), pd.Timestamp(days.last)) for days in (first, second)]
    for kind in CLASSES:
        if kind not in frame:
            continue
        comparison = compare_periods(frame, name, row.timezone, kind, *spans)
        if comparison is None:
            continue
        sides[0].per_class[kind], sides[1].per_class[kind] = comparison.first_per_day, comparison.second_per_day
        known |= {caveat.key: caveat for caveat in comparison.warnings}
        hours = len(comparison.hours)
    return Compared(
        sides, hours, list(known.values()), has_other_sensor=have_other_sensors(frame, first, second, row.timezone)
    )


def have_other_sensors(frame: pd.DataFrame, first: Days, second: Days, timezone: str) -> bool:
    """Tell whether no sensor counted in both periods: another window sees another part of the street."""
    if "instance" not in frame:
        return False
    before, after = (set(inside(frame, days, timezone)["instance"].dropna()) for days in (first, second))
    return bool(before) and bool(after) and not before & after


def inside(frame: pd.DataFrame, days: Days, timezone: str) -> pd.DataFrame:
    """Return the hours of some local days."""
    first, end = window_of(days, timezone)
    return frame[(frame["start"] >= first) & (frame["start"] < end)]


def fill_alone(side: ComparedSide, frame: pd.DataFrame, name: str, row: SummaryRow) -> None:
    """Tell of a side what needs no other: directions, hours of working days, speeds."""
    table = local_table(frame, name, row.timezone)
    side.hours = len(table)
    if table.empty:
        return
    working = working_day(frame, name, row.timezone)
    for kind in CLASSES:
        if kind not in table or table[kind].isna().all():
            continue
        side.by_hour[kind] = (
            {int(str(hour)): float(n) for hour, n in working[kind].dropna().items()} if kind in working else {}
        )
        side.ways[kind] = (per_hour(table, f"{kind}_lft"), per_hour(table, f"{kind}_rgt"))
    side.speed = speed_of(frame, name, row)


def per_hour(table: pd.DataFrame, column: str) -> float | None:
    """Return the mean of a column per watched hour."""
    if column not in table or table[column].isna().all():
        return None
    return float((table[column] / table["uptime"]).mean())


def speed_of(frame: pd.DataFrame, name: str, row: SummaryRow) -> SpeedOfHours | None:
    """Return how fast cars drove; None where none was timed."""
    if "car_speed" not in frame or frame.loc[frame["segment"] == name, "car_speed"].isna().all():
        return None
    speeds = speeding(frame, name, row.timezone, row.speed_limit_kmh or NO_LIMIT_KMH)
    of_hours = [
        (hour, int(cars), float(v85))
        for hour, cars, v85 in zip(speeds.index, speeds["cars"], speeds["v85_kmh"], strict=True)
    ]
    _, cars, v85_kmh = of_hours.pop()  # of all hours
    if cars < CARS_MIN:
        return SpeedOfHours(None, None, cars, {})
    by_hour = {int(str(hour)): of_hour for hour, timed, of_hour in of_hours if timed >= CARS_MIN}
    above = float(speeds["above"].iloc[-1]) if row.speed_limit_kmh else None
    return SpeedOfHours(v85_kmh, above, cars, by_hour)
