"""How long steady sensors wait for their receipts while one sensor does its worst, beside how long they wait without it.

    python -m bench.ingest.hostile [--sensors 100] [--rate 100] [--seconds 10] [--rounds 2] [--only KIND ...] [--json OUT]

One Mosquitto, one PostgreSQL, one ingester as users start it, all in one run. Each round has, in an order drawn anew, a stretch
without (`calm`), one in which the same flood goes to a topic that nobody reads (`aside`: what the publisher and the broker take of this machine's
cores), and one with each kind of hostile sensor: `lost` (legal health messages of 200 ranges each), `epochs` (a new stream with every status),
`garbage` (distinct payloads of 16 kB), `reports` (legal reports with ever new gaps). The hostile one publishes from a process of its own, as fast as
the broker takes it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import psycopg
from bench.ingest.throughput import AT_ONCE, BENCH_USER, WAIT_S, World, ingest_words, running, take

from telstraat_contract.messages import MAX_RANGES, Health, Message, Report, Status, decode, encode
from telstraat_contract.quarters import QUARTER, quarter_start
from telstraat_contract.topics import Channel, topic
from telstraat_ingest.receiving import mqtt

HOSTILE = "sensor-0"
"""The first of the bench's sensors; the steady ones come after it."""
SETTLE_S = 2.0
PATIENCE_S = 60.0
CALM, ASIDE = "calm", "aside"


def lost(number: int) -> Message:
    """Return a legal health message with as many ranges of lost reports as it may have, none of which was told before."""
    first = 1 + number * 4 * MAX_RANGES % 2_000_000_000
    ranges = tuple((first + 4 * at, first + 4 * at + 1) for at in range(MAX_RANGES))
    return Health(sensor=HOSTILE, at=datetime.now(UTC), epoch=3, last_seq=ranges[-1][1], lost=ranges)


def epochs(number: int) -> Message:
    """Return a status that begins a stream."""
    return Status(sensor=HOSTILE, state="online", epoch=1_000 + number, last_seq=1)


def gaps(number: int) -> Message:
    """Return a legal report of the last year that leaves a gap before it."""
    now = quarter_start(datetime.now(UTC))
    start = now - (1 + number % 35_000) * QUARTER
    return Report(
        sensor=HOSTILE, epoch=5 + number // 35_000, seq=1 + 2 * (number % 35_000), period_start=start, observed_s=900
    )


KINDS: dict[str, Callable[[int], Message]] = {"lost": lost, "epochs": epochs, "reports": gaps}


def payload_of(kind: str, number: int) -> tuple[str, bytes]:
    """Return the topic and the payload of the hostile sensor's next message."""
    if kind == ASIDE:
        return "bench/aside", encode(gaps(number))
    if kind == "garbage":
        return topic(HOSTILE, Channel.REPORT), b"%020d" % number + b"x" * 16_000
    message = KINDS[kind](number)
    return topic(HOSTILE, message.channel), encode(message)


def flood(host: str, port: int, password: str, kind: str, sent: Any) -> None:
    """Publish with QoS 1 as fast as the broker takes it, until ended."""
    version = mqtt.Version.V311
    with socket.create_connection((host, port), timeout=WAIT_S) as sock:
        sock.sendall(mqtt.connect(version, "bench-hostile", BENCH_USER, password, 600, 0, 0))
        take(sock, 4)
        number = 0
        while True:
            some = [with_qos(at, *payload_of(kind, at)) for at in range(number, number + AT_ONCE)]
            sock.sendall(b"".join(some))
            take(sock, 4 * len(some))
            number += len(some)
            sent.value = number


def with_qos(number: int, where: str, payload: bytes) -> bytes:
    """Return a PUBLISH of QoS 1."""
    name = where.encode()
    body = len(name).to_bytes(2, "big") + name + (number % 65_535 + 1).to_bytes(2, "big") + payload
    return bytes([mqtt.Kind.PUBLISH << 4 | 2]) + _length(len(body)) + body


def _length(length: int) -> bytes:
    read = bytearray()
    while length >= 128:
        read.append(length & 127 | 128)
        length >>= 7
    return bytes([*read, length])


