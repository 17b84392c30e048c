"""Passes on that somebody looks at a street: LISTEN in the database, a `watch` message to the sensor."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import psycopg

from telstraat_contract.messages import Watch, encode
from telstraat_contract.topics import SENSOR_NAME, Channel, Topic
from telstraat_ingest.settings import IngestSettings

CHANNEL = "telstraat_watch"
_POLL_S = 0.25
_RETRY_S = 2.0

logger = logging.getLogger(__name__)


class Watcher:
    """Listens on a connection of its own, in a thread of its own."""

    def __init__(self, settings: IngestSettings, publish: Callable[[str, bytes], None], stop: threading.Event) -> None:
        self._settings = settings
        self._publish = publish
        self._stop = stop

    def run(self) -> None:
        """Listen until told to stop; a database that is away is tried again."""
        while not self._stop.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                logger.debug("watch: %s", error)
                self._stop.wait(_RETRY_S)

    def _listen(self) -> None:
        with psycopg.connect(
            self._settings.dsn, autocommit=True, connect_timeout=5, application_name=f"watch {self._settings.ingester}"
        ) as connection:
            connection.execute(f"listen {CHANNEL}")
            while not self._stop.is_set():
                for notice in connection.notifies(timeout=_POLL_S):
                    if SENSOR_NAME.fullmatch(notice.payload):
                        self._publish(str(Topic(notice.payload, Channel.WATCH)), encode(Watch()))
                    if self._stop.is_set():
                        return
