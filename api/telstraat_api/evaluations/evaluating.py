"""What evaluations read, and what is quick enough to be waited for in a process of its own: reports set, prospects of a measure.

Run as `python -m telstraat_api.evaluations.evaluating prospects|png|html|pdf` with JSON on stdin. The service stays quick while it computes,
and what takes too long can be ended.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import date
from importlib import import_module
from typing import Any

import msgspec
import orjson
import pandas as pd
import psycopg

from telstraat_analytics import Excluded, Measure, days_needed
from telstraat_analytics.errors import AnalysisError, FrameError, NoCountsError, NotAddedUpError
from telstraat_analytics.lines import Line, line_of
from telstraat_analytics.report.content import Content
from telstraat_analytics.report.write import html, pdf
from telstraat_contract.road_users import TOGETHER, columns_of
from telstraat_store.counts.evaluated import is_waiting, read_street_hours
from telstraat_store.imports.numbers import whole_number
from telstraat_store.places.installations import list_beginnings
from telstraat_store.places.segments import list_geometries

LINES_MAX = 300
"""Streets that have no part in a measure, on its map."""

EVERY_CAR = 0.01
"""Speeds whose sum is this near to the cars were shares of all of them when they were imported."""

IMPORTED = 0
"""Stands for the instrument behind imported counts; installations are numbered from 1."""

REFUSED = 3
"""The exit code that says: what is on stdout is the reason, in words for the user."""


def measure_of(plain: Mapping[str, Any]) -> Measure:
    """Return the measure that plain values describe, in the words of `telstraat_analytics`."""
    return Measure(
        name=plain["name"],
        date=date.fromisoformat(plain["date"]),
        treated=tuple(plain["treated"]),
        controls=tuple(plain["controls"]),
        boundary=tuple(plain["boundary"]),
        timezone=plain["timezone"],
        before_days=plain["before_days"],
        after_days=plain["after_days"],
        transition_days=plain["transition_days"],
        excluded=tuple(
            Excluded(
                date.fromisoformat(days["first"]),
                date.fromisoformat(days["last"]),
                days["reason"],
                tuple(days["segments"]),
            )
            for days in plain["excluded"]
        ),
        other_measures=tuple((date.fromisoformat(day), name) for day, name in plain["other_measures"]),
        chosen_for=plain["chosen_for"],
        closed_to=tuple(plain["closed_to"]),
        speed_limit_kmh=plain["speed_limit_kmh"],
        names=dict(plain["names"]),
    )


def read_hours(
    dsn: str,
    measure: Measure,
    *,
    whole: bool = True,
    windows: Mapping[str, tuple[pd.Timestamp, pd.Timestamp]] | None = None,
) -> pd.DataFrame:
    """Return the hours that the evaluation of a measure reads from a database, with the installation of each.

    Parameters
    ----------
    dsn
        Of the database.
    measure
        Its segments are numbers; the days are those that `telstraat_analytics.days_needed` asks for, street by street.
    whole
        Read only what the public may read, whole hours (decision 021): so that levels of weeks tell no part of an hour, and
        everybody can compute the answer again.
    windows
        Per street other days than those.

    Returns
    -------
    pandas.DataFrame
        As `telstraat_analytics.as_counts` takes it, corrected for uptime. A class that nobody counted is missing.

    Raises
    ------
    FrameError
        A segment is no number, the database has none of these hours, or reports of them still wait to be added up.
    """
    windows_read = {number_of(name): window for name, window in (windows or days_needed(measure)).items()}
    with psycopg.connect(dsn) as connection:
        frame = read_frame(connection, windows_read, whole=whole)
        refuse_waiting(connection, windows_read)
    if frame is None:
        watched = " that were watched whole, all four quarters by one stream" if whole else ""
        raise NoCountsError(
            f"the database has no hours of segments {', '.join(measure.segments)} around {measure.date}{watched}"
        )
    return frame


def read_frame(
    connection: psycopg.Connection[Any],
    windows: Mapping[int, tuple[pd.Timestamp, pd.Timestamp]],
    *,
    whole: bool = True,
) -> pd.DataFrame | None:
    """Return the hours of streets, each in its window, as `read_hours` does; None where the database has none of them."""
    sides = [side for name in TOGETHER for side in columns_of(name)]
    rows = [
        row
        for number, window in windows.items()
        for row in read_street_hours(connection, number, window, sides, whole=whole)
    ]
    if not rows:
        return None
    placed = list_beginnings(connection, list(windows))
    frame = pd.DataFrame(rows, columns=["segment", "start", "source", "uptime", "car_speed", *sides])
    frame["start"] = pd.to_datetime(frame["start"], utc=True)
    frame[sides] = frame[sides].astype(float)
    for name in TOGETHER:
        frame[name] = frame[list(columns_of(name))].sum(axis=1, min_count=1)
    frame["uptime"] = frame["uptime"].clip(upper=1.0)
    cars = frame["car"] * frame["uptime"]
    frame["car_speed"] = pd.Series(map(shares_of, frame["car_speed"], cars), index=frame.index, dtype=object)
    counted = [*TOGETHER, *sides]
    frame = frame.drop(columns=[name for name in counted if frame[name].isna().all()])  # what nobody counted is no zero
    frame["instance"] = instances(frame, placed)
    frame = without_fillers(frame.drop(columns="source"))
    return frame.assign(segment=frame["segment"].astype(str))


def refuse_waiting(
    connection: psycopg.Connection[Any], windows: Mapping[int, tuple[pd.Timestamp, pd.Timestamp]]
) -> None:
    """Raise `FrameError` while reports of a street wait to be added up: an answer would lack them."""
    waiting = [number for number, window in windows.items() if is_waiting(connection, number, window)]
    if waiting:
        raise NotAddedUpError(
            f"reports of segments {', '.join(map(str, waiting))} are not added up to hours yet, so the answer would lack them: "
            "try again in a minute, and see that telstraat ingest runs"
        )


def shares_of(speeds: Sequence[float] | None, cars: float) -> Sequence[float] | None:
    """Return an hour's speeds in percent, as they were imported, where every car that passed has one; else as they are.

    Parameters
    ----------
    speeds
        Cars per bin, or nothing.
    cars
        Cars seen in the hour.
    """
    if not speeds or not cars > 0 or abs(sum(speeds) - cars) > EVERY_CAR * cars:
        return speeds
    return [100 * share / cars for share in speeds]


def lines_around(dsn: str, measure: Measure) -> dict[str, Line]:
    """Return where a measure's streets lie, and the streets of the site between and beside them, to find one's way."""
    with psycopg.connect(dsn) as connection:
        geometries = list_geometries(connection)
    lines = {str(number): line for number, geometry in geometries if (line := line_of(geometry))}
    own = [point for name in measure.segments for point in lines.get(name, ())]
    if not own:
        return {}
    (west, east), (south, north) = ((min(axis), max(axis)) for axis in zip(*own, strict=True))
    beside = {
        name: line
        for name, line in lines.items()
        if any(west <= lon <= east and south <= lat <= north for lon, lat in line)
    }
    nearest = dict(list(beside.items())[:LINES_MAX])
    return {name: line for name, line in lines.items() if name in nearest or name in measure.segments}


def number_of(segment: str) -> int:
    """Return a segment's number; in files of counts a street may have any name, in a database it has a number."""
    number = whole_number(segment)
    if number is None:
        raise FrameError(f"segment {segment!r}: in a database segments are numbers (see /v1/segments)")
    return number


