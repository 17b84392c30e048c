"""The database goes away for an hour while a fleet counts on: what that costs, and what the table holds afterwards.

    python -m bench.ingest.outage [--minutes 60] [--sensors 200] [--speed 30] [--json OUT]

One machine: Mosquitto, PostgreSQL with fsync on, two ingesters and sensors that have real outboxes and publishers with the
device's own settings. The fleet's clock runs `speed` times as fast; the outage is real time. Exit code 0: every report
stands in the table once, byte for byte, and each ingester spoke of the outage once.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psycopg

from telstraat_contract.messages import encode
from telstraat_contract.quarters import QUARTER_S
from telstraat_demo.chaos.registration import register_fleet
from telstraat_demo.chaos.run import differences
from telstraat_demo.run.reconciliation import stored_reports
from telstraat_demo.stack.broker import Broker
from telstraat_demo.stack.child import Program
from telstraat_demo.stack.postgres import Postgres
from telstraat_demo.stack.processes import ProgramService
from telstraat_firmware_sim.chaos.devices import DevicesPlan
from telstraat_firmware_sim.fleet.fleet import FleetSettings, made_up_fleet
from telstraat_firmware_sim.fleet.publish import FleetClock, read_reports, until
from telstraat_store.schema.migrate import migrate

INGESTERS = 2
SENSORS_A_PROCESS = 100
BEFORE_S, AFTER_S = 90.0, 90.0
LOOK_S = 10.0
CATCH_UP_LOOK_S = 0.2
DRAIN_S = 600.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Outage:
    """What one outage has shown; memory is resident memory in MB: at the begin, after a quarter and at the end of the outage, and its peak."""

    minutes: float
    sensors: int
    speed: float
    reports: int = 0
    reports_during: int = 0
    away_s: float = 0.0
    log_lines: dict[str, int] = field(default_factory=dict)
    memory_mb: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)
    """CPU seconds during the outage."""
    died: list[str] = field(default_factory=list)
    first_row_s: float = 0.0
    """From the database's return to the first new row."""
    caught_up_s: float = 0.0
    """From the database's return until the table has what was closed by then."""
    drained: bool = False
    differing: int = 0
    quarantined: int = 0
    gaps: int = 0

    @property
    def green(self) -> bool:
        """Whether the table is the truth, nothing died, and each ingester spoke once."""
        once = all(lines == 1 for name, lines in self.log_lines.items() if name.startswith("ingester"))
        return self.drained and once and not (self.differing or self.died or self.quarantined or self.gaps)


