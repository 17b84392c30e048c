"""The chaos run: a fleet, two ingesters, a broker and a database of their own, hurt by a schedule, and the table afterwards.

Devices reach the broker, ingesters the broker and the database, each through a fault proxy. At the end everything is healed,
the devices send what they have, and every report must stand in the table once, byte for byte as it was closed.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from telstraat_contract.messages import Report, encode
from telstraat_demo.chaos.figures import Figures, IngesterFigures, faults_of, sums_of_sensors
from telstraat_demo.errors import StackError
from telstraat_demo.run.reconciliation import stored_reports
from telstraat_demo.stack.broker import Broker, Kind
from telstraat_demo.stack.child import Child, Program
from telstraat_demo.stack.ports import LOOPBACK, free_port
from telstraat_demo.stack.postgres import Postgres
from telstraat_demo.stack.processes import ProgramService, SupervisedService
from telstraat_firmware_sim.chaos.devices import DevicesPlan
from telstraat_firmware_sim.chaos.fault_proxy import FaultProxy
from telstraat_firmware_sim.chaos.hostile import HostilePlan
from telstraat_firmware_sim.chaos.schedule import History, Operation, schedule_of
from telstraat_firmware_sim.fleet.fleet import Fleet, FleetSettings, made_up_fleet
from telstraat_firmware_sim.fleet.publish import read_reports, until

LOOK_S = 0.05
DRAIN_MIN_S = 150.0  # the device's longest wait before it connects again is 60 s, and may come twice
INGEST_KEEPALIVE_S = 5
DEVICE_KEEPALIVE_S = 4
HOSTILE = "hostile-1"
OTHERS = """
select count(*) from {} where sensor_id is distinct from (select sensor_id from sensor where name = %s)
"""
"""How many rows of a table are not the hostile sensor's."""


@dataclass(frozen=True, kw_only=True)
class ChaosSettings:
    """What a run is like."""

    seconds: float = 60.0
    seed: int = 1
    sensors: int = 20
    processes: int = 4
    ingesters: int = 2
    speed: float = 900.0
    """Seconds of the fleet in a second: at 900 every sensor closes a quarter a second."""
    broker: Kind | None = None
    hostile: bool = True
    """One sensor more does its worst all along; only with Mosquitto, which amqtt cannot keep up with."""


@dataclass
class ChaosVerdict:
    """What the run has shown."""

    settings: ChaosSettings
    reports: int = 0
    """How many the sensors have closed."""
    rows: int = 0
    """How many the table has of them."""
    epochs: int = 0
    operations: int = 0
    figures: Figures | None = None
    deaths: list[str] = field(default_factory=list)
    """Processes that ended without having been told to."""
    differences: list[str] = field(default_factory=list)
    quarantined: int = 0
    gaps: int = 0
    drained: bool = False
    drain_s: float = 0.0
    took_s: float = 0.0
    history: Path | None = None

    @property
    def differing(self) -> int:
        """How many quarters differ between sensors and table."""
        return len(self.differences)

    @property
    def green(self) -> bool:
        """Whether truth equals table, and nothing died that was not killed."""
        return self.drained and not (self.differences or self.deaths or self.quarantined or self.gaps)