class Steady:
    """Sensors that send at a steady rate, and the time from each publish to its receipt."""

    def __init__(self, world: World, rate: int) -> None:
        self.names = world.names[1:]
        self.rate = rate
        self._sent_at_s: dict[tuple[str, int], float] = {}
        self._through: dict[str, int] = {}
        self._seqs = dict.fromkeys(self.names, 0)
        self._waits_s: list[float] = []
        self._number = 0
        self._first = quarter_start(datetime.now(UTC)) - timedelta(days=300)
        self.client = world.client("bench-steady")
        self.client.on_message = self._heard
        self.client.subscribe("telstraat/v1/+/receipt", 0)
        time.sleep(0.5)

    def _heard(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        now_s = time.perf_counter()
        sensor = message.topic.split("/")[2]
        if sensor == HOSTILE:
            return
        receipt = decode(Channel.RECEIPT, bytes(message.payload))
        known = self._through.get(sensor, 0)
        self._waits_s += [now_s - self._sent_at_s[sensor, seq] for seq in range(known + 1, receipt.through + 1)]
        self._through[sensor] = max(known, receipt.through)

    def measure(self, seconds: float) -> list[float]:
        """Send for so long and return the waits, in seconds; what had no receipt after a minute counts as a minute."""
        self._waits_s = []
        count = int(self.rate * seconds)
        began_s = time.perf_counter()
        for at in range(count):
            time.sleep(max(0.0, began_s + at / self.rate - time.perf_counter()))
            sensor = self.names[self._number % len(self.names)]
            self._number += 1
            self._seqs[sensor] += 1
            seq = self._seqs[sensor]
            report = Report(sensor=sensor, epoch=7, seq=seq, period_start=self._first + seq * QUARTER, observed_s=900)
            self._sent_at_s[sensor, seq] = time.perf_counter()
            self.client.publish(topic(sensor, Channel.REPORT), encode(report), 1)
        end_s = time.perf_counter() + PATIENCE_S
        while len(self._waits_s) < count and time.perf_counter() < end_s:
            time.sleep(0.05)
        return self._waits_s + [PATIENCE_S] * (count - len(self._waits_s))


def stretch(world: World, steady: Steady, kind: str, seconds: float) -> tuple[list[float], int]:
    """Return the waits of a stretch, and how much the hostile sensor has sent in it."""
    if kind == CALM:
        return steady.measure(seconds), 0
    sent = multiprocessing.Value("q", 0)
    words = (world.broker.host, world.broker.port, world.password, kind, sent)
    process = multiprocessing.Process(target=flood, args=words, daemon=True)
    process.start()
    try:
        return steady.measure(seconds), sent.value
    finally:
        process.kill()
        process.join()
        time.sleep(SETTLE_S)


def line_of(kind: str, waits_s: list[float], sent: int, seconds: float) -> str:
    """Return a row of the table."""
    ordered = sorted(waits_s)
    p50, p99 = (ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 for share in (0.5, 0.99))
    return f"{kind:<8} receipts {len(ordered):6}  p50 {p50:8.1f} ms  p99 {p99:8.1f} ms  hostile {sent / seconds:8.0f} messages/s"


def main() -> int:
    """Run the rounds and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sensors", type=int, default=100)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each stretch lasts")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=["lost", "epochs", "garbage", "reports"])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    kinds = [CALM, ASIDE, *args.only]
    waits: dict[str, list[float]] = {kind: [] for kind in kinds}
    sent: dict[str, int] = dict.fromkeys(kinds, 0)
    with tempfile.TemporaryDirectory(prefix="telstraat-bench-") as name:
        Path(name).chmod(0o711)
        world = World(Path(name), args.sensors + 1, None)
        try:
            dsn = world.database()
            with running(ingest_words(world, dsn), lambda line: "broker_connected" in line) as ingester:
                threading.Thread(target=lambda: deque(ingester.stdout or (), maxlen=0), daemon=True).start()
                steady = Steady(world, args.rate)
                steady.measure(2.0)
                for _ in range(args.rounds):
                    for kind in random.sample(kinds, len(kinds)):
                        found_s, number = stretch(world, steady, kind, args.seconds)
                        waits[kind] += found_s
                        sent[kind] += number
                steady.client.disconnect()
                steady.client.loop_stop()
            with psycopg.connect(dsn) as connection:
                stored = connection.execute(
                    "select pg_total_relation_size('quarantine') / 1024, (select count(*) from quarantine)"
                )
                kept_kb, rows = stored.fetchone() or (0, 0)
        finally:
            world.close()
    for kind in kinds:
        print(line_of(kind, waits[kind], sent[kind], args.seconds * args.rounds))
    print(f"quarantine holds {rows} rows, {kept_kb} kB")
    if args.json:
        args.json.write_text(json.dumps({"waits_s": waits, "sent": sent, "quarantine_kb": kept_kb}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
