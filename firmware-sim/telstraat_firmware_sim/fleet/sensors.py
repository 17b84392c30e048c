"""What a sensor makes of its street: when it sees, what it misses, how it fails. Every failure is written in its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from telstraat_contract.messages import Flag, Light
from telstraat_contract.quarters import QUARTER, QUARTER_S
from telstraat_firmware_sim.demand.calendar import BoolArray, FloatArray, TownCalendar
from telstraat_firmware_sim.demand.demand import CountArray, random_of, wandering
from telstraat_firmware_sim.demand.draw import seen
from telstraat_firmware_sim.demand.profiles import CLASSES, MOTORCYCLE_SHARE, SEEN, Variability

DAY, NIGHT, LEARNING = 0, 1, 2
"""Rows of a kind's `booked` table."""
LIGHTS: Final[tuple[Light, ...]] = ("unknown", "day", "dusk", "night")
SUNSET_DEGREES = 0.0
DARK_DEGREES = -6.0
"""The end of civil twilight: street lights and headlights are all there is."""
MOST_GAIN = 1.02
"""Detection times gain stays a chance; a sensor that sees more than there is does so by booking classes wrongly."""
QUARTERS_A_MONTH = 96 * 30.4


@dataclass(frozen=True)
class SensorKind:
    """How one sort of sensor behaves. Tables give, per class, the chance to be booked as each of `SEEN`."""

    booked: tuple[tuple[tuple[float, ...], ...], ...]
    """Day, night, learning."""
    uptime: float
    uptime_sd: float
    first_hour_uptime: tuple[float, float] | None
    """Uptime of the first and the last hour of daylight; null for a sensor that sees at night."""
    gaps_a_month: tuple[float, ...]
    """Outages a month, by length as in `GAP_HOURS`."""
    learning_days: int
    tells_motorcycles: bool
    large_cars: float = 0.0
    """Share of cars that are taken for heavy by their size, on average; light and shadow make it go up and down."""
    placement_sd: float = 0.08
    """Spread of detection over sensors: windows differ (errors of 10 to 25 % by class are what Telraam accepts)."""


LARGE_CARS = Variability(week_step=0.12, day=0.45, hour=0.35, alpha=0.0, shared=0.0)
"""How the split between car and heavy of a V1 goes up and down: with it, V1 heavy varies as on real sensors."""
GAP_HOURS: Final = ((1, 1), (2, 3), (4, 12), (13, 36), (37, 168), (169, 500))

KINDS: Final = {
    "telstraat": SensorKind(
        booked=(
            ((0.93, 0.01, 0.00, 0.00, 0.0), (0.02, 0.93, 0.00, 0.00, 0.0), (0.0, 0.0, 0.96, 0.02, 0.0), (0.0, 0.0, 0.05, 0.92, 0.0)),
            ((0.40, 0.01, 0.00, 0.00, 0.1), (0.02, 0.62, 0.00, 0.00, 0.1), (0.0, 0.0, 0.84, 0.01, 0.1), (0.0, 0.0, 0.15, 0.64, 0.1)),
            ((0.90, 0.02, 0.00, 0.00, 0.0), (0.05, 0.88, 0.00, 0.00, 0.0), (0.0, 0.0, 0.92, 0.04, 0.0), (0.0, 0.0, 0.20, 0.75, 0.0)),
        ),
        uptime=0.998, uptime_sd=0.002, first_hour_uptime=None,
        gaps_a_month=(0.4, 0.2, 0.15, 0.04, 0.04, 0.006), learning_days=1, tells_motorcycles=True,
    ),
    "v1": SensorKind(
        booked=(
            ((0.85, 0.04, 0.00, 0.00, 0.0), (0.06, 0.84, 0.02, 0.00, 0.0), (0.0, 0.01, 0.92, 0.00, 0.0), (0.0, 0.0, 0.10, 0.85, 0.0)),
            ((0.0,) * 5,) * 4,
            ((0.85, 0.04, 0.00, 0.00, 0.0), (0.06, 0.84, 0.02, 0.00, 0.0), (0.0, 0.01, 0.92, 0.00, 0.0), (0.0, 0.0, 0.95, 0.00, 0.0)),
        ),
        uptime=0.77, uptime_sd=0.03, first_hour_uptime=(0.28, 0.37),
        gaps_a_month=(5.0, 1.6, 0.60, 0.13, 0.10, 0.023), learning_days=14, tells_motorcycles=False, large_cars=0.12,
        placement_sd=0.12,
    ),
    "s2": SensorKind(
        booked=(
            ((0.85, 0.02, 0.00, 0.00, 0.0), (0.05, 0.78, 0.01, 0.00, 0.0), (0.0, 0.0, 0.93, 0.02, 0.0), (0.0, 0.0, 0.15, 0.78, 0.0)),
            ((0.0, 0.0, 0.0, 0.0, 0.25), (0.0, 0.0, 0.0, 0.0, 0.5), (0.0, 0.0, 0.01, 0.0, 0.85), (0.0, 0.0, 0.0, 0.0, 0.85)),
            ((0.85, 0.02, 0.00, 0.00, 0.0), (0.05, 0.78, 0.01, 0.00, 0.0), (0.0, 0.0, 0.93, 0.02, 0.0), (0.0, 0.0, 0.15, 0.78, 0.0)),
        ),
        uptime=0.999, uptime_sd=0.001, first_hour_uptime=None,
        gaps_a_month=(1.3, 0.63, 0.53, 0.11, 0.12, 0.015), learning_days=0, tells_motorcycles=False, placement_sd=0.12,
    ),
}  # fmt: skip
"""Gaps, uptime, night and learning of V1 and S2 as measured on 145 Telraam sensors; detection of bikes of an S2 against an
Eco-Counter 0.88 and 0.64; V1 books large cars as heavy. Our own sensor: assumed until the bench of the counting core says."""


