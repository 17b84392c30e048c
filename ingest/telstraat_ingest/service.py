"""The ingest service: a loop that receives and answers, threads that write; beside them upkeep and the watch for lookers.

The order is the promise: commit, then acknowledge, then receipt. While one batch is written the next is decoded and a third
comes in. While the database is away the loop keeps the broker connected, says so once, and writes as soon as it can.
"""

from __future__ import annotations

import gc
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import NamedTuple
from wsgiref.simple_server import WSGIServer

import psycopg
from prometheus_client import start_http_server
from psycopg import Connection

from telstraat_contract.errors import SettingsError
from telstraat_contract.messages import encode
from telstraat_contract.topics import Channel, Topic
from telstraat_ingest.errors import IngestError, SecondIngesterError
from telstraat_ingest.metrics import Metrics
from telstraat_ingest.receiving.log_limit import LogLimit
from telstraat_ingest.receiving.receive import Receiver
from telstraat_ingest.receiving.watch import Watcher
from telstraat_ingest.settings import IngestSettings
from telstraat_ingest.upkeep import Upkeep
from telstraat_ingest.writing.batch import Batch, Dates, read_batch
from telstraat_ingest.writing.database_errors import Fault, fault_of
from telstraat_ingest.writing.decode import Decoder
from telstraat_ingest.writing.quarantine import Arrival
from telstraat_ingest.writing.work import BatchResult
from telstraat_ingest.writing.write import Writer

_IDLE_TURN_S = 0.2
_RETRY_MIN_S, _RETRY_MAX_S = 0.2, 5.0
_SENSORS_REMEMBERED_S = 10.0
_ALONE_LOCK = 0x7E15_0001
_NAME_LOCK = 0x7E15_0004
_LOCKS_PATIENCE_S = 3.0
_NOT_ALONE = (
    "another ingester is at work and this broker has no shared subscriptions: each would get every message. "
    "Stop the other one, or use a broker with MQTT 5 and shared subscriptions, such as Mosquitto 2"
)
_SAME_NAME = "another ingester named {0!r} is at work: the broker would throw one out for the other. Give each its own name (--name)"
_GC_OBJECTS = 200_000  # a batch makes thousands of objects and no cycles: looking for some in between costs a third

_SWITCH_S = 0.001
"""While a flood is read, the thread that writes gets its turn: at Python's 5 ms a batch waits that long several times."""

_UNDER_WAY = 2
"""Batches handed to the threads: one is written, the other decoded."""

logger = logging.getLogger(__name__)


class _Job(NamedTuple):
    """A batch in the hands of a thread: what of it is not settled yet, and the end of the work on it."""

    rest: list[Arrival]
    ended: Future[None]