class World:
    """The processes of one run, below a folder."""

    def __init__(self, folder: Path, outage: Outage, stack: ExitStack) -> None:
        self.folder, self.outage = folder, outage
        self.services: dict[str, ProgramService] = {}
        total_s = BEFORE_S + outage.minutes * 60 + AFTER_S
        days = math.ceil(total_s * outage.speed / 86_400) + 1
        first = datetime.now(UTC).date() - timedelta(days=days)
        start = datetime(first.year, first.month, first.day, tzinfo=UTC)
        fleet = made_up_fleet(FleetSettings(sensors=outage.sensors, start=first, days=days, seed=1))
        self.names = fleet.names
        end = start + timedelta(seconds=total_s * outage.speed)
        (folder / "reports").mkdir()
        for name in self.names:
            lines = (encode(report) + b"\n" for report in until(fleet.reports(name), end))
            (folder / "reports" / f"{name}.jsonl").write_bytes(b"".join(lines))
        self.database = Postgres(folder / "database", durable=True)
        self.database.start()
        stack.callback(self.database.forget)
        migrate(self.database.dsn())
        register_fleet(self.database.dsn(), fleet, folder / "access", folder / "passwords")
        self.broker = Broker(folder / "broker", access=folder / "access", kind="mosquitto")
        self.broker.start()
        stack.callback(self.broker.stop)
        for number in range(1, INGESTERS + 1):
            self._begin(stack, f"ingester-{number}", ["telstraat_cli", "ingest"], self._ingest_settings(number))
        self.clock = FleetClock(start, end, outage.speed, time.time() + 2.0)
        for number in range(math.ceil(outage.sensors / SENSORS_A_PROCESS)):
            plan = self._plan(number, math.ceil(outage.sensors / SENSORS_A_PROCESS))
            self._begin(stack, f"sensors-{number + 1}", ["telstraat_firmware_sim.chaos.devices", str(plan)], {})

    def closed(self, now_s: float) -> int:
        """Return how many reports the fleet has closed by a moment of its clock."""
        begin, end = self.clock.start_utc.timestamp(), self.clock.end_utc.timestamp()
        passed = min(end, now_s) - QUARTER_S
        return sum(
            1
            for name in self.names
            for report in read_reports(self.folder / "reports" / f"{name}.jsonl")
            if begin <= report.period_start.timestamp() <= passed
        )

    def rows(self) -> int:
        """Return how many reports the table has."""
        with psycopg.connect(self.database.dsn()) as connection:
            row = connection.execute("select count(*) from report").fetchone()
        return row[0] if row else 0

    def pids(self) -> dict[str, int]:
        """Return the processes that must hold out."""
        children = {name: service.child for name, service in self.services.items()} | {"broker": self.broker.child}
        return {name: child.pid for name, child in children.items() if child is not None and child.running}

    def _begin(self, stack: ExitStack, name: str, words: list[str], env: dict[str, str]) -> None:
        program = Program(
            name=name, argv=[sys.executable, "-m", *words], log=self.folder / "log" / f"{name}.log",
            env={"PYTHONUNBUFFERED": "1", **env},
        )  # fmt: skip
        service = self.services[name] = ProgramService(program, ends=name.startswith("sensors"))
        service.start()
        stack.callback(service.stop)

    def _ingest_settings(self, number: int) -> dict[str, str]:
        return {
            "TELSTRAAT_DSN": self.database.dsn(),
            "TELSTRAAT_INGEST_BROKER": self.broker.url,
            "TELSTRAAT_INGEST_BROKER_PASSWORD_FILE": str(self.folder / "access" / "ingest.password"),
            "TELSTRAAT_INGEST_NAME": f"ingester-{number}",
        }

    def _plan(self, number: int, processes: int) -> Path:
        wire: dict[str, str | int | float] = {
            "host": self.broker.host, "port": self.broker.port, "passwords": str(self.folder / "passwords"),
            "state": str(self.folder / "state"),
        }  # fmt: skip
        plan = DevicesPlan(
            names=self.names[number::processes], reports=str(self.folder / "reports"), start_utc=self.clock.start_utc,
            end_utc=self.clock.end_utc, speed=self.clock.speed, wall_s=self.clock.wall_s, wire=wire,
        )  # fmt: skip
        path = self.folder / f"sensors-{number + 1}.json"
        path.write_bytes(msgspec.json.encode(plan))
        return path


def go_without(world: World, tell: Callable[[str], None]) -> None:
    """Take the database away for as long as asked, and look at memory and logs meanwhile."""
    outage = world.outage
    pids = world.pids()
    logs = {name: service.program.log for name, service in world.services.items()}
    before = {name: (rss_mb(pid), cpu_s(pid), log_lines(logs.get(name))) for name, pid in pids.items()}
    peak = {name: sample[0] for name, sample in before.items()}
    quarter: dict[str, float] = {}
    closed_before = world.closed(world.clock.now_s())
    world.database.stop()
    began_s = time.monotonic()
    tell(f"the database is away; {closed_before} reports were closed")
    while time.monotonic() - began_s < outage.minutes * 60:
        time.sleep(min(LOOK_S, max(0.0, began_s + outage.minutes * 60 - time.monotonic())))
        for name in [name for name, pid in pids.items() if not alive(pid) and name not in outage.died]:
            outage.died.append(name)
        peak |= {name: max(peak[name], rss_mb(pid)) for name, pid in pids.items() if alive(pid)}
        if not quarter and time.monotonic() - began_s >= outage.minutes * 15:
            quarter = {name: rss_mb(pid) for name, pid in pids.items()}
    for name, pid in pids.items():
        mb, used_s, lines = before[name]
        outage.memory_mb[name] = (mb, quarter.get(name, 0.0), rss_mb(pid), peak[name])
        outage.cpu_s[name] = round(cpu_s(pid) - used_s, 1)
        if name in logs:
            outage.log_lines[name] = log_lines(logs[name]) - lines
    now_s = world.clock.now_s()
    closed = world.closed(now_s)
    outage.reports_during = closed - closed_before
    outage.away_s = round(time.monotonic() - began_s, 1)
    tell(f"{outage.reports_during} more were closed in {outage.away_s:g} s; the database comes back")
    catch_up(world, closed)


