"""What a street's summary holds: each figure with the days or cars it rests on, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from telstraat_contract.road_users import TOGETHER


class DayKind(StrEnum):
    """What kind of day it is: those of one kind are alike."""

    TERM = "term"
    PUBLIC_HOLIDAY = "public_holiday"
    SCHOOL_HOLIDAY = "school_holiday"


class Why(StrEnum):
    """Why a figure is not there."""

    NOTHING_COUNTED = "nothing_counted"
    TOO_FEW_DAYS = "too_few_days"
    NO_SPEEDS = "no_speeds"
    TOO_FEW_CARS = "too_few_cars"
    NO_LIMIT = "no_limit"
    NO_LAST_YEAR = "no_last_year"
    ANOTHER_SENSOR = "another_sensor"
    OTHER_HOURS = "other_hours"
    TOO_FEW_WEEKS = "too_few_weeks"
    NO_SCHOOL_DAYS = "no_school_days"


@dataclass(frozen=True, slots=True)
class Spread:
    """A usual value with its range, and how many days it rests on."""

    usual: float
    low: float
    high: float
    days: int


@dataclass(frozen=True, slots=True)
class DrivenSpeeds:
    """How fast the cars of the last eight weeks drove."""

    v85_kmh: float | None = None
    above_limit: float | None = None  # share of the cars
    limit_kmh: int | None = None
    cars: int = 0  # that were timed
    why: Why | None = None  # no V85
    why_above: Why | None = None  # no share above the limit


@dataclass(frozen=True, slots=True)
class YearChange:
    """The last eight weeks against the same weeks of last year, everything that passed together."""

    change: float | None = None  # 0.1 is 10 % more
    low: float | None = None
    high: float | None = None  # 95 %
    weeks: int = 0
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class SchoolPeak:
    """A class in the hours in which school begins and ends, against the hours between, on school days."""

    per_hour: float
    between: float  # per hour
    times: float | None  # None where nobody passes between


@dataclass(frozen=True, slots=True)
class SchoolRun:
    """The school hours of a street. What peaks there may also be people on their way to work."""

    days: int = 0
    hours: tuple[int, ...] = ()
    car: SchoolPeak | None = None
    bike: SchoolPeak | None = None
    pedestrian: SchoolPeak | None = None
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class StreetSummary:
    """A street in one line, as of the end of `through_day`; everything is from whole hours (decision 021), the same for all readers.

    `day` is a usual day: the mean of the medians of the seven weekdays; `weekdays` begin with Monday. `per_class` are usual days of
    each class, `shares` of what could be named. `typical_hours` are 2 x 24 x 5 medians: working days, then the rest; by local hour; by class
    as in `TOGETHER`.
    """

    segment_id: int
    through_day: date
    first_day: date | None = None
    last_day: date | None = None
    hours: tuple[int, ...] = ()  # local, that are watched on a usual day
    night_blind: bool = False
    kind: DayKind = DayKind.TERM  # of the usual days: in and after the long holidays there are none of term
    good_days: int = 0  # of that kind, of the last eight weeks
    day: float | None = None
    working: Spread | None = None
    weekend: Spread | None = None
    weekdays: tuple[Spread | None, ...] = (None,) * 7
    per_class: dict[str, float] = field(default_factory=dict)
    working_per_class: dict[str, float] = field(default_factory=dict)
    weekend_per_class: dict[str, float] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    why: Why | None = None  # no usual day
    speed: DrivenSpeeds = field(default_factory=DrivenSpeeds)
    last_year: YearChange = field(default_factory=YearChange)
    school: SchoolRun = field(default_factory=SchoolRun)
    last_week: dict[str, float] = field(default_factory=dict)  # per day
    last_week_days: int = 0
    through: dict[str, float] = field(default_factory=dict)  # `through_day` itself, when it was watched well enough
    uptime: float | None = None  # of the last four weeks, or since the first day
    typical_hours: tuple[float | None, ...] = ()

    @property
    def total_of_last_week(self) -> float | None:
        """All that passed per day of the last week; None when too few days of it were watched."""
        return sum(self.last_week.values()) if self.last_week else None

    def typical(self, hour: int, kind: str, *, working: bool) -> float | None:
        """Return what a class usually brings in a local hour; None where that hour is not usually watched."""
        if not self.typical_hours:
            return None
        return self.typical_hours[(0 if working else 24 * len(TOGETHER)) + hour * len(TOGETHER) + TOGETHER.index(kind)]
