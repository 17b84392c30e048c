"""The hostile sensor of a chaos run, a process of its own: `python -m telstraat_firmware_sim.chaos.hostile PLAN`.

It has a name and a password like any other, and sends what the contract just allows and what it just does not: the highest
numbers, floods of lost ranges and of new streams, garbage of 16 kB, live and status without end, retained or not. Nothing is known of what
becomes of it; of all the others everything is.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from telstraat_contract.messages import (
    MAX_RANGES,
    SEQ_MAX,
    Counts,
    Directed,
    Health,
    Live,
    Message,
    Report,
    Status,
    encode,
)  # fmt: skip
from telstraat_contract.quarters import QUARTER, quarter_start
from telstraat_contract.topics import Channel, topic

EPOCH_MAX = 2**53 - 1
AT_ONCE = 200
PAUSE_S = 0.2
"""Between two floods: the machine is one, and it is the others' truth that is tried."""


class HostilePlan(msgspec.Struct, frozen=True, kw_only=True):
    """Who it is, where it sends and by which seed."""

    name: str
    host: str
    port: int
    password_file: str
    seed: int


class Hostile:
    """Draws what it sends from its seed."""

    def __init__(self, plan: HostilePlan) -> None:
        self.plan = plan
        self._dice = random.Random(f"hostile {plan.seed}")
        self._number = 0
        self._running = True

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """End after the flood that goes on."""
        self._running = False

    def run(self) -> None:
        """Send until stopped; whoever hangs up is called again."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.plan.name)
        client.username_pw_set(self.plan.name, Path(self.plan.password_file).read_text(encoding="utf-8").strip())
        client.max_inflight_messages_set(AT_ONCE)
        client.max_queued_messages_set(4 * AT_ONCE)
        client.reconnect_delay_set(1, 2)
        client.connect_async(self.plan.host, self.plan.port, 5)
        client.loop_start()
        floods: tuple[Callable[[], tuple[Channel, bytes]], ...] = (
            self._extreme, self._lost, self._stream, self._garbage, self._gap, self._live,
        )  # fmt: skip
        while self._running:
            flood = self._dice.choice(floods)
            for _ in range(AT_ONCE):
                channel, payload = flood()
                retain = channel is Channel.STATUS and self._dice.random() < 0.5
                client.publish(topic(self.plan.name, channel), payload, qos=self._dice.choice((0, 1, 1)), retain=retain)
            time.sleep(PAUSE_S)
        client.disconnect()
        client.loop_stop()

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _said(self, message: Message) -> tuple[Channel, bytes]:
        return message.channel, encode(message)

    def _start(self) -> datetime:
        return quarter_start(datetime.now(UTC)) - timedelta(days=self._dice.randrange(1, 400))

    def _extreme(self) -> tuple[Channel, bytes]:
        """Return a report with the highest or the lowest of everything."""
        most = self._dice.choice((0, 32_767))
        counts = Counts(*[Directed(most, most)] * len(Counts.__struct_fields__))
        return self._said(
            Report(
                sensor=self.plan.name, epoch=self._dice.choice((1, 7, EPOCH_MAX)), seq=self._dice.choice((1, SEQ_MAX - 1, SEQ_MAX)),
                period_start=self._start(), observed_s=self._dice.choice((0, 900)), counts=counts, flags=SEQ_MAX,
                car_speed=self._dice.choice((None, (32_767,) * 25)),
            )
        )  # fmt: skip

    def _lost(self) -> tuple[Channel, bytes]:
        """Return a health message with ranges of lost reports that were never told before."""
        first = 1 + self._next() * 4 * MAX_RANGES % (SEQ_MAX - 4 * MAX_RANGES)
        ranges = tuple((first + 4 * at, first + 4 * at + self._dice.randrange(3)) for at in range(MAX_RANGES))
        text = self._dice.choice(("\0" * 200, "\U0010ffff" * 20, ""))
        return self._said(
            Health(
                sensor=self.plan.name, at=datetime(9999, 12, 31, tzinfo=UTC), epoch=self._dice.choice((7, 8)),
                last_seq=self._dice.choice((0, SEQ_MAX)), lost=ranges, version=text, restarts=EPOCH_MAX,
            )
        )  # fmt: skip

    def _stream(self) -> tuple[Channel, bytes]:
        """Return a status that begins a stream."""
        return self._said(Status(sensor=self.plan.name, state="online", epoch=1000 + self._next(), last_seq=SEQ_MAX))

    def _garbage(self) -> tuple[Channel, bytes]:
        """Return what is no message, never twice the same."""
        return Channel.REPORT, b"%d" % self._next() + self._dice.randbytes(self._dice.choice((0, 100, 16_000)))

    def _gap(self) -> tuple[Channel, bytes]:
        """Return a report that leaves a gap before it."""
        number = self._next() % 30_000
        start = quarter_start(datetime.now(UTC)) - (1 + number) * QUARTER
        return self._said(
            Report(sensor=self.plan.name, epoch=9, seq=1 + 2 * number, period_start=start, observed_s=900)
        )

    def _live(self) -> tuple[Channel, bytes]:
        """Return an open quarter that nobody asked for."""
        now = datetime.now(UTC)
        return self._said(Live(sensor=self.plan.name, at=now, period_start=quarter_start(now), observed_s=900))


def main(argv: list[str]) -> int:
    """Read the plan and be hostile."""
    hostile = Hostile(msgspec.json.decode(Path(argv[0]).read_bytes(), type=HostilePlan))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hostile.stop)
    hostile.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
