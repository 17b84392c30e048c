"""Simulated sensors as real clients: each with its own password, and the outbox and publisher of the device itself.

Only the counting is left out: a quarter that the fleet's clock has passed goes into the sensor's outbox as if it had been
counted. Restarted on the same state folders, the sensors go on where they were.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np

from telstraat_contract.messages import Counts, Directed, Health, Live, Report, decode
from telstraat_contract.quarters import QUARTER_S
from telstraat_contract.topics import Channel
from telstraat_device.delivery.outbox import Outbox
from telstraat_device.delivery.publisher import Publisher, PublisherCallbacks, spread_of
from telstraat_device.health import Condition, health_messages
from telstraat_device.quarters.periods import SavedState
from telstraat_device.quarters.tally import Quarter, Tally
from telstraat_device.settings import BrokerSettings, SendSettings, SensorSettings, Settings, StorageSettings
from telstraat_firmware_sim.errors import FleetError

STEP_S = 0.2
FPS = 15.0
"""What each says of its camera: frames a second."""
START_APART_S = 0.02  # a hundred clients at once would be a burst that no street knows
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FleetClock:
    """The fleet's own time: it begins at `start_utc` when the wall shows `wall_s`, runs `speed` times as fast, and stops."""

    start_utc: datetime
    end_utc: datetime
    speed: float = 1.0
    wall_s: float = 0.0

    def now_s(self) -> float:
        """Return the moment as seconds of UTC."""
        start_s = self.start_utc.timestamp()
        return min(self.end_utc.timestamp(), start_s + max(0.0, time.time() - self.wall_s) * self.speed)

    @property
    def over(self) -> bool:
        """Whether the period has passed."""
        return self.now_s() >= self.end_utc.timestamp()


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """How the sensors reach the broker, and where they keep their files."""

    host: str
    port: int
    passwords: Path
    """A folder with a file for each sensor, named after it."""
    state: Path
    """A folder with a state folder for each sensor."""
    tls: bool | None = None
    ca_file: str = ""
    keepalive_s: int = 60
    spread_s: float = 60.0
    resend_s: float = 30.0
    resend_max_s: float = 3600.0

    def settings(self, sensor: str) -> Settings:
        """Return the settings of one sensor's device."""
        return Settings(
            sensor=SensorSettings(name=sensor, password_file=str(self.passwords / sensor)),
            broker=BrokerSettings(
                host=self.host, port=self.port, tls=self.tls, ca_file=self.ca_file, keepalive_s=self.keepalive_s
            ),
            send=SendSettings(spread_s=self.spread_s, resend_s=self.resend_s, resend_max_s=self.resend_max_s),
            storage=StorageSettings(folder=str(self.state / sensor)),
        )


class FleetSensor:
    """One sensor that has counted already: its reports, its outbox, its publisher."""

    def __init__(self, reports: Sequence[Report], settings: Settings, clock: FleetClock) -> None:
        self.name = settings.sensor.name
        self.clock = clock
        self._reports = reports
        self.outbox = Outbox(
            Path(settings.storage.folder), self.name, spread_s=spread_of(self.name, settings.send.spread_s)
        )
        self._state, _, self._restarts = self.outbox.begin()
        self.publisher = Publisher(
            settings, self.outbox, PublisherCallbacks(self._health, self.live, lambda *_: None, clock.now_s)
        )

    @property
    def total(self) -> int:
        """How many reports it will have."""
        return len(self._reports)

    @property
    def closed(self) -> int:
        """How many of its reports are in its outbox."""
        return sum(1 for report in self._reports if report.period_start.timestamp() < self._state.closed_until_s)

    def step(self, wait_s: float = STEP_S) -> None:
        """Close the quarters that have passed, then let the publisher do what is due."""
        self.close_quarters()
        self.publisher.step(wait_s)

    def close_quarters(self) -> None:
        """Put every quarter that has passed into the outbox, in one transaction."""
        now_s = self.clock.now_s()
        done_s = self._state.closed_until_s
        passed = [report for report in self._reports if done_s <= report.period_start.timestamp() <= now_s - QUARTER_S]
        if passed:
            state = SavedState(closed_until_s=int(passed[-1].period_start.timestamp()) + QUARTER_S)
            if self.outbox.save(state, [quarter_of(report) for report in passed]):
                self._state = state

    def live(self) -> Live | None:
        """Return the open quarter so far, as a device sends it to whoever looks: each crossing of its report has its moment."""
        now_s = self.clock.now_s()
        open_s = int(now_s) // QUARTER_S * QUARTER_S
        report = next((each for each in self._reports if int(each.period_start.timestamp()) == open_s), None)
        return None if report is None else live_of(report, now_s - open_s)

    def finish(self, limit_s: float, skip_waiting: threading.Event) -> bool:
        """Close what has passed, send everything and wait for the receipts; tell whether all have come."""
        self.close_quarters()
        return self.publisher.flush(limit_s, skip_waiting)

    def leave(self) -> None:
        """Say good-bye to the broker; the outbox can still be asked."""
        self.publisher.close()

    def close(self) -> None:
        """Close the outbox."""
        self.outbox.close()

    def _health(self) -> list[Health]:
        condition = Condition(
            at_s=self.clock.now_s(), clock_trusted=True, config=0, fps=FPS, dropped_frames=0,
            restarts=self._restarts, alarms=tuple(self.publisher.alarms()),
        )  # fmt: skip
        return health_messages(self.name, self.outbox, condition)