class ChaosRun:
    """The processes and links of one run, below a folder."""

    def __init__(self, settings: ChaosSettings, folder: Path, tell: Callable[[str], None]) -> None:
        self.settings, self.folder, self.tell = settings, folder, tell
        self.history = History(settings.seed)
        self.services: dict[str, SupervisedService] = {}
        self.links: dict[str, FaultProxy] = {}
        self.names: tuple[str, ...] = ()
        self._down: set[str] = set()
        self._paused: dict[str, list[int]] = {}
        self._deaths: list[str] = []
        self._ports: dict[str, int] = {}
        self._ingesters = IngesterFigures(self._ports, self.services)
        self._stack = contextlib.ExitStack()
        days = math.ceil(settings.seconds * settings.speed / 86_400) + 1
        self._days = days
        self._first = datetime.now(UTC).date() - timedelta(days=days)
        self.start_utc = datetime(self._first.year, self._first.month, self._first.day, tzinfo=UTC)
        self.end_utc = self.start_utc + timedelta(seconds=settings.seconds * settings.speed)

    # The way of a run

    def run(self) -> ChaosVerdict:
        """Start everything, hurt it, heal it, let it drain, and compare."""
        try:
            return self._run()
        except StackError as error:  # something did not come back: what was done until then is worth reading
            self.history.note("gave up", "run", "failed", str(error))
            self.history.save(self._history_file, asdict(self.settings))
            raise

    @property
    def _history_file(self) -> Path:
        return self.folder / f"history-{self.settings.seed}.jsonl"

    def _run(self) -> ChaosVerdict:
        with self._stack:
            self._stack.callback(self._stop_all)
            self._start()
            operations = self._schedule()
            self.tell(f"{len(self.names)} sensors, {len(operations)} operations in {self.settings.seconds:g} s")
            self._hurt(operations)
            self._heal()
            verdict = ChaosVerdict(self.settings, operations=len(operations))
            verdict.drained, verdict.drain_s = self._drain()
            verdict.figures = Figures(
                faults_of(self.history.entries), self._ingesters.close(), sums_of_sensors(self.folder / "figures")
            )
            self._compare(verdict)
            verdict.deaths = self._deaths
            verdict.took_s = round(self.history.now_s, 1)
        for difference in verdict.differences:
            self.history.note("difference", "table", "failed", difference)
        verdict.history = self._history_file
        self.history.save(verdict.history, asdict(self.settings))
        return verdict

    def _start(self) -> None:
        self.tell("starting the database")
        database = Postgres(self.folder / "database")
        self.services["database"] = database
        database.start()
        self._stack.callback(database.forget)
        fleet = self._fleet()
        self._register(database.dsn(), fleet)
        self._register_hostile(database.dsn())
        self.tell("starting the broker, the ingesters and the sensors")
        broker = Broker(self.folder / "broker", access=self.folder / "access", kind=self.settings.broker)
        self.services["broker"] = broker
        broker.start()
        for name, port in (
            ("devices-link", broker.port),
            ("ingest-link", broker.port),
            ("database-link", database.port),
        ):
            self.links[name] = self._stack.enter_context(FaultProxy(LOOPBACK, port))
        dsn = database.dsn().replace(f":{database.port}/", f":{self.links['database-link'].port}/")
        many = self.settings.ingesters if broker.kind == "mosquitto" else 1
        for number in range(1, many + 1):
            self._add(f"ingester-{number}", ["telstraat_cli", "ingest"], self._ingest_environment(number, dsn))
        wall_s = time.time() + 1.0
        for number, names in enumerate(self._shares(), 1):
            plan = self._plan(number, names, wall_s)
            self._add(f"devices-{number}", ["telstraat_firmware_sim.chaos.devices", str(plan)], {}, ends=True)
        if self.settings.hostile and broker.kind == "mosquitto":
            self._add("hostile", ["telstraat_firmware_sim.chaos.hostile", str(self._hostile_plan())], {})
        self._ingesters.start()
        self._stack.callback(self._ingesters.close)
        self.history.begin()

    def _schedule(self) -> list[Operation]:
        return schedule_of(self.settings.seed, self.settings.seconds, list(self.services), list(self.links))

    def _hurt(self, operations: list[Operation]) -> None:
        """Carry the schedule out, and look for deaths that were not asked for."""
        begins = sorted(operations, key=lambda operation: operation.at_s)
        ends: list[Operation] = []
        while begins or ends or self.history.now_s < self.settings.seconds:
            now_s = self.history.now_s
            for operation in [o for o in ends if o.until_s <= now_s]:
                ends.remove(operation)
                self._try(operation, self._undo)
            while begins and begins[0].at_s <= now_s:
                operation = begins.pop(0)
                if self._try(operation, self._do) and operation.for_s:
                    ends.append(operation)
            self._look_for_deaths()
            time.sleep(LOOK_S)

    def _try(self, operation: Operation, act: Callable[[Operation], None]) -> bool:
        done = act.__name__.strip("_")
        try:
            act(operation)
        except (OSError, StackError) as error:
            self.history.note(f"{done} {operation.verb}", operation.target, "failed", str(error))
            return False
        amount = f"{operation.amount:g}" if operation.amount else ""
        self.history.note(f"{done} {operation.verb}", operation.target, "ok", amount)
        return True

    def _do(self, operation: Operation) -> None:
        target = operation.target
        if target in self.links:
            self._worsen(self.links[target], operation)
            return
        service = self.services[target]
        if operation.verb == "pause":
            self._pause(target)
        elif service.child is not None:
            self._down.add(target)
            if operation.verb == "kill":
                service.child.kill()
            elif service.child.running:
                service.child.process.send_signal(service.child.program.stop_signal)

    def _undo(self, operation: Operation) -> None:
        target = operation.target
        if target in self.links:
            self.links[target].heal()
        elif operation.verb == "pause":
            self._resume(target)
        else:
            self._bring_back(target)

    def _heal(self) -> None:
        """Make everything whole that still is not."""
        for link in self.links.values():
            link.heal()
        for name in list(self._paused):
            self._resume(name)
        for name in list(self._down):
            self._bring_back(name)

    def _drain(self) -> tuple[bool, float]:
        """Wait until every device has ended with all its receipts; tell whether they did, and how long it took."""
        self.tell("healed; the sensors send what they have")
        began_s = self.history.now_s
        limit_s = began_s + max(DRAIN_MIN_S, self.settings.seconds)
        devices = [service for name, service in self.services.items() if name.startswith("devices-")]
        while self.history.now_s < limit_s:
            self._look_for_deaths()
            if not any(service.running for service in devices):
                break
            time.sleep(LOOK_S)
        done = all(isinstance(service, ProgramService) and service.done for service in devices)
        self.history.note("drain", "devices", "ok" if done else "failed")
        return done, round(self.history.now_s - began_s, 1)

    def _compare(self, verdict: ChaosVerdict) -> None:
        """Compare the table with what the sensors closed."""
        import psycopg

        database = self.services["database"]
        assert isinstance(database, Postgres)
        for name in self.names:
            truth = list(until(read_reports(self.folder / "reports" / f"{name}.jsonl"), self.end_utc))
            verdict.reports += len(truth)
            stored = stored_reports(database.dsn(), name)
            verdict.rows += len(stored)
            verdict.differences += differences(truth, stored)
        with psycopg.connect(database.dsn()) as connection:
            for name, table in (("quarantined", "quarantine"), ("gaps", "stream_gap"), ("epochs", "stream")):
                count = connection.execute(OTHERS.format(table).encode(), (HOSTILE,)).fetchone()
                setattr(verdict, name, _one(count))

    # Its parts

    def _fleet(self) -> Fleet:
        """Make the fleet and write down what each sensor will report."""
        kinds = {"telstraat": 3.0, "v1": 1.0, "s2": 1.0}
        settings = FleetSettings(
            sensors=self.settings.sensors, start=self._first, days=self._days, seed=self.settings.seed, kinds=kinds
        )
        fleet = made_up_fleet(settings)
        self.names = fleet.names
        (self.folder / "reports").mkdir(parents=True)
        for name in fleet.names:
            lines = (encode(report) + b"\n" for report in until(fleet.reports(name), self.end_utc))
            (self.folder / "reports" / f"{name}.jsonl").write_bytes(b"".join(lines))
        return fleet

    def _register(self, dsn: str, fleet: Fleet) -> None:
        """Give every sensor its street and its own password."""
        from telstraat_demo.chaos.registration import register_fleet
        from telstraat_store.schema.migrate import migrate

        migrate(dsn)
        register_fleet(dsn, fleet, self.folder / "access", self.folder / "passwords")

    def _register_hostile(self, dsn: str) -> None:
        """Give the hostile sensor a street, a name and a password like any other's."""
        import psycopg

        from telstraat_ingest.broker_access import write_access, write_secret
        from telstraat_store.places import add_sensor, draw_segment

        with psycopg.connect(dsn) as connection:
            segment = draw_segment(connection, "Hostile Lane", [(4.0, 50.0), (4.001, 50.0)])
            added = add_sensor(connection, HOSTILE, segment, from_at=datetime.now(UTC) - timedelta(days=400))
            write_secret(self.folder / "passwords" / HOSTILE, added.password + "\n")
            write_access(connection, self.folder / "access")

    def _hostile_plan(self) -> Path:
        plan = HostilePlan(
            name=HOSTILE, host=LOOPBACK, port=self.links["devices-link"].port, seed=self.settings.seed,
            password_file=str(self.folder / "passwords" / HOSTILE),
        )  # fmt: skip
        path = self.folder / "hostile.json"
        path.write_bytes(msgspec.json.encode(plan))
        return path

    def _ingest_environment(self, number: int, dsn: str) -> dict[str, str]:
        port = self._ports[f"ingester-{number}"] = free_port()
        return {
            "TELSTRAAT_INGEST_METRICS_PORT": str(port),
            "TELSTRAAT_DSN": dsn,
            "TELSTRAAT_INGEST_BROKER": f"mqtt://{LOOPBACK}:{self.links['ingest-link'].port}",
            "TELSTRAAT_INGEST_BROKER_PASSWORD_FILE": str(self.folder / "access" / "ingest.password"),
            "TELSTRAAT_INGEST_NAME": f"ingester-{number}",
            "TELSTRAAT_INGEST_KEEPALIVE_S": str(INGEST_KEEPALIVE_S),
        }

    def _shares(self) -> Iterator[tuple[str, ...]]:
        processes = min(self.settings.processes, len(self.names))
        for number in range(processes):
            yield self.names[number::processes]

    def _plan(self, number: int, names: tuple[str, ...], wall_s: float) -> Path:
        """Write the plan of one device process."""
        wire: dict[str, str | int | float] = {
            "host": LOOPBACK, "port": self.links["devices-link"].port, "keepalive_s": DEVICE_KEEPALIVE_S,
            "passwords": str(self.folder / "passwords"), "state": str(self.folder / "state"),
            "spread_s": 60.0, "resend_s": 2.0, "resend_max_s": 8.0,
        }  # fmt: skip
        plan = DevicesPlan(
            names=names, reports=str(self.folder / "reports"), start_utc=self.start_utc, end_utc=self.end_utc,
            speed=self.settings.speed, wall_s=wall_s, wire=wire, figures=str(self.folder / "figures"),
        )  # fmt: skip
        path = self.folder / f"devices-{number}.json"
        path.write_bytes(msgspec.json.encode(plan))
        return path

    def _add(self, name: str, words: list[str], env: dict[str, str], *, ends: bool = False) -> None:
        program = Program(
            name=name, argv=[sys.executable, "-m", *words], log=self.folder / "log" / f"{name}.log",
            env={"PYTHONUNBUFFERED": "1", **env},
        )  # fmt: skip
        service = ProgramService(program, ends=ends)
        self.services[name] = service
        service.start()

    def _worsen(self, link: FaultProxy, operation: Operation) -> None:
        if operation.verb == "delay":
            link.delay(operation.amount)
        elif operation.verb == "throttle":
            link.throttle(operation.amount)
        elif operation.verb == "blackhole":
            link.blackhole()
        elif operation.verb == "refuse":
            link.refuse()
        else:
            link.cut()

    def _pause(self, name: str) -> None:
        child = self.services[name].child
        if child is None or not child.running:
            return
        self._paused[name] = [child.pid, *family(child.pid)]
        for pid in self._paused[name]:
            _signal(pid, signal.SIGSTOP)

    def _resume(self, name: str) -> None:
        for pid in reversed(self._paused.pop(name, [])):
            _signal(pid, signal.SIGCONT)

    def _bring_back(self, name: str) -> None:
        self._down.discard(name)
        service = self.services[name]
        if service.child and service.running:  # asked to end, and had until now to do so
            service.child.kill()
        if not (isinstance(service, ProgramService) and service.done):
            service.start()

    def _look_for_deaths(self) -> None:
        """Write down and start again what ended without having been told to."""
        for name, service in self.services.items():
            if service.running or name in self._down or (isinstance(service, ProgramService) and service.done):
                continue
            child = service.child
            how = f"{name} {child.how_it_ended()}: {last_line(child)}" if child else f"{name} is gone"
            self._deaths.append(how)
            self.history.note("died", name, "failed", how)
            self._bring_back(name)

    def _stop_all(self) -> None:
        for name in list(self._paused):
            self._resume(name)
        for service in reversed(self.services.values()):
            if service.child:
                service.child.stop() if isinstance(service, Postgres) else service.child.kill()


