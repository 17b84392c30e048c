"""How many reports a second become durable, from the broker's queue to the commit, and what each costs.

    python -m bench.ingest [--reports 5000] [--sensors 1000] [--rounds 3] [--rate 300] [--json OUT]

One machine: Mosquitto, PostgreSQL with fsync on, one ingester as users start it. In each round, one after the other: ours,
a bridge that inserts per message, and bare COPY + upsert of the same rows without a broker. The receiving process is
paused while the queue fills and goes on when the clock starts. Then the time from publish to receipt at a steady rate.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from telstraat_cli.stack.broker import Broker
from telstraat_cli.stack.postgres import Postgres
from telstraat_contract.messages import Confidence, Counts, Directed, Report, decode, encode
from telstraat_contract.quarters import QUARTER, quarter_start
from telstraat_contract.topics import Channel, topic
from telstraat_ingest import broker_access, rows, statements
from telstraat_ingest.migrate import migrate

TICKS = os.sysconf("SC_CLK_TCK")
BENCH_USER = "bench_all"
WAIT_S = 300.0


class World:
    """The broker and the database of one bench."""

    def __init__(self, folder: Path, sensors: int, pg_bin: Path | None) -> None:
        self.access = folder / "access"
        self.access.mkdir()
        self.password = broker_access.new_password()
        self.postgres = Postgres(folder / "postgres", bin_dir=pg_bin, durable=True)
        self.postgres.start()
        self.names = [f"sensor-{number}" for number in range(sensors)]
        self._databases = 0
        self.access_files()
        self.broker = Broker(folder / "broker", access=self.access, kind="mosquitto")
        self.broker.start()

    def access_files(self) -> None:
        """Let ingest in, and a user who may write and read for every sensor."""
        own = broker_access.new_password()
        broker_access.write_secret(self.access / "ingest.password", own)
        hashed = {broker_access.INGEST_USER: own, BENCH_USER: self.password}
        lines = "".join(f"{user}:{broker_access.hash_password(secret)}\n" for user, secret in hashed.items())
        broker_access.write_secret(self.access / "passwords", lines)
        broker_access.write_secret(
            self.access / "acl", f"{broker_access.acl()}\nuser {BENCH_USER}\ntopic readwrite #\n"
        )

    def database(self) -> str:
        """Return the address of a fresh database with all sensors in it."""
        self._databases += 1
        name = f"bench_{self._databases}"
        self.postgres.create_database(name)
        dsn = self.postgres.dsn(name)
        migrate(dsn)
        with psycopg.connect(dsn) as connection:
            connection.execute("insert into sensor (name) select unnest(%s::text[])", (self.names,))
        return dsn

    def client(self, name: str) -> paho.Client:
        """Return a connected client that may do everything."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
        client.username_pw_set(BENCH_USER, self.password)
        client.max_inflight_messages_set(2000)
        client.max_queued_messages_set(0)
        client.connect(self.broker.host, self.broker.port)
        client.loop_start()
        return client

    def forget(self, client_id: str, user: str, secret: str) -> None:
        """End a session at the broker, so that its queue does not grow while others are measured."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
        client.username_pw_set(user, secret)
        client.on_connect = lambda one, *_: one.disconnect()
        client.connect(self.broker.host, self.broker.port)
        client.loop_forever()

    def close(self) -> None:
        """Stop both."""
        self.broker.stop()
        self.postgres.stop()


def reports(names: Sequence[str], count: int) -> list[Report]:
    """Return reports as sensors send them: sensor after sensor in each quarter, going back from an hour ago."""
    first = quarter_start(datetime.now(UTC) - timedelta(hours=1)) - (count // len(names) + 1) * QUARTER
    return [
        Report(
            sensor=names[number % len(names)],
            epoch=1234567890123,
            seq=number // len(names) + 1,
            period_start=first + number // len(names) * QUARTER,
            observed_s=870 + number % 31,
            counts=Counts(
                pedestrian=Directed(number % 17, number % 5), bike=Directed(number % 23, 4), motorcycle=Directed(0, 1),
                car=Directed(number % 97, number % 89), heavy=Directed(number % 7, 2), night=Directed(0, 0),
            ),
            car_speed=tuple((number * 7 + at) % 13 for at in range(25)),
            confidence=Confidence(pedestrian=88, bike=79, car=95, heavy=70),
            light="day",
        )
        for number in range(count)
    ]  # fmt: skip


def publish(world: World, messages: Sequence[Report]) -> None:
    """Publish all and wait for the broker's last acknowledgement."""
    client = world.client("bench-publisher")
    sent = [client.publish(topic(one.sensor, Channel.REPORT), encode(one), 1) for one in messages]
    for info in sent:
        info.wait_for_publish(WAIT_S)
    client.disconnect()
    client.loop_stop()


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def running(words: list[str], is_ready: Callable[[str], bool]) -> Iterator[subprocess.Popen[str]]:
    """Run a program, ready when a line of its output says so."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if is_ready(line):
                break
        else:
            raise RuntimeError(f"{words[:3]} ended before it was ready")
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def drain(
    process: subprocess.Popen[str], dsn: str, table: str, fill: Callable[[], None], count: int
) -> dict[str, float]:
    """Pause a receiver, fill its queue, let it go on, and time it until all rows are committed."""
    time.sleep(1.0)
    process.send_signal(signal.SIGSTOP)
    fill()
    used_s, began_s = cpu_s(process.pid), time.perf_counter()
    process.send_signal(signal.SIGCONT)
    with psycopg.connect(dsn, autocommit=True) as connection:
        while True:
            row = connection.execute(f"select count(*) from {table}").fetchone()
            if row == (count,):
                break
            if time.perf_counter() - began_s > WAIT_S:
                raise RuntimeError(f"{table} has {row} of {count} rows after {WAIT_S:.0f} s")
            time.sleep(0.05)
    took_s = time.perf_counter() - began_s
    time.sleep(0.5)
    return {"per_s": count / took_s, "cpu_us": (cpu_s(process.pid) - used_s) / count * 1e6}


def ours(world: World, messages: Sequence[Report]) -> dict[str, float]:
    """Time `telstraat ingest`."""
    dsn = world.database()
    with running(ingest_words(world, dsn), lambda line: "broker_connected" in line) as process:
        found = drain(process, dsn, "report", lambda: publish(world, messages), len(messages))
    secret = (world.access / "ingest.password").read_text(encoding="utf-8").strip()
    world.forget("telstraat-ingest-bench", broker_access.INGEST_USER, secret)
    return found


def ingest_words(world: World, dsn: str) -> list[str]:
    """Return the command of an ingester."""
    return [str(Path(sys.executable).with_name("telstraat")), "ingest", "--dsn", dsn, "--broker", world.broker.url, "--name",
            "bench", "--broker-password-file", str(world.access / "ingest.password")]  # fmt: skip


def peer(world: World, messages: Sequence[Report]) -> dict[str, float]:
    """Time the bridge that inserts per message."""
    dsn = world.database()
    broker_access.write_secret(world.access / "bench.password", world.password)
    words = [sys.executable, "-m", "bench.ingest_peer", world.broker.host, str(world.broker.port), BENCH_USER,
             str(world.access / "bench.password"), dsn]  # fmt: skip
    with running(words, lambda line: "ready" in line) as process:
        found = drain(process, dsn, "peer_report", lambda: publish(world, messages), len(messages))
    world.forget("bench-peer", BENCH_USER, world.password)
    return found


def bare(world: World, messages: Sequence[Report], batch_size: int = 1000) -> dict[str, float]:
    """Time COPY and upsert of the same rows, made ready beforehand, with nothing before or after."""
    dsn = world.database()
    with psycopg.connect(dsn) as connection:
        found = connection.execute("select name, sensor_id from sensor").fetchall()
        ids: dict[str, int] = dict(found)
        connection.execute(rows.STAGE)
        connection.execute(
            "select make_report_partition(now() - month * interval '1 month') from generate_series(0, 2) month"
        )
        connection.commit()
        packed = [
            rows.pack(number, ids[one.sensor], 1, rows.period_start_s(one.period_start), one)
            for number, one in enumerate(messages)
        ]
        buffers = [
            rows.HEADER + b"".join(packed[at : at + batch_size]) + rows.TRAILER
            for at in range(0, len(packed), batch_size)
        ]
        began_s = time.perf_counter()
        for buffer in buffers:
            with connection.cursor() as cursor:
                with cursor.copy(rows.COPY) as copy:
                    copy.write(buffer)
                cursor.execute(statements.INSERT)
            connection.commit()
        return {"per_s": len(messages) / (time.perf_counter() - began_s)}


def latency(world: World, rate: int, seconds: float) -> dict[str, float]:
    """Publish at a steady rate and time each report until its receipt."""
    dsn = world.database()
    messages = reports(world.names[:rate], int(rate * seconds))
    sent_at_s: dict[tuple[str, int], float] = {}
    waits_s: list[float] = []
    told: dict[str, int] = {}

    def on_message(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        now_s = time.perf_counter()
        sensor = message.topic.split("/")[2]
        receipt = decode(Channel.RECEIPT, bytes(message.payload))
        new = range(told.get(sensor, 0) + 1, receipt.through + 1)
        waits_s.extend(now_s - sent_at_s[sensor, seq] for seq in new)
        told[sensor] = max(told.get(sensor, 0), receipt.through)

    with running(ingest_words(world, dsn), lambda line: "broker_connected" in line):
        time.sleep(1.0)
        client = world.client("bench-latency")
        client.on_message = on_message
        client.subscribe("telstraat/v1/+/receipt", 0)
        time.sleep(0.5)
        began_s = time.perf_counter()
        for number, one in enumerate(messages):
            time.sleep(max(0.0, began_s + number / rate - time.perf_counter()))
            sent_at_s[one.sensor, one.seq] = time.perf_counter()
            client.publish(topic(one.sensor, Channel.REPORT), encode(one), 1)
        end_s = time.perf_counter() + 10
        while len(waits_s) < len(messages) and time.perf_counter() < end_s:
            time.sleep(0.05)
        client.disconnect()
        client.loop_stop()
    ordered = sorted(waits_s)
    return {
        "rate": rate,
        "receipts": len(ordered),
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
    }


def main() -> int:
    """Run the rounds and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=5000)
    parser.add_argument("--sensors", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=8.0, help="how long the steady rate lasts")
    parser.add_argument("--pg-bin", type=Path, help="programs of another PostgreSQL")
    parser.add_argument("--only", nargs="*", default=["ours", "peer", "bare", "latency"])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    kinds: dict[str, Callable[[World, Sequence[Report]], dict[str, float]]] = {"ours": ours, "peer": peer, "bare": bare}
    rounds: list[dict[str, dict[str, float]]] = []
    with tempfile.TemporaryDirectory(prefix="telstraat-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        world = World(folder, args.sensors, args.pg_bin)
        try:
            messages = reports(world.names, args.reports)
            for number in range(args.rounds):
                found = {kind: run(world, messages) for kind, run in kinds.items() if kind in args.only}
                rounds.append(found)
                print(
                    f"round {number + 1}: {json.dumps({k: {m: round(v, 1) for m, v in f.items()} for k, f in found.items()})}"
                )
            waits = latency(world, args.rate, args.seconds) if "latency" in args.only else {}
        finally:
            world.close()
    medians = {kind: {m: statistics.median(r[kind][m] for r in rounds) for m in rounds[0][kind]} for kind in rounds[0]}
    for kind, figures in medians.items():
        print(f"{kind:<8}" + "  ".join(f"{name} {value:8.0f}" for name, value in figures.items()))
    for other in ("peer", "bare"):
        if "ours" in medians and other in medians:
            print(f"ours / {other}: {medians['ours']['per_s'] / medians[other]['per_s']:.2f}")
    if waits:
        print("publish to receipt: " + "  ".join(f"{name} {value:.0f}" for name, value in waits.items()))
    if args.json:
        args.json.write_text(json.dumps({"rounds": rounds, "median": medians, "latency": waits}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
