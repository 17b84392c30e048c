"""A fleet that does not exist: many sensors' reports over months, without frames, with the truth beside them.

    towns -> demand (who passed) -> sensors (what was seen) -> reports, hourly rows, files or a broker

The same settings and seed give the same fleet, byte for byte, whichever sensor is asked for first.
"""

from __future__ import annotations

import itertools
import math
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from telstraat_contract.messages import Confidence, Counts, Directed, Report
from telstraat_contract.quarters import QUARTER, QUARTER_S
from telstraat_contract.road_users import SPEED_BIN_KMH, SPEED_BINS, columns_of
from telstraat_firmware_sim.demand.demand import (
    QUARTERS_AN_HOUR,
    CountArray,
    Demand,
    SimulatedMeasure,
    StreetDemand,
    Town,
    random_of,
)
from telstraat_firmware_sim.demand.profiles import CLASSES, SEEN
from telstraat_firmware_sim.errors import DemandError
from telstraat_firmware_sim.fleet.sensors import KINDS, LIGHTS, Failure, SensorSeries, SimulatedSensor, watch
from telstraat_firmware_sim.fleet.towns import made_up_town, neighbours, speed_shares

if TYPE_CHECKING:
    import pandas as pd

CONFIDENCE_PERCENT = {
    "day": (92, 88, 96, 90),
    "dusk": (85, 80, 92, 84),
    "night": (62, 60, 80, 70),
    "unknown": (80, 80, 80, 80),
}
"""Mean class confidence by light: pedestrian, bike, car, heavy (assumed)."""
COUNT_COLUMNS = tuple(column for name in SEEN for column in columns_of(name))
FLOW = ((0.15, 1.10), (0.5, 1.04), (1.1, 1.0), (1.5, 0.97), (math.inf, 0.92))
"""Up to which share of a mean daylight hour's cars they drive how much faster than usual: free at night, slower at the peaks (assumed)."""
HOURLY_COLUMNS = ("segment", "sensor", "generation", "start", *SEEN, *COUNT_COLUMNS, "quarters", "observed_s", "uptime")
Reading = Literal["raw", "corrected"]


@dataclass(frozen=True)
class FleetSettings:
    """What a made-up fleet is like."""

    sensors: int = 20
    start: date = date(2025, 1, 1)
    days: int = 28
    seed: int = 0
    kinds: dict[str, float] = field(default_factory=lambda: {"telstraat": 1.0})
    """Sorts of sensors and their parts of the fleet: telstraat, v1, s2."""
    streets_a_town: int = 40
    drift: float = 0.0
    silent_a_year: float = 0.0
    """Silent failures a sensor and year: zeros or a deaf class while uptime is fine; about 0.1 on real sensors."""
    moved_a_year: float = 0.0
    """How often a sensor ends up in another street without anybody saying so."""
    new_share: float = 0.0
    """Share of the sensors that are put up during the first half of the period."""
    gaps: float = 1.0
    perfect: bool = False


@dataclass(frozen=True)
class SensorTruth:
    """One sensor: its street's truth and what it reported."""

    town: Town
    demand: StreetDemand
    series: SensorSeries


class Fleet:
    """Sensors in the streets of towns over a period."""

    def __init__(
        self,
        sensors: dict[str, tuple[SimulatedSensor, ...]],
        towns: tuple[Town, ...],
        start: date,
        days: int,
        *,
        measures: tuple[SimulatedMeasure, ...] = (),
        seed: int = 0,
    ) -> None:
        self.towns, self.start, self.days, self.measures, self.seed = towns, start, days, measures, seed
        self.sensors = sensors
        self._town_of = {sensor.name: town for town in towns for sensor in sensors.get(town.name, ())}
        self._by_name = {sensor.name: sensor for several in sensors.values() for sensor in several}
        if len(self._by_name) != sum(len(several) for several in sensors.values()):
            raise DemandError("two sensors of the fleet have the same name")
        self._demands = {town.name: self._demand(town) for town in towns}

    @property
    def names(self) -> tuple[str, ...]:
        """The sensors' names."""
        return tuple(self._by_name)

    def demand(self, town: str) -> Demand:
        """Return the demand of one town: its calendar, weather and streets."""
        return self._demands[town]

    def sensor(self, name: str) -> SensorTruth:
        """Work out one sensor, with the truth of its street."""
        town, sensor = self._town_of[name], self._by_name[name]
        demand = self._demands[town.name]
        own = demand.street(sensor.street)
        elsewhere = {
            failure.street: demand.street(failure.street).passed for failure in sensor.failures if failure.street
        }
        return SensorTruth(town, own, watch(sensor, demand.calendar, own.passed, elsewhere, self.seed))

    def truths(self) -> Iterator[SensorTruth]:
        """Work out one sensor after the other; the compiled parts of a few run at the same time."""
        for demand in self._demands.values():
            demand.prepare()
        ahead = os.cpu_count() or 1
        names = iter(self._by_name)
        with ThreadPoolExecutor(ahead) as pool:
            coming = deque(pool.submit(self.sensor, name) for name in itertools.islice(names, ahead))
            while coming:
                done = coming.popleft().result()
                coming.extend(pool.submit(self.sensor, name) for name in itertools.islice(names, 1))
                yield done

    def reports(self, name: str) -> Iterator[Report]:
        """Yield the reports of one sensor in the order of their sequence numbers."""
        yield from reports_of(self.sensor(name), self._start_utc, self.seed)

    def weather_days(self, town: str) -> pd.DataFrame:
        """Return the weather of each local day: `day`, mean `temperature_c`, sum of `rain_mm`."""
        import pandas as pd

        demand = self._demands[town]
        hours = pd.DataFrame({"temperature_c": demand.weather.temperature_c, "rain_mm": demand.weather.rain_mm})
        first = pd.Timestamp(demand.calendar.first_day)
        days = hours.groupby(demand.calendar.local_day[::4]).agg({"temperature_c": "mean", "rain_mm": "sum"})
        days.insert(0, "day", first + pd.to_timedelta(days.index, unit="D"))
        return days.reset_index(drop=True)

    def hourly(self, reading: Reading = "raw") -> pd.DataFrame:
        """Return a row for each sensor and hour of which there is a report, in `HOURLY_COLUMNS`."""
        import pandas as pd

        frames = [hourly_of(truth, self._start_utc, reading) for truth in self.truths()]
        return pd.concat(frames, ignore_index=True)

    @property
    def _start_utc(self) -> datetime:
        return datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC)

    def _demand(self, town: Town) -> Demand:
        names = {street.name for street in town.streets}
        own = tuple(measure for measure in self.measures if names.issuperset(measure.streets))
        return Demand(town, self.start, self.days, measures=own, seed=self.seed)


