"""A measure: what was done where and when, the streets to compare with, and what must not be compared."""

from __future__ import annotations

import datetime as dt
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from telstraat_analytics.calendars import Calendar
from telstraat_analytics.errors import MeasureError
from telstraat_analytics.measure_shape import check_shape
from telstraat_contract.road_users import CLASSES

BEFORE_DAYS = 56
AFTER_DAYS = 56


@dataclass(frozen=True)
class Excluded:
    """Days that must not be compared, first and last INCLUSIVE; without segments, on all streets."""

    first: dt.date
    last: dt.date
    reason: str = "excluded by the user"
    segments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measure:
    """A measure in the street.

    Attributes
    ----------
    name
        What people call it.
    date
        First day of the time after (INCLUSIVE).
    treated
        Segments on which the measure acts.
    controls
        Segments of the same town on which nothing was done.
    boundary
        Segments to which traffic may have moved; they are answered for, never used as controls.
    timezone
        IANA zone of the streets.
    calendar
        Public and school holidays.
    before_days, after_days
        Days that are compared, before the date and from the end of the transition on.
    transition_days
        Days from the date on that count for neither side (works, people finding new ways).
    excluded
        Days that must not be compared.
    other_measures
        Date and name of other things that changed nearby.
    chosen_for
        Why this street: ``complaints``, ``bad month``, ``plan``, ``unknown``. A street chosen in a bad month gets
        better by itself.
    closed_to
        Classes that the measure keeps out altogether: only then is a silence believed.
    speed_limit_kmh
        For the share above the limit.
    """

    name: str
    date: dt.date
    treated: tuple[str, ...]
    controls: tuple[str, ...] = ()
    boundary: tuple[str, ...] = ()
    timezone: str = "Europe/Brussels"
    calendar: Calendar | None = None
    before_days: int = BEFORE_DAYS
    after_days: int = AFTER_DAYS
    transition_days: int = 0
    excluded: tuple[Excluded, ...] = ()
    other_measures: tuple[tuple[dt.date, str], ...] = ()
    chosen_for: str = "unknown"
    closed_to: tuple[str, ...] = ()
    speed_limit_kmh: int = 50
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.treated:
            raise MeasureError(f"measure {self.name!r}: treated is empty: name at least one segment")
        twice = set(self.treated) & set(self.controls) | set(self.boundary) & {*self.treated, *self.controls}
        if twice:
            raise MeasureError(
                f"measure {self.name!r}: {', '.join(sorted(twice))} stands in two of treated, controls and boundary; "
                "a street can be only one of them"
            )
        for name in ("before_days", "after_days"):
            if getattr(self, name) < 7:
                raise MeasureError(f"measure {self.name!r}: {name} is {getattr(self, name)}; compare at least 7 days")
        unknown = set(self.closed_to) - set(CLASSES)
        if unknown:
            raise MeasureError(f"measure {self.name!r}: closed_to {sorted(unknown)}: classes are {', '.join(CLASSES)}")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise MeasureError(
                f"measure {self.name!r}: no time zone {self.timezone!r}; say e.g. Europe/Brussels"
            ) from error

    @property
    def days(self) -> Calendar:
        """Return the calendar, or what the time zone suggests."""
        return self.calendar or Calendar.of_timezone(self.timezone)

    @property
    def segments(self) -> tuple[str, ...]:
        """Return every segment that is named."""
        return (*self.treated, *self.boundary, *self.controls)

    def called(self, segment: str) -> str:
        """Return what people call a segment."""
        return self.names.get(segment, segment)


def read_measure(path: Path) -> tuple[Measure, dict[str, Any]]:
    """Read a measure from TOML.

    Parameters
    ----------
    path
        A file with a table ``[measure]``, optionally ``[calendar]``, ``[[excluded]]``, ``[names]`` and whatever else
        the caller reads (``[data]``, ``[question]``).

    Returns
    -------
    tuple
        The measure, and all other tables as they stand.

    Raises
    ------
    MeasureError
        The file, the key and the value at fault, with the key that was probably meant.
    """
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise MeasureError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MeasureError(f"{path}: is not TOML in UTF-8: {error}") from error
    check_shape(path, content)
    if "measure" not in content:
        raise MeasureError(f"{path}: has no table [measure]; it has {', '.join(content) or 'nothing'}")
    table = dict(content.pop("measure"))
    if "times" in table:  # of the files that are read: said where the zone is said, or under [data]
        content["data"] = {"times": table.pop("times")} | dict(content.get("data", {}))
    _known_keys(path, "measure", table, Measure)
    for name in ("date", "name", "treated"):
        if name not in table:
            raise MeasureError(f"{path}: [measure] lacks {name!r}")
    for name in ("treated", "controls", "boundary", "closed_to"):
        if name in table:
            table[name] = tuple(str(value) for value in table[name])
    table["date"] = _date(path, "measure.date", table["date"])
    table["other_measures"] = tuple(
        (_date(path, "other_measures", day), text) for day, text in table.get("other_measures", ())
    )
    table["excluded"] = tuple(_excluded(path, excluded) for excluded in content.pop("excluded", ()))
    table["names"] = {str(key): str(name) for key, name in content.pop("names", {}).items()}
    if "calendar" in content:
        table["calendar"] = _calendar(path, content.pop("calendar"), str(table.get("timezone", "Europe/Brussels")))
    return Measure(**table), content


def _known_keys(path: Path, table: str, given: Mapping[str, Any], kind: type[Any]) -> None:
    known = [field.name for field in fields(kind)]
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise MeasureError(f"{path}: [{table}] has no key {key!r}; {hint}")


def _date(path: Path, key: str, value: object) -> dt.date:
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError as error:
        raise MeasureError(f"{path}: {key} is {value!r}; write a date, e.g. 2026-09-01") from error


def _excluded(path: Path, table: Mapping[str, Any]) -> Excluded:
    _known_keys(path, "excluded", table, Excluded)
    if "first" not in table or "last" not in table:
        raise MeasureError(f"{path}: an [[excluded]] needs first and last")
    return Excluded(
        _date(path, "excluded.first", table["first"]),
        _date(path, "excluded.last", table["last"]),
        str(table.get("reason", "excluded by the user")),
        tuple(map(str, table.get("segments", ()))),
    )


def _calendar(path: Path, table: Mapping[str, Any], timezone: str) -> Calendar:
    _known_keys(path, "calendar", table, Calendar)
    base = Calendar.of_timezone(timezone)
    school = tuple(
        (_date(path, "calendar.school", a), _date(path, "calendar.school", b)) for a, b in table.get("school", ())
    )
    return Calendar(
        str(table.get("country", base.country)), table.get("region"), school, bool(table.get("southern", base.southern))
    )
