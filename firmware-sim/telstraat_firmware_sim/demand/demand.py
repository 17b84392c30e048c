"""How many cross which street in which quarter: expected with and without a measure, and how many really came.

n ~ NegBin around per_hour x profile(hour of the week) x season x holidays x weather x exp(week walk + day AR + hour AR), per
class and direction. A measure multiplies the traffic of its streets from a date and sends a known part to named streets.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt

from telstraat_firmware_sim.demand.calendar import FloatArray, TownCalendar, calendar_of
from telstraat_firmware_sim.demand.draw import passing
from telstraat_firmware_sim.demand.profiles import (
    CLASSES,
    COMMUTE_SHARED,
    DAY_MEMORY,
    HOUR_MEMORY,
    RAIN,
    SCHOOL_HOLIDAY,
    SEASON,
    STREET_KINDS,
    TEMPERATURE,
    VARIABILITY,
    WEATHER_DAY_SD,
    WEEK_MEMORY,
    Variability,
    bells,
    quarter_hours,
    week_profile,
)
from telstraat_firmware_sim.demand.weather import Weather, autoregressive, weather_of
from telstraat_firmware_sim.errors import DemandError

CountArray = npt.NDArray[np.int32]
QUARTERS_AN_HOUR = 4


@dataclass(frozen=True)
class TownStreet:
    """One street segment of a town, from A to B."""

    name: str
    kind: str = "residential"
    per_hour: Mapping[str, float] = field(default_factory=dict)
    """Mean crossings per daylight hour and class; what is not given is the median of the kind."""
    lft_share: Mapping[str, float] = field(default_factory=dict)
    """Share of the traffic from A to B; what is not given is one half."""
    tide: Mapping[str, float] = field(default_factory=dict)
    """How far that share swings up in the morning and down in the evening of a weekday."""
    speed_kmh: float = 32.0
    line: tuple[tuple[float, float], ...] = ((4.70, 50.88), (4.701, 50.88))
    """From A to B, two points or more: longitude, latitude."""

    def mean_per_hour(self, class_name: str) -> float:
        """Return the crossings of a class in a mean daylight hour."""
        return self.per_hour.get(class_name, STREET_KINDS[self.kind].per_hour[class_name])


@dataclass(frozen=True)
class SimulatedMeasure:
    """What a town does to some streets from a date on, and where the traffic goes."""

    name: str
    from_day: date
    streets: tuple[str, ...]
    effect: Mapping[str, float]
    """Relative change by class: -0.3 takes three in ten away."""
    until_day: date | None = None
    shifted: float = 0.0
    """Share of what is taken away that drives elsewhere; the rest evaporates. Meaningless where the effect is a gain."""
    shifted_to: Mapping[str, float] = field(default_factory=dict)
    """Which streets it drives through instead, and their parts of it."""


@dataclass(frozen=True)
class Town:
    """Streets under one sky."""

    name: str
    streets: tuple[TownStreet, ...]
    timezone: str = "Europe/Brussels"
    country: str = "BE"
    subdivision: str | None = None
    latitude: float = 50.88
    longitude: float = 4.70

    def street(self, name: str) -> TownStreet:
        """Return the street of that name."""
        for street in self.streets:
            if street.name == name:
                return street
        raise DemandError(
            f"town {self.name!r} has no street {name!r}; it has {', '.join(s.name for s in self.streets[:8])} ..."
        )


@dataclass(frozen=True)
class StreetDemand:
    """The truth about one street. Axes: quarter, class (`CLASSES`), direction (lft, rgt)."""

    street: TownStreet
    expected_without: FloatArray
    expected_with: FloatArray
    passed: CountArray
    """Who really came: drawn around `expected_with`."""


def random_of(seed: int, *words: str) -> np.random.Generator:
    """Return the random numbers of one thing, the same whatever else there is."""
    return np.random.default_rng([seed, *(zlib.crc32(word.encode()) for word in words)])


class Demand:
    """The demand of one town over a period, deterministic from its seed."""

    def __init__(
        self, town: Town, start: date, days: int, *, measures: tuple[SimulatedMeasure, ...] = (), seed: int = 0
    ) -> None:
        if days < 1:
            raise DemandError(f"a period of {days} days: give 1 or more")
        self.town, self.start, self.days, self.measures, self.seed = town, start, days, measures, seed
        for measure in measures:
            _check(measure, town)
        self._of_treated: dict[str, FloatArray] = {}

    @cached_property
    def calendar(self) -> TownCalendar:
        """The period as the town lives it."""
        town = self.town
        return calendar_of(
            self.start, self.days, timezone=town.timezone, country=town.country, subdivision=town.subdivision,
            latitude=town.latitude, longitude=town.longitude,
        )  # fmt: skip

    @cached_property
    def weather(self) -> Weather:
        """The weather over the town."""
        return weather_of(self.calendar, random_of(self.seed, self.town.name, "weather"))

    def prepare(self) -> None:
        """Work out what all streets share, before several are asked for at the same time."""
        _ = self._shared_factor, self._tide, self._town_walk
        for measure in self.measures:
            if measure.shifted_to:
                self._taken_away(measure)

    def street(self, name: str) -> StreetDemand:
        """Work out one street."""
        street = self.town.street(name)
        without = self._without(street)
        changed = self._changed(street, without)
        alpha = np.array([VARIABILITY[c].alpha for c in CLASSES])
        # Independent extras of four quarters add up to the hour's alpha.
        extra = alpha * QUARTERS_AN_HOUR
        passed = passing(random_of(self.seed, self.town.name, name, "passing"), changed, extra)
        return StreetDemand(street, without, changed, passed)

    def _without(self, street: TownStreet) -> FloatArray:
        """Return the expectation without any measure: (quarter, class, direction)."""
        calendar = self.calendar
        kind = STREET_KINDS[street.kind]
        mean = np.empty((calendar.quarters, len(CLASSES), 2))
        levels = self._levels(street)
        for at, class_name in enumerate(CLASSES):
            shape, school = week_profile(class_name, kind)
            total = shape[self._day_kind, calendar.slot] + school[calendar.slot] * calendar.school_day
            total *= street.mean_per_hour(class_name) / QUARTERS_AN_HOUR
            total *= self._shared_factor[:, at] * levels[:, at]
            share = np.clip(
                street.lft_share.get(class_name, 0.5) + street.tide.get(class_name, 0.0) * self._tide, 0.02, 0.98
            )
            mean[:, at, 0] = total * share
            mean[:, at, 1] = total * (1.0 - share)
        return mean

    @cached_property
    def _day_kind(self) -> npt.NDArray[np.int64]:
        """0 weekday, 1 Saturday, 2 Sunday or public holiday, per quarter."""
        return np.where(self.calendar.holiday, 2, np.clip(self.calendar.weekday - 4, 0, 2))

    @cached_property
    def _tide(self) -> FloatArray:
        """+1 in the morning of a weekday, -1 in its evening, per quarter."""
        shape = bells(quarter_hours())
        return np.asarray((shape[:, 1] - shape[:, 4])[self.calendar.slot] * (self._day_kind == 0))

    @cached_property
    def _shared_factor(self) -> FloatArray:
        """Season, school holidays and weather, per quarter and class: the same in every street."""
        calendar, weather = self.calendar, self.weather
        factor = np.ones((calendar.quarters, len(CLASSES)))
        off = (calendar.weekday < 5) & ~calendar.school_day & ~calendar.holiday
        for at, class_name in enumerate(CLASSES):
            height, peak = SEASON[class_name]
            log = height * np.cos(2 * np.pi * (calendar.day_of_year - peak) / 365.25)
            felt = RAIN[class_name] * weather.wet + TEMPERATURE[class_name] * weather.anomaly_c
            factor[:, at] = np.exp(log + np.repeat(felt, QUARTERS_AN_HOUR)) * np.where(
                off, SCHOOL_HOLIDAY[class_name], 1.0
            )
        return factor

    @cached_property
    def _town_walk(self) -> tuple[FloatArray, FloatArray]:
        return _walk(random_of(self.seed, self.town.name, "levels"), self.calendar)

    def _levels(self, street: TownStreet) -> FloatArray:
        """Return exp(week + day + hour) per quarter and class, mean 1."""
        calendar = self.calendar
        rng = random_of(self.seed, self.town.name, street.name, "levels")
        own, town = _walk(rng, calendar), self._town_walk
        kind = STREET_KINDS[street.kind]
        hours = _hours(rng, calendar, len(CLASSES))
        log = np.zeros((calendar.quarters, len(CLASSES)))
        for at, class_name in enumerate(CLASSES):
            vary = VARIABILITY[class_name]
            shared = COMMUTE_SHARED if kind.commute and class_name == "bike" else vary.shared
            weather, day = WEATHER_DAY_SD[class_name] ** 2, vary.day**2
            day_rest = np.sqrt(day - weather)
            day_shared = float(np.clip((shared * day - weather) / (day - weather), 0.0, 1.0))
            week_sd = vary.week_step / np.sqrt(2.0 * (1.0 - WEEK_MEMORY))
            week = week_sd * _mixed(town[0][:, at], own[0][:, at], shared)
            daily = day_rest * _mixed(town[1][:, at], own[1][:, at], day_shared)
            log[:, at] = (week + daily - (week_sd**2 + day_rest**2) / 2)[calendar.local_day]
            log[:, at] += vary.hour * hours[:, at] - vary.hour**2 / 2
        return np.asarray(np.exp(log))

    def _changed(self, street: TownStreet, without: FloatArray) -> FloatArray:
        """Return the expectation with every measure of the town at work."""
        changed = without.copy()
        for measure in self.measures:
            span = self._span(measure)
            if street.name in measure.streets:
                for at, class_name in enumerate(CLASSES):
                    changed[span, at] *= 1.0 + measure.effect.get(class_name, 0.0)
            if street.name in measure.shifted_to:
                changed[span] += measure.shifted_to[street.name] * self._taken_away(measure)[span]
        return changed

    def _taken_away(self, measure: SimulatedMeasure) -> FloatArray:
        """Return what leaves the treated streets and drives elsewhere."""
        if measure.name not in self._of_treated:
            loss = np.array([max(0.0, -measure.effect.get(class_name, 0.0)) for class_name in CLASSES])
            streets = [self._without(self.town.street(name)) for name in measure.streets]
            total = sum(measure.shifted_to.values())
            self._of_treated[measure.name] = sum(streets) * loss[None, :, None] * (measure.shifted / total)
        return self._of_treated[measure.name]

    def _span(self, measure: SimulatedMeasure) -> slice:
        zone = self.town.timezone
        end = None if measure.until_day is None else self.calendar.quarter_of(measure.until_day, zone)
        return slice(self.calendar.quarter_of(measure.from_day, zone), end)


def _walk(rng: np.random.Generator, calendar: TownCalendar) -> tuple[FloatArray, FloatArray]:
    """Return the weekly and the daily level per local day and class, each of sd 1."""
    first = int(calendar.weekday[0])
    weeks = (np.arange(calendar.local_days) + first) // 7
    weekly = autoregressive(rng.standard_normal((int(weeks[-1]) + 1, len(CLASSES))), WEEK_MEMORY)
    daily = autoregressive(rng.standard_normal((calendar.local_days, len(CLASSES))), DAY_MEMORY)
    return weekly[weeks], daily


def wandering(vary: Variability, calendar: TownCalendar, rng: np.random.Generator) -> FloatArray:
    """Return something of mean 1 that varies by week, day and hour on its own, per quarter."""
    weekly, daily = _walk(rng, calendar)
    week_sd = vary.week_step / np.sqrt(2.0 * (1.0 - WEEK_MEMORY))
    log = (week_sd * weekly[:, 0] + vary.day * daily[:, 0])[calendar.local_day] + vary.hour * _hours(rng, calendar)[
        :, 0
    ]
    return np.asarray(np.exp(log - (week_sd**2 + vary.day**2 + vary.hour**2) / 2))


def _mixed(town: FloatArray, own: FloatArray, shared: float) -> FloatArray:
    return np.asarray(np.sqrt(shared) * town + np.sqrt(1.0 - shared) * own)


def _hours(rng: np.random.Generator, calendar: TownCalendar, many: int = 1) -> FloatArray:
    """Return the level of the quarter (quarter, many), remembered inside a day (of UTC); the mean of an hour has sd 1."""
    memory = HOUR_MEMORY ** (1 / QUARTERS_AN_HOUR)
    of_an_hour = np.sqrt((4 + 2 * (3 * memory + 2 * memory**2 + memory**3)) / 16)
    series = autoregressive(rng.standard_normal((96, calendar.days, many)), memory)
    return np.asarray(series.transpose(1, 0, 2).reshape(-1, many) / of_an_hour)


def _check(measure: SimulatedMeasure, town: Town) -> None:
    """Refuse a measure that names what is not there or cannot be."""
    for name in (*measure.streets, *measure.shifted_to):
        town.street(name)
    unknown = [name for name in measure.effect if name not in CLASSES]
    if unknown:
        raise DemandError(f"measure {measure.name!r} changes {unknown[0]!r}; the classes are {', '.join(CLASSES)}")
    if any(effect < -1.0 for effect in measure.effect.values()):
        raise DemandError(f"measure {measure.name!r}: an effect below -1 would leave less than nothing")
    if measure.shifted and not measure.shifted_to:
        raise DemandError(f"measure {measure.name!r} shifts {measure.shifted:.0%} to nowhere: name the streets")
