"""The connection to the broker: receives, and acknowledges only what is committed.

MQTT 5 with a shared subscription where the broker has it, MQTT 3.1.1 with a plain one otherwise. The session is
persistent. Messages are taken one turn at a time by the thread that also writes: while the database is busy or away,
nothing is read beyond `receive_max`, and memory stays flat.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import random
import ssl
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from telstraat_contract.topics import PREFIX, UP, Channel
from telstraat_ingest.errors import BrokerError, SecondIngesterError
from telstraat_ingest.quarantine import Arrival, arrival
from telstraat_ingest.settings import IngestSettings

GROUP = "telstraat-ingest"
_WAIT_MIN_S, _WAIT_MAX_S = 0.2, 15.0
_CONNECT_S = 10.0
_READ_PACKETS = 400
_SAME_BROKER_S = 15.0  # amqtt takes seconds to hang up on MQTT 5

logger = logging.getLogger(__name__)


class Receiver:
    """One ingester's session at the broker. `turn` must be called often; everything happens in it."""

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings
        self._protocol = mqtt.MQTTv5
        self._speaks_5 = self._speaks_311_only = False
        self._answered_311_at_s = float("-inf")
        self._connection = 0
        self._client: Client | None = None
        self._is_connected = False
        self._has_shared = False
        self._began_at_s = 0.0
        self._next_try_at_s = 0.0
        self._wait_s = _WAIT_MIN_S
        self._problem = ""
        self._logged = ""
        self._fatal: Exception | None = None
        self._soon: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self.pending: list[Arrival] = []
        self.bytes = 0
        self.connects = 0

    @property
    def is_connected(self) -> bool:
        """Tell whether the broker has accepted us and the subscription is on its way."""
        return self._is_connected

    @property
    def is_shared(self) -> bool:
        """Tell whether other ingesters may share the messages with us."""
        return self._has_shared

    @property
    def problem(self) -> str:
        """Return why there is no connection; empty when there is one."""
        return "" if self._is_connected else self._problem or "not connected yet"

    def turn(self, timeout_s: float) -> None:
        """Connect if needed, wait up to `timeout_s` for the network, take what has come."""
        if self._fatal is not None:
            raise self._fatal
        if self._client is None:
            self._connect_when_due(timeout_s)
            return
        client = self._client
        while not self._soon.empty():
            self.publish(*self._soon.get())
        if len(self.pending) >= self._settings.receive_max:
            time.sleep(timeout_s)
            client.loop_write()
            code = client.loop_misc()
        else:
            code = self._read(client, timeout_s)
        if code not in (mqtt.MQTT_ERR_SUCCESS, mqtt.MQTT_ERR_AGAIN) or (
            not self._is_connected and time.monotonic() - self._began_at_s > _CONNECT_S
        ):
            self._drop(mqtt.error_string(code))

    def _read(self, client: Client, timeout_s: float) -> MQTTErrorCode:
        code = client.loop(timeout_s)
        for _ in range(_READ_PACKETS):
            before = len(self.pending)
            if code != mqtt.MQTT_ERR_SUCCESS or not before:
                break
            code = client.loop_read()
            if len(self.pending) == before:
                break
        return code

    def take(self, count: int) -> list[Arrival]:
        """Return up to `count` of what has come and forget it here."""
        taken, self.pending = self.pending[:count], self.pending[count:]
        return taken

    def acknowledge(self, arrivals: list[Arrival]) -> None:
        """Tell the broker that these are committed. What came over an earlier connection comes again: no matter."""
        client = self._client
        if client is None:
            return
        for one in arrivals:
            if one.qos and one.connection == self._connection:
                client.ack(one.mid, one.qos)
        client.loop_write()

    def publish(self, topic: str, payload: bytes, qos: int = 0) -> None:
        """Publish when connected. What is said to a sensor is said again when it connects or asks: losing it is harmless."""
        client = self._client
        if client is not None and self._is_connected:
            client.publish(topic, payload, qos)

    def publish_soon(self, topic: str, payload: bytes) -> None:
        """Publish at the next turn; safe from another thread."""
        self._soon.put((topic, payload))

    def close(self) -> None:
        """Leave the broker; the session stays there, and with it what is not yet acknowledged."""
        client, self._client = self._client, None
        self._is_connected = False
        if client is not None:
            client.disconnect()
            client.loop_write()

    def _connect_when_due(self, timeout_s: float) -> None:
        wait_s = self._next_try_at_s - time.monotonic()
        if wait_s > 0:
            time.sleep(min(wait_s, timeout_s))
            return
        host, port, tls = self._settings.address
        client = self._new_client(tls)
        self._client = client
        self._began_at_s = time.monotonic()
        try:
            if self._protocol == mqtt.MQTTv5:
                properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
                properties.SessionExpiryInterval = self._settings.session_expiry_s
                properties.ReceiveMaximum = self._settings.receive_max
                client.connect(host, port, self._settings.keepalive_s, clean_start=False, properties=properties)
            else:
                client.connect(host, port, self._settings.keepalive_s)
        except (OSError, ValueError) as error:
            self._problem = self._problem or str(error)
            self._drop(str(error))

    def _new_client(self, tls: bool) -> Client:
        settings = self._settings
        kwargs: dict[str, Any] = {"clean_session": False} if self._protocol == mqtt.MQTTv311 else {}
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{GROUP}-{settings.ingester}",
            protocol=self._protocol,
            manual_ack=True,
            reconnect_on_failure=False,
            **kwargs,
        )
        client.connect_timeout = _CONNECT_S
        if settings.broker_password_file is not None:
            try:
                secret = settings.broker_password_file.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise BrokerError(f"password file {settings.broker_password_file}: {error.strerror}") from error
            client.username_pw_set(settings.broker_user, secret)
        if tls:
            context = ssl.create_default_context(cafile=settings.broker_ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            client.tls_set_context(context)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_socket_register_write = _written_by_the_loop
        return client

    def _on_connect(self, client: Client, _: Any, __: Any, code: ReasonCode, properties: Properties | None) -> None:
        if code.is_failure:
            self._problem = f"the broker refuses: {code}"
            if str(code) == "Unsupported protocol version":
                self._protocol = mqtt.MQTTv311
                self._speaks_311_only = True
            return
        if self._protocol == mqtt.MQTTv311 and not self._speaks_311_only:
            # It answers now. Was it away when it was asked for MQTT 5? Ask once more before going without sharing.
            self._answered_311_at_s = time.monotonic()
            self._wait_s = _WAIT_MIN_S
            self._problem = "the broker is back; asking for MQTT 5 once more"
            client.disconnect()
            return
        self._speaks_5 = self._protocol == mqtt.MQTTv5
        self._connection += 1
        self.connects += 1
        self.pending.clear()  # what was not acknowledged comes again
        available = getattr(properties, "SharedSubscriptionAvailable", 1)
        self._has_shared = self._protocol == mqtt.MQTTv5 and bool(available)
        self._is_connected = True
        self._wait_s = _WAIT_MIN_S
        self._problem = self._logged = ""
        share = f"$share/{GROUP}/" if self._has_shared else ""
        client.subscribe([(f"{share}{PREFIX}/+/{channel}", 0 if channel is Channel.LIVE else 1) for channel in UP])
        logger.info("broker connected", extra={"event": "broker_connected", "shared": self._has_shared})

    def _on_subscribe(self, _: Client, __: Any, ___: int, codes: list[ReasonCode], ____: Properties | None) -> None:
        if any(code.is_failure for code in codes):
            self._fatal = BrokerError(
                f"the broker does not let {self._settings.broker_user!r} subscribe to {PREFIX}/+/{UP[0]} and the others "
                f"({', '.join(map(str, codes))}): write its ACL file again with telstraat sensor access"
            )

    def _on_disconnect(self, _: Client, __: Any, ___: Any, code: ReasonCode, ____: Properties | None) -> None:
        if str(code) == "Session taken over":
            self._fatal = SecondIngesterError(
                f"another ingester named {self._settings.ingester!r} has taken our place at the broker: "
                "give each its own name (--name)"
            )

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:
        payload = bytes(message.payload)
        self.bytes += len(payload)
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = repr(message)
        self.pending.append(arrival(self._connection, message.mid, message.qos, topic, payload, time.monotonic()))

    def _drop(self, why: str) -> None:
        client, self._client = self._client, None
        if not self._is_connected and self._problem == "" and self._protocol == mqtt.MQTTv5 and not self._speaks_5:
            # A broker of MQTT 3.1.1 only may close the connection without a word: take turns.
            self._protocol = mqtt.MQTTv311
            self._speaks_311_only = time.monotonic() - self._answered_311_at_s < _SAME_BROKER_S
        elif not self._is_connected and self._protocol == mqtt.MQTTv311 and not self._speaks_311_only:
            self._protocol = mqtt.MQTTv5
        self._is_connected = False
        self._problem = self._problem or why
        if client is not None:
            with contextlib.suppress(OSError, ValueError):
                client.disconnect()
        self._next_try_at_s = time.monotonic() + self._wait_s * random.uniform(0.5, 1.0)
        self._wait_s = min(self._wait_s * 2, _WAIT_MAX_S)
        if self._problem != self._logged:
            logger.warning("broker away: %s", self._problem, extra={"event": "broker_away"})
            self._logged = self._problem
        self._problem = ""


def _written_by_the_loop(*_: object) -> None:
    """Keep paho from sending each acknowledgement as it is queued: the loop sends them together."""