def catch_up(world: World, closed: int) -> None:
    """Start the database and wait until the table has as many reports as were closed by then."""
    world.database.start()
    began_s = time.monotonic()
    rows_before = rows = world.rows()
    while rows < closed and time.monotonic() - began_s < DRAIN_S:
        time.sleep(CATCH_UP_LOOK_S)
        rows = world.rows()
        if rows > rows_before and not world.outage.first_row_s:
            world.outage.first_row_s = round(time.monotonic() - began_s, 1)
    world.outage.caught_up_s = round(time.monotonic() - began_s, 1)


def compare(world: World) -> None:
    """Wait until every sensor has all its receipts, then compare the table with what they closed."""
    outage = world.outage
    sensors = [service for name, service in world.services.items() if name.startswith("sensors")]
    end_s = time.monotonic() + AFTER_S + DRAIN_S
    while any(service.running for service in sensors) and time.monotonic() < end_s:
        time.sleep(1.0)
    outage.drained = all(service.done for service in sensors)
    for name in world.names:
        truth = list(until(read_reports(world.folder / "reports" / f"{name}.jsonl"), world.clock.end_utc))
        outage.reports += len(truth)
        outage.differing += len(differences(truth, stored_reports(world.database.dsn(), name)))
    with psycopg.connect(world.database.dsn()) as connection:
        row = connection.execute(
            "select (select count(*) from quarantine), (select count(*) from stream_gap)"
        ).fetchone()
    outage.quarantined, outage.gaps = row or (0, 0)


def alive(pid: int) -> bool:
    """Tell whether a process runs."""
    return rss_mb(pid) > 0


def rss_mb(pid: int) -> float:
    """Return the resident memory of a process, 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    kb = next((line.split()[1] for line in text.splitlines() if line.startswith("VmRSS")), "0")
    return round(int(kb) / 1024, 1)


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def log_lines(log: Path | None) -> int:
    """Return how many lines a log has."""
    return log.read_bytes().count(b"\n") if log is not None and log.exists() else 0


def run(outage: Outage, folder: Path, tell: Callable[[str], None]) -> None:
    """Run once: some time with the database, the outage, the way back, and the comparison."""
    with ExitStack() as stack:
        world = World(folder, outage, stack)
        tell(f"{len(world.names)} sensors, a quarter each {QUARTER_S / outage.speed:g} s")
        time.sleep(BEFORE_S)
        go_without(world, tell)
        tell(f"caught up in {outage.caught_up_s:g} s")
        compare(world)


def main() -> int:
    """Run and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long the database is away (60)")
    parser.add_argument("--sensors", type=int, default=200, help="how many sensors count (200)")
    parser.add_argument("--speed", type=float, default=30.0, help="the fleet's clock: 30 closes a quarter in 30 s (30)")
    parser.add_argument("--dir", type=Path, help="an empty folder to keep everything in")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    outage = Outage(args.minutes, args.sensors, args.speed)
    with tempfile.TemporaryDirectory(prefix="telstraat-outage-") as name:
        folder = args.dir or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)  # the database's account must be able to pass
        run(outage, folder, lambda text: print(f"{datetime.now(UTC):%H:%M:%S} {text}", flush=True))
    for key, value in asdict(outage).items():
        print(f"{key:<15} {value}")
    if outage.caught_up_s:
        print(f"caught up {outage.away_s / outage.caught_up_s:.0f} times as fast as it was missed")
    print("green" if outage.green else "RED")
    if args.json:
        args.json.write_text(json.dumps(asdict(outage) | {"green": outage.green}, indent=2))
    return 0 if outage.green else 1


if __name__ == "__main__":
    sys.exit(main())