def differences(truth: list[Report], rows: list[Report]) -> list[str]:
    """Say what is missing, doubled, invented or different, byte for byte but for the epoch, which the outbox draws."""
    stored: dict[datetime, list[Report]] = defaultdict(list)
    for row in rows:
        stored[row.period_start].append(row)
    lines = []
    for report in truth:
        place = f"{report.sensor} {report.period_start.isoformat()}"
        have = stored.pop(report.period_start, [])
        if len(have) != 1:
            lines.append(f"{place}: {'missing' if not have else f'{len(have)} rows'}")
            continue
        expected, got = encode(msgspec.structs.replace(report, epoch=have[0].epoch)), encode(have[0])
        if expected != got:
            lines.append(f"{place}: closed {expected.decode()}, stored {got.decode()}")
    lines += [f"{rows[0].sensor} {start.isoformat()}: nobody closed this quarter" for start in stored]
    return lines


def family(pid: int) -> list[int]:
    """Return the processes that a process has started, and theirs."""
    pids: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                pids += [child, *family(child)]
    return pids


def last_line(child: Child) -> str:
    """Return the last thing a program said."""
    words = child.last_words(1)
    return words.splitlines()[-1] if words else "it said nothing"


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _one(row: tuple[int] | None) -> int:
    return int(row[0]) if row else 0


def run_chaos(settings: ChaosSettings, folder: Path | None, tell: Callable[[str], None]) -> ChaosVerdict:
    """Run in `folder`, or in one that is kept only when the run is red."""
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise StackError(f"folder {folder} is not empty: give another, a run begins with nothing")
    own = folder or Path(tempfile.mkdtemp(prefix="telstraat-chaos-"))
    own.mkdir(parents=True, exist_ok=True)
    if folder is None:
        own.chmod(0o711)  # the database's account must be able to pass
    try:
        verdict = ChaosRun(settings, own, tell).run()
    except KeyboardInterrupt:
        if folder is None:
            shutil.rmtree(own, ignore_errors=True)
        raise
    if folder is None and verdict.green:
        shutil.rmtree(own, ignore_errors=True)
        verdict.history = None
    return verdict
