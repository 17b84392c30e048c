"""How a file writes its times: with an offset from UTC, in the street's own zone, or without saying; and in which order a date is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

Times = Literal["local", "utc"]
Order = Literal["dmy", "mdy", "ymd"]
OFFSETS_H = {
    "UTC": 0, "Z": 0, "GMT": 0, "WET": 0, "BST": 1, "WEST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2, "EEST": 3,
}  # fmt: skip
_TIME = r"(?:[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?(?:\s*([AaPp])\.?[Mm]\.?)?)?"
_ZONE = r"\s*(Z|[A-Z]{2,4}|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_TIME}{_ZONE}", re.ASCII)
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}}),?{_TIME}{_ZONE}", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})T?(\d{2})(\d{2})(\d{2})?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", re.ASCII)

EXAMPLE = "2026-03-01T10:00:00Z"


class MomentTextError(Exception):
    """A text that is no time, or one that may be two; says what to write instead."""


@dataclass(frozen=True)
class Written:
    """A time as it is written."""

    clock: datetime  # without a zone
    offset: timedelta | None  # from UTC, where it is written
    has_time: bool


@dataclass
class Moments:
    """The order of dates in a file: given, or proven by a day above 12."""

    order: Order | None = None
    day_first: str = ""  # the text that proves it
    month_first: str = ""
    is_open: str = ""  # may be either
    short_firsts: set[int] = field(default_factory=set)  # of dates with two digits everywhere, such as 25-03-13
    short_lasts: set[int] = field(default_factory=set)

    def look(self, text: str) -> None:
        """Collect what a cell proves about the order of day and month."""
        match = _YEAR_LAST.fullmatch(text.strip())
        if match is None:
            return
        first, second = int(match[1]), int(match[3])
        if len(match[4]) == 2 and match[2] != ".":
            self.short_firsts.add(first)
            self.short_lasts.add(int(match[4]))
        if first > 12 >= second:
            self.day_first = self.day_first or text
        elif second > 12 >= first:
            self.month_first = self.month_first or text
        elif first != second:
            self.is_open = self.is_open or text

    @property
    def proven(self) -> Order | None:
        """Return the order, or nothing where the file does not prove one."""
        if self.order or bool(self.day_first) == bool(self.month_first):
            return self.order
        return "dmy" if self.day_first else "mdy"

    def read(self, value: object) -> Written:
        """Return a time as it is written.

        Raises
        ------
        MomentTextError
            It is no time, the order of day and month is not known, or some clock on earth cannot show it.
        """
        written = self._read(value)
        if not 1 < written.clock.year < 9999:
            raise MomentTextError("is before 2000 or in the future; correct the date")
        return written

    def _read(self, value: object) -> Written:
        if isinstance(value, datetime):
            bare = value.replace(tzinfo=None)
            near = bare + timedelta(microseconds=500_000)  # spreadsheets keep times as fractions of days
            bare = bare if value.tzinfo else near.replace(microsecond=0)
            return Written(bare, value.utcoffset(), has_time=True)
        if isinstance(value, date):
            return Written(datetime(value.year, value.month, value.day), None, has_time=False)  # noqa: DTZ001
        text = str(value).strip()
        if match := _YEAR_FIRST.fullmatch(text):
            year, _, month, day, hour, minute, second, half, zone = match.groups()
        elif match := _YEAR_LAST.fullmatch(text):
            leading, _, two, year, hour, minute, second, half, zone = match.groups()
            if len(year) == 2 and match[2] != "." and self._is_year_first():
                leading, year = year, leading
                day, month = leading, two
            else:
                day, month = (two, leading) if self._order_of(leading, two) == "mdy" else (leading, two)
            year = f"20{year}" if len(year) == 2 else year
        elif match := _COMPACT.fullmatch(text):
            year, month, day, hour, minute, second, zone = match.groups()
            half = None
        else:
            raise MomentTextError(f"is not a time; write it like {EXAMPLE}")
        return Written(_clock(year, month, day, hour, minute, second, half), _offset(zone), has_time=hour is not None)

    def _is_year_first(self) -> bool:
        """Tell 25-03-13 of 2025 from the 25th of March 2013: days change in a file more than years do."""
        if self.order:
            return self.order == "ymd"
        if self.month_first or len(self.short_lasts) < len(self.short_firsts):
            return False
        if len(self.short_firsts) < len(self.short_lasts):
            return True
        raise MomentTextError(
            f"has a year of two digits, first or last, and nothing in the file tells; say --dates dmy or --dates mdy, or write {EXAMPLE}"
        )

    def _order_of(self, first: str, second: str) -> Order:
        if self.proven:
            return self.proven
        if self.day_first and self.month_first:
            raise MomentTextError(
                f"has day and month in no one order: the file holds {self.day_first!r} and {self.month_first!r}; write "
                f"dates like {EXAMPLE}"
            )
        if first == second:
            return "dmy"
        raise MomentTextError(
            "may be day and month or month and day, and nothing in the file tells; say --dates dmy or --dates mdy (in a measure: "
            f'dates = "dmy"), or write {EXAMPLE}'
        )


def _clock(
    year: str, month: str, day: str, hour: str | None, minute: str | None, second: str | None, half: str | None
) -> datetime:
    hours, minutes, seconds = int(hour or 0), int(minute or 0), int(second or 0)
    if half:
        if not 1 <= hours <= 12:
            raise MomentTextError(f"is not a time: hour {hours} with AM or PM; write it like {EXAMPLE}")
        hours = hours % 12 + (12 if half in "Pp" else 0)
    is_midnight = hours == 24 and minutes == 0 and seconds == 0  # the end of a day is the start of the next
    try:
        at = datetime(int(year), int(month), int(day), 0 if is_midnight else hours, minutes, seconds)  # noqa: DTZ001
        return at + timedelta(days=1) if is_midnight else at
    except (ValueError, OverflowError) as error:
        raise MomentTextError(f"is not a time ({error}); write it like {EXAMPLE}") from error


def _offset(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    if zone in OFFSETS_H:
        return timedelta(hours=OFFSETS_H[zone])
    match = _OFFSET.fullmatch(zone)
    if match is None:
        raise MomentTextError(
            f"has {zone!r}, which is not a time zone that is known here; write UTC with Z, as {EXAMPLE}"
        )
    size = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    if size > timedelta(hours=14):
        raise MomentTextError(f"is {size} away from UTC, which no place is; write it like {EXAMPLE}")
    return -size if match[1] == "-" else size


def utc_of(written: Written) -> datetime:
    """Return a time that names its offset, or is known to be UTC, in UTC."""
    try:
        return written.clock.replace(tzinfo=timezone(written.offset) if written.offset else UTC).astimezone(UTC)
    except OverflowError as error:
        raise MomentTextError(f"is not a time ({error}); write it like {EXAMPLE}") from error


def is_short_date(text: str) -> bool:
    """Tell a date such as 13/04/2026, whatever its order."""
    return _YEAR_LAST.fullmatch(text.strip()) is not None


def checked(at: datetime, period_s: int, zone: ZoneInfo | None = None) -> datetime:
    """Return a start that can be one, of a period of `period_s` on the clock of `zone` or of UTC.

    Raises
    ------
    MomentTextError
        It is not the start of such a period, is before 2000, or in the future.
    """
    if at.minute % 15 or at.second or at.microsecond:
        raise MomentTextError("is not the start of a quarter or an hour; write the start of the period")
    minutes = {at.minute, at.astimezone(zone).minute if zone else at.minute}
    if period_s in {1800, 3600} and all(minute % (period_s // 60) for minute in minutes):
        raise MomentTextError(
            f"is not where {period_s // 60} minutes start: hours start at :00, halves at :00 or :30; write the start of the period"
        )
    if at.year < 2000 or at > datetime.now(UTC) + timedelta(days=1):
        raise MomentTextError("is before 2000 or in the future; correct the date")
    if period_s not in {900, 1800, 3600, 86400}:
        raise MomentTextError(f"starts a period of {period_s} s; a row is a quarter, half an hour, an hour or a day")
    return at
