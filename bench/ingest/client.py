"""The ingest service over somebody else's MQTT client, so that bench/ingest/clients can measure it beside our own.

    python -m bench.ingest.client LIBRARY --dsn DSN --broker URL --name NAME --broker-password-file FILE

`LIBRARY` is ours, awscrt, paho, aiomqtt, gmqtt or amqtt. Everything behind the client is the product's: only `Receiver` is
replaced, by the smallest adapter with the same methods. Each library runs as its documentation says, in a thread of its own
where it has one, except paho, whose calls for a caller's own loop cost less than its thread.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import select
import signal
import socket
import threading
import time
from abc import abstractmethod
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from typing import Any

import paho.mqtt.client as paho
from bench.ingest.library_receiver import LibraryReceiver
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from telstraat_ingest import service
from telstraat_ingest.logs import begin_logging
from telstraat_ingest.settings import IngestSettings, read_settings

RETRY_S = 0.5


class AwsCrt(LibraryReceiver):
    """awscrt's MQTT 5 client: C, with an event loop of its own and one Python call a message."""

    def start(self) -> None:
        """Begin to connect."""
        from awscrt import io, mqtt5

        self._mqtt5 = mqtt5
        host, port, _ = self.settings.address
        group = io.EventLoopGroup(1)
        connect = mqtt5.ConnectPacket(
            keep_alive_interval_sec=self.settings.keepalive_s,
            client_id=self.client_id,
            username=self.settings.broker_user,
            password=self.password,
            session_expiry_interval_sec=self.settings.session_expiry_s,
            receive_maximum=self.settings.receive_max,
        )
        self._handles: dict[int, Any] = {}
        self._client = mqtt5.Client(
            mqtt5.ClientOptions(
                host_name=host,
                port=port,
                bootstrap=io.ClientBootstrap(group, io.DefaultHostResolver(group)),
                connect_options=connect,
                session_behavior=mqtt5.ClientSessionBehaviorType.REJOIN_ALWAYS,
                offline_queue_behavior=mqtt5.ClientOperationQueueBehaviorType.FAIL_ALL_ON_DISCONNECT,
                min_reconnect_delay_ms=200,
                max_reconnect_delay_ms=2000,
                on_publish_callback_fn=self._on_publish,
                on_lifecycle_event_connection_success_fn=self._on_connected,
                on_lifecycle_event_connection_failure_fn=lambda _: None,
                on_lifecycle_event_disconnection_fn=lambda _: self.disconnected(),
                disable_metrics=True,
            )
        )
        self._client.start()

    def _on_connected(self, _data: Any) -> None:
        self.connected()
        qos = (self._mqtt5.QoS.AT_MOST_ONCE, self._mqtt5.QoS.AT_LEAST_ONCE)
        packet = self._mqtt5.SubscribePacket(
            [self._mqtt5.Subscription(topic_filter, qos[level]) for topic_filter, level in self.filters]
        )
        self._client.subscribe(packet).add_done_callback(self._on_subscribed)

    def _on_subscribed(self, answer: Future[Any]) -> None:
        if answer.exception() is None:
            self.subscribed()

    def _on_publish(self, data: Any) -> None:
        packet, token = data.publish_packet, 0
        if data.acquire_publish_acknowledgement_control is not None:
            handle = data.acquire_publish_acknowledgement_control()
            token = id(handle)
            self._handles[token] = handle
        self.received(token, int(packet.qos), packet.topic, packet.payload or b"")

    def send_acknowledgements(self, tokens: Sequence[int]) -> None:
        """Acknowledge one by one: the library has no call for many."""
        invoke, pop = self._client.invoke_publish_acknowledgement, self._handles.pop
        for token in tokens:
            invoke(pop(token))

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0."""
        if self.is_connected:
            self._client.publish(self._mqtt5.PublishPacket(topic=topic, payload=payload))

    def close(self) -> None:
        """Leave the broker."""
        self._client.stop()


class Paho(LibraryReceiver):
    """paho 2 with manual_ack, driven by our own loop."""

    def start(self) -> None:
        """Make the client; each turn connects where needed."""
        self._waker, self._wakes = socket.socketpair()
        self._wakes.setblocking(False)  # noqa: FBT003
        self._next_try_at_s = 0.0
        self._client = paho_client(self)
        self._client.on_connect = self._on_connected
        self._client.on_subscribe = lambda *_: self.subscribed()
        self._client.on_disconnect = lambda *_: self.disconnected()
        self._client.on_message = lambda _client, _data, message: self.received(
            message.mid, message.qos, message.topic, bytes(message.payload)
        )

    def _on_connected(self, client: paho.Client, *_: Any) -> None:
        self.connected()
        client.subscribe(self.filters)

    def turn(self, timeout_s: float) -> None:
        """Let paho read packets as long as there are any, then take them."""
        super().turn(0.0)
        sock = self._client.socket()
        if sock is None:
            self._connect(timeout_s)
            return
        writers = [sock] if self._client.want_write() else []
        readable, writable, _ = select.select([sock, self._wakes], writers, [], timeout_s)
        if self._wakes in readable:
            self._wakes.recv(4096)
        if sock in readable:
            while True:  # it reads one packet a call
                before = self._events.qsize()
                self._client.loop_read()
                if self._events.qsize() == before or before >= self.settings.receive_max:
                    break
        if writable:
            self._client.loop_write()
        self._client.loop_misc()
        super().turn(0.0)

    def _connect(self, timeout_s: float) -> None:
        if time.monotonic() < self._next_try_at_s:
            time.sleep(min(timeout_s, 0.05))
            return
        self._next_try_at_s = time.monotonic() + RETRY_S
        host, port, _ = self.settings.address
        with contextlib.suppress(OSError):
            self._client.connect(
                host, port, self.settings.keepalive_s, clean_start=False, properties=connect_properties(self.settings)
            )

    def wake(self) -> None:
        """End the wait of a turn."""
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")

    def send_acknowledgements(self, tokens: Sequence[int]) -> None:
        """Acknowledge one by one: the library has no call for many."""
        for token in tokens:
            self._client.ack(token, 1)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0."""
        if self.is_connected:
            self._client.publish(topic, payload)

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()