@dataclass
class SendingProgress:
    """How far a fleet has come."""

    closed: int = 0
    waiting: int = 0
    finished: int = 0


class FleetPublisher:
    """Several sensors in one process, a thread each."""

    def __init__(self, reports: Mapping[str, Iterable[Report]], wire: Wire, clock: FleetClock) -> None:
        missing = [name for name in reports if not (wire.passwords / name).is_file()]
        if missing:
            raise FleetError(f"no password for sensor {missing[0]!r}: there is no file {wire.passwords / missing[0]}")
        self.clock = clock
        self.stopping = threading.Event()
        self.sensors = [
            FleetSensor(list(until(own, clock.end_utc)), wire.settings(name), clock) for name, own in reports.items()
        ]
        self._finished: set[str] = set()
        self._errors: list[str] = []
        self._threads = [
            threading.Thread(target=self._run, args=(sensor,), name=sensor.name) for sensor in self.sensors
        ]

    def start(self) -> None:
        """Let every sensor begin."""
        for thread in self._threads:
            thread.start()
            time.sleep(START_APART_S)

    def progress(self) -> SendingProgress:
        """Tell how far all have come together."""
        waiting = sum(sensor.outbox.waiting_count() for sensor in self.sensors if sensor.name not in self._finished)
        return SendingProgress(sum(sensor.closed for sensor in self.sensors), waiting, len(self._finished))

    @property
    def running(self) -> bool:
        """Whether a sensor has still something to do."""
        return any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Ask all to end; what waits is kept in their outboxes."""
        self.stopping.set()

    def join(self) -> bool:
        """Wait for all to end; tell whether every report has its receipt."""
        for thread in self._threads:
            thread.join()
        for sensor in self.sensors:
            sensor.close()
        return not self._errors and len(self._finished) == len(self.sensors)

    def _run(self, sensor: FleetSensor) -> None:
        try:
            while not self.stopping.is_set() and not self.clock.over:
                sensor.step()
            while not self.stopping.is_set():
                if sensor.finish(STEP_S * 5, self.stopping):
                    self._finished.add(sensor.name)
                    return
        finally:
            if sensor.name not in self._finished and not self.stopping.is_set():
                self._errors.append(sensor.name)
            sensor.leave()


def live_of(report: Report, elapsed_s: float) -> Live:
    """Return what a quarter's sensor has counted after so many seconds of it; it ends as its report says."""
    share = min(1.0, max(0.0, elapsed_s / QUARTER_S))
    rng = np.random.default_rng([report.epoch & 0xFFFF_FFFF, report.seq])
    counts = {
        name: Directed(*(int((rng.random(number) < share).sum()) for number in (pair.lft, pair.rgt)))
        for name, pair in msgspec.structs.asdict(report.counts).items()
    }
    counts["motorcycle"] = Directed(
        min(counts["motorcycle"].lft, counts["bike"].lft), min(counts["motorcycle"].rgt, counts["bike"].rgt)
    )
    return Live(
        sensor=report.sensor,
        at=report.period_start + timedelta(seconds=int(elapsed_s)),
        period_start=report.period_start,
        observed_s=int(report.observed_s * share),
        counts=Counts(**counts),
        light=report.light,
    )


def read_reports(path: Path) -> Iterator[Report]:
    """Yield the reports of a file that holds one a line, as they go on the wire."""
    with path.open("rb") as file:
        for line in file:
            yield decode(Channel.REPORT, line)


def until(reports: Iterable[Report], end_utc: datetime) -> Iterator[Report]:
    """Yield the reports of quarters that end by then."""
    for report in reports:
        if report.period_start.timestamp() + QUARTER_S > end_utc.timestamp():
            return
        yield report


def quarter_of(report: Report) -> Quarter:
    """Return the quarter whose report this is, as the device's own parts would have left it."""
    counts = {name: pair for name, pair in msgspec.structs.asdict(report.counts).items() if pair.lft or pair.rgt}
    sure = {name: percent for name, percent in msgspec.structs.asdict(report.confidence).items() if percent is not None}
    tally = Tally(
        counts={name: (pair.lft, pair.rgt) for name, pair in counts.items()},
        sureness={name: (percent / 100.0, 1) for name, percent in sure.items()},
        car_speed=None if report.car_speed is None else list(report.car_speed),
        observed_s=float(report.observed_s),
        light_s={report.light: 1.0},
        flags=report.flags,
    )
    return Quarter(start_s=int(report.period_start.astimezone(UTC).timestamp()), tally=tally)
