"""A broker with accounts for ingest and for sensors, and a plain client that speaks to it."""

from __future__ import annotations

import queue
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from telstraat_demo.stack.broker import Broker, Kind
from telstraat_ingest.broker_access import INGEST_USER, acl
from telstraat_store.places.passwords import hash_password

PASSWORD_OF = "password of {}"
CONNECT_S = 5.0


def password_of(user: str) -> str:
    """Return the password that the tests give to a user."""
    return PASSWORD_OF.format(user)


class TestBroker(Broker):
    """A broker for tests, in which `let_in` adds accounts."""

    __test__ = False

    def __init__(self, folder: Path, kind: Kind | None = None, sensors: Iterable[str] = ()) -> None:
        self.access = folder / "access"
        self.access.mkdir(parents=True, exist_ok=True)
        (self.access / "acl").write_text(acl())
        self._users = [INGEST_USER]
        self._write_passwords(sensors)
        super().__init__(folder, access=self.access, kind=kind)

    @property
    def ingest_user(self) -> str:
        """The name of ingest at the broker."""
        return INGEST_USER

    def let_in(self, *sensors: str) -> None:
        """Give sensors an account, with the password `password_of(sensor)`."""
        self._write_passwords(sensors)
        self.reload()

    def _write_passwords(self, more: Iterable[str]) -> None:
        self._users += [name for name in more if name not in self._users]
        lines = [f"{user}:{hash_password(password_of(user))}\n" for user in self._users]
        (self.access / "passwords").write_text("".join(lines))


class TestClient:
    """A client that keeps what it receives; `received.get(timeout=...)` takes the next."""

    __test__ = False

    def __init__(
        self,
        broker: Broker,
        user: str,
        password: str | None = None,
        *,
        port: int | None = None,
        persistent: bool = False,
    ) -> None:
        self.received: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self.answers: queue.Queue[ReasonCode] = queue.Queue()
        self.subscribed: queue.Queue[list[ReasonCode]] = queue.Queue()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"test-{user}", clean_session=not persistent)
        self.client.username_pw_set(user or None, password_of(user) if password is None else password)
        self.client.on_message = lambda _client, _data, message: self.received.put(message)
        self.client.on_connect = lambda _client, _data, _flags, code, _properties: self.answers.put(code)
        self.client.on_subscribe = lambda _client, _data, _mid, codes, _properties: self.subscribed.put(codes)
        self.client.connect(broker.host, port or broker.port)
        self.client.loop_start()

    def connected(self) -> bool:
        """Wait for the broker's answer and tell whether it lets us in."""
        return not self.answers.get(timeout=CONNECT_S).is_failure

    def subscribe(self, *filters: str) -> bool:
        """Subscribe with QoS 1 and tell whether all were granted."""
        self.client.subscribe([(text, 1) for text in filters])
        return not any(code.is_failure for code in self.subscribed.get(timeout=CONNECT_S))

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1 and wait for the broker's acknowledgement."""
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(CONNECT_S)

    def close(self) -> None:
        """Say goodbye."""
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def client_of(broker: Broker, user: str, *, port: int | None = None, persistent: bool = False) -> Iterator[TestClient]:
    """Give a connected client of a user who has an account."""
    client = TestClient(broker, user, port=port, persistent=persistent)
    try:
        assert client.connected()
        yield client
    finally:
        client.close()
