"""What has to be done beside the batches: hours and days added up, partitions made ahead, retention, gauges.

It runs in each ingester; advisory locks see to it that only one does a thing at a time.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import Connection

from telstraat_ingest.metrics import Metrics
from telstraat_ingest.settings import IngestSettings
from telstraat_store.counts import rollup
from telstraat_store.places.fleet import fleet_gauges, names_of_two_devices, note_presence
from telstraat_store.schema import migrate, retention

_RETRY_S = 2.0
_REFRESH_AT_LEAST_S = 30.0
_PRESENT_EVERY_S = 30.0
logger = logging.getLogger(__name__)


class Upkeep:
    """The upkeep of one ingester, in a thread of its own."""

    def __init__(self, settings: IngestSettings, metrics: Metrics, stop: threading.Event) -> None:
        self._settings = settings
        self._metrics = metrics
        self._stop = stop
        self._disk_is_told = False
        self._policies_told: list[str] = []
        self._names_told: list[str] = []
        self._refreshed_at_s = time.monotonic()

    def run(self) -> None:
        """Work until told to stop; a database that is away is tried again."""
        while not self._stop.is_set():
            try:
                with psycopg.connect(
                    self._settings.dsn,
                    autocommit=True,
                    connect_timeout=5,
                    application_name=f"upkeep {self._settings.ingester}",
                ) as connection:
                    self._work(connection)
            except psycopg.Error as error:
                logger.debug("upkeep: %s", error)
                self._stop.wait(_RETRY_S)

    def _work(self, connection: Connection) -> None:
        next_round_s = next_presence_s = 0.0
        while not self._stop.is_set():
            if time.monotonic() >= next_presence_s and self._metrics.value("broker_up"):
                next_presence_s = time.monotonic() + _PRESENT_EVERY_S
                note_presence(connection)
            if time.monotonic() >= next_round_s:
                next_round_s = time.monotonic() + self._settings.upkeep_every_s
                self._round(connection)
            if not self._is_catching_up():
                self._metrics.rollups.inc(rollup.refresh(connection))
                self._refreshed_at_s = time.monotonic()
            self._stop.wait(self._settings.rollup_every_s)

    def _is_catching_up(self) -> bool:
        """Tell whether batches come one after the other: adding up waits for them, but not for ever."""
        is_busy = self._metrics.value("pending") >= self._settings.batch_size
        return is_busy and time.monotonic() - self._refreshed_at_s < _REFRESH_AT_LEAST_S

    def _round(self, connection: Connection) -> None:
        migrate.make_partitions(connection)
        if retention.is_first(connection):
            self._look_at_chunks(connection)
            if self._settings.retention_days is not None:
                for name in retention.drop_old(connection, self._settings.retention_days):
                    logger.info("retention: dropped %s", name, extra={"event": "retention", "what": name})
            retention.drop_old_quarantine(connection, self._settings.quarantine_days)
            for name in retention.compress_old(connection, self._settings.compress_after_days):
                logger.info("compressed %s", name, extra={"event": "compressed", "what": name})
        self._measure(connection)
        self._look_at_disk()

    def _look_at_chunks(self, connection: Connection) -> None:
        days = retention.fit_chunks(connection)
        if days is not None:
            logger.info("new chunks hold %d days", days, extra={"event": "chunk_days", "days": days})
        policies = retention.foreign_policies(connection)
        if policies and policies != self._policies_told:
            logger.warning(
                "TimescaleDB has policies of its own on reports (%s): remove them, retention and compression are ingest's "
                "settings, and what others drop empties hours and days when late marks come", ", ".join(policies),
                extra={"event": "foreign_policies"},
            )  # fmt: skip
        self._policies_told = policies

    def _measure(self, connection: Connection) -> None:
        metrics = self._metrics
        gauges = metrics.missing, metrics.lost, metrics.dirty, metrics.silent, metrics.database_bytes
        for gauge, value in zip(gauges, fleet_gauges(connection), strict=True):
            gauge.set(float(value))
        self._look_at_names(connection)
        until = retention.partitions_until(connection)
        if until is not None:
            metrics.partition_days.set((until - datetime.now(UTC)).total_seconds() / 86_400)

    def _look_at_names(self, connection: Connection) -> None:
        names = names_of_two_devices(connection)
        self._metrics.shared_names.set(len(names))
        if names and names != self._names_told:
            logger.warning(
                "another device uses the name of %s: their quarters hold more than 900 observed seconds, and are divided by all",
                ", ".join(names[:20]), extra={"event": "shared_name", "sensors": names[:20]},
            )  # fmt: skip
        self._names_told = names

    def _look_at_disk(self) -> None:
        path: Path | None = self._settings.disk_path
        if path is None:
            return
        usage = shutil.disk_usage(path)
        share = usage.used / usage.total
        self._metrics.disk_used.set(share)
        is_full = share * 100 >= self._settings.disk_warn_percent
        if is_full and not self._disk_is_told:
            logger.warning(
                "the disk of %s is %.0f %% full, %.1f GB are free", path, share * 100, usage.free / 1e9,
                extra={"event": "disk_fills"},
            )  # fmt: skip
        self._disk_is_told = is_full
