"""When a report is sent, sent again, and believed to have arrived.

The broker's acknowledgement is not a receipt: a report is sent again, ever more rarely, until ingest says that it is
committed. New reports never queue behind an old backlog.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, StrEnum, auto
from typing import Any

from paho.mqtt.enums import MQTTProtocolVersion

from telstraat_contract.errors import MessageError, SettingsError
from telstraat_contract.messages import Config, Health, Live, Receipt, Status, Watch, decode
from telstraat_contract.topics import Channel
from telstraat_device.delivery.connection import (
    Acknowledged,
    Connected,
    Connection,
    ConnectionEvent,
    Disconnected,
    Received,
    Refused,
)
from telstraat_device.delivery.outbox import Key, Outbox, QueuedReport
from telstraat_device.delivery.ranges import holds
from telstraat_device.settings import Settings

STEP_S = 0.2
RECONNECT_S = 1.0
STEADY_S = 10.0  # a connection that lasted so long is no reason to wait before the next
UNSTEADY_FAILURES = 2  # one that did not is as good as so many failures: two devices of one name throw each other out
FLUSH_RESEND_S = 5.0
RESEND_MISSING_S = 5.0
TAKEN_OVER_TIMES, CUT_OFF_TIMES, WITHIN_S = 3, 6, 900.0
"""So often within so long: another device uses this name; or, where the broker does not say why it hangs up, perhaps."""
NEW_AT_ONCE = 4  # new reports that leave although the window is full
CERTIFICATE_DAYS = 14  # authorities renew 30 days ahead: who has not by now has not noticed
LOOK_AGAIN_S = 86_400.0  # a connection shows the certificate of its beginning; a new one shows whether it was renewed
log = logging.getLogger(__name__)


class Link(Enum):
    """How the connection to the broker is."""

    DOWN = auto()
    CONNECTING = auto()
    ONLINE = auto()


class RefusalKind(StrEnum):
    """What was refused, and by whom; one alarm each."""

    REPORT = "the broker refused a report"
    MESSAGE = "the broker refused a message"
    INGEST = "ingest put reports into quarantine"


@dataclass(slots=True)
class InFlight:
    """A report on its way, without a receipt."""

    first_s: float
    last_s: float
    again_s: float
    attempts: int = 1
    refused: bool = False


@dataclass(slots=True)
class PublisherCallbacks:
    """Where the publisher gets what it sends, and hands over what it receives."""

    health: Callable[[], list[Health]]
    live: Callable[[], Live | None]
    config: Callable[[Config], None]
    now_s: Callable[[], float]  # the device's clock: for a recording, the recording's


@dataclass(slots=True)
class PublisherCounters:
    """What the publisher has done so far."""

    connects: int = 0
    sent: int = 0
    resent: int = 0
    receipts: int = 0
    unreadable: int = 0
    refused: dict[RefusalKind, str] = field(default_factory=dict)  # what for, in a sentence


class Publisher:
    """Sends what waits in the outbox; `step` is called again and again by the service."""

    def __init__(self, settings: Settings, outbox: Outbox, sources: PublisherCallbacks) -> None:
        self.settings = settings
        self.outbox = outbox
        self.sources = sources
        self.counters = PublisherCounters()
        self.flushing = False
        self._events: queue.SimpleQueue[tuple[Any, ConnectionEvent]] = queue.SimpleQueue()
        self._connection: Connection | None = None
        self._link = Link.DOWN
        self._protocol = MQTTProtocolVersion.MQTTv5
        self._connect_at_s = 0.0
        self._connect_failures = 0
        self._online_since_s = 0.0
        self._trouble = ""
        self._certificate_ends_s: float | None = None
        self._cut_off: deque[tuple[float, bool]] = deque(maxlen=4 * CUT_OFF_TIMES)
        self._sent: dict[Key, InFlight] = {}
        self._of_mid: dict[int, Key] = {}
        self._health_at_s = 0.0
        self._live_at_s = 0.0
        self._watched_until_s = 0.0
        self._allowance = 0.0
        self._allowed_at_s = time.monotonic()
        self._announced: int | None = None
        self._requests = 0
        self._request_at_s = 0.0
        self._unanswered_since_s: float | None = None

    def step(self, wait_s: float = STEP_S) -> None:
        """Wait for something to happen, at most so long, then do what is due."""
        try:
            self._handle(*self._events.get(timeout=wait_s))
            while True:
                self._handle(*self._events.get_nowait())
        except queue.Empty:
            pass
        now_s = time.monotonic()
        if self._link is Link.DOWN:
            if now_s >= self._connect_at_s:
                self._connect(now_s)
        elif self._link is Link.ONLINE:
            if self._certificate_ends() and now_s - self._online_since_s > LOOK_AGAIN_S:
                self._drop_connection()
                return
            self._announce()
            self._request_confirmation(now_s)
            self._send_health(now_s)  # before what may be refused: some brokers hang up on it
            self._send_live(now_s)
            self._send_reports(now_s)

    def flush(self, limit_s: float, skip_waiting: threading.Event) -> bool:
        """Send everything at once and wait for receipts; return whether all came in time; `skip_waiting` ends it early."""
        self.flushing = True
        for sent in self._sent.values():
            sent.again_s = min(sent.again_s, time.monotonic() + FLUSH_RESEND_S)
        self._request_at_s = min(self._request_at_s, time.monotonic() + FLUSH_RESEND_S)
        end_s = time.monotonic() + limit_s
        while self.outbox.waiting_count() and time.monotonic() < end_s and not skip_waiting.is_set():
            self.step(min(STEP_S, max(0.0, end_s - time.monotonic())))
        return self.outbox.waiting_count() == 0

    def close(self) -> None:
        """Announce that the sensor goes offline, and end the connection."""
        if self._connection is not None and self._link is Link.ONLINE:
            self._health_at_s = 0.0
            self._send_health(time.monotonic())
            mid = self._connection.publish(Status(sensor=self.settings.sensor.name, state="offline"), retain=True)
            end_s = time.monotonic() + 2.0
            while mid is not None and self._link is Link.ONLINE and time.monotonic() < end_s:
                try:
                    _, event = self._events.get(timeout=STEP_S)
                except queue.Empty:
                    continue
                if event == Acknowledged(mid) or isinstance(event, Disconnected):
                    break
        self._drop_connection()

    def alarms(self) -> list[str]:
        """Return what is wrong with sending, in sentences."""
        alarms = [self._trouble] if self._trouble else []
        if ends := self._certificate_ends():
            alarms.append(f"{ends}: renew it, or no sensor can connect any more")
        alarms += self.counters.refused.values()
        alarms += self._shared_name()
        late_s = time.monotonic() - self.settings.send.silent_s
        silent = sum(1 for sent in self._sent.values() if sent.first_s < late_s)
        if silent:
            alarms.append(
                f"no receipt for {silent} reports sent: does ingest run, and may this sensor write its topics?"
            )
        elif self._unanswered_since_s is not None and self._unanswered_since_s < late_s:
            alarms.append(
                "no answer since the start, reports are held back: does ingest run, does it know this sensor?"
            )
        return alarms

    def _certificate_ends(self) -> str:
        """Return when the broker's certificate ends, empty when that is not soon."""
        ends_s = self._certificate_ends_s
        if self._link is not Link.ONLINE or ends_s is None or ends_s - self.sources.now_s() > CERTIFICATE_DAYS * 86_400:
            return ""
        return f"the broker's certificate ends on {datetime.fromtimestamp(ends_s, UTC):%Y-%m-%d}"

    def _shared_name(self) -> list[str]:
        """Return the alarm of a device whose connection another one takes again and again."""
        since_s = time.monotonic() - WITHIN_S
        recent = [taken_over for at_s, taken_over in self._cut_off if at_s >= since_s]
        name = self.settings.sensor.name
        if sum(recent) >= TAKEN_OVER_TIMES:
            return [
                f"another device uses the name {name!r} and takes the connection: give each its own name and password"
            ]
        if len(recent) >= CUT_OFF_TIMES:
            return [f"the connection is cut off right after it is made: perhaps another device uses the name {name!r}"]
        return []

    def _connect(self, now_s: float) -> None:
        try:
            self._connection = Connection(self.settings, self._protocol, self._events)
            self._link = Link.CONNECTING
        except (SettingsError, OSError, ValueError) as error:
            self._failed(Refused(str(error)), now_s)
            return
        self._connection.open()

    def _failed(self, why: Refused, now_s: float) -> None:
        """Note why there is no connection, and when to try again."""
        if why.reason != self._trouble:
            log.warning("no connection: %s", why.reason)
        self._trouble = why.reason
        tried, self._protocol = self._protocol, MQTTProtocolVersion.MQTTv5
        if why.unknown_protocol and tried == MQTTProtocolVersion.MQTTv5:
            self._protocol = MQTTProtocolVersion.MQTTv311  # for the next attempt; every later one begins with 5 again
            self._connect_at_s = now_s
            return
        wait_s = min(self.settings.broker.reconnect_max_s, RECONNECT_S * 2 ** min(self._connect_failures, 10))
        self._connect_failures += 1
        self._connect_at_s = now_s + wait_s * random.uniform(0.5, 1.0)

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._link is Link.ONLINE:
            steady = time.monotonic() - self._online_since_s > STEADY_S
            self._connect_failures = 0 if steady else min(self._connect_failures, UNSTEADY_FAILURES)
        self._connection, self._link, self._announced = None, Link.DOWN, None

    def _handle(self, source: Connection, event: ConnectionEvent) -> None:
        if source is not self._connection:
            return  # a late event of an older connection
        match event:
            case Connected():
                self._certificate_ends_s = event.certificate_ends_s
                self._came_online()
            case Refused():
                self._drop_connection()
                self._failed(event, time.monotonic())
            case Disconnected():
                now_s = time.monotonic()
                if self._link is Link.ONLINE and (event.taken_over or now_s - self._online_since_s < STEADY_S):
                    self._cut_off.append((now_s, event.taken_over))
                self._drop_connection()
                self._failed(Refused(f"the connection was lost: {event.reason}"), time.monotonic())
            case Acknowledged():
                self._acknowledged(event)
            case Received():
                self._received(event)

    def _came_online(self) -> None:
        log.info("connected")
        now_s = time.monotonic()
        self._link, self._trouble, self._online_since_s = Link.ONLINE, "", now_s
        self.counters.connects += 1
        self._of_mid.clear()
        for sent in self._sent.values():
            if not sent.refused:  # what was on its way may be gone
                sent.again_s = now_s
        self._health_at_s = now_s
        self._requests, self._request_at_s = 0, now_s

    def _announce(self) -> None:
        """Announce the current stream once per connection, and again after a new epoch."""
        stream = self.outbox.current()
        if self._connection is None or self._announced == stream.epoch:
            return
        name = self.settings.sensor.name
        status = Status(sensor=name, state="online", epoch=stream.epoch, last_seq=stream.announced_seq)
        if self._connection.publish(status, retain=True) is not None:
            self._announced = stream.epoch

    def _request_confirmation(self, now_s: float) -> None:
        """Ask how far ingest knows the streams that an earlier run began: it answers every status with a receipt."""
        streams = self.outbox.unconfirmed()
        if not streams:
            self._unanswered_since_s = None
            return
        if self._unanswered_since_s is None:
            self._unanswered_since_s = now_s
        if self._connection is None or now_s < self._request_at_s:
            return
        for stream in streams:
            if self._requests or stream.epoch != self._announced:
                name = self.settings.sensor.name
                self._connection.publish(
                    Status(sensor=name, state="online", epoch=stream.epoch, last_seq=stream.announced_seq)
                )
        self._requests += 1
        self._request_at_s = now_s + self._wait_s(self._requests)

    def _acknowledged(self, event: Acknowledged) -> None:
        key = self._of_mid.pop(event.mid, None)
        what = RefusalKind.REPORT if key else RefusalKind.MESSAGE
        if not event.refusal:
            self.counters.refused.pop(what, None)
            return
        if key in self._sent:
            self._sent[key].refused = True
        if what not in self.counters.refused:
            log.error("%s: %s", what, event.refusal)
        self.counters.refused[what] = f"{what}: {event.refusal}"

    def _received(self, event: Received) -> None:
        try:
            message = decode(event.channel, event.payload)
        except MessageError as error:
            self.counters.unreadable += 1
            log.warning("a message from the server cannot be read: %s", error)
            return
        match message:
            case Receipt():
                self._receipted(message)
            case Config():
                self.sources.config(message)
            case Watch():
                self._watched_until_s = time.monotonic() + message.seconds

    def _receipted(self, receipt: Receipt) -> None:
        self.counters.receipts += 1
        if receipt.refused:
            ranges = ", ".join(f"{first}-{last}" for first, last in receipt.refused[:5])
            self.counters.refused[RefusalKind.INGEST] = f"ingest put reports {ranges} into quarantine"
        missing = self.outbox.apply_receipt(receipt, self.sources.now_s())
        for key in list(self._sent):
            epoch, seq = key
            settled = seq <= receipt.through or (seq <= receipt.seen and not holds(receipt.want, seq))
            if epoch == receipt.epoch and settled:
                del self._sent[key]
        for key in missing:
            sent = self._sent.get(key)
            if sent is not None:  # what left a moment ago may still be on its way
                sent.again_s = min(sent.again_s, sent.last_s + min(RESEND_MISSING_S, self.settings.send.resend_s))

    def _send_reports(self, now_s: float) -> None:
        send = self.settings.send
        self._allowance = min(send.per_second, self._allowance + (now_s - self._allowed_at_s) * send.per_second)
        self._allowed_at_s = now_s
        due_s = float("inf") if self.flushing else self.sources.now_s()
        self._send_all(self._new_reports(due_s), now_s)
        if self._allowance >= 1.0:
            rows = self._backlog(due_s, now_s, int(self._allowance))
            self._send_all(rows, now_s)
            self._allowance -= len(rows)

    def _new_reports(self, due_s: float) -> list[QueuedReport]:
        """Return the newest reports that were never sent: they do not wait behind a backlog."""
        return [row for row in self.outbox.sendable(NEW_AT_ONCE, due_s, newest=True) if row.key not in self._sent]

    def _backlog(self, due_s: float, now_s: float, limit: int) -> list[QueuedReport]:
        """Return what the window allows: the oldest that were never sent, then those whose wait for a receipt is over."""
        recent_s = now_s - self.settings.send.resend_s
        on_their_way = sum(1 for sent in self._sent.values() if sent.last_s > recent_s and sent.again_s > now_s)
        free = min(limit, self.settings.send.window - on_their_way)
        if free <= 0:
            return []
        rows = self.outbox.sendable(free + len(self._sent), due_s)
        never_sent = [row for row in rows if row.key not in self._sent]
        due_again = [row for row in rows if row.key in self._sent and self._sent[row.key].again_s <= now_s]
        due_again.sort(key=lambda row: self._sent[row.key].last_s)
        return [*never_sent, *due_again][:free]

    def _send_all(self, rows: list[QueuedReport], now_s: float) -> None:
        self.outbox.mark_sending(rows)
        for row in rows:
            self._send(row, now_s)

    def _send(self, row: QueuedReport, now_s: float) -> None:
        if self._connection is None:
            return
        mid = self._connection.publish_payload(Channel.REPORT, row.payload)
        if mid is None:
            return
        sent = self._sent.get(row.key)
        if sent is None:
            sent = self._sent[row.key] = InFlight(now_s, now_s, now_s)
            self.counters.sent += 1
        else:
            sent.attempts += 1
            self.counters.resent += 1
        sent.last_s = now_s
        sent.again_s = now_s + self._wait_s(sent.attempts)
        sent.refused = False
        self._of_mid[mid] = row.key

    def _wait_s(self, attempts: int) -> float:
        """Return how long to wait for a receipt: twice as long each time, and never all sensors at once."""
        send = self.settings.send
        wait_s = min(send.resend_max_s, send.resend_s * 2.0 ** min(attempts - 1, 16))
        if self.flushing:
            wait_s = min(wait_s, FLUSH_RESEND_S)
        return wait_s * random.uniform(0.75, 1.25)

    def _send_health(self, now_s: float) -> None:
        if self._connection is None or now_s < self._health_at_s:
            return
        self._health_at_s = now_s + self.settings.send.health_s
        for health in self.sources.health():
            self._connection.publish(health)

    def _send_live(self, now_s: float) -> None:
        if self._connection is None or now_s >= self._watched_until_s or now_s < self._live_at_s:
            return
        self._live_at_s = now_s + self.settings.send.live_s
        live = self.sources.live()
        if live is not None:
            self._connection.publish(live, qos=0)


def spread_of(sensor: str, spread_s: float) -> float:
    """Return the moment within the spread at which this sensor's reports leave."""
    return zlib.crc32(sensor.encode()) / 2**32 * spread_s
