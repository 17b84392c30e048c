"""Writes a batch: COPY into a stage, one upsert, the receipts' state and the quarantine, in one transaction.

Duplicates, replays and any order give the same table. A batch that the database refuses is split until the message that
is to blame stands alone; that one goes to quarantine, and no good one is lost with it.
"""

from __future__ import annotations

import logging

import psycopg
from psycopg import Connection

from telstraat_ingest.limits import SensorLimits
from telstraat_ingest.writing import quarantine
from telstraat_ingest.writing.batch import Batch
from telstraat_ingest.writing.database_errors import is_away, is_of_message
from telstraat_ingest.writing.quarantine import Reason
from telstraat_ingest.writing.singles import Singles
from telstraat_ingest.writing.work import BatchResult, KnownSensor, StaleError, Work, sensor_of
from telstraat_store.reports import copy_rows, statements

__all__ = ["BatchResult", "Writer"]

_DAY_S = 86_400
_DEFAULT_LIMITS = SensorLimits()
_AGAIN = (
    psycopg.errors.CheckViolation, psycopg.errors.ForeignKeyViolation, psycopg.errors.TransactionRollback,
    psycopg.errors.DuplicateTable,
)  # fmt: skip
"""What may be gone at a second try: a sensor or partition that is not what was remembered, a deadlock, a partition that another
ingester has just made."""

logger = logging.getLogger(__name__)


class Writer:
    """Writes batches over one connection, which must be in autocommit. Remembers ids, nothing else."""

    def __init__(self, connection: Connection, limits: SensorLimits = _DEFAULT_LIMITS) -> None:
        self._connection = connection
        self._limits = limits
        self._sensors: dict[str, KnownSensor] = {}
        self._epochs: dict[tuple[int, int], int] = {}
        self._days: set[int] = set()
        connection.execute(copy_rows.STAGE)

    def forget(self) -> None:
        """Forget the ids: the next batch looks them up."""
        self._sensors.clear()
        self._epochs.clear()
        self._days.clear()

    def forget_sensors(self) -> None:
        """Forget who is there, so that a new or retired sensor is noticed."""
        self._sensors.clear()

    def write(self, batch: Batch) -> BatchResult:
        """Write a batch and return what became of it.

        What the database says of the content is settled here. Everything else (away, read-only, full, without its
        schema) is raised where all messages of a kind meet it: another try may mend it, and no message is to blame. Where only
        some do, as with a trigger that is broken for one sensor, those are left out without a receipt and nobody waits.
        """
        singles = Singles()
        result = self._write_parts(batch, singles)
        for single, error in singles.left_out():
            result.add(self._leave_out(single, error))
        return result

    def set_aside(self, batch: Batch, detail: str, reason: Reason = Reason.REFUSED_BY_STORE) -> BatchResult:
        """Put a single message into quarantine; a part of it that cannot even be kept there is left out.

        What is left when that fails, too, is the log: nothing waits for such a message, and without a receipt its sensor
        keeps it.
        """
        detail = quarantine.storable(detail)
        for is_bare in (False, True):
            try:
                return self._write_once(batch.as_rejected(reason, detail, is_bare=is_bare))
            except psycopg.Error as error:
                if not is_of_message(error):
                    raise
                self.forget()
                again = _first(error)
                detail = quarantine.storable(f"refused twice, kept without its payload: {again}. Before: {detail}")
        return _given_up(batch, detail, reason)

    def _leave_out(self, batch: Batch, error: psycopg.Error) -> BatchResult:
        detail = f"the database takes others, and keeps failing on this one: {_first(error)}"
        try:
            return self._write_again(batch)  # a lock or a deadlock may be gone
        except (StaleError, psycopg.Error) as again:
            if is_away(again):
                raise
        try:
            return self.set_aside(batch, detail, Reason.NOT_TAKEN)
        except psycopg.Error as again:
            if is_away(again):
                raise
            return _given_up(batch, f"{detail}; {_first(again)}", Reason.NOT_TAKEN)

    def _write_parts(self, batch: Batch, singles: Singles) -> BatchResult:
        """Write a batch, halved until what fails stands alone."""
        try:
            result = self._write_again(batch)
        except (StaleError, psycopg.Error) as error:
            if is_away(error):
                raise
            if len(batch.arrivals) > 1:
                result = BatchResult(splits=1)
                for half in batch.halves():
                    result.add(self._write_parts(half, singles))
                return result
            if isinstance(error, StaleError) or is_of_message(error):
                return self.set_aside(batch, _first(error))
            singles.failed(batch, error)
            return BatchResult()
        singles.took(batch)
        return result

    def _write_again(self, batch: Batch) -> BatchResult:
        try:
            return self._write_once(batch)
        except (StaleError, *_AGAIN):
            self.forget()
        return self._write_once(batch)

    def _write_once(self, batch: Batch) -> BatchResult:
        self._look_up_sensors(batch)
        self._make_partitions(batch)
        work = Work(batch, self._sensors, self._epochs, self._limits)
        with self._connection.transaction(), self._connection.cursor() as cursor:
            work.sort(cursor)
            work.store(cursor)
        self._epochs.update(work.new_epochs)
        return work.result()

    def _look_up_sensors(self, batch: Batch) -> None:
        names = {item[1].sensor for kind in (batch.reports, batch.health, batch.status, batch.live) for item in kind}
        names.update(sensor_of(rejected) for rejected in batch.rejected)
        unknown = [name for name in names if name not in self._sensors]
        if unknown:
            for name, sensor_id, retired in self._connection.execute(statements.SENSORS, (unknown,)):
                self._sensors[name] = KnownSensor(sensor_id, retired)

    def _make_partitions(self, batch: Batch) -> None:
        starts = {report.period_start for _, report, _ in batch.reports}
        days = {copy_rows.period_start_s(start) // _DAY_S for start in starts} - self._days
        if days:
            self._connection.execute(statements.MAKE_PARTITIONS, ([day * _DAY_S for day in days],))
            self._days |= days


def _given_up(batch: Batch, detail: str, reason: Reason) -> BatchResult:
    logger.error("not even quarantine takes a message: %s", detail, extra={"event": "given_up"})
    return BatchResult(rejected=batch.as_rejected(reason, detail).rejected)


def _first(error: Exception) -> str:
    """Return what an error says, without where in our statement it happened."""
    return str(error).split("\nCONTEXT", 1)[0]
