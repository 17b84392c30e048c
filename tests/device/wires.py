"""A publisher with an outbox at a real broker, and the server's side of the wire in the test's hand."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.device.toys import NOON_S, QUARTER_S
from tests.harness.brokers import TestBroker, TestClient, password_of

from telstraat_contract.messages import Config, Health, Live, Message, Receipt, Report, Status, decode, encode
from telstraat_contract.topics import UP, Channel, parse_topic, topic
from telstraat_device.delivery.outbox import Outbox
from telstraat_device.delivery.publisher import Publisher, PublisherCallbacks
from telstraat_device.health import Condition, health_messages
from telstraat_device.quarters.periods import SavedState
from telstraat_device.quarters.tally import Quarter, Tally
from telstraat_device.settings import Settings, settings_of

WAIT_S = 15.0
LATER_S = NOON_S + 400 * QUARTER_S  # all toy quarters of a test are over by then


def password_file(folder: Path, sensor: str) -> Path:
    """Write a sensor's password as it must be."""
    file = folder / f"{sensor}.password"
    file.write_text(password_of(sensor))
    file.chmod(0o600)
    return file


def device_settings(folder: Path, sensor: str, port: int, **sections: dict[str, Any]) -> Settings:
    """Return settings of a sensor in a folder of its own, as fast as a test wants it."""
    values: dict[str, dict[str, Any]] = {
        "sensor": {"name": sensor, "password_file": str(password_file(folder, sensor))},
        "broker": {"host": "127.0.0.1", "port": port, "keepalive_s": 10, "reconnect_max_s": 1},
        "send": {"spread_s": 0, "resend_s": 1.0, "flush_s": 10.0},
        "storage": {"folder": str(folder / "state"), "save_s": 0.2},
        "clock": {"trust": "system"},
    }
    for name, keys in sections.items():
        values.setdefault(name, {}).update(keys)
    return settings_of(values)


def quarters(first: int, last: int) -> list[Quarter]:
    """Return closed quarters by number, the first one being 1 and starting at noon."""
    return [
        Quarter(NOON_S + (n - 1) * QUARTER_S, Tally({"car": (n, 0)}, observed_s=900.0)) for n in range(first, last + 1)
    ]


class Wire:
    """A publisher in a thread of its own."""

    def __init__(self, settings: Settings, now_s: float = LATER_S) -> None:
        self.settings = settings
        self.outbox = Outbox(Path(settings.storage.folder), settings.sensor.name)
        self.outbox.begin()
        self.now_s = now_s
        self.live: Live | None = None
        self.configs: list[Config] = []
        sources = PublisherCallbacks(self._health, lambda: self.live, self.configs.append, lambda: self.now_s)
        self.publisher = Publisher(settings, self.outbox, sources)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._ending.is_set():
            self.publisher.step(0.05)

    def _health(self) -> list[Health]:
        condition = Condition(self.now_s, True, 0, None, 0, 0, tuple(self.publisher.alarms()))
        return health_messages(self.settings.sensor.name, self.outbox, condition)

    def close_quarters(self, first: int, last: int) -> None:
        """Put quarters into the outbox."""
        assert self.outbox.save(SavedState(), quarters(first, last))

    def start(self) -> None:
        """Let it send."""
        self._thread.start()

    def pause(self) -> None:
        """Hold it; the publisher can then be called from the test."""
        self._ending.set()
        self._thread.join()

    def close(self) -> None:
        """End it."""
        if self._thread.ident is not None:
            self.pause()
        self.publisher.close()
        self.outbox.close()


@contextmanager
def wire(settings: Settings, *, closed: int = 0, now_s: float = LATER_S) -> Iterator[Wire]:
    """Give a sending publisher whose outbox holds so many closed quarters, and whose clock stands; at a server, at its now."""
    device_wire = Wire(settings, now_s)
    try:
        if closed:
            device_wire.close_quarters(1, closed)
        device_wire.start()
        yield device_wire
    finally:
        device_wire.close()


class Server:
    """The server's side of the wire: hears everything, says what the test wants."""

    def __init__(self, broker: TestBroker, sensor: str) -> None:
        self.sensor = sensor
        self.client = TestClient(broker, broker.ingest_user)
        assert self.client.connected()
        assert self.client.subscribe(*(topic(sensor, channel) for channel in UP))
        self.reports: list[Report] = []
        self.heard: list[Message] = []

    def say(self, message: Message, *, retain: bool = False) -> None:
        """Send a message to the sensor."""
        self.client.publish(topic(self.sensor, message.channel), encode(message), retain=retain)

    def receipt(self, through: int, seen: int = 0, **more: Any) -> None:
        """Send a receipt for the last epoch heard of."""
        self.say(Receipt(epoch=self.reports[-1].epoch, through=through, seen=max(seen, through), **more))

    def listen(self, until: Callable[[], object], wait_s: float = WAIT_S) -> None:
        """Take what comes until something is so; fail when it is not in time."""
        end_s = time.monotonic() + wait_s
        while not until():
            assert time.monotonic() < end_s, f"not within {wait_s:g} s; heard {[type(m).__name__ for m in self.heard]}"
            try:
                message = self.client.received.get(timeout=0.05)
            except queue.Empty:
                continue
            message_read = decode(parse_topic(message.topic).channel, bytes(message.payload))
            self.heard.append(message_read)
            if isinstance(message_read, Report):
                self.reports.append(message_read)

    def hear(self, kind: type[Message], wait_s: float = WAIT_S) -> Any:
        """Wait for the next message of a kind."""
        before = len(self.heard)
        self.listen(lambda: any(isinstance(m, kind) for m in self.heard[before:]), wait_s)
        return next(m for m in self.heard[before:] if isinstance(m, kind))

    @property
    def seqs(self) -> list[int]:
        """Numbers of the reports heard, in order."""
        return [report.seq for report in self.reports]

    def close(self) -> None:
        """Hang up."""
        self.client.close()


@contextmanager
def server_of(broker: TestBroker, sensor: str) -> Iterator[Server]:
    """Give the server's side for one sensor."""
    broker.let_in(sensor)
    server = Server(broker, sensor)
    try:
        yield server
    finally:
        server.close()


__all__ = ["Channel", "Server", "Status", "Wire", "device_settings", "quarters", "server_of", "wire"]