def made_up_fleet(settings: FleetSettings, measures: tuple[SimulatedMeasure, ...] = ()) -> Fleet:
    """Return a fleet of made-up towns, a sensor in each street."""
    unknown = [kind for kind in settings.kinds if kind not in KINDS]
    if unknown:
        raise DemandError(f"no sort of sensor is called {unknown[0]!r}; there are {', '.join(KINDS)}")
    if settings.sensors < 1:
        raise DemandError(f"a fleet of {settings.sensors} sensors: give 1 or more")
    towns, sensors = [], {}
    for number, first in enumerate(range(0, settings.sensors, settings.streets_a_town)):
        many = min(settings.streets_a_town, settings.sensors - first)
        town = made_up_town(many, seed=settings.seed, number=number)
        towns.append(town)
        sensors[town.name] = tuple(
            _made_up_sensor(f"sim-{first + at + 1:04d}", town, at, settings) for at in range(many)
        )
    return Fleet(sensors, tuple(towns), settings.start, settings.days, measures=measures, seed=settings.seed)


def _made_up_sensor(name: str, town: Town, at: int, settings: FleetSettings) -> SimulatedSensor:
    rng = random_of(settings.seed, name, "made up")
    kinds = sorted(settings.kinds)
    parts = np.array([settings.kinds[kind] for kind in kinds])
    new = rng.random() < settings.new_share
    return SimulatedSensor(
        name=name,
        street=town.streets[at].name,
        kind=str(rng.choice(kinds, p=parts / parts.sum())),
        drift=settings.drift,
        since_day=int(rng.integers(0, max(1, settings.days // 2))) if new else -365,
        failures=tuple(_made_up_failures(town, at, settings, rng)),
        gaps=settings.gaps,
        perfect=settings.perfect,
    )


def _made_up_failures(town: Town, at: int, settings: FleetSettings, rng: np.random.Generator) -> Iterator[Failure]:
    quarters = settings.days * 96
    years = settings.days / 365.25
    for _ in range(rng.poisson(settings.silent_a_year * years)):
        first = int(rng.integers(0, quarters))
        end = min(quarters, first + int(96 * rng.uniform(5, 60)))
        if rng.random() < 0.6:
            yield Failure("silent", first, end)
        else:
            yield Failure(
                "deaf", first, end, class_name=str(rng.choice(CLASSES)), share=round(rng.uniform(0.1, 0.5), 2)
            )
    if len(town.streets) > 1:
        for _ in range(rng.poisson(settings.moved_a_year * years)):
            other = town.streets[(at + int(rng.integers(1, len(town.streets)))) % len(town.streets)]
            yield Failure("moved", int(rng.integers(0, quarters)), quarters, street=other.name)


def made_up_measure(
    fleet_towns: tuple[Town, ...], from_day: date, effect: dict[str, float], *, streets: int = 3, shifted: float = 0.4
) -> SimulatedMeasure:
    """Return a measure in the first town: some streets with cars, and their nearest neighbours that get the rest."""
    town = fleet_towns[0]
    busy = sorted(town.streets, key=lambda street: -street.mean_per_hour("car"))
    treated = tuple(street.name for street in busy[1 : streets + 1] or busy[:streets])
    near = [name for treated_name in treated for name in neighbours(town, treated_name, 3) if name not in treated]
    return SimulatedMeasure(
        name="circulation plan",
        from_day=from_day,
        streets=treated,
        effect=effect,
        shifted=shifted if near else 0.0,
        shifted_to=dict.fromkeys(near[: 2 * streets], 1.0),
    )


def epoch_of(seed: int, sensor: str) -> int:
    """Return the epoch of a simulated sensor's stream."""
    return int(random_of(seed, sensor, "epoch").integers(1, 2**53 - 1))


def reports_of(truth: SensorTruth, start_utc: datetime, seed: int, *, first_quarter: int = 0) -> Iterator[Report]:
    """Yield the reports of a sensor from a quarter on; their sequence numbers count from the period's start."""
    series = truth.series
    name = series.sensor.name
    epoch = epoch_of(seed, name)
    speeds = speeds_of(truth, seed)
    seq = int(series.sent[:first_quarter].sum())
    for at in np.flatnonzero(series.sent[first_quarter:]) + first_quarter:
        seq += 1
        light = LIGHTS[series.light[at]]
        yield Report(
            sensor=name,
            epoch=epoch,
            seq=seq,
            period_start=start_utc + int(at) * QUARTER,
            observed_s=int(series.observed_s[at]),
            counts=_counts(series, int(at)),
            car_speed=tuple(speeds[at].tolist()),
            confidence=_confidence(series.counts[at], light),
            light=light,
            flags=int(series.flags[at]),
        )


def _counts(series: SensorSeries, at: int) -> Counts:
    counts = {name: Directed(lft, rgt) for name, (lft, rgt) in zip(SEEN, series.counts[at].tolist(), strict=True)}
    return Counts(**counts, motorcycle=Directed(*series.motorcycle[at].tolist()))


def _confidence(counts: CountArray, light: str) -> Confidence:
    any_seen = counts.sum(axis=1) > 0
    percent = CONFIDENCE_PERCENT[light]
    return Confidence(**{name: percent[at] if any_seen[at] else None for at, name in enumerate(CLASSES)})


def speeds_of(truth: SensorTruth, seed: int) -> CountArray:
    """Draw the speed histogram of the cars of each quarter: (quarter, bin)."""
    rng = random_of(seed, truth.series.sensor.name, "speed")
    street = truth.demand.street
    shares = np.array(
        [
            speed_shares(replace(street, speed_kmh=street.speed_kmh * factor), SPEED_BINS, SPEED_BIN_KMH)
            for _, factor in FLOW
        ]
    )
    cars = truth.series.counts[:, CLASSES.index("car")].sum(axis=1)
    busy = truth.demand.expected_with[:, CLASSES.index("car")].sum(axis=1) * QUARTERS_AN_HOUR
    usual = max(1e-9, street.mean_per_hour("car"))
    row = np.searchsorted([below for below, _ in FLOW[:-1]], busy / usual, side="right")
    return np.asarray(rng.multinomial(cars, shares[row]), dtype=np.int32)


def hourly_of(truth: SensorTruth, start_utc: datetime, reading: Reading = "raw") -> pd.DataFrame:
    """Return one sensor's hours. Raw: sums as counted. Corrected: `4/k x sum(n x 900 / observed_s)` of k quarters with data."""
    import pandas as pd

    series = truth.series
    counts = series.counts.reshape(-1, len(COUNT_COLUMNS)).astype(np.float64)
    observed = np.where(series.sent, series.observed_s, 0)
    with_data = observed > 0
    if reading == "corrected":
        counts *= np.divide(QUARTER_S, observed, out=np.zeros(len(observed)), where=with_data)[:, None]
    hours = counts.reshape(-1, 4, len(COUNT_COLUMNS)).sum(axis=1)
    quarters = with_data.reshape(-1, 4).sum(axis=1)
    if reading == "corrected":
        hours *= np.divide(4.0, quarters, out=np.zeros(len(quarters)), where=quarters > 0)[:, None]
    keep = np.flatnonzero(series.sent.reshape(-1, 4).any(axis=1))
    start = pd.date_range(start_utc, periods=len(hours), freq="h", tz="UTC")[keep]
    values = hours[keep] if reading == "corrected" else hours[keep].astype(np.int64)
    frame = counted_frame(truth, values, start)
    frame["quarters"] = quarters[keep]
    frame["observed_s"] = observed.reshape(-1, 4).sum(axis=1)[keep]
    frame["uptime"] = frame["observed_s"] / timedelta(hours=1).total_seconds()
    return frame


def counted_frame(truth: SensorTruth, values: npt.NDArray[Any], start: pd.DatetimeIndex) -> pd.DataFrame:
    """Return a frame of counts (row, class x direction) as the analysis reads them: who, when (UTC), totals, directions."""
    import pandas as pd

    sensor = truth.series.sensor
    frame = pd.DataFrame(
        {"segment": truth.demand.street.name, "sensor": sensor.name, "generation": sensor.kind},
        index=range(len(values)),
    )
    frame["start"] = start
    totals = values.reshape(-1, len(SEEN), 2).sum(axis=2)
    frame[list(SEEN)] = totals
    frame[list(COUNT_COLUMNS)] = values
    return frame
