"""Run amqtt, the broker that needs no installation: `python -m telstraat_demo.stack.amqtt_broker PORT PASSWORD_FILE`.

It speaks MQTT 3.1.1 and forgets its queues when it ends; the receipts make that harmless. Accounts come from Mosquitto's
password file, read again when it changes; permissions are those of ingest's broker access.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import Action, BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from telstraat_demo.stack.ports import LOOPBACK
from telstraat_ingest.broker_access import may, read_passwords
from telstraat_store.places.passwords import check_password

MODULE = "telstraat_demo.stack.amqtt_broker"
LISTENER = "default"
LEVEL_OF_5 = 5
UNSUPPORTED_PROTOCOL_VERSION = bytes(
    [0x20, 3, 0, 0x84, 0]
)  # CONNACK of MQTT 5, section 3.2: no session, reason, no properties
NAME_AND_LEVEL_BYTES = 7  # length of "MQTT", "MQTT", level
HEAD_S = 10.0
log = logging.getLogger(__name__)


@dataclass
class PasswordFile:
    """Where the accounts are, as the plugin is told."""

    path: str = ""


class Accounts(BaseAuthPlugin):  # type: ignore[misc]  # amqtt is published without types
    """Lets in whoever has an account and its password."""

    Config = PasswordFile

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        self._path = Path(self.config.path)
        self._read_at_ns = 0
        self._hashes: dict[str, str] = {}

    async def authenticate(self, *, session: Session) -> bool | None:
        """Tell whether name and password belong together."""
        stored = self._current().get(session.username or "")
        return stored is not None and check_password(session.password or "", stored)

    def _current(self) -> dict[str, str]:
        changed_at_ns = self._path.stat().st_mtime_ns
        if changed_at_ns != self._read_at_ns:
            self._hashes = read_passwords(self._path)
            self._read_at_ns = changed_at_ns
        return self._hashes


class Permissions(BaseTopicPlugin):  # type: ignore[misc]  # as above
    """Lets a user read and write its own topics."""

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool | None:
        """Tell whether the session's user may do that."""
        user = session.username if session else None
        if user is None or topic is None:
            return False
        return may(user, "write" if action is Action.PUBLISH else "read", topic)


class Replayed(StreamReaderAdapter):  # type: ignore[misc]  # as above
    """A reader that gives what has been read already once more."""

    def __init__(self, read: bytes, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self._read_before = read

    async def read(self, n: int = -1) -> bytes:
        """Read `n` bytes, the old ones first."""
        if n < 0 or not self._read_before:
            rest: bytes = await super().read(n)
            old, self._read_before = self._read_before, b""
            return old + rest
        old, self._read_before = self._read_before[:n], self._read_before[n:]
        if len(old) < n:
            old += await super().read(n - len(old))
        return old


class Door:
    """Looks at a client's first bytes: amqtt misreads MQTT 5 and leaves the client without an answer."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Refuse MQTT 5 in its own words, hand everything else to the broker."""
        try:
            first = await asyncio.wait_for(connect_head(reader), HEAD_S)
            if first[-1] == LEVEL_OF_5:
                writer.write(UNSUPPORTED_PROTOCOL_VERSION)
                await writer.drain()
                return
            await self._broker.external_connected(Replayed(first, reader), StreamWriterAdapter(writer), LISTENER)
        except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            log.info("a client left: %s", type(error).__name__)
        finally:
            writer.close()


async def connect_head(reader: asyncio.StreamReader) -> bytes:
    """Read a CONNECT packet up to its protocol level: type, length of one to four bytes, name, level."""
    head = await reader.readexactly(2)
    while head[-1] & 0x80 and len(head) < 5:
        head += await reader.readexactly(1)
    return head + await reader.readexactly(NAME_AND_LEVEL_BYTES)


async def serve(port: int, password_file: str) -> None:
    """Serve on loopback until SIGTERM or SIGINT."""
    broker = Broker(
        {
            "listeners": {LISTENER: {"type": "external"}},
            "plugins": {f"{MODULE}.Accounts": {"path": password_file}, f"{MODULE}.Permissions": {}},
        }
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await broker.start()
    server = await asyncio.start_server(Door(broker).enter, LOOPBACK, port)
    await stop.wait()
    server.close()
    await broker.shutdown()


def main(argv: list[str]) -> int:
    """Run the broker with the words of the command line."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(serve(int(argv[0]), argv[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
