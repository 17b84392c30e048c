"""How many reports a second become durable, from the broker's queue to the commit, and what each costs.

    python -m bench.ingest [--reports 40000] [--sensors 1000] [--rounds 3] [--rate 300] [--only KIND ...] [--json OUT]

One machine: Mosquitto, PostgreSQL with fsync on, one ingester as users start it. In each round, in an order drawn anew:
`ours`, paused while the broker's queue fills; `two`, the same with two ingesters; `flow`, one, while the reports are still
being published; `peer`, a bridge that inserts per message, paused and with a twentieth of the reports; `bare`, COPY + upsert
of the same rows, made ready beforehand, in batches of the same size, without a broker. Then `latency`, from publish to
receipt at a steady rate.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from telstraat_contract.messages import Confidence, Counts, Directed, Report, decode, encode
from telstraat_contract.quarters import QUARTER, quarter_start
from telstraat_contract.topics import Channel, topic
from telstraat_demo.stack.broker import Broker
from telstraat_demo.stack.postgres import Postgres
from telstraat_ingest import broker_access
from telstraat_ingest.receiving import mqtt
from telstraat_ingest.settings import READER, IngestSettings
from telstraat_store.places import passwords
from telstraat_store.reports import copy_rows, statements
from telstraat_store.schema.migrate import migrate

TICKS = os.sysconf("SC_CLK_TCK")
BENCH_USER = "bench_all"
WAIT_S = 300.0
POLL_S = 0.05
AT_ONCE = 500
"""So many reports the publisher has on their way."""
PEER_SHARE = 20
"""The bridge gets this part of the reports: it is slow."""


class World:
    """The broker and the database of one bench."""

    def __init__(self, folder: Path, sensors: int, pg_bin: Path | None) -> None:
        self.access = folder / "access"
        self.access.mkdir()
        self.password = passwords.new_password()
        self.postgres = Postgres(folder / "postgres", bin_dir=pg_bin, durable=True)
        self.postgres.start()
        self.names = [f"sensor-{number}" for number in range(sensors)]
        self._databases = 0
        self.access_files()
        self.broker = Broker(folder / "broker", access=self.access, kind="mosquitto")
        self.broker.start()

    def access_files(self) -> None:
        """Let ingest in, and a user who may write and read for every sensor."""
        own = passwords.new_password()
        broker_access.write_secret(self.access / "ingest.password", own)
        hashed = {broker_access.INGEST_USER: own, BENCH_USER: self.password}
        lines = "".join(f"{user}:{passwords.hash_password(secret)}\n" for user, secret in hashed.items())
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
        client.on_connect = lambda item, *_: item.disconnect()
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
    """Publish all with QoS 1, packed beforehand, and wait for the broker's last acknowledgement."""
    packed = [packet(number, message) for number, message in enumerate(messages)]
    version = mqtt.Version.V311  # its acknowledgements have four bytes, all of them
    with socket.create_connection((world.broker.host, world.broker.port), timeout=WAIT_S) as sock:
        sock.sendall(mqtt.connect(version, "bench-publisher", BENCH_USER, world.password, 600, 0, 0))
        if take(sock, 4)[3]:
            raise RuntimeError("the broker refuses the publisher")
        for at in range(0, len(packed), AT_ONCE):
            some = packed[at : at + AT_ONCE]
            sock.sendall(b"".join(some))
            take(sock, 4 * len(some))
        sock.sendall(mqtt.DISCONNECT)


def packet(number: int, report: Report) -> bytes:
    """Return the PUBLISH of a report."""
    body = mqtt.publish(mqtt.Version.V311, topic(report.sensor, Channel.REPORT), encode(report))
    head = next(at for at in range(1, 5) if body[at] < 128) + 1
    name_end = head + 2 + int.from_bytes(body[head : head + 2], "big")
    words = body[head:name_end] + (number % 65_535 + 1).to_bytes(2, "big") + body[name_end:]
    assert 127 < len(words) < 16_384  # so that the length has two bytes
    return bytes([mqtt.Kind.PUBLISH << 4 | 2, len(words) & 127 | 128, len(words) >> 7]) + words


def take(sock: socket.socket, count: int) -> bytes:
    """Read so many bytes."""
    result = b""
    while len(result) < count:
        more = sock.recv(count - len(result))
        if not more:
            raise RuntimeError("the broker closed the connection")
        result += more
    return result


def cpu_s(pid: int | None, *, family: bool = False) -> float:
    """Return the CPU seconds that a process has used; with `family`, its children's too."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    used = int(fields[11]) + int(fields[12])
    if family:
        used += int(fields[13]) + int(fields[14])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return used / TICKS + sum(cpu_s(int(child)) for child in children)
    return used / TICKS


def memory_mb(pid: int, name: str) -> float:
    """Return a process's memory, `VmRSS` now or `VmHWM` at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


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