def instances(frame: pd.DataFrame, placed: Sequence[tuple[Any, ...]]) -> list[int | None]:
    """Return, per row, which instrument counted it: imported counts are of another one than the town's own sensor.

    Parameters
    ----------
    frame
        Columns segment, start and source (the import's number; nothing for own counts).
    placed
        Segment, number and begin of every installation, in order of time.

    Returns
    -------
    list of int or None
        The latest installation that had begun, or `IMPORTED`.
    """
    out: list[int | None] = []
    for segment, start, source in zip(frame["segment"], frame["start"], frame["source"], strict=True):
        if pd.notna(source):
            out.append(IMPORTED)
            continue
        begun = [number for where, number, from_at in placed if where == segment and from_at <= start]
        out.append(begun[-1] if begun else None)
    return out


def without_fillers(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the hours without imported ones in an outage of an own sensor: a gap is no change of the instrument."""
    ordered = frame.sort_values(["segment", "start"])
    own = ordered["instance"].where(ordered["instance"] != IMPORTED).astype(float).groupby(ordered["segment"])
    fills = (ordered["instance"] == IMPORTED) & (own.ffill() == own.bfill())
    return frame[~fills.reindex(frame.index)]


def run(task: str, request: dict[str, Any]) -> bytes:
    """Do one task."""
    if task == "prospects":
        return import_module("telstraat_api.evaluations.prospects").prospects(request)  # type: ignore[no-any-return]
    if task == "png":
        return import_module("telstraat_analytics.report.charts").png(request["svg"])  # type: ignore[no-any-return]
    content = msgspec.convert(request, Content)
    return pdf(content) if task == "pdf" else html(content).encode()


def main(task: str) -> int:
    """Read the task from stdin and write the answer, or the reason why there is none, to stdout; stderr is for the log."""
    request = orjson.loads(sys.stdin.buffer.read())
    try:
        sys.stdout.buffer.write(run(task, request))
    except AnalysisError as error:
        sys.stdout.buffer.write(str(error).encode())
        return REFUSED
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
