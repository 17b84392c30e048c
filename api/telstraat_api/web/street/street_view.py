"""What of a street is looked at, as the address says: which time, in which steps, which classes and ways, beside what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from telstraat_api.errors import QueryError
from telstraat_api.http.times import DATE_ONLY, read_time
from telstraat_contract.road_users import TOGETHER
from telstraat_store.counts.windows import Bucket, Window, local_day, local_midnight, next_start, start_of

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
SLOTS_MAX = 800
"""So many steps are drawn at most; a longer time gets longer ones."""
LENGTHS = {
    Bucket.QUARTER: timedelta(minutes=15),
    Bucket.HOUR: timedelta(hours=1),
    Bucket.DAY: DAY,
    Bucket.WEEK: WEEK,
    Bucket.MONTH: timedelta(days=30),
    Bucket.YEAR: timedelta(days=365),
}
USUAL_STEPS = {2: Bucket.HOUR, 15: Bucket.HOUR, 400: Bucket.DAY, 2200: Bucket.WEEK}
"""Up to so many days are shown in such steps, longer times in months."""
OFFERED = (Bucket.QUARTER, Bucket.HOUR, Bucket.DAY, Bucket.WEEK, Bucket.MONTH)
YEARS_MAX = 60
DIGITS_MAX = 18
Choice = TypeVar("Choice", bound=StrEnum)


class ViewPeriod(StrEnum):
    """Which time is shown; a free one is none of these."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    ALL = "all"


class Ways(StrEnum):
    """Which directions are shown: both together, one, or each for itself."""

    BOTH = "both"
    FORTH = "ab"
    BACK = "ba"
    APART = "apart"


class Against(StrEnum):
    """What the shown time is compared with; a number in its place is another street."""

    NOTHING = ""
    BEFORE = "before"  # the time before it; for a day the same weekday a week earlier
    YEAR = "year"


