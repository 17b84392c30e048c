"""One connection to the broker: how it is made, and what happens on it, as events in the order they came.

MQTT 5 first, because it tells of a refused publish; 3.1.1 where the broker answers that it knows nothing newer: a hang-up
is no answer. Nothing but receipts is believed, so neither is needed for being right.
"""

from __future__ import annotations

import queue
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from telstraat_contract.messages import MAX_PAYLOAD_BYTES, Message, Status, encode
from telstraat_contract.secret_files import read_secret
from telstraat_contract.topics import DOWN, Channel, topic
from telstraat_device.settings import Settings, port_of, uses_tls

UNSUPPORTED_PROTOCOL = 0x84  # reason codes of MQTT 5, 2.4; paho gives them for 3.1.1's answers, too
SESSION_TAKEN_OVER = 0x8E
INFLIGHT_MAX = 20  # what Mosquitto takes from a client at once
QUEUE_MAX = 2_000  # more than a window of reports and health; beyond it the broker takes nothing


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker has let us in, and our subscriptions stand; its certificate is good until then (seconds since 1970)."""

    certificate_ends_s: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker has not let us in, or the connection could not be made."""

    reason: str
    unknown_protocol: bool = False  # it has answered that it does not know this version of MQTT


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone."""

    reason: str
    taken_over: bool = False  # the broker says that another client came under this name (MQTT 5 only)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker has taken a publish, or refused it."""

    mid: int
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """A message to us."""

    channel: Channel
    payload: bytes


ConnectionEvent = Connected | Refused | Disconnected | Acknowledged | Received


class Connection:
    """One attempt to be connected; a new one is made for the next."""

    def __init__(
        self, settings: Settings, protocol: MQTTProtocolVersion, events: queue.SimpleQueue[tuple[Any, ConnectionEvent]]
    ) -> None:
        self.sensor = settings.sensor.name
        self.protocol = protocol
        self._broker = settings.broker
        self._events = events
        self._accepted = False
        extra: dict[str, Any] = {} if protocol == MQTTProtocolVersion.MQTTv5 else {"clean_session": True}
        self._client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.sensor,
            protocol=protocol,
            reconnect_on_failure=False,
            **extra,
        )
        if settings.sensor.password_file:
            client.username_pw_set(self.sensor, read_secret(Path(settings.sensor.password_file)))
        if uses_tls(self._broker):
            client.tls_set_context(tls_context(self._broker.ca_file))
        client.connect_timeout = self._broker.connect_s
        client.max_inflight_messages_set(INFLIGHT_MAX)
        client.max_queued_messages_set(QUEUE_MAX)
        will = encode(Status(sensor=self.sensor, state="offline"))
        client.will_set(topic(self.sensor, Channel.STATUS), will, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message

    def open(self) -> None:
        """Begin to connect; `Connected` or `Refused` follows."""
        # paho pings after one keep-alive of silence and gives up after another: with half of ours, that is one.
        keepalive_s = max(1, self._broker.keepalive_s // 2)
        try:
            self._client.connect(self._broker.host, port_of(self._broker), keepalive_s)
        except (OSError, ValueError) as error:
            self._emit(Refused(f"{self._broker.host}:{port_of(self._broker)}: {error}"))
            return
        self._client.loop_start()

    def publish(self, message: Message, *, qos: int = 1, retain: bool = False) -> int | None:
        """Hand a message to the network; return its number, None when it was not taken."""
        return self.publish_payload(message.channel, encode(message), qos=qos, retain=retain)

    def publish_payload(self, channel: Channel, payload: bytes, *, qos: int = 1, retain: bool = False) -> int | None:
        """Hand an encoded message to the network."""
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise ValueError(f"{channel}: {len(payload)} bytes, more than {MAX_PAYLOAD_BYTES}: it is not sent")
        info = self._client.publish(topic(self.sensor, channel), payload, qos=qos, retain=retain)
        return info.mid if info.rc == mqtt.MQTT_ERR_SUCCESS else None

    def close(self) -> None:
        """End the connection, whatever its state, and let its file descriptors go.

        The client closes two of its own when nothing refers to it any more. Its callbacks refer to us and we to it: it would
        wait for the garbage collector, which may look after hundreds of connections.
        """
        client = self._client
        client.disconnect()
        client.loop_stop()
        client.on_connect = client.on_subscribe = client.on_disconnect = client.on_publish = client.on_message = None

    def _emit(self, event: ConnectionEvent) -> None:
        self._events.put((self, event))

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            unknown = reason.value == UNSUPPORTED_PROTOCOL
            self._emit(Refused(f"the broker refuses the connection: {reason}", unknown_protocol=unknown))
            return
        self._accepted = True
        client.subscribe([(topic(self.sensor, channel), 1) for channel in DOWN])

    def _on_subscribe(
        self, _client: mqtt.Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        self._emit(
            Refused(f"the broker refuses the sensor's own topics: {refused[0]}")
            if refused
            else Connected(certificate_ends_s(self._client.socket()))
        )

    def _on_disconnect(
        self, _client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if not self._accepted:
            self._emit(Refused(f"hung up: {reason}"))
            return
        self._emit(Disconnected(str(reason), taken_over=reason.value == SESSION_TAKEN_OVER))

    def _on_publish(self, _client: mqtt.Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        self._emit(Acknowledged(mid, str(reason) if reason.is_failure else ""))

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._emit(Received(Channel(message.topic.rsplit("/", 1)[-1]), bytes(message.payload)))


def certificate_ends_s(connected: Any) -> float | None:
    """Return when the certificate of the other side ends, in seconds since 1970; None without TLS."""
    if not isinstance(connected, ssl.SSLSocket):
        return None
    ends = (connected.getpeercert() or {}).get("notAfter")
    return float(ssl.cert_time_to_seconds(str(ends))) if ends else None


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Return TLS 1.2 or newer, the broker's certificate and host name checked."""
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = ClosingSocket
    return context


class ClosingSocket(ssl.SSLSocket):
    """Closes itself when the other side cannot prove who it is: paho would drop it open, at every attempt."""

    def do_handshake(self, block: bool = False) -> None:
        """Check the certificate, and close the socket when that fails."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
