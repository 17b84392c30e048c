"""Keeps the broker's password file as the database says, and makes the broker read it again: within a second of a change.

A change is heard of by LISTEN, and looked for every so often in case a word was lost. The file is replaced whole and only when it
differs; ingest's own line and the ACL stay as `telstraat sensor access` wrote them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from pathlib import Path

import psycopg
from psycopg import Connection

from telstraat_ingest.broker_access import INGEST_USER, password_lines, read_passwords, write_secret
from telstraat_ingest.errors import AccessFilesError

CHANNEL = "telstraat_broker_access"
BROKER_PROGRAM = "mosquitto"
_LOOK_S = 30.0
_TURN_S = 0.5
_RETRY_S = 2.0
_STARTING_S = 10.0

logger = logging.getLogger(__name__)


class BrokerFollower:
    """Writes `passwords` in a folder for as long as it runs."""

    def __init__(self, dsn: str, folder: Path, pid_file: Path | None = None) -> None:
        self._dsn = dsn
        self._passwords = folder / "passwords"
        self._pid_file = pid_file
        self._stop = threading.Event()
        self._is_away = False

    def stop(self) -> None:
        """Ask it to end; safe from a signal handler or another thread."""
        self._stop.set()

    def run(self) -> None:
        """Follow until `stop`; a database that is away is tried again, and nobody is locked out meanwhile.

        Raises
        ------
        AccessFilesError
            The folder has no files yet: there would be no way in for ingest.
        """
        if INGEST_USER not in read_users(self._passwords):
            raise AccessFilesError(
                f"{self._passwords} has no line for {INGEST_USER}: run telstraat sensor access {self._passwords.parent} first"
            )
        self.reload()  # what a run before has written, and was killed before it could say so
        while not self._stop.is_set():
            try:
                self._follow()
            except (psycopg.Error, OSError) as error:
                if not self._is_away:
                    logger.warning("the broker's accounts stay as they are: %s", str(error).strip())
                self._is_away = True
                self._stop.wait(_RETRY_S)

    def _follow(self) -> None:
        with psycopg.connect(
            self._dsn, autocommit=True, connect_timeout=5, application_name="broker accounts"
        ) as connection:
            connection.execute(f"listen {CHANNEL}")
            while not self._stop.is_set():
                self.write(connection)
                self._is_away = False
                looks_at_s = time.monotonic() + _LOOK_S
                while not self._stop.is_set() and time.monotonic() < looks_at_s:
                    if any(True for _ in connection.notifies(timeout=_TURN_S, stop_after=1)):
                        break

    def write(self, connection: Connection) -> bool:
        """Write the file when it is not as the database says, make the broker read it, and tell whether that was so."""
        earlier = self._passwords.read_text(encoding="utf-8")
        hashed = read_users(self._passwords)[INGEST_USER]
        text = password_lines(connection, {INGEST_USER: hashed})
        if text == earlier:
            return False
        write_secret(self._passwords, text)
        logger.info("the broker's accounts have changed: %d sensors", text.count("\n") - 1)
        self.reload()
        return True

    def reload(self) -> None:
        """Make the broker read its files again; one that does not run reads them when it starts."""
        if self._pid_file is None:
            return
        try:
            pid = int(self._pid_file.read_text(encoding="ascii"))
            is_broker = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == BROKER_PROGRAM
        except (OSError, ValueError):
            logger.info("no broker runs that %s names", self._pid_file)
            return
        if is_broker and wait_for_handler(pid, signal.SIGHUP, _STARTING_S):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGHUP)


def read_users(path: Path) -> dict[str, str]:
    """Return the users of a password file with their hashes; none where there is no file."""
    return read_passwords(path) if path.exists() else {}


def wait_for_handler(pid: int, number: signal.Signals, most_s: float) -> bool:
    """Wait until a process has a handler for a signal, and tell whether it has: it would die of it before."""
    end_s = time.monotonic() + most_s
    while not hears(pid, number) and time.monotonic() < end_s:
        time.sleep(0.01)
    return hears(pid, number)


def hears(pid: int, number: signal.Signals) -> bool:
    """Tell whether a process has a handler for a signal; where the system does not tell, it is taken to have one."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return True
    caught = next((int(line.split()[1], 16) for line in lines if line.startswith("SigCgt")), 0)
    return bool(caught >> (number - 1) & 1)
