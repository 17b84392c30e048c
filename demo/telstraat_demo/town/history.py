"""The town's reports: drawn by the simulator era by era, as arrays for the past and one by one for what is still to come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import numpy as np

from telstraat_contract.messages import Report
from telstraat_contract.quarters import QUARTER_S
from telstraat_contract.road_users import CLASSES as KNOWN
from telstraat_contract.road_users import COUNTED
from telstraat_demo.town.cast import Cast, SensorStay, measures_of
from telstraat_demo.town.plan import Era, TownPlan
from telstraat_firmware_sim.demand.demand import Town
from telstraat_firmware_sim.demand.profiles import CLASSES, SEEN
from telstraat_firmware_sim.fleet.fleet import CONFIDENCE_PERCENT, Fleet, SensorTruth, reports_of, speeds_of
from telstraat_firmware_sim.fleet.sensors import LIGHTS, SimulatedSensor
from telstraat_store.reports.copy_arrays import ReportArrays
from telstraat_store.reports.copy_rows import LIGHT_LETTERS, NO_CONFIDENCE


@dataclass(frozen=True)
class Drawn:
    """What one watch has seen in one era."""

    watch: SensorStay
    era: Era
    seed: int
    truth: SensorTruth

    def span(self, start: datetime, end: datetime) -> slice:
        """Return the quarters of the era between two moments that the watch lasted; empty where they do not meet."""
        first = max(start, self.watch.from_at or start)
        last = min(end, self.watch.until_at or end)
        whole = len(self.truth.series.sent)
        at = [
            int(np.clip((moment - self.era.start).total_seconds() // QUARTER_S, 0, whole)) for moment in (first, last)
        ]
        return slice(at[0], max(at))

    def arrays(self, start: datetime, end: datetime) -> ReportArrays:
        """Return the reports between two moments, numbered from 1."""
        series, span = self.truth.series, self.span(start, end)
        sent = np.flatnonzero(series.sent[span]) + span.start
        counts = np.zeros((len(sent), 2 * len(COUNTED)), dtype=np.int32)
        for at, name in enumerate(COUNTED):
            own = series.counts[sent, SEEN.index(name)] if name in SEEN else None
            counts[:, 2 * at : 2 * at + 2] = series.motorcycle[sent] if own is None else own
        light = series.light[sent]
        percent = np.array([CONFIDENCE_PERCENT[name] for name in LIGHTS])[light]
        seen = series.counts[sent, : len(CLASSES)].sum(axis=2) > 0
        sure = np.where(seen, percent, NO_CONFIDENCE)
        return ReportArrays(
            seq=np.arange(1, len(sent) + 1),
            start_s=int(self.era.start.timestamp()) + sent * QUARTER_S,
            flags=series.flags[sent],
            observed_s=series.observed_s[sent],
            counts=counts,
            confidence=sure[:, [CLASSES.index(name) for name in KNOWN]],
            light=np.array([LIGHT_LETTERS[name] for name in LIGHTS])[light],
            car_speed=speeds_of(self.truth, self.seed)[sent],
        )

    def reports(self, start: datetime, end: datetime) -> Iterator[Report]:
        """Yield the reports between two moments as messages of the sensor."""
        span = self.span(start, end)
        if span.stop == span.start:
            return
        for report in reports_of(self.truth, self.era.start, self.seed, first_quarter=span.start):
            if report.period_start >= self.era.start + span.stop * timedelta(seconds=QUARTER_S):
                return
            yield msgspec.structs.replace(report, sensor=self.watch.sensor)


def draw(plan: TownPlan, town: Town, cast: Cast, watches: tuple[SensorStay, ...], era: Era) -> Iterator[Drawn]:
    """Draw what every watch has seen in an era, one after the other; the same plan gives the same."""
    seed = plan.seed + era.number
    fleet = Fleet(
        {town.name: tuple(_simulated(watch, era) for watch in watches)},
        (town,),
        era.first_day,
        era.days,
        measures=measures_of(plan, cast),
        seed=seed,
    )
    by_name = {watch.simulated: watch for watch in watches}
    for truth in fleet.truths():
        yield Drawn(by_name[truth.series.sensor.name], era, seed, truth)


def _simulated(watch: SensorStay, era: Era) -> SimulatedSensor:
    since = -365 if watch.from_at is None else (watch.from_at - era.start).days
    return SimulatedSensor(watch.simulated, watch.street, watch.kind, since_day=since)