def until_committed(dsn: str, table: str, count: int) -> float:
    """Wait until all is committed and return when it was."""
    end_s = time.perf_counter() + WAIT_S
    with psycopg.connect(dsn, autocommit=True) as connection:
        while True:
            asked_s = time.perf_counter()
            row = connection.execute(f"select count(*) from {table}").fetchone()
            if row == (count,):
                return asked_s
            if asked_s > end_s:
                raise RuntimeError(f"{table} has {row} of {count} reports after {WAIT_S:.0f} s")
            time.sleep(POLL_S)


def drain(
    world: World,
    processes: Sequence[subprocess.Popen[str]],
    dsn: str,
    table: str,
    messages: Sequence[Report],
    *,
    paused: bool,
) -> dict[str, float]:
    """Time receivers until all is committed: paused while its queue fills, or as the reports come."""
    time.sleep(1.0)
    pids = [process.pid for process in processes]

    def used_s() -> dict[str, float]:
        return {
            "cpu_us": sum(cpu_s(pid) for pid in pids),
            "broker_us": cpu_s(world.broker.child.pid if world.broker.child else None),
            "database_us": cpu_s(world.postgres.pid, family=True),
        }

    before_mb = sum(memory_mb(pid, "VmRSS") for pid in pids)
    if paused:
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        publish(world, messages)
    used_before_s = used_s()
    began_s = time.perf_counter()
    if paused:
        for process in processes:
            process.send_signal(signal.SIGCONT)
    else:
        publish(world, messages)
    took_s = until_committed(dsn, table, len(messages)) - began_s
    time.sleep(0.3)  # receipts
    each = {name: (after - used_before_s[name]) / len(messages) * 1e6 for name, after in used_s().items()}
    memory = {"before_mb": before_mb, "peak_mb": sum(memory_mb(pid, "VmHWM") for pid in pids)}
    return {"per_s": len(messages) / took_s} | each | memory


def ours(world: World, messages: Sequence[Report], *, paused: bool = True, ingesters: int = 1) -> dict[str, float]:
    """Time `telstraat ingest`."""
    dsn = world.database()
    names = [f"bench-{number}" for number in range(ingesters)]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(running(ingest_words(world, dsn, name), lambda line: "broker_connected" in line))
            for name in names
        ]
        drained = drain(world, processes, dsn, "report", messages, paused=paused)
    secret = (world.access / "ingest.password").read_text(encoding="utf-8").strip()
    for name in names:
        world.forget(f"telstraat-ingest-{name}", broker_access.INGEST_USER, secret)
    return drained


def two(world: World, messages: Sequence[Report]) -> dict[str, float]:
    """Time two ingesters that share the messages."""
    return ours(world, messages, ingesters=2)


def flow(world: World, messages: Sequence[Report]) -> dict[str, float]:
    """Time `telstraat ingest` while the reports are being published."""
    return ours(world, messages, paused=False)


def ingest_words(world: World, dsn: str, name: str = "bench") -> list[str]:
    """Return the command of an ingester."""
    return [str(Path(sys.executable).with_name("telstraat")), "ingest", "--dsn", dsn, "--broker", world.broker.url, "--name",
            name, "--broker-password-file", str(world.access / "ingest.password")]  # fmt: skip


