"""Which quarter is what on a town's clock: local day and hour, holiday, school day, and where the sun stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from telstraat_firmware_sim.errors import DemandError

QUARTERS_A_DAY = 96
HOURS_A_DAY = 24
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class TownCalendar:
    """The quarters of a period, as a town lives them. Arrays have one entry a quarter unless said."""

    start_utc: datetime
    days: int
    first_day: date
    """The first local day."""
    slot: IntArray
    """Quarter of the local day, 0..95."""
    local_day: IntArray
    """Days since the first local day: which entry of a per-day array a quarter belongs to."""
    weekday: IntArray
    """0 Monday .. 6 Sunday, of the local day."""
    holiday: BoolArray
    """On a public holiday."""
    school_day: BoolArray
    """On a weekday that is neither a public nor a school holiday."""
    day_of_year: IntArray
    sun_degrees: FloatArray
    """Elevation of the sun above the horizon, at the middle of the quarter."""
    holidays: tuple[tuple[date, str], ...]
    """Public and school holidays in the period, by name."""

    @property
    def quarters(self) -> int:
        """How many quarters the period has."""
        return len(self.slot)

    @property
    def local_days(self) -> int:
        """How many local days the period touches."""
        return int(self.local_day[-1]) + 1

    def starts(self) -> npt.NDArray[np.datetime64]:
        """Return the starts of the quarters, UTC."""
        first = np.datetime64(self.start_utc.astimezone(UTC).replace(tzinfo=None), "s")
        return first + np.arange(self.quarters) * np.timedelta64(900, "s")

    def quarter_of(self, day: date, timezone: str) -> int:
        """Return the first quarter of a local day, cut to the period."""
        begins = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))
        return int(np.clip((begins - self.start_utc).total_seconds() // 900, 0, self.quarters))


def calendar_of(
    start: date, days: int, *, timezone: str, country: str, subdivision: str | None, latitude: float, longitude: float
) -> TownCalendar:
    """Lay out `days` days from 00:00 UTC of `start`."""
    start_utc = datetime(start.year, start.month, start.day, tzinfo=UTC)
    epoch_s = int(start_utc.timestamp()) + np.arange(days * QUARTERS_A_DAY) * 900
    local_s = epoch_s + np.repeat(_offsets_s(epoch_s[::4], ZoneInfo(timezone)), 4)
    number = local_s // 86_400
    dates = [date(1970, 1, 1) + timedelta(days=int(n)) for n in range(number[0], number[-1] + 1)]
    local_day = number - number[0]
    named = public_holidays(country, subdivision, dates)
    school = {day for day in dates if is_school_holiday(day)}
    weekday = np.array([day.weekday() for day in dates])
    is_public = np.array([day in named for day in dates])
    in_class = (weekday < 5) & ~is_public & np.array([day not in school for day in dates])
    listed = [(day, named.get(day) or "school holiday") for day in dates if day in named or day in school]
    return TownCalendar(
        start_utc=start_utc,
        days=days,
        first_day=dates[0],
        slot=(local_s % 86_400) // 900,
        local_day=local_day,
        weekday=weekday[local_day],
        holiday=is_public[local_day],
        school_day=in_class[local_day],
        day_of_year=np.array([day.timetuple().tm_yday for day in dates])[local_day],
        sun_degrees=sun_elevation(epoch_s + 450, latitude, longitude),
        holidays=tuple(listed),
    )


def _offsets_s(epoch_s: IntArray, zone: ZoneInfo) -> IntArray:
    """Return the zone's offset from UTC at each hour, in seconds."""
    offsets = (datetime.fromtimestamp(int(at), zone).utcoffset() or timedelta() for at in epoch_s)
    return np.array([int(offset.total_seconds()) for offset in offsets])


def public_holidays(country: str, subdivision: str | None, dates: list[date]) -> dict[date, str]:
    """Return the public holidays among `dates`, by the `holidays` library.

    Raises
    ------
    DemandError
        The library does not know the country's holidays of these years.
    """
    import holidays

    years = range(dates[0].year, dates[-1].year + 1)
    known = holidays.country_holidays(country, subdiv=subdivision, years=years, language="en_US")
    if years.start < known.start_year or years.stop - 1 > known.end_year:
        raise DemandError(
            f"public holidays of {country} are known from {known.start_year} to {known.end_year}, not of {years.start}"
            f" to {years.stop - 1}: choose days inside"
        )
    return {day: str(known[day]) for day in dates if day in known}


@lru_cache(maxsize=64)
def easter(year: int) -> date:
    """Return Easter Sunday, by the Gregorian computus of Meeus, Jones and Butcher."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    shift = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * shift) // 433
    month = (h + shift - 7 * m + 90) // 25
    day = (h + shift - 7 * m + 33 * month + 19) % 32
    return date(year, month, day)


def is_school_holiday(day: date) -> bool:
    """Tell whether schools are closed, by the Flemish rule, whatever the country: close enough for a street that is not."""
    if day.month in (7, 8):
        return True
    return any(begins <= day < begins + timedelta(weeks=weeks) for begins, weeks in _school_breaks(day.year))


@lru_cache(maxsize=64)
def _school_breaks(year: int) -> tuple[tuple[date, int], ...]:
    """Return the first Monday and the length in weeks of the breaks that touch a year, summer apart."""
    spring = easter(year)
    april = _monday_from(date(year, 4, 1))
    if spring < april:
        april = spring + timedelta(days=1)
    elif spring > date(year, 4, 15):
        april = spring - timedelta(days=13)
    return (
        (_christmas(year - 1), 2),
        (spring - timedelta(days=48), 1),
        (april, 2),
        (_monday_of(date(year, 11, 1)), 1),
        (_christmas(year), 2),
    )


def _christmas(year: int) -> date:
    """Return the Monday of the week of Christmas, or the next one when Christmas is at a weekend."""
    day = date(year, 12, 25)
    return _monday_of(day) if day.weekday() < 5 else _monday_from(day)


def _monday_of(day: date) -> date:
    """Return the Monday of a day's week; a Sunday counts to the week that follows."""
    return day + timedelta(days=1) if day.weekday() == 6 else day - timedelta(days=day.weekday())


def _monday_from(day: date) -> date:
    """Return the first Monday on or after a day."""
    return day + timedelta(days=-day.weekday() % 7)


def sun_elevation(epoch_s: IntArray, latitude: float, longitude: float) -> FloatArray:
    """Return the sun's elevation in degrees, to about half a degree (the almanac's low-precision formula)."""
    days = epoch_s / 86_400.0 - 10_957.5  # since noon of 2000-01-01
    anomaly = np.radians(357.528 + 0.9856003 * days)
    ecliptic = np.radians(280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.radians(23.439 - 0.0000004 * days)
    declination = np.arcsin(np.sin(tilt) * np.sin(ecliptic))
    ascension = np.arctan2(np.cos(tilt) * np.sin(ecliptic), np.cos(ecliptic))
    sidereal = np.radians((280.46062 + 360.98564737 * days + longitude) % 360.0)
    hour_angle = sidereal - ascension
    height = np.sin(np.radians(latitude)) * np.sin(declination)
    height += np.cos(np.radians(latitude)) * np.cos(declination) * np.cos(hour_angle)
    return np.asarray(np.degrees(np.arcsin(np.clip(height, -1.0, 1.0))))
