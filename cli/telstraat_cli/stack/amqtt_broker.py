"""Run amqtt, the broker that needs no installation: `python -m telstraat_cli.stack.amqtt_broker PORT PASSWORD_FILE`.

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

from amqtt.broker import Broker
from amqtt.contexts import Action, BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from telstraat_cli.stack.ports import LOOPBACK
from telstraat_ingest.broker_access import check_password, may, read_passwords

MODULE = "telstraat_cli.stack.amqtt_broker"


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


async def serve(port: int, password_file: str) -> None:
    """Serve on loopback until SIGTERM or SIGINT."""
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{LOOPBACK}:{port}"}},
            "plugins": {f"{MODULE}.Accounts": {"path": password_file}, f"{MODULE}.Permissions": {}},
        }
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await broker.start()
    await stop.wait()
    await broker.shutdown()


def main(argv: list[str]) -> int:
    """Run the broker with the words of the command line."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(serve(int(argv[0]), argv[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
