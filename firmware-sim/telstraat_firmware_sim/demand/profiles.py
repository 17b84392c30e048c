"""What streets are like, in constants: the shape of a week, the share that varies, what rain and holidays do.

Fitted by `bench/simulator/calibrate_demand.py` on counts of Telraam sensors in Chateaubourg (CC BY 4.0; Agis-ta-terre, Telraam) and of
the Fremont Bridge counter (Seattle Department of Transportation, open data); it prints its fits beside what stands here.
What could not be measured says "assumed".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from telstraat_contract import road_users

DAYLIGHT_HOURS: Final = range(7, 19)
"""Local hours whose mean over the week is the unit of a street's `per_hour`."""

BUMP_HOURS: Final = ((1.0, 2.5), (7.75, 0.9), (11.25, 1.6), (14.5, 1.5), (17.25, 1.2), (20.5, 1.7))
"""A day is a sum of bells: centre and width in local hours. Small hours, school and work, noon, afternoon, home, evening."""

DAY_KINDS: Final = ("weekday", "saturday", "sunday")

TOWN_PROFILE: Final[dict[str, tuple[tuple[float, ...], ...]]] = {
    "pedestrian": (
        (0.01, 0.80, 1.18, 0.58, 1.01, 0.69),
        (0.07, 0.30, 1.32, 0.61, 0.95, 0.60),
        (0.10, 0.15, 2.32, 0.19, 1.32, 0.35),
    ),
    "bike": (
        (0.01, 0.91, 1.12, 0.57, 1.44, 0.60),
        (0.08, 0.23, 1.29, 0.70, 0.93, 0.44),
        (0.09, 0.00, 1.34, 0.30, 0.75, 0.34),
    ),
    "car": (
        (0.03, 1.21, 1.03, 0.52, 1.61, 0.57),
        (0.06, 0.26, 1.21, 0.59, 1.07, 0.46),
        (0.06, 0.09, 0.79, 0.35, 0.75, 0.48),
    ),
    "heavy": (
        (0.03, 1.28, 1.21, 0.73, 1.33, 0.33),
        (0.05, 0.20, 1.09, 0.65, 0.76, 0.28),
        (0.06, 0.04, 0.65, 0.26, 0.45, 0.28),
    ),
}
"""Height of each bell per kind of day, mean of the daylight hours of a week 1. Hours 22 to 5 are assumed: V1 is blind then.
The fit leaves the small hours of cars and heavy vehicles on weekdays empty; 0.03 stands there, since no ring road is."""

CLASSES: Final = tuple(name for name in road_users.CLASSES if name in TOWN_PROFILE)
"""The order of the class axis everywhere in demand and fleet: those road users of whose week something is known."""
SEEN: Final = (*CLASSES, road_users.UNCLASSIFIED)
"""The same axis of what a sensor books: what it could not tell apart comes last."""

COMMUTE_PROFILE: Final = (
    (0.00, 2.27, 0.72, 0.00, 2.42, 0.48),
    (0.06, 0.23, 0.61, 0.63, 0.51, 0.23),
    (0.04, 0.17, 0.59, 0.69, 0.48, 0.19),
)
"""Bicycles on a route to work (Fremont Bridge, 2012 to 2019)."""

SCHOOL_BUMPS: Final = ((8.3, 0.22), (15.6, 0.25))
"""A school street's bell-sharp runs, on school days (assumed)."""
SCHOOL_HEIGHT: Final = {"pedestrian": 6.0, "bike": 4.0, "car": 2.5, "heavy": 0.0}
"""Height of those runs in daylight means (assumed)."""


@dataclass(frozen=True)
class Variability:
    """How a class varies around its expectation; sd of log levels, extra of counting."""

    week_step: float
    """Step of the weekly level from one week to the next."""
    day: float
    """Level of the day, AR(1) of 0.5 from day to day."""
    hour: float
    """Level of the hour, AR(1) of 0.6 from hour to hour inside the day."""
    alpha: float
    """Negative-binomial extra of an hour's count: variance = mean + alpha mean^2."""
    shared: float
    """Share of the variance of week and day that the streets of a town have in common, weather included."""


VARIABILITY: Final = {
    "pedestrian": Variability(week_step=0.08, day=0.26, hour=0.30, alpha=0.05, shared=0.30),
    "bike": Variability(week_step=0.10, day=0.23, hour=0.22, alpha=0.02, shared=0.55),
    "car": Variability(week_step=0.05, day=0.155, hour=0.15, alpha=0.005, shared=0.48),
    "heavy": Variability(week_step=0.12, day=0.32, hour=0.26, alpha=0.04, shared=0.42),
}
"""Measured on 145 Telraam sensors and several hundred counters (evaluation study of 2026); the recipe was checked there.
`shared` is larger than the correlation of two streets' days (0.18, 0.38, 0.34, 0.30), which hours and counting dilute."""
COMMUTE_SHARED: Final = 0.7
"""Long routes to work go up and down together (45 bicycle counters)."""
WEEK_MEMORY: Final = 0.95
"""Pulls the weekly level home: a free walk would leave the street within a year; sd of a year's weeks = 3.2 steps."""
DAY_MEMORY: Final = 0.5
HOUR_MEMORY: Final = 0.6

