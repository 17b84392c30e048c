"""The connection to the broker: receives, and acknowledges only what is committed.

MQTT 5 with a shared subscription where the broker has it, MQTT 3.1.1 with a plain one otherwise. The session is
persistent. Messages are taken one turn at a time: while the database is busy or away, nothing is read beyond
`receive_max`, what is being written included, and memory stays flat.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import random
import select
import socket
import ssl
import time

import msgspec

from telstraat_contract.messages import MAX_PAYLOAD_BYTES
from telstraat_contract.topics import PREFIX, UP, Channel
from telstraat_ingest.errors import BrokerError
from telstraat_ingest.receiving import mqtt
from telstraat_ingest.receiving.fairness import Fairness
from telstraat_ingest.receiving.mqtt import BrokerRefusedError, Kind, OtherVersionError, Packet, ProtocolError, Version
from telstraat_ingest.settings import IngestSettings
from telstraat_ingest.writing.quarantine import Arrival, arrival

GROUP = "telstraat-ingest"
_WAIT_MIN_S, _WAIT_MAX_S = 0.2, 15.0
_CONNECT_S = 10.0
_STEADY_S = 5.0
"""A connection that lasted so long was a good one: the next is tried at once."""
_READ_BYTES = 262_144
_READS_A_TURN = 4
_UNSENT_MAX_BYTES = 4_000_000
"""What a broker that does not read may leave with us; receipts beyond are left out, sensors ask again."""

logger = logging.getLogger(__name__)


class Receiver:
    """One ingester's session at the broker. `turn` must be called often; everything happens in it."""

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings
        self._version = Version.V5
        self._speaks_5 = self._asked_again = self._is_old = False
        self._connection = 0
        self._socket: socket.socket | None = None
        self._reader = mqtt.PacketReader()
        self._unsent = bytearray()
        self._is_accepted = self._is_connected = False
        self._has_shared = False
        self._keepalive_s = float(settings.keepalive_s)
        self._began_at_s = self._sent_at_s = self._heard_at_s = self._pinged_at_s = self._accepted_at_s = 0.0
        self._next_try_at_s = 0.0
        self._wait_s = _WAIT_MIN_S
        self._problem = self._logged = ""
        self._soon: queue.SimpleQueue[tuple[str, bytes, bool]] = queue.SimpleQueue()
        self._waker, self._wakes = socket.socketpair()
        self._taken = 0
        self.fairness = Fairness(settings.sensor_per_minute, settings.sensor_burst, settings.sensor_batch)
        self.pending: list[Arrival] = []
        self.connects = 0

    @property
    def is_connected(self) -> bool:
        """Tell whether the broker has accepted us and our subscription."""
        return self._is_connected

    @property
    def is_shared(self) -> bool:
        """Tell whether other ingesters may share the messages with us."""
        return self._has_shared

    @property
    def held(self) -> int:
        """Return how many messages have come and are not settled: those that wait and those that were taken."""
        return len(self.pending) + self._taken

    def turn(self, timeout_s: float) -> None:
        """Connect if needed, wait up to `timeout_s` for the network, take what has come, send what is due."""
        while not self._soon.empty():
            topic, payload, retain = self._soon.get()
            self.publish(topic, payload, retain=retain)
        if self._socket is None:
            self._connect_when_due(timeout_s)
            return
        try:
            self._exchange(self._socket, timeout_s)
        except (OSError, ProtocolError) as error:
            self._drop(error)

    def take(self, count: int) -> list[Arrival]:
        """Return up to `count` of what has come, of no sensor more than its share of a batch.

        They count as held until they are acknowledged or given back. So one sensor's messages may be acknowledged after another's
        that came later; brokers take acknowledgements in any order (docs/decisions/014).
        """
        taken, self.pending = self.fairness.share(self.pending, count)
        self._taken += len(taken)
        return taken

    def give_back(self, arrivals: list[Arrival]) -> None:
        """Take back what could not be written. What came over an earlier connection comes again by itself."""
        self._taken -= len(arrivals)
        self.pending[:0] = [arrival for arrival in arrivals if arrival.connection == self._connection]

    def acknowledge(self, arrivals: list[Arrival]) -> None:
        """Tell the broker that these are committed. What came over an earlier connection comes again: no matter."""
        self._taken -= len(arrivals)
        current = self._connection
        acknowledged = [arrival for arrival in arrivals if arrival.qos and arrival.connection == current]
        self._send(b"".join([mqtt.puback(arrival.mid) for arrival in acknowledged]))

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 0: what is said to a sensor is said again when it connects or sends, losing it is harmless."""
        if self._is_connected and len(self._unsent) < _UNSENT_MAX_BYTES:
            self._unsent += mqtt.publish(self._version, topic, payload, retain=retain)

    def publish_soon(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at the next turn; safe from another thread."""
        self._soon.put((topic, payload, retain))

    def wake(self) -> None:
        """End the wait of the turn that goes on; safe from another thread."""
        with contextlib.suppress(OSError):  # closed: nobody waits
            self._waker.send(b"\0")

    def flush(self) -> None:
        """Send what was published, as far as the network takes it."""
        self._send(b"")

    def close(self) -> None:
        """Leave the broker; the session stays there, and with it what is not yet acknowledged."""
        self._send(mqtt.DISCONNECT)
        self._close_socket()
        self._waker.close()
        self._wakes.close()

    def _connect_when_due(self, timeout_s: float) -> None:
        wait_s = self._next_try_at_s - time.monotonic()
        if wait_s > 0:
            self._pause(min(wait_s, timeout_s))
            return
        self._began_at_s = self._heard_at_s = time.monotonic()
        self._problem = ""
        settings = self._settings
        connect = mqtt.connect(self._version, f"{GROUP}-{settings.ingester}", settings.broker_user, self._password(),
                               settings.keepalive_s, settings.session_expiry_s, settings.receive_max)  # fmt: skip
        try:
            self._socket = self._open()
        except (OSError, ValueError) as error:
            self._drop(error)
            return
        self._reader = mqtt.PacketReader()
        self._unsent.clear()
        self._keepalive_s = float(settings.keepalive_s)
        self._send(connect)

    def _open(self) -> socket.socket:
        host, port, tls = self._settings.address
        plain = socket.create_connection((host, port), timeout=_CONNECT_S)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:
                context = ssl.create_default_context(cafile=self._settings.broker_ca_file)
                context.minimum_version = ssl.TLSVersion.TLSv1_2
                plain = context.wrap_socket(plain, server_hostname=host)
            plain.settimeout(0.0)
        except BaseException:
            plain.close()
            raise
        return plain

    def _password(self) -> str:
        path = self._settings.broker_password_file
        if path is None:
            return ""
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BrokerError(f"password file {path}: {error.strerror}") from error

    def _exchange(self, sock: socket.socket, timeout_s: float) -> None:
        is_paused = self.held >= self._settings.receive_max
        now_s = time.monotonic()
        if is_paused:
            # Only a broker without a receive maximum gets here. It is left waiting, and is not suspected for its silence.
            self._heard_at_s = now_s
            self._pause(timeout_s)
        elif self._wait(sock, timeout_s):
            self._read(sock)
        self._keep_alive(time.monotonic())
        if self._unsent:
            self._send(b"")

    def _wait(self, sock: socket.socket, timeout_s: float) -> bool:
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            return True
        readable, _, _ = select.select([sock, self._wakes], [sock] if self._unsent else [], [], timeout_s)
        if self._wakes in readable:
            self._wakes.recv(4096)
        return sock in readable

    def _pause(self, timeout_s: float) -> None:
        if select.select([self._wakes], [], [], timeout_s)[0]:
            self._wakes.recv(4096)

    def _read(self, sock: socket.socket) -> None:
        for _ in range(_READS_A_TURN):
            try:
                data = sock.recv(_READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            if not data:
                raise ProtocolError(self._problem or "the broker closed the connection")
            self._heard_at_s = time.monotonic()
            for packet in self._reader.feed(data):
                if packet.kind == Kind.PUBLISH:
                    self._take_message(packet)
                else:
                    self._take_other(packet)
            if len(data) < _READ_BYTES // 2 or self.held >= self._settings.receive_max:
                return

    def _take_message(self, packet: Packet) -> None:
        message = mqtt.take_publish(self._version, packet)
        topic = message.topic.decode("utf-8", "backslashreplace")
        message_bytes = len(packet.body) + packet.cut_bytes - len(message.topic)  # its properties included
        if not self.fairness.admits(topic, message_bytes, self._heard_at_s):
            if message.qos:
                self._unsent += mqtt.puback(message.mid)
            return
        arrived = arrival(self._connection, message.mid, message.qos, topic, message.payload, self._heard_at_s)
        if packet.cut_bytes:
            payload_bytes = len(message.payload) + packet.cut_bytes
            head = arrived.payload[:MAX_PAYLOAD_BYTES]
            arrived = msgspec.structs.replace(
                arrived, payload=head, payload_bytes=payload_bytes, payload_sha256=packet.sha256
            )
        self.pending.append(arrived)

    def _take_other(self, packet: Packet) -> None:
        if packet.kind in {Kind.CONNACK, Kind.SUBACK}:
            if (packet.kind == Kind.CONNACK) == self._is_accepted:
                raise ProtocolError(f"a {Kind(packet.kind).name} out of turn")
            if packet.kind == Kind.CONNACK:
                self._take_connack(packet)
            else:
                self._take_suback(packet)
        elif packet.kind == Kind.DISCONNECT:
            code = packet.body[0] if packet.body else 0
            self._problem = f"the broker sends us away: {mqtt.reason_of(code)}"

    def _take_connack(self, packet: Packet) -> None:
        accepted = mqtt.take_connack(self._version, packet)
        if accepted.code:
            if accepted.code in mqtt.UNSUPPORTED_VERSION:
                self._version, self._is_old = Version.V311, True
            raise BrokerRefusedError(accepted.code)
        if self._version == Version.V311 and not (self._is_old or self._asked_again):
            # It answers now; it may just have been away when it was asked for MQTT 5. Without sharing, one ingester is all.
            self._version, self._asked_again, self._wait_s = Version.V5, True, _WAIT_MIN_S
            raise OtherVersionError("the broker is there; asking for MQTT 5 once more")
        self._is_accepted = True
        self._speaks_5 = self._version == Version.V5
        self._connection += 1
        self._keepalive_s = float(accepted.keepalive_s or self._settings.keepalive_s)
        self._has_shared = accepted.has_shared
        self.pending.clear()  # what was not acknowledged comes again
        share = f"$share/{GROUP}/" if accepted.has_shared else ""
        filters = [(f"{share}{PREFIX}/+/{channel}", 0 if channel is Channel.LIVE else 1) for channel in UP]
        self._send(mqtt.subscribe(self._version, 1, filters))

    def _take_suback(self, packet: Packet) -> None:
        codes = mqtt.take_suback(self._version, packet)
        refused = [code for code in codes if code >= 0x80]
        if refused:
            raise BrokerError(
                f"the broker does not let {self._settings.broker_user!r} subscribe to {PREFIX}/+/{UP[0]} and the others "
                f"({mqtt.reason_of(refused[0])}): write its files again with telstraat sensor access"
            )
        if len(codes) != len(UP):
            raise ProtocolError(f"the broker answers {len(codes)} of {len(UP)} topic filters")
        self._is_connected = True
        self._accepted_at_s = time.monotonic()
        self.connects += 1
        extra = {"event": "broker_connected", "shared": self._has_shared, "mqtt": self._version.name}
        logger.info("broker connected", extra=extra)

    def _keep_alive(self, now_s: float) -> None:
        silent_s = now_s - self._heard_at_s
        if not self._is_connected:
            if now_s - self._began_at_s > _CONNECT_S:
                raise ProtocolError(f"the broker did not answer in {_CONNECT_S:.0f} s")
        elif silent_s > 1.5 * self._keepalive_s:
            raise ProtocolError(f"the broker has been silent for {silent_s:.0f} s")
        elif now_s - self._pinged_at_s > self._keepalive_s / 2 < max(silent_s, now_s - self._sent_at_s):
            self._pinged_at_s = now_s
            self._send(mqtt.PINGREQ)

    def _send(self, data: bytes) -> None:
        self._unsent += data
        if self._socket is None or not self._unsent:
            return
        try:
            while self._unsent:
                sent = self._socket.send(self._unsent)
                self._sent_at_s = time.monotonic()
                del self._unsent[:sent]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            self._drop(error)

    def _drop(self, error: Exception) -> None:
        was_connected, was_open = self._is_connected, self._socket is not None
        self._close_socket()
        if was_connected and time.monotonic() - self._accepted_at_s > _STEADY_S:
            self._wait_s, self._logged = _WAIT_MIN_S, ""
        if was_connected and not self._is_old:
            self._version = Version.V5
        elif was_open and not self._speaks_5 and not isinstance(error, BrokerRefusedError | OtherVersionError):
            # A broker of MQTT 3.1.1 only may close the connection without a word: take turns.
            self._version = Version.V311 if self._version == Version.V5 else Version.V5
        self._next_try_at_s = time.monotonic() + self._wait_s * random.uniform(0.5, 1.0)
        self._wait_s = min(self._wait_s * 2, _WAIT_MAX_S)
        why = str(error) or type(error).__name__
        if why != self._logged:
            logger.warning("broker away: %s", why, extra={"event": "broker_away"})
            self._logged = why

    def _close_socket(self) -> None:
        sock, self._socket = self._socket, None
        self._is_accepted = self._is_connected = False
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.close()