def paho_client(receiver: LibraryReceiver) -> paho.Client:
    """Return paho's client for MQTT 5 with manual acknowledgement."""
    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=receiver.client_id, protocol=paho.MQTTv5, manual_ack=True
    )
    client.username_pw_set(receiver.settings.broker_user, receiver.password)
    return client


def connect_properties(settings: IngestSettings) -> Properties:
    """Return what ingest asks of the broker, as paho wants it."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = settings.session_expiry_s
    properties.ReceiveMaximum = settings.receive_max
    return properties


class LoopReceiver(LibraryReceiver):
    """A library that wants an asyncio loop: one in a thread."""

    def start(self) -> None:
        """Run the loop."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="asyncio", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._loop.run_until_complete(self.serve())

    def in_loop(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Run something in the loop, from another thread."""
        asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    @abstractmethod
    async def serve(self) -> None:
        """Connect, again and again, and receive."""

    def close(self) -> None:
        """Leave without a word: the process ends anyway, and the session stays."""
        self._loop.call_soon_threadsafe(self._loop.stop)


class AioMqtt(LoopReceiver):
    """aiomqtt over paho. It has no manual acknowledgement of its own: its `_client` is asked for it."""

    async def serve(self) -> None:
        """Connect, again and again, and receive."""
        import aiomqtt

        host, port, _ = self.settings.address
        while True:
            try:
                client = aiomqtt.Client(
                    host, port, identifier=self.client_id, username=self.settings.broker_user, password=self.password,
                    protocol=aiomqtt.ProtocolVersion.V5, clean_start=False, keepalive=self.settings.keepalive_s,
                    properties=connect_properties(self.settings), logger=logging.getLogger("aiomqtt"),
                )  # fmt: skip
                client._client.manual_ack_set(True)  # noqa: FBT003, SLF001 - before the first message, which comes with the session
                async with client:
                    self._client = client
                    self.connected()
                    self._clients = {self._generation: client._client}  # noqa: SLF001
                    await client.subscribe(self.filters)
                    self.subscribed()
                    async for message in client.messages:
                        self.received(message.mid, message.qos, str(message.topic), message.payload)
            except aiomqtt.MqttError:
                self.disconnected()
                await asyncio.sleep(RETRY_S)

    def send_acknowledgements(self, tokens: Sequence[int]) -> None:
        """Acknowledge in the loop."""
        client = self._clients.get(self._connection)
        if client is not None:  # else a newer connection stands, where these numbers mean other messages
            self._loop.call_soon_threadsafe(lambda: [client.ack(token, 1) for token in tokens])

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0."""
        if self.is_connected:
            self.in_loop(self._client.publish(topic, payload))


class GMqtt(LoopReceiver):
    """gmqtt, which acknowledges when the handler of a message returns: each waits for a future of its own."""

    protocol = 5

    async def serve(self) -> None:
        """Connect, again and again, and receive."""
        import gmqtt

        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._next_token = 0
        client = gmqtt.Client(
            self.client_id,
            clean_session=False,
            optimistic_acknowledgement=False,
            session_expiry_interval=self.settings.session_expiry_s,
            receive_maximum=self.settings.receive_max,
        )
        self._client = client
        client.set_auth_credentials(self.settings.broker_user, self.password)

        async def on_message(_client: Any, topic: str, payload: bytes, qos: int, _properties: Any) -> int:
            if not qos:
                self.received(0, 0, topic, payload)
                return 0
            self._next_token += 1
            token, future = self._next_token, self._loop.create_future()
            self._waiting[token] = future
            self.received(token, qos, topic, payload)
            return int(await future)

        def on_connect(_client: Any, *_: Any) -> None:
            self._waiting.clear()  # never resolved: their numbers belong to the connection that is gone
            self.connected()
            client.subscribe([gmqtt.Subscription(topic_filter, qos=qos) for topic_filter, qos in self.filters])

        client.on_message = on_message
        client.on_connect = on_connect
        client.on_subscribe = lambda *_: self.subscribed()
        client.on_disconnect = lambda *_: self.disconnected()
        host, port, _ = self.settings.address
        while True:
            try:
                await client.connect(host, port, keepalive=self.settings.keepalive_s, version=self.protocol)
                break
            except OSError:
                await asyncio.sleep(RETRY_S)
        await asyncio.Event().wait()

    def send_acknowledgements(self, tokens: Sequence[int]) -> None:
        """Let the handlers of these messages return."""

        def resolve() -> None:
            for token in tokens:
                future = self._waiting.pop(token, None)
                if future is not None:
                    future.set_result(0)

        self._loop.call_soon_threadsafe(resolve)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0."""
        if self.is_connected:
            self._loop.call_soon_threadsafe(lambda: self._client.publish(topic, payload))


class AMqtt(LoopReceiver):
    """amqtt's client: MQTT 3.1.1, and it acknowledges before it hands a message over."""

    is_shared = False

    async def serve(self) -> None:
        """Connect, again and again, and receive."""
        from amqtt.client import MQTTClient
        from amqtt.errors import AMQTTError

        host, port, _ = self.settings.address
        uri = f"mqtt://{self.settings.broker_user}:{self.password}@{host}:{port}"
        while True:
            client = MQTTClient(
                self.client_id, config={"auto_reconnect": False, "keep_alive": self.settings.keepalive_s}
            )
            try:
                await client.connect(uri, cleansession=False)
                self._client = client
                self.connected()
                await client.subscribe(self.filters)
                self.subscribed()
                while True:
                    message = await client.deliver_message()
                    if message is not None:
                        self.received(0, message.qos, message.topic, bytes(message.data))
            except (AMQTTError, OSError):
                self.disconnected()
                await asyncio.sleep(RETRY_S)

    def send_acknowledgements(self, tokens: Sequence[int]) -> None:
        """Nothing is left to do: the library has acknowledged already."""

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0."""
        if self.is_connected:
            self.in_loop(self._client.publish(topic, payload, 0))


class GMqttOld(GMqtt):
    """gmqtt over MQTT 3.1.1, where it acknowledges before it hands a message over, whatever it is told."""

    is_shared = False
    protocol = 4


RECEIVERS: dict[str, type[LibraryReceiver]] = {
    "awscrt": AwsCrt, "paho": Paho, "aiomqtt": AioMqtt, "gmqtt": GMqtt, "gmqtt-3.1.1": GMqttOld, "amqtt": AMqtt,
}  # fmt: skip


def main() -> None:
    """Run one ingester until it is told to stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", choices=["ours", *RECEIVERS])
    parser.add_argument("--dsn")
    parser.add_argument("--broker")
    parser.add_argument("--name")
    parser.add_argument("--broker-password-file")
    args = vars(parser.parse_args())
    library = args.pop("library")
    begin_logging()
    for name in ("amqtt", "gmqtt", "aiomqtt"):  # nobody reads what they say, and a full pipe would stop them
        logging.getLogger(name).setLevel(logging.ERROR)
    if library in RECEIVERS:
        vars(service)["Receiver"] = RECEIVERS[library]
    ingester = service.IngestService(read_settings(arguments=args))
    signal.signal(signal.SIGTERM, lambda *_: ingester.stop())
    ingester.run()


if __name__ == "__main__":
    main()
