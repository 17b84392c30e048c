"""Passes on what the pages say to sensors: LISTEN in the database, a `watch` message when somebody looks, `config` with new settings.

Settings are published retained, and again every minute until the sensor's health names their version: losing one is harmless.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Protocol

import psycopg

from telstraat_contract.messages import Watch, encode
from telstraat_contract.topics import SENSOR_NAME, Channel, Topic
from telstraat_ingest.settings import IngestSettings
from telstraat_store.devices.sent_settings import settings_on_the_way

CHANNEL = "telstraat_watch"
CONFIG_CHANNEL = "telstraat_config"
_AGAIN_S = 60.0
_POLL_S = 0.25
_RETRY_S = 2.0

logger = logging.getLogger(__name__)


class Publish(Protocol):
    """Publishes from another thread."""

    def __call__(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at the next turn."""


class Watcher:
    """Listens on a connection of its own, in a thread of its own."""

    def __init__(self, settings: IngestSettings, publish: Publish, stop: threading.Event) -> None:
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
            connection.execute(f"listen {CONFIG_CHANNEL}")
            due_at_s = time.monotonic()
            while not self._stop.is_set():
                if time.monotonic() >= due_at_s:
                    self._send_settings(connection)
                    due_at_s = time.monotonic() + _AGAIN_S
                for notice in connection.notifies(timeout=_POLL_S):
                    if notice.channel == CONFIG_CHANNEL:
                        due_at_s = time.monotonic()
                    elif SENSOR_NAME.fullmatch(notice.payload):
                        self._publish(str(Topic(notice.payload, Channel.WATCH)), encode(Watch()))
                    if self._stop.is_set():
                        return

    def _send_settings(self, connection: psycopg.Connection) -> None:
        for name, config in settings_on_the_way(connection):
            self._publish(str(Topic(name, Channel.CONFIG)), encode(config), retain=True)