SEASON: Final = {"pedestrian": (0.15, 170.0), "bike": (0.40, 190.0), "car": (0.06, 160.0), "heavy": (0.04, 160.0)}
"""Amplitude of the log level over the year and day of its peak. Fremont: 0.51 at day 190 for commuters; bike between that and Rennes."""

RAIN: Final = {"pedestrian": -0.25, "bike": -0.35, "car": 0.02, "heavy": 0.0}
"""Log effect of an hour with rain (assumed, of the order that bicycle counters show; no weather comes with the shared counts)."""
TEMPERATURE: Final = {"pedestrian": 0.010, "bike": 0.020, "car": 0.001, "heavy": 0.0}
"""Log effect of a degree above what the season lets expect (assumed)."""
WEATHER_DAY_SD: Final = {"pedestrian": 0.054, "bike": 0.087, "car": 0.005, "heavy": 0.0}
"""What rain and temperature of `demand_weather` add to the log level of a day: taken off `day`, so that the sum stays as measured."""

SCHOOL_HOLIDAY: Final = {"pedestrian": 0.90, "bike": 0.80, "car": 0.95, "heavy": 0.96}
"""Weekdays of school holidays against others (Chateaubourg 2022: 0.90, 0.72, 0.95, 0.96; bike softened, one sensor drifted)."""
HOLIDAY_IS_A_SUNDAY: Final = True
"""Public holidays on a weekday against others: cars 0.74, heavy 0.40, bikes 0.53; Sundays 0.64, 0.47, 0.53 (Chateaubourg 2022)."""

TIDE_SD: Final = {"pedestrian": 0.10, "bike": 0.09, "car": 0.10, "heavy": 0.05}
"""How far the share of one direction swings between morning and evening (median over streets)."""
LFT_SHARE_SD: Final = {"pedestrian": 0.04, "bike": 0.10, "car": 0.10, "heavy": 0.10}
"""Spread of the direction's share over streets; one-way streets apart."""

CAR_SPEED_KMH: Final = (32.0, 8.0)
"""Median and spread of car speeds of a 30 km/h street; each street shifts it (assumed)."""
MOTORCYCLE_SHARE: Final = 0.06
"""Motorcycles among two-wheelers (assumed)."""


@dataclass(frozen=True)
class StreetKind:
    """A sort of street: crossings per daylight hour (median) and what its week looks like."""

    per_hour: dict[str, float]
    commute: bool = False
    school: bool = False
    speed_kmh: float = CAR_SPEED_KMH[0]


STREET_KINDS: Final = {
    "residential": StreetKind({"pedestrian": 12.0, "bike": 25.0, "car": 55.0, "heavy": 5.0}),
    "through": StreetKind({"pedestrian": 14.0, "bike": 45.0, "car": 290.0, "heavy": 32.0}, speed_kmh=44.0),
    "school": StreetKind({"pedestrian": 28.0, "bike": 40.0, "car": 60.0, "heavy": 4.0}, school=True, speed_kmh=28.0),
    "shopping": StreetKind({"pedestrian": 110.0, "bike": 60.0, "car": 70.0, "heavy": 9.0}, speed_kmh=24.0),
    "cycle-route": StreetKind({"pedestrian": 20.0, "bike": 150.0, "car": 25.0, "heavy": 2.0}, commute=True),
}
"""Medians laid so that a town of them has the quartiles of the study: car 51 / 115 / 265, bike 22 / 39 / 69, pedestrian 6 / 11 / 27."""
KIND_SHARES: Final = {"residential": 0.45, "through": 0.28, "school": 0.09, "shopping": 0.08, "cycle-route": 0.10}
PER_HOUR_SD: Final = {"pedestrian": 0.7, "bike": 0.5, "car": 0.6, "heavy": 0.6}
"""Spread (log) of `per_hour` between streets of a kind."""

FloatArray = npt.NDArray[np.float64]


def bells(hour: FloatArray, bumps: tuple[tuple[float, float], ...] = BUMP_HOURS) -> FloatArray:
    """Return each bell's height at local hours: shape (..., bumps), periodic over the day."""
    centre = np.array([bump[0] for bump in bumps])
    width = np.array([bump[1] for bump in bumps])
    distance = (hour[..., None] - centre + 12.0) % 24.0 - 12.0
    return np.asarray(np.exp(-0.5 * (distance / width) ** 2))


def quarter_hours() -> FloatArray:
    """Return the middle of each quarter of a day, in local hours: 96."""
    return np.asarray((np.arange(96) + 0.5) / 4.0)


def week_profile(class_name: str, kind: StreetKind) -> tuple[FloatArray, FloatArray]:
    """Return the shape of a class's week, (3 kinds of day, 96 quarters), and what school days add to its weekdays (96)."""
    heights = COMMUTE_PROFILE if kind.commute and class_name == "bike" else TOWN_PROFILE[class_name]
    shape = bells(quarter_hours()) @ np.array(heights).T
    school = np.zeros(96)
    if kind.school:
        school = SCHOOL_HEIGHT[class_name] * bells(quarter_hours(), SCHOOL_BUMPS).max(axis=1)
    return np.ascontiguousarray(shape.T), school
