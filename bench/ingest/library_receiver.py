"""What the ingest service asks of a receiver, over a library that brings its messages from a thread of its own."""

from __future__ import annotations

import logging
import queue
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from telstraat_contract.topics import PREFIX, UP, Channel
from telstraat_ingest.receiving.fairness import Fairness
from telstraat_ingest.receiving.receive import GROUP
from telstraat_ingest.settings import IngestSettings
from telstraat_ingest.writing.quarantine import Arrival, arrival

EVENTS_A_TURN = 20_000
BREATH_S = 0.002
"""So long a library may go on after its first message: woken by each, the two threads would only take turns."""

logger = logging.getLogger("telstraat_ingest.receiving.receive")


class LibraryReceiver(ABC):
    """What the service asks of a receiver, over a library that reports its messages from a thread of its own."""

    is_shared = True

    def __init__(self, settings: IngestSettings) -> None:
        self.settings = settings
        self.fairness = Fairness(settings.sensor_per_minute, settings.sensor_burst, settings.sensor_batch)
        self.pending: list[Arrival] = []
        self.connects = 0
        self.is_connected = False
        self._connection = 0
        self._generation = 0
        """Counted in the library's thread: what an earlier connection brought is never acknowledged over a later one."""
        self._taken = 0
        self._is_started = False
        self._events: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()

    @property
    def held(self) -> int:
        """Return how many messages have come and are not settled."""
        return len(self.pending) + self._taken

    @property
    def client_id(self) -> str:
        """Return the name of the session at the broker."""
        return f"{GROUP}-{self.settings.ingester}"

    @property
    def password(self) -> str:
        """Return the password for the broker."""
        path = self.settings.broker_password_file
        return path.read_text(encoding="utf-8").strip() if path else ""

    @property
    def filters(self) -> list[tuple[str, int]]:
        """Return the topic filters of ingest with their QoS."""
        share = f"$share/{GROUP}/" if self.is_shared else ""
        return [(f"{share}{PREFIX}/+/{channel}", 0 if channel is Channel.LIVE else 1) for channel in UP]

    def turn(self, timeout_s: float) -> None:
        """Take what the library has brought, after waiting up to `timeout_s` for the first of it."""
        if not self._is_started:
            self._is_started = True
            self.start()
        try:
            event = self._events.get_nowait() if timeout_s <= 0 else self._events.get(timeout=timeout_s)
            if timeout_s > 0:
                time.sleep(BREATH_S)
            for _ in range(EVENTS_A_TURN):
                self._take_event(event)
                event = self._events.get_nowait()
            self._take_event(event)
        except queue.Empty:
            return

    def _take_event(self, event: tuple[Any, ...]) -> None:
        if len(event) == 5:
            generation, token, qos, topic, payload = event
            if generation < self._connection:
                return
            now_s = time.monotonic()
            if self.fairness.admits(topic, len(payload), now_s):
                self.pending.append(arrival(generation, token, qos, topic, payload, now_s))
            elif qos:
                self.send_acknowledgements([token])
        elif len(event) == 2:
            generation, state = event
            self.is_connected = state == "subscribed"
            if state == "connected":  # the session's messages come before the answer to our subscription
                self._connection = generation
                self.pending.clear()
            elif state == "subscribed":
                self.connects += 1
                logger.info("broker connected", extra={"event": "broker_connected"})
            else:
                logger.warning("broker away", extra={"event": "broker_away"})

    def connected(self) -> None:
        """Note a new connection, in the library's thread, before its first message."""
        self._generation += 1
        self._events.put((self._generation, "connected"))

    def subscribed(self) -> None:
        """Note that the broker has accepted our subscriptions, in the library's thread."""
        self._events.put((self._generation, "subscribed"))

    def disconnected(self) -> None:
        """Note the end of a connection, in the library's thread."""
        self._events.put((self._generation, "away"))

    def received(self, token: int, qos: int, topic: str, payload: bytes) -> None:
        """Note a message, in the library's thread."""
        self._events.put((self._generation, token, qos, topic, payload))

    def take(self, count: int) -> list[Arrival]:
        """Return up to `count` of what has come."""
        taken, self.pending = self.fairness.share(self.pending, count)
        self._taken += len(taken)
        return taken

    def give_back(self, arrivals: list[Arrival]) -> None:
        """Take back what could not be written."""
        self._taken -= len(arrivals)
        self.pending[:0] = [message for message in arrivals if message.connection == self._connection]

    def acknowledge(self, arrivals: list[Arrival]) -> None:
        """Acknowledge what is committed and came over this connection."""
        self._taken -= len(arrivals)
        current = self._connection
        tokens = [message.mid for message in arrivals if message.qos and message.connection == current]
        self.send_acknowledgements(tokens)

    def publish_soon(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish; here each library's own publish may be called from any thread. Nothing retained: no sensor gets settings here."""
        assert not retain
        self.publish(topic, payload)

    def wake(self) -> None:
        """End the wait of a turn."""
        self._events.put(())

    def flush(self) -> None:  # noqa: B027 - a library that buffers may have something to do
        """Nothing waits here: the libraries send by themselves."""

    @abstractmethod
    def start(self) -> None:
        """Begin to connect."""

    @abstractmethod
    def send_acknowledgements(self, tokens: Sequence[int]) -> None:
        """Acknowledge to the broker."""

    @abstractmethod
    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0."""

    @abstractmethod
    def close(self) -> None:
        """Leave the broker, keeping the session."""