@dataclass(frozen=True)
class Failure:
    """A failure that somebody asks for: from when until when, and what. Quarters are counted from the period's start."""

    what: str
    """`silent`: zeros while uptime is fine; `deaf`: one class falls to a share; `moved`: it counts another street."""
    first: int
    end: int
    class_name: str = ""
    share: float = 0.0
    street: str = ""


@dataclass(frozen=True)
class SimulatedSensor:
    """A sensor in its street."""

    name: str
    street: str
    kind: str = "telstraat"
    drift: float = 0.0
    """Largest slow change of detection over months: 0.1 is plus or minus ten percent."""
    failures: tuple[Failure, ...] = ()
    since_day: int = -365
    """The day of the period on which it was put up; before, there is nothing, and then it learns."""
    gaps: float = 1.0
    """Multiplies how often it falls out; 0 never."""
    perfect: bool = False
    """Sees every crossing as what it is, day and night: for tests of what comes after."""


@dataclass(frozen=True)
class SensorEvent:
    """Something in the truth that a health check should find."""

    sensor: str
    what: str
    from_utc: datetime
    until_utc: datetime
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class SensorSeries:
    """What a sensor reported. Axes: quarter, seen class (`SEEN`), direction."""

    sensor: SimulatedSensor
    sent: BoolArray
    """Quarters of which there is a report; the others are absent."""
    observed_s: npt.NDArray[np.int32]
    counts: CountArray
    motorcycle: CountArray
    """Of which, of bike: (quarter, direction)."""
    flags: npt.NDArray[np.int32]
    light: npt.NDArray[np.int8]
    """Index into `LIGHTS`."""
    events: tuple[SensorEvent, ...]


def watch(
    sensor: SimulatedSensor, calendar: TownCalendar, passed: CountArray, elsewhere: Mapping[str, CountArray], seed: int
) -> SensorSeries:
    """Let a sensor watch its street for a period; `elsewhere` has the streets that it is moved to."""
    kind = KINDS[sensor.kind]
    rng = random_of(seed, sensor.name, sensor.kind, "sensor")
    light = light_of(calendar)
    sent, observed, gap_events = _uptime(sensor, kind, calendar, rng)
    mode = np.where(light == LIGHTS.index("night"), NIGHT, DAY).astype(np.int8)
    born = sensor.since_day * 96
    learning = slice(max(0, born), max(0, min(born + kind.learning_days * 96, calendar.quarters)))
    if not sensor.perfect:
        mode[learning][mode[learning] == DAY] = LEARNING
    sent[: learning.start] = False
    gain, gain_events = _gain(sensor, kind, calendar, rng)
    watched = passed
    for failure in sensor.failures:
        if failure.what == "moved":
            watched = watched.copy() if watched is passed else watched
            watched[failure.first : failure.end] = elsewhere[failure.street][failure.first : failure.end]
    booked = _perfect() if sensor.perfect else np.array(kind.booked)
    motorcycles = MOTORCYCLE_SHARE if kind.tells_motorcycles else 0.0
    observed_s = np.where(sent, np.round(observed * QUARTER_S), 0).astype(np.int32)
    large_cars = np.zeros(calendar.quarters)
    if kind.large_cars and not sensor.perfect:
        wobble = wandering(LARGE_CARS, calendar, random_of(seed, sensor.name, "large cars"))
        large_cars = np.where(mode == LEARNING, 0.0, np.clip(kind.large_cars * wobble, 0.0, 0.8))
    counts, motorcycle = seen(rng, watched, observed_s / QUARTER_S, mode, gain, booked, large_cars, motorcycles)
    flags = _flags(sensor, kind, light, observed_s, learning)
    events = [*gap_events, *gain_events, *_failure_events(sensor, calendar)]
    if learning.stop > learning.start and not sensor.perfect:
        events.append(_event(sensor, calendar, "learning", learning.start, learning.stop))
    return SensorSeries(sensor, sent, observed_s, counts, motorcycle, flags, light, tuple(events))


def light_of(calendar: TownCalendar) -> npt.NDArray[np.int8]:
    """Return day, dusk or night per quarter, as an index into `LIGHTS`."""
    sun = calendar.sun_degrees
    return np.where(sun > SUNSET_DEGREES, 1, np.where(sun > DARK_DEGREES, 2, 3)).astype(np.int8)


