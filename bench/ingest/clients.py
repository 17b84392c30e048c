"""Which MQTT client ingest should have: our own and the kept libraries that allow manual acknowledgement, in one run.

    python -m bench.ingest.clients [--reports 20000] [--rounds 3] [--only ours awscrt ...] [--json OUT]

The same service, broker and database for each (bench/ingest/client); only the client differs. In each round, in an order
drawn anew: a queue of reports is worked off (reports a second, CPU, memory), reports come at a steady rate (publish to receipt),
a queue is worked off by an ingester that is killed again and again, and by one whose connection is cut again and again. Nobody
sends a report twice here, so what is missing at the end was acknowledged before it was committed, or never came. Last, messages of
MQTT 5 with 18 kB of user properties, as much as the broker lets any sensor send: milliseconds of CPU each.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import paho.mqtt.client as paho
import psycopg
from bench.ingest.client import RECEIVERS
from bench.ingest.throughput import BENCH_USER, World, cpu_s, drain, latency, publish, reports, running
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from telstraat_contract.messages import Report
from telstraat_contract.topics import Channel, topic
from telstraat_firmware_sim.chaos.fault_proxy import FaultProxy
from telstraat_ingest.broker_access import INGEST_USER

KILLS = CUTS = 6
LIFE_S = (0.05, 0.5)
"""An ingester is killed, and a connection is cut, so long after it stands: inside the work on the queue."""
STILL_S = 20.0
"""So long after the last new report the rest counts as lost."""
MISSING_AT_END_S = 120.0
PROPERTIES_MESSAGES, PROPERTIES_BYTES = 100, 18_000
PAIR_BYTES = 7
"""A user property of MQTT 5: its key, two lengths, and here two letters."""


def command(world: World, dsn: str, library: str, broker: str | None = None) -> list[str]:
    """Return the command of an ingester with one of the clients."""
    return [sys.executable, "-m", "bench.ingest.client", library, "--dsn", dsn, "--broker", broker or world.broker.url,
            "--name", library, "--broker-password-file", str(world.access / "ingest.password")]  # fmt: skip


def is_connected(line: str) -> bool:
    """Tell whether a line of the log says that the broker is there."""
    return "broker_connected" in line


def forget(world: World, library: str) -> None:
    """End the session of a client, so that its queue does not grow while others are measured."""
    secret = (world.access / "ingest.password").read_text(encoding="utf-8").strip()
    world.forget(f"telstraat-ingest-{library}", INGEST_USER, secret)


def throughput(world: World, library: str, messages: Sequence[Report]) -> dict[str, float]:
    """Work off a queue."""
    dsn = world.database()
    with running(command(world, dsn, library), is_connected) as process:
        figures = drain(world, [process], dsn, "report", messages, paused=True)
    forget(world, library)
    return figures


def waits(world: World, library: str, rate: int, seconds: float) -> dict[str, float]:
    """Time reports at a steady rate until their receipts."""
    figures = latency(world, rate, seconds, lambda dsn: command(world, dsn, library))
    forget(world, library)
    return {name: figures[name] for name in ("receipts", "p50_ms", "p99_ms")}


def missing(dsn: str, count: int) -> int:
    """Return how many reports are not in the table once nothing comes any more."""
    rows, changed_at_s, end_s = -1, time.monotonic(), time.monotonic() + MISSING_AT_END_S
    with psycopg.connect(dsn, autocommit=True) as connection:
        while time.monotonic() - changed_at_s < STILL_S and time.monotonic() < end_s:
            row = connection.execute("select count(*) from report").fetchone()
            assert row is not None
            if row[0] == count:
                return 0
            if row[0] != rows:
                rows, changed_at_s = row[0], time.monotonic()
            time.sleep(0.1)
    return count - rows


def queued(world: World, dsn: str, library: str, messages: Sequence[Report]) -> None:
    """Let an ingester subscribe and leave, and fill its queue at the broker."""
    with running(command(world, dsn, library), is_connected):
        time.sleep(0.5)
    publish(world, messages)


def lost_by_kills(world: World, library: str, messages: Sequence[Report]) -> int:
    """Kill the ingester (SIGKILL) again and again while it works off a queue, and count what is missing at the end."""
    dsn = world.database()
    queued(world, dsn, library, messages)
    for _ in range(KILLS):
        with running(command(world, dsn, library), is_connected):
            time.sleep(random.uniform(*LIFE_S))
    with running(command(world, dsn, library), is_connected):
        count = missing(dsn, len(messages))
    forget(world, library)
    return count


def after_cuts(world: World, library: str, messages: Sequence[Report]) -> dict[str, float]:
    """Cut the connection to the broker again and again; count what is missing at the end, and what even a fresh start does not bring."""
    dsn = world.database()
    queued(world, dsn, library, messages)
    with (
        FaultProxy(world.broker.host, world.broker.port) as proxy,
        running(command(world, dsn, library, f"mqtt://127.0.0.1:{proxy.port}"), is_connected),
    ):
        for _ in range(CUTS):
            time.sleep(random.uniform(*LIFE_S))
            proxy.cut()
            proxy.heal()
        stuck = missing(dsn, len(messages))
    lost = 0
    if stuck:
        with running(command(world, dsn, library), is_connected):
            lost = missing(dsn, len(messages))
    forget(world, library)
    return {"stuck_by_cuts": stuck - lost, "lost_by_cuts": lost}


def properties(world: World, library: str) -> dict[str, float]:
    """Send messages with long user properties, and return what each costs the ingester."""
    dsn = world.database()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bench-properties", protocol=paho.MQTTv5)
    client.username_pw_set(BENCH_USER, world.password)
    client.connect(world.broker.host, world.broker.port)
    client.loop_start()
    block = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    block.UserProperty = [("a", "b")] * (PROPERTIES_BYTES // PAIR_BYTES)
    with running(command(world, dsn, library), is_connected) as process:
        time.sleep(1.0)
        before_s = cpu_s(process.pid)
        for _ in range(PROPERTIES_MESSAGES):
            info = client.publish(topic(world.names[0], Channel.REPORT), b"{}", 1, properties=block)
            info.wait_for_publish(30)
        used_s, now_s = -1.0, cpu_s(process.pid)
        while now_s > used_s:  # until it has nothing left to do
            used_s = now_s
            time.sleep(1.0)
            now_s = cpu_s(process.pid)
    client.disconnect()
    client.loop_stop()
    forget(world, library)
    return {"properties_ms": (now_s - before_s) / PROPERTIES_MESSAGES * 1000}


def main() -> int:
    """Run the rounds and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=20_000)
    parser.add_argument("--sensors", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--only", nargs="*", default=["ours", *RECEIVERS])
    parser.add_argument("--parts", nargs="*", default=["throughput", "latency", "kills", "cuts", "properties"])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rounds: list[dict[str, dict[str, float]]] = []
    with tempfile.TemporaryDirectory(prefix="telstraat-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        world = World(folder, args.sensors, None)
        try:
            messages = reports(world.names, args.reports)
            for number in range(args.rounds):
                figures: dict[str, dict[str, float]] = {library: {} for library in args.only}
                for library in random.sample(args.only, len(args.only)):
                    if "throughput" in args.parts:
                        figures[library] |= throughput(world, library, messages)
                    if "latency" in args.parts:
                        figures[library] |= waits(world, library, args.rate, args.seconds)
                    if "kills" in args.parts:
                        figures[library]["lost_by_kills"] = lost_by_kills(world, library, messages)
                    if "cuts" in args.parts:
                        figures[library] |= after_cuts(world, library, messages)
                    if "properties" in args.parts:
                        figures[library] |= properties(world, library)
                    print(f"round {number + 1} {library}: {line_of(figures[library])}", flush=True)
                rounds.append(figures)
        finally:
            world.close()
    print_table(rounds)
    if args.json:
        args.json.write_text(json.dumps(rounds, indent=2))
    return 0


def line_of(figures: dict[str, float]) -> str:
    """Return figures as a line."""
    return "  ".join(f"{name} {value:.1f}" for name, value in figures.items())


def print_table(rounds: list[dict[str, dict[str, float]]]) -> None:
    """Print medians over the rounds, what was lost as the sum of all, and each library's share of our rate in its round."""
    for library in rounds[0]:
        medians = {
            name: sum(figures[library][name] for figures in rounds) if name.startswith(("lost", "stuck")) else
            statistics.median(figures[library][name] for figures in rounds)
            for name in rounds[0][library]
        }  # fmt: skip
        if "per_s" in medians and "ours" in rounds[0]:
            medians["ours_over"] = statistics.median(f["ours"]["per_s"] / f[library]["per_s"] for f in rounds)
        version = (
            "" if library == "ours" else metadata.version("paho-mqtt" if library == "paho" else library.split("-")[0])
        )
        print(f"{library:<11} {version:<7} {line_of(medians)}")


if __name__ == "__main__":
    sys.exit(main())