@dataclass(frozen=True)
class StreetView:
    """What of a street is looked at; `day` is the local day that the period holds."""

    tz: ZoneInfo
    today: date
    day: date
    period: ViewPeriod | None
    window: Window
    bucket: Bucket
    ways: Ways = Ways.BOTH
    hidden: frozenset[str] = frozenset()
    against: Against = Against.NOTHING
    other_id: int | None = None  # the other street

    @property
    def kinds(self) -> list[str]:
        """The classes that are shown."""
        return [kind for kind in TOGETHER if kind not in self.hidden]

    @property
    def is_today(self) -> bool:
        """Tell whether the day that is shown is going on."""
        return self.period is ViewPeriod.DAY and self.day == self.today

    @property
    def is_whole_picture(self) -> bool:
        """Tell whether every class and both ways are shown together."""
        return not self.hidden and self.ways is Ways.BOTH

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last local day."""
        last = (self.window.end - timedelta(microseconds=1)).astimezone(self.tz).date()
        return self.window.start.astimezone(self.tz).date(), last

    def neighbours(self) -> tuple[dict[str, str | None], dict[str, str | None]]:
        """Return the parameters of the time before and after this one."""
        if self.period in {None, ViewPeriod.ALL}:
            length = self.window.end - self.window.start
            return free(self.window.start - length, self.window.start), free(self.window.end, self.window.end + length)
        assert self.period is not None
        first = period_days(self.period, self.day)[0]
        before, after = period_days(self.period, first - DAY)[0], period_days(self.period, self.day)[1]
        if self.period is ViewPeriod.DAY:
            before, after = self.day - DAY, self.day + DAY
        return {"day": before.isoformat()}, {"day": after.isoformat()}

    def compared(self) -> StreetView | None:
        """Return the view that this one is compared with; None when it is with nothing. Another street has the same time."""
        if self.other_id is not None:
            return self
        if self.against is Against.NOTHING:
            return None
        first, last = self.days
        if self.against is Against.YEAR:
            # The same weekdays where days are shown, the same dates where months are.
            shift = first - year_before(first) if self.bucket in {Bucket.MONTH, Bucket.YEAR} else timedelta(days=364)
            if self.period in {ViewPeriod.MONTH, ViewPeriod.YEAR}:
                shift = first - year_before(first)
            return self.moved(first - shift, last - shift)
        if self.period is ViewPeriod.DAY:
            return self.moved(first - WEEK, last - WEEK)
        if self.period in {ViewPeriod.MONTH, ViewPeriod.YEAR}:
            start, end = period_days(self.period, first - DAY)
            return self.moved(start, end - DAY)
        length = last - first + DAY
        return self.moved(first - length, last - length)

    def moved(self, first: date, last: date) -> StreetView:
        """Return the view of other days in the same steps."""
        begins = self.window.start == local_midnight(self.days[0], self.tz)
        window = Window(local_midnight(first, self.tz), local_midnight(last + DAY, self.tz))
        if not begins or self.window.end != local_midnight(self.days[1] + DAY, self.tz):
            shift = window.start - local_midnight(self.days[0], self.tz)
            window = Window(self.window.start + shift, self.window.end + shift)
        return StreetView(self.tz, self.today, first, self.period, window, self.bucket, self.ways, self.hidden)

    def slots(self) -> list[Window]:
        """Return the periods that begin in the window: hours are those of UTC, also where local days begin at half past."""
        return list(begun(self.window, self.bucket, self.tz))


def begun(window: Window, bucket: Bucket, tz: ZoneInfo) -> Iterator[Window]:
    """Yield the periods of a length that begin in a window; weeks and longer ones may begin before it."""
    start = start_of(window.start, bucket, tz)
    if start < window.start and bucket in {Bucket.QUARTER, Bucket.HOUR, Bucket.DAY}:
        start = next_start(start, bucket, tz)
    while start < window.end:
        end = next_start(start, bucket, tz)
        yield Window(start, end)
        start = end


def year_before(day: date) -> date:
    """Return the same date a year earlier, the 28th for a 29th of February."""
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)


def free(start: datetime, end: datetime) -> dict[str, str | None]:
    """Return the parameters of a free stretch of time."""
    stamps = [at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ") for at in (start, end)]
    return {"from": stamps[0], "until": stamps[1], "period": None, "day": None}


def period_days(period: ViewPeriod, day: date) -> tuple[date, date]:
    """Return the first day of the period that holds a day, and the first after it."""
    if period is ViewPeriod.WEEK:
        first = day - timedelta(days=day.weekday())
        return first, first + WEEK
    if period is ViewPeriod.MONTH:
        first = day.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1)
    if period is ViewPeriod.YEAR:
        return day.replace(month=1, day=1), date(day.year + 1, 1, 1)
    return day, day + DAY


def read_view(
    values: Mapping[str, str], tz: ZoneInfo, now: datetime, since: datetime | None, *, is_public: bool
) -> StreetView:
    """Read the address of a street's page.

    Parameters
    ----------
    values
        Its parameters: `day`, `period`, `from`, `until`, `by`, `ways`, `hide`, `vs`.
    tz, now
        The street's time zone, and the present.
    since
        When counting began; None when it has not.
    is_public
        Whether nothing finer than hours is for whoever looks.

    Raises
    ------
    QueryError
        A parameter cannot be used.
    """
    today = now.astimezone(tz).date()
    day = read_day_of(values["day"]) if values.get("day") else today
    period, window = read_span(values, day, tz, now, since)
    if period is None:
        day = window.start.astimezone(tz).date()
    against, other_id = read_against(values.get("vs", ""))
    hidden = frozenset(kind for kind in values.get("hide", "").split(",") if kind in TOGETHER)
    return StreetView(
        tz=tz,
        today=today,
        day=day,
        period=period,
        window=window,
        bucket=read_bucket(values.get("by"), window, is_public=is_public),
        ways=read_choice(Ways, values.get("ways", Ways.BOTH), "ways"),
        hidden=frozenset() if len(hidden) == len(TOGETHER) else hidden,
        against=against,
        other_id=other_id,
    )


def read_span(
    values: Mapping[str, str], day: date, tz: ZoneInfo, now: datetime, since: datetime | None
) -> tuple[ViewPeriod | None, Window]:
    """Read which time is shown."""
    start, until = values.get("from"), values.get("until")
    if start or until:
        end = read_end(until, tz) if until else now.astimezone(UTC)
        begin = read_time(start, tz, "from") if start else end - WEEK
        if begin >= end:
            raise QueryError(f"from ({begin.isoformat()}) must lie before until ({end.isoformat()})")
        if end - begin > timedelta(days=366 * YEARS_MAX):
            raise QueryError(f"from and until lie further apart than {YEARS_MAX} years")
        begin, end = (
            start_of(begin, Bucket.QUARTER, tz),
            next_start(end - timedelta(microseconds=1), Bucket.QUARTER, tz),
        )
        return None, Window(begin, start_of(end, Bucket.QUARTER, tz))
    period = read_choice(ViewPeriod, values.get("period") or ViewPeriod.DAY, "period")
    if period is ViewPeriod.ALL:
        first = min(since.astimezone(tz).date(), day) if since else day - WEEK
        earliest = day - timedelta(days=366 * YEARS_MAX)
        return period, Window(local_midnight(max(first, earliest), tz), local_day(day, tz).end)
    begin_day, end_day = period_days(period, day)
    return period, Window(local_midnight(begin_day, tz), local_midnight(end_day, tz))


def read_end(text: str, tz: ZoneInfo) -> datetime:
    """Read `until`: a date is its end, as people mean it."""
    at = read_time(text, tz, "until")
    return local_midnight(at.astimezone(tz).date() + DAY, tz) if DATE_ONLY.fullmatch(text) else at


def read_bucket(text: str | None, window: Window, *, is_public: bool) -> Bucket:
    """Read in which steps is shown: as asked for, unless these are too many or too fine for whoever looks."""
    length = window.end - window.start
    if text:
        bucket = read_choice(Bucket, text, "by")
    else:
        bucket = next((step for days, step in USUAL_STEPS.items() if length < (days + 0.1) * DAY), Bucket.MONTH)
        if length <= 1.1 * DAY and not is_public:
            bucket = Bucket.QUARTER
    if is_public and bucket is Bucket.QUARTER:
        bucket = Bucket.HOUR
    steps = list(Bucket)
    while length / LENGTHS[bucket] > SLOTS_MAX:
        bucket = steps[steps.index(bucket) + 1]
    return bucket


def read_choice(kind: type[Choice], text: str, name: str) -> Choice:
    """Read one of some words."""
    try:
        return kind(text)
    except ValueError as error:
        raise QueryError(f"{name}={text!r} is none of {', '.join(kind)}") from error


def read_against(text: str) -> tuple[Against, int | None]:
    """Read what is compared with: a word, or the number of another street."""
    if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX and int(text) > 0:
        return Against.NOTHING, int(text)
    return read_choice(Against, text, "vs"), None


def read_day_of(text: str) -> date:
    """Read the day asked for."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise QueryError(f"day={text!r} is not a date; write 2026-03-01") from error
    if not 2000 <= day.year < 2200:
        raise QueryError(f"day={text!r} lies outside of the years 2000 to 2199")
    return day


def wall_clock(slot: Window, view: StreetView) -> tuple[int, time]:
    """Return where a slot lies in its view by the clock: the day counted from the first, and the time of day."""
    local = slot.start.astimezone(view.tz)
    return (local.date() - view.days[0]).days, local.time()