def _uptime(
    sensor: SimulatedSensor, kind: SensorKind, calendar: TownCalendar, rng: np.random.Generator
) -> tuple[BoolArray, FloatArray, list[SensorEvent]]:
    """Return which quarters are reported, the share observed of each, and the outages."""
    quarters = calendar.quarters
    sent = np.ones(quarters, dtype=bool)
    observed = np.clip(kind.uptime + kind.uptime_sd * rng.standard_normal(quarters), 0.0, 1.0)
    if sensor.perfect:
        return sent, np.ones(quarters), []
    if kind.first_hour_uptime is not None:
        observed *= _daylight_share(calendar, kind.first_hour_uptime, kind.uptime)
    events = []
    for mean, (shortest, longest) in zip(kind.gaps_a_month, GAP_HOURS, strict=True):
        for first in rng.integers(0, quarters, rng.poisson(mean * sensor.gaps * quarters / QUARTERS_A_MONTH)):
            length = int(rng.integers(shortest * 4 - 3, longest * 4 + 1))
            end = min(int(first) + length, quarters)
            # A short loss is half a report; a long one is a sensor without power: no report at all.
            absent = length > 3 and bool(rng.random() < 0.8)
            sent[first:end] &= not absent
            observed[first:end] *= rng.random() * 0.5
            what = "outage" if absent else "low uptime"
            events.append(_event(sensor, calendar, what, int(first), end))
    return sent, observed, events


def _daylight_share(calendar: TownCalendar, first_last: tuple[float, float], full: float) -> FloatArray:
    """Return 0 at night, 1 by day, and less in the first and the last hour of daylight."""
    up = calendar.sun_degrees > SUNSET_DEGREES
    share = up.astype(np.float64)
    edges = np.flatnonzero(np.diff(up.astype(np.int8)))
    for edge in edges:
        if up[edge + 1]:
            share[edge + 1 : edge + 5] *= first_last[0] / full
        else:
            share[max(0, edge - 3) : edge + 1] *= first_last[1] / full
    return share


def _gain(
    sensor: SimulatedSensor, kind: SensorKind, calendar: TownCalendar, rng: np.random.Generator
) -> tuple[FloatArray, list[SensorEvent]]:
    """Return what multiplies detection per quarter and class: placement, drift and failures."""
    quarters = calendar.quarters
    gain = np.ones((quarters, len(CLASSES)))
    events = []
    if not sensor.perfect:
        placement = np.clip(np.exp(kind.placement_sd * (rng.standard_normal(len(CLASSES)) - 1.0)), 0.5, 1.0)
        gain *= placement
        events.append(_event(sensor, calendar, "placement", 0, quarters, detection=_rounded(placement)))
    if sensor.drift:
        period = 96 * rng.uniform(90, 180)
        phase = rng.uniform(0, 2 * np.pi)
        gain *= (1.0 + sensor.drift * np.sin(2 * np.pi * np.arange(quarters) / period + phase))[:, None]
        events.append(
            _event(sensor, calendar, "drift", 0, quarters, amplitude=sensor.drift, days=round(period / 96, 1))
        )
    for failure in sensor.failures:
        span = slice(failure.first, failure.end)
        if failure.what == "silent":
            gain[span] = 0.0
        elif failure.what == "deaf":
            gain[span, CLASSES.index(failure.class_name)] *= failure.share
    return np.minimum(gain, MOST_GAIN), events


def _rounded(gains: FloatArray) -> dict[str, float]:
    return {name: round(float(gain), 4) for name, gain in zip(CLASSES, gains, strict=True)}


def _perfect() -> FloatArray:
    return np.broadcast_to(np.eye(len(CLASSES), len(SEEN)), (3, len(CLASSES), len(SEEN))).copy()


def _flags(
    sensor: SimulatedSensor,
    kind: SensorKind,
    light: npt.NDArray[np.int8],
    observed_s: npt.NDArray[np.int32],
    learning: slice,
) -> npt.NDArray[np.int32]:
    """Return the flags of each quarter."""
    flags = np.full(len(light), int(Flag.SIMULATED), dtype=np.int32)
    dark = light == LIGHTS.index("night")
    if kind.first_hour_uptime is not None:
        flags[dark & (observed_s == 0)] |= int(Flag.TOO_DARK)
    else:
        flags[dark & (observed_s > 0)] |= int(Flag.NIGHT_COUNTED)
    if not sensor.perfect:
        flags[learning] |= int(Flag.LEARNING)
    return flags


def _failure_events(sensor: SimulatedSensor, calendar: TownCalendar) -> list[SensorEvent]:
    """Return the failures that were asked for, as events."""
    return [
        _event(
            sensor, calendar, failure.what, failure.first, failure.end,
            **({"class": failure.class_name, "share": failure.share} if failure.class_name else {}),
            **({"street": failure.street} if failure.street else {}),
        )
        for failure in sensor.failures
    ]  # fmt: skip


def _event(
    sensor: SimulatedSensor, calendar: TownCalendar, what: str, first: int, end: int, **detail: object
) -> SensorEvent:
    return SensorEvent(
        sensor.name, what, calendar.start_utc + first * QUARTER, calendar.start_utc + end * QUARTER, detail
    )