class IngestService:
    """One ingester. Holds no state that matters: kill it at any moment, start as many as needed."""

    def __init__(self, settings: IngestSettings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self._receiver = Receiver(settings)
        self._decoder = Decoder()
        self._dates = Dates(settings.max_age_days, settings.max_ahead_s)
        self._late = timedelta(seconds=settings.late_after_s + 900)
        self._connection: Connection | None = None
        self._writer: Writer | None = None
        self._threads = ThreadPoolExecutor(_UNDER_WAY, "ingest-writer")
        self._write_lock = threading.Lock()
        self._jobs: list[_Job] = []
        self._results: queue.SimpleQueue[tuple[list[Arrival], Batch, BatchResult]] = queue.SimpleQueue()
        self._broken: psycopg.Error | None = None
        self._retry_at_s = 0.0
        self._retry_wait_s = _RETRY_MIN_S
        self._sensors_at_s = 0.0
        self._database_away_since_s: float | None = None
        self._locks_are_shared: bool | None = None
        self._locks_awaited_since_s: float | None = None
        self._connects = 0
        self._log_limit = LogLimit()
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask the loop to end; safe from a signal handler or another thread."""
        self._stop.set()

    def is_stopped(self) -> bool:
        """Tell whether `stop` was asked for."""
        return self._stop.is_set()

    def run(self, ready: Callable[[], None] | None = None) -> None:
        """Receive and write until `stop`. `ready` is called once the broker and the database are there."""
        upkeep = Upkeep(self.settings, self.metrics, self._stop)
        watcher = Watcher(self.settings, self._receiver.publish_soon, self._stop)
        server = self._serve_metrics()
        threads = [threading.Thread(target=part.run, name=type(part).__name__.lower()) for part in (upkeep, watcher)]
        for thread in threads:
            thread.start()
        is_announced = False
        gc.freeze()
        gc.set_threshold(_GC_OBJECTS)
        sys.setswitchinterval(_SWITCH_S)
        try:
            while not self._stop.is_set():
                self._turn()
                if ready and not is_announced and self._receiver.is_connected and self._writer is not None:
                    is_announced = True
                    ready()
        finally:
            self._stop.set()
            self._finish()
            self._threads.shutdown()
            self._receiver.close()
            self._close_database()
            for thread in threads:
                thread.join()
            if server is not None:
                server[0].shutdown()
                server[0].server_close()
                server[1].join()

    def _turn(self) -> None:
        try:
            self._receiver.turn(self._wait_s())
            self._settle_results()
            if self._writer is not None or (not self._jobs and self._connect_database()):
                self._begin_batch()
        except IngestError:
            raise
        except psycopg.Error as error:
            self._database_away(error)
        except Exception:
            self.metrics.failures.labels("loop").inc()
            logger.exception("a turn of the loop failed", extra={"event": "failure"})
            self._finish()
            self._close_database()
            self._stop.wait(_RETRY_MAX_S)
        self._report_throttled()
        self.metrics.pending.set(self._receiver.held)
        self.metrics.broker_up.set(self._receiver.is_connected)
        self.metrics.broker_connects.inc(self._receiver.connects - self._connects)
        self._connects = self._receiver.connects

    def _report_throttled(self) -> None:
        fairness = self._receiver.fairness
        self.metrics.throttled.inc(fairness.left_out)
        fairness.left_out = 0
        fairness.log_throttled()
        self.metrics.throttled_sensors.set(fairness.throttled())

    def _wait_s(self) -> float:
        pending = self._receiver.pending
        if self._jobs or not pending:
            return _IDLE_TURN_S
        if self._writer is None:
            return min(max(self._retry_at_s - time.monotonic(), 0.01), _IDLE_TURN_S)
        return max(pending[0].arrived_s + self.settings.batch_wait_ms / 1000 - time.monotonic(), 0.0)

    def _begin_batch(self) -> None:
        """Hand on what is due: all that has come, up to `batch_size`; a full batch also while another is being written."""
        if self._broken is not None or len(self._jobs) >= _UNDER_WAY or not self._has_ingester_locks():
            return
        size, wait_s = self.settings.batch_size, self.settings.batch_wait_ms / 1000
        pending = self._receiver.pending
        if len(pending) >= size or (pending and not self._jobs and time.monotonic() - pending[0].arrived_s >= wait_s):
            assert self._writer is not None
            rest = self._receiver.take(size)
            ended = self._threads.submit(self._write, list(rest), rest, self._writer)
            self._jobs.append(_Job(rest, ended))
            ended.add_done_callback(lambda _: self._receiver.wake())

    def _write(self, arrivals: list[Arrival], rest: list[Arrival], writer: Writer) -> None:
        """Write a batch, in a thread. A message that trips us up goes to quarantine, alone."""
        try:
            began_s = time.perf_counter()
            batch = read_batch(arrivals, self._decoder, self._dates)
            self.metrics.decode_seconds.observe(time.perf_counter() - began_s)
            self._write_batch(batch, rest, writer)
        except psycopg.Error:
            raise
        except Exception as error:
            self.metrics.failures.labels("batch").inc()
            logger.exception("a batch of %d failed", len(arrivals), extra={"event": "failure"})
            if len(arrivals) > 1:
                middle = len(arrivals) // 2
                self._write(arrivals[:middle], rest, writer)
                self._write(arrivals[middle:], rest, writer)
            else:
                detail = f"unforeseen {type(error).__name__}: {error}"
                self._write_batch(Batch(arrivals), rest, writer, detail)

    def _write_batch(self, batch: Batch, rest: list[Arrival], writer: Writer, why_not: str = "") -> None:
        with self._write_lock:
            began_s = time.monotonic()
            if began_s - self._sensors_at_s > _SENSORS_REMEMBERED_S:
                self._sensors_at_s = began_s
                writer.forget_sensors()
            result = writer.set_aside(batch, why_not) if why_not else writer.write(batch)
            self.metrics.write_seconds.observe(time.monotonic() - began_s)
            self._results.put((rest, batch, result))

    def _finish(self) -> None:
        """Wait for the batches that are under way, and settle them."""
        try:
            wait([job.ended for job in self._jobs])
            self._settle_results()
        except Exception:
            logger.exception("the last batch failed", extra={"event": "failure"})

    def _settle_results(self) -> None:
        """Answer what is committed. What could not be written waits for its next turn."""
        ended = [job for job in self._jobs if job.ended.done()]
        while not self._results.empty():
            self._settle(*self._results.get())
        for job in reversed(ended):
            self._jobs.remove(job)
            self._receiver.give_back(job.rest)
        for error in filter(None, [job.ended.exception() for job in ended]):
            if not isinstance(error, psycopg.Error):
                raise error
            self.metrics.database_failures.inc()
            self._broken = error
        if self._broken is not None and not self._jobs:
            self._database_away(self._broken)

    def _settle(self, rest: list[Arrival], batch: Batch, result: BatchResult) -> None:
        """Acknowledge and answer what is committed: in this order."""
        del rest[: len(batch.arrivals)]
        self._database_back()
        self.metrics.wait_seconds.observe(time.monotonic() - batch.arrivals[0].arrived_s)
        self._receiver.acknowledge(batch.arrivals)
        self._send_receipts(result)
        self._count(batch, result)

    def _send_receipts(self, result: BatchResult) -> None:
        for sensor, receipts in result.receipts.items():
            topic = str(Topic(sensor, Channel.RECEIPT))
            for receipt in receipts:
                self._receiver.publish(topic, encode(receipt))
            self.metrics.receipts.inc(len(receipts))
        self._receiver.flush()

    def _count(self, batch: Batch, result: BatchResult) -> None:
        metrics = self.metrics
        metrics.received.inc(len(batch.arrivals))
        metrics.received_bytes.inc(sum(arrival.payload_bytes for arrival in batch.arrivals))
        for channel, items in (
            ("report", batch.reports),
            ("health", batch.health),
            ("status", batch.status),
            ("live", batch.live),
        ):
            if items:
                metrics.decoded.labels(channel).inc(len(items))
        for rejected in result.rejected:
            metrics.quarantined.labels(rejected.reason).inc()
            topic, reason = rejected.arrival.topic, str(rejected.reason)
            if times := self._log_limit.due((topic, reason)):
                logger.warning(
                    "quarantined: %s", rejected.detail,
                    extra={"event": "quarantined", "reason": reason, "topic": topic, "times": times},
                )  # fmt: skip
        metrics.inserted.inc(result.inserted)
        metrics.duplicates.inc(result.duplicates)
        metrics.live.inc(result.live)
        metrics.splits.inc(result.splits)
        metrics.acknowledged.inc(sum(1 for arrival in batch.arrivals if arrival.qos))
        metrics.batches.inc()
        metrics.batch_size.observe(len(batch.arrivals))
        metrics.last_commit.set_to_current_time()
        self._count_late(batch)

    def _count_late(self, batch: Batch) -> None:
        if batch.reports:
            limit = batch.now - self._late
            late = sum(1 for _, report, _ in batch.reports if report.period_start < limit)
            if late:
                self.metrics.late.inc(late)

    def _connect_database(self) -> bool:
        if time.monotonic() < self._retry_at_s:
            return False
        try:
            self._connection = psycopg.connect(
                self.settings.dsn,
                autocommit=True,
                connect_timeout=5,
                application_name=f"ingest {self.settings.ingester}",
            )
            self._writer = Writer(self._connection, self.settings.limits)
        except psycopg.Error as error:
            self._database_away(error)
            return False
        self.metrics.database_up.set(1)
        if not self._receiver.held:
            self._database_back()  # otherwise the first commit tells: a server that is full lets us in and takes nothing
        return True

    def _database_back(self) -> None:
        self._retry_wait_s = _RETRY_MIN_S
        self.metrics.database_refuses.set(0)
        if self._database_away_since_s is not None:
            away_s = time.monotonic() - self._database_away_since_s
            logger.info(
                "database back after %.1f s", away_s, extra={"event": "database_back", "away_s": round(away_s, 1)}
            )
            self._database_away_since_s = None

    def _database_away(self, error: psycopg.Error) -> None:
        """Wait for a database that is away, or that refuses every batch; what a message is to blame for does not get here."""
        self._close_database()
        event = "database_away" if fault_of(error) is Fault.AWAY else "database_refuses"
        self.metrics.database_refuses.set(event == "database_refuses")
        if self._database_away_since_s is None:
            self._database_away_since_s = time.monotonic()
            logger.warning("%s: %s", event.replace("_", " "), str(error).strip(), extra={"event": event})
        self._retry_at_s = time.monotonic() + self._retry_wait_s
        self._retry_wait_s = min(self._retry_wait_s * 2, _RETRY_MAX_S)

    def _close_database(self) -> None:
        connection, self._connection, self._writer = self._connection, None, None
        self._locks_are_shared = self._broken = None
        self.metrics.database_up.set(0)
        if connection is not None:
            connection.close()

    def _has_ingester_locks(self) -> bool:
        """Tell whether we hold the locks to write: as the only one of our name, and as the only one where the broker cannot share.

        Locks of the database's session say so: they end with the ingester, however it ends. One that was killed may
        hold them a moment longer, so we wait a little before we give up.
        """
        shared = self._receiver.is_shared
        if not self._receiver.is_connected or self._locks_are_shared == shared:
            return True
        if self._jobs:
            return False
        assert self._connection is not None
        kind = "_shared" if shared else ""
        self._connection.execute("select pg_advisory_unlock_all()")
        row = self._connection.execute(
            f"select pg_try_advisory_lock{kind}(%s), pg_try_advisory_lock(%s, hashtext(%s))",
            (_ALONE_LOCK, _NAME_LOCK, self.settings.ingester),
        ).fetchone()
        is_alone, is_named = row or (False, False)
        if is_alone and is_named:
            self._locks_are_shared, self._locks_awaited_since_s = shared, None
            return True
        now_s = time.monotonic()
        self._locks_awaited_since_s = self._locks_awaited_since_s or now_s
        if now_s - self._locks_awaited_since_s > _LOCKS_PATIENCE_S:
            raise SecondIngesterError(_SAME_NAME.format(self.settings.ingester) if not is_named else _NOT_ALONE)
        return False

    def _serve_metrics(self) -> tuple[WSGIServer, threading.Thread] | None:
        if self.settings.metrics_port is None:
            return None
        host, port = self.settings.metrics_host, self.settings.metrics_port
        try:
            return start_http_server(port, host, registry=self.metrics.registry)
        except OSError as error:
            what = f"the metrics cannot be served on {host}:{port}: {error.strerror or error}"
            raise SettingsError(f"{what}; name another port with metrics_port, or 0 for a free one") from error