def peer(world: World, messages: Sequence[Report]) -> dict[str, float]:
    """Time the bridge that inserts per message."""
    dsn = world.database()
    broker_access.write_secret(world.access / "bench.password", world.password)
    words = [sys.executable, "-m", "bench.ingest.peer", world.broker.host, str(world.broker.port), BENCH_USER,
             str(world.access / "bench.password"), dsn]  # fmt: skip
    messages = messages[: len(messages) // PEER_SHARE]
    with running(words, lambda line: "ready" in line) as process:
        drained = drain(world, [process], dsn, "peer_report", messages, paused=True)
    world.forget("bench-peer", BENCH_USER, world.password)
    return drained


def bare(world: World, messages: Sequence[Report]) -> dict[str, float]:
    """Time COPY and upsert of the same rows, made ready beforehand, with nothing before or after."""
    dsn = world.database()
    batch_size = int(os.environ.get(READER.prefix + "BATCH_SIZE") or IngestSettings(dsn=dsn).batch_size)
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("select name, sensor_id from sensor").fetchall()
        ids: dict[str, int] = dict(rows)
        connection.execute(copy_rows.STAGE)
        connection.execute(
            "select make_report_partition(now() - month * interval '1 month') from generate_series(0, 2) month"
        )
        connection.commit()
        packed = [
            copy_rows.head(number, ids[message.sensor], 1) + copy_rows.measured(message)
            for number, message in enumerate(messages)
        ]
        buffers = [
            copy_rows.HEADER + b"".join(packed[at : at + batch_size]) + copy_rows.TRAILER
            for at in range(0, len(packed), batch_size)
        ]
        used_s, own_s = cpu_s(world.postgres.pid, family=True), cpu_s(os.getpid())
        began_s = time.perf_counter()
        for buffer in buffers:
            with connection.cursor() as cursor:
                with cursor.copy(copy_rows.COPY) as copy:
                    copy.write(buffer)
                cursor.execute(statements.INSERT)
            connection.commit()
        took_s = time.perf_counter() - began_s
        used_s, own_s = cpu_s(world.postgres.pid, family=True) - used_s, cpu_s(os.getpid()) - own_s
        each = 1e6 / len(messages)
        return {"per_s": len(messages) / took_s, "cpu_us": own_s * each, "database_us": used_s * each}


def latency(
    world: World, rate: int, seconds: float, command: Callable[[str], list[str]] | None = None
) -> dict[str, float]:
    """Publish at a steady rate and time each report until its receipt; `command` makes another ingester of a dsn."""
    dsn = world.database()
    messages = reports(world.names[:rate], int(rate * seconds))
    sent_at_s: dict[tuple[str, int], float] = {}
    waits_s: list[float] = []
    answers: dict[str, int] = {}

    def on_message(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        now_s = time.perf_counter()
        sensor = message.topic.split("/")[2]
        receipt = decode(Channel.RECEIPT, bytes(message.payload))
        new = range(answers.get(sensor, 0) + 1, receipt.through + 1)
        waits_s.extend(now_s - sent_at_s[sensor, seq] for seq in new)
        answers[sensor] = max(answers.get(sensor, 0), receipt.through)

    with running(command(dsn) if command else ingest_words(world, dsn), lambda line: "broker_connected" in line):
        time.sleep(1.0)
        client = world.client("bench-latency")
        client.on_message = on_message
        client.subscribe("telstraat/v1/+/receipt", 0)
        time.sleep(0.5)
        began_s = time.perf_counter()
        for number, payload in enumerate(messages):
            time.sleep(max(0.0, began_s + number / rate - time.perf_counter()))
            sent_at_s[payload.sensor, payload.seq] = time.perf_counter()
            client.publish(topic(payload.sensor, Channel.REPORT), encode(payload), 1)
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
    parser.add_argument("--reports", type=int, default=40_000)
    parser.add_argument("--sensors", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=8.0, help="how long the steady rate lasts")
    parser.add_argument("--pg-bin", type=Path, help="programs of another PostgreSQL")
    parser.add_argument("--only", nargs="*", default=["ours", "two", "flow", "peer", "bare", "latency"])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    kinds: dict[str, Callable[[World, Sequence[Report]], dict[str, float]]] = {
        "ours": ours, "two": two, "flow": flow, "peer": peer, "bare": bare,
    }  # fmt: skip
    rounds: list[dict[str, dict[str, float]]] = []
    with tempfile.TemporaryDirectory(prefix="telstraat-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        world = World(folder, args.sensors, args.pg_bin)
        try:
            messages = reports(world.names, args.reports)
            for number in range(args.rounds):
                order = [kind for kind in kinds if kind in args.only]
                random.shuffle(order)
                results = {kind: kinds[kind](world, messages) for kind in order}
                rounds.append(results)
                print(
                    f"round {number + 1}: {json.dumps({k: {m: round(v, 1) for m, v in f.items()} for k, f in results.items()})}"
                )
            waits = latency(world, args.rate, args.seconds) if "latency" in args.only else {}
        finally:
            world.close()
    medians = {
        kind: {m: statistics.median(r[kind][m] for r in rounds) for m in rounds[0][kind]}
        for kind in kinds
        if kind in rounds[0]
    }
    for kind, figures in medians.items():
        print(f"{kind:<8}" + "  ".join(f"{name} {value:8.1f}" for name, value in figures.items()))
    for kind, other in (("ours", "peer"), ("ours", "bare"), ("two", "bare"), ("flow", "bare")):
        if kind in medians and other in medians:
            ratios = [result[kind]["per_s"] / result[other]["per_s"] for result in rounds]
            print(f"{kind} / {other}: {statistics.median(ratios):.2f}  (rounds {min(ratios):.2f} to {max(ratios):.2f})")
    if waits:
        print("publish to receipt: " + "  ".join(f"{name} {value:.0f}" for name, value in waits.items()))
    if args.json:
        args.json.write_text(json.dumps({"rounds": rounds, "median": medians, "latency": waits}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
