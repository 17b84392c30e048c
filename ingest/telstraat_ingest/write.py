"""Writes a batch: COPY into a stage, one upsert, the receipts' state and the quarantine, in one transaction.

Duplicates, replays and any order give the same table. A batch that the database refuses is split until the message that
is to blame stands alone; that one goes to quarantine, and no good one is lost with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import psycopg
from psycopg import Connection, Cursor

from telstraat_contract.messages import Receipt, Report
from telstraat_ingest import quarantine, rows, statements
from telstraat_ingest.batch import Batch
from telstraat_ingest.decode import place_of
from telstraat_ingest.quarantine import Arrival, Reason, Rejected
from telstraat_ingest.receipts import Ranges, StreamState, receipt

_DAY_S = 86_400
_REFUSING = {Reason.MALFORMED, Reason.TOO_OLD, Reason.IN_THE_FUTURE, Reason.CONTRADICTS, Reason.RETIRED_SENSOR,
             Reason.REFUSED_BY_STORE}  # fmt: skip
"""Reasons that the receipt tells: sending it again would not help."""

_CONTENT_ERRORS = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded)
"""What a single message may be to blame for."""

StreamKey = tuple[int, int]
"""Sensor id and ordinal of the epoch."""


class Known(NamedTuple):
    """A sensor that has been added."""

    sensor_id: int
    is_retired: bool


@dataclass
class Heard:
    """What a batch says of a stream beside its reports."""

    last: int = 0
    lost: set[tuple[int, int]] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)


@dataclass
class Written:
    """What became of a batch, once it is committed."""

    receipts: dict[str, list[Receipt]] = field(default_factory=dict)
    inserted: int = 0
    duplicates: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    live: int = 0
    splits: int = 0

    def add(self, other: Written) -> None:
        """Count another part of the same batch in."""
        for sensor, found in other.receipts.items():
            self.receipts[sensor] = self.receipts.get(sensor, []) + found
        self.inserted += other.inserted
        self.duplicates += other.duplicates
        self.rejected += other.rejected
        self.live += other.live
        self.splits += other.splits


class StaleError(Exception):
    """What was remembered of the database is no longer so, e.g. after a restore: forget it and do the batch again."""


class Writer:
    """Writes batches over one connection, which must be in autocommit. Remembers ids, nothing else."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sensors: dict[str, Known] = {}
        self._epochs: dict[tuple[int, int], int] = {}
        self._days: set[int] = set()
        connection.execute(rows.STAGE)

    def forget(self) -> None:
        """Forget the ids: the next batch looks them up."""
        self._sensors.clear()
        self._epochs.clear()
        self._days.clear()

    def forget_sensors(self) -> None:
        """Forget who is there, so that a new or retired sensor is noticed."""
        self._sensors.clear()

    def write(self, batch: Batch) -> Written:
        """Write a batch and return what became of it.

        What the database says of the content is settled here. Everything else (away, read-only, full, without its
        schema) is raised: another try may mend it, and no message is to blame.
        """
        try:
            return self._write_once(batch)
        except (StaleError, psycopg.errors.CheckViolation, psycopg.errors.ForeignKeyViolation):
            self.forget()
        except _CONTENT_ERRORS as error:
            return self._split(batch, error)
        try:
            return self._write_once(batch)
        except (StaleError, *_CONTENT_ERRORS) as error:
            return self._split(batch, error)

    def _split(self, batch: Batch, error: Exception) -> Written:
        if len(batch.arrivals) == 1:
            detail = quarantine.storable(str(error).split("\nCONTEXT", 1)[0])
            return self._write_once(batch.as_rejected(Reason.REFUSED_BY_STORE, detail))
        done = Written(splits=1)
        for half in batch.halves():
            done.add(self.write(half))
        return done

    def _write_once(self, batch: Batch) -> Written:
        self._look_up_sensors(batch)
        self._make_partitions(batch)
        work = _Work(batch, self._sensors, self._epochs)
        with self._connection.transaction(), self._connection.cursor() as cursor:
            work.sort(cursor)
            work.store(cursor)
        self._epochs.update(work.new_epochs)
        return work.written()

    def _look_up_sensors(self, batch: Batch) -> None:
        names = {item[1].sensor for kind in (batch.reports, batch.health, batch.status, batch.live) for item in kind}
        names.update(_sensor_of(rejected) for rejected in batch.rejected)
        unknown = [name for name in names if name not in self._sensors]
        if unknown:
            for name, sensor_id, retired in self._connection.execute(statements.SENSORS, (unknown,)):
                self._sensors[name] = Known(sensor_id, retired)

    def _make_partitions(self, batch: Batch) -> None:
        starts = {report.period_start for _, report, _ in batch.reports}
        days = {rows.period_start_s(start) // _DAY_S for start in starts} - self._days
        if days:
            self._connection.execute(
                "select make_report_partition(to_timestamp(day)) from unnest(%s::bigint[]) as day",
                ([day * _DAY_S for day in days],),
            )
            self._days |= days


class _Work:
    """One transaction: what of the batch goes where, and what came of it."""

    def __init__(self, batch: Batch, sensors: dict[str, Known], epochs: dict[tuple[int, int], int]) -> None:
        self._batch = batch
        self._sensors = sensors
        self._epochs = epochs
        self.new_epochs: dict[tuple[int, int], int] = {}
        self._rejected: list[Rejected] = list(batch.rejected)
        self._reports: list[tuple[Arrival, tuple[int, int], Report, bytes]] = []
        self._streams: set[tuple[int, int]] = set()
        self._numbers: dict[tuple[int, int], int] = {}
        self._heard: dict[tuple[int, int], Heard] = {}
        self._names: dict[int, str] = {}
        self._states: dict[StreamKey, StreamState] = {}
        self._newly_refused: dict[StreamKey, set[int]] = {}
        self._inserted = 0

    def sort(self, cursor: Cursor) -> None:
        """Give every message its sensor and its stream, or a reason for quarantine."""
        for arrival, report, measured in self._batch.reports:
            sensor_id = self._sensor_id(arrival, report.sensor)
            if sensor_id is not None:
                self._reports.append((arrival, (sensor_id, report.epoch), report, measured))
        self._hear_of_streams()
        self._hear_of_refusals()
        self._streams = {stream for _, stream, _, _ in self._reports} | set(self._heard)
        unknown = sorted(stream for stream in self._streams if stream not in self._epochs)
        if unknown:
            ids, epochs = [key[0] for key in unknown], [key[1] for key in unknown]
            cursor.execute(statements.LOCK_SENSORS, (sorted(set(ids)),))
            cursor.execute(statements.NEW_STREAMS, (ids, epochs))
            cursor.execute(statements.STREAMS, (ids, epochs))
            self.new_epochs = {(sensor_id, epoch): number for sensor_id, epoch, number in cursor}

    def store(self, cursor: Cursor) -> None:
        """Run the statements of the batch."""
        self._numbers = {stream: self._epoch_no(*stream) for stream in self._streams}
        keys = sorted((sensor_id, number) for (sensor_id, _), number in self._numbers.items())
        if keys:
            cursor.execute(statements.LOCK_STREAMS, (array(key[0] for key in keys), array(key[1] for key in keys)))
            if cursor.rowcount != len(keys):
                raise StaleError(f"{len(keys) - cursor.rowcount} streams are gone")
        if self._reports:
            self._store_reports(cursor)
        if self._heard:
            self._store_heard(cursor)
        self._store_quarantine(cursor)
        self._store_health(cursor)
        if self._batch.live:
            lines = [msgspec.json.encode(live).decode() for _, live in self._batch.live if live.sensor in self._sensors]
            cursor.execute(statements.LIVE, (lines,))

    def written(self) -> Written:
        """Return what became of the batch; the transaction is committed."""
        done = Written(inserted=self._inserted, rejected=self._rejected, live=len(self._batch.live))
        contradictions = sum(rejected.reason is Reason.CONTRADICTS for rejected in self._rejected)
        done.duplicates = len(self._reports) - self._inserted - contradictions
        for key, state in self._states.items():
            found = receipt(state, self._newly_refused.get(key))
            done.receipts.setdefault(self._names[key[0]], []).append(found)
        return done

    def _sensor_id(self, arrival: Arrival, name: str) -> int | None:
        known = self._sensors.get(name)
        if known is None:
            self._rejected.append(Rejected(arrival, Reason.UNKNOWN_SENSOR, f"nobody has added a sensor {name!r}"))
            return None
        self._names[known.sensor_id] = name
        if known.is_retired:
            detail = f"sensor {name!r} is retired"
            self._rejected.append(Rejected(arrival, Reason.RETIRED_SENSOR, detail, known.sensor_id))
            return None
        return known.sensor_id

    def _hear_of_streams(self) -> None:
        for arrival, health in self._batch.health:
            sensor_id = self._sensor_id(arrival, health.sensor)
            if sensor_id is not None and (health.last_seq or health.lost):
                heard = self._heard.setdefault((sensor_id, health.epoch), Heard())
                heard.last = max([heard.last, health.last_seq, *(b for _, b in health.lost)])
                heard.lost.update((a, b) for a, b in health.lost if a <= b)
        for arrival, status in self._batch.status:
            sensor_id = self._sensor_id(arrival, status.sensor)
            if sensor_id is not None and status.state == "online" and status.epoch is not None:
                heard = self._heard.setdefault((sensor_id, status.epoch), Heard())
                heard.last = max(heard.last, status.last_seq)

    def _hear_of_refusals(self) -> None:
        for rejected in self._rejected:
            known = self._sensors.get(_sensor_of(rejected))
            if rejected.reason not in _REFUSING or known is None or not rejected.arrival.topic.endswith("/report"):
                continue
            place = place_of(rejected.arrival)
            if place is not None:
                self._names[known.sensor_id] = _sensor_of(rejected)
                heard = self._heard.setdefault((known.sensor_id, place.epoch), Heard())
                heard.last = max(heard.last, place.seq)
                heard.refused.add(place.seq)

    def _epoch_no(self, sensor_id: int, epoch: int) -> int:
        found = self._epochs.get((sensor_id, epoch)) or self.new_epochs.get((sensor_id, epoch))
        if found is None:
            raise StaleError(f"epoch {epoch} of sensor {sensor_id} is gone")
        return found

    def _store_reports(self, cursor: Cursor) -> None:
        with cursor.copy(rows.COPY) as copy:
            copy.write(rows.HEADER + b"".join(self._packed()) + rows.TRAILER)
        cursor.execute(statements.INSERT)
        self._inserted = cursor.rowcount
        if self._inserted < len(self._reports):
            self._find_contradictions(cursor)
        cursor.execute(statements.TAKE)
        self._remember(cursor)
        if self._inserted:
            cursor.execute(statements.DIRTY)

    def _packed(self) -> Iterator[bytes]:
        for ordinal, (_, stream, _, measured) in enumerate(self._reports):
            yield rows.head(ordinal, stream[0], self._numbers[stream]) + measured

    def _find_contradictions(self, cursor: Cursor) -> None:
        cursor.execute(statements.CONTRADICTIONS)
        found: list[tuple[int, dict[str, Any]]] = cursor.fetchall()
        for ordinal, stored in found:
            arrival, (sensor_id, _), report, _ = self._reports[ordinal]
            detail = (
                f"epoch {report.epoch}, {report.period_start.isoformat()} is in the table as number {stored['seq']}"
            )
            self._rejected.append(Rejected(arrival, Reason.CONTRADICTS, detail, sensor_id, stored))
            heard = self._heard.setdefault((sensor_id, report.epoch), Heard())
            heard.last = max(heard.last, report.seq)
            heard.refused.add(report.seq)
        if found:
            cursor.execute(statements.FORGET_CONTRADICTIONS, ([ordinal for ordinal, _ in found],))

    def _store_heard(self, cursor: Cursor) -> None:
        keys = sorted(self._heard)
        heard = [self._heard[key] for key in keys]
        numbers = [self._numbers[key] for key in keys]
        cursor.execute(
            statements.HEAR,
            (
                [key[0] for key in keys],
                numbers,
                [one.last for one in heard],
                [multirange(one.lost) for one in heard],
                [multirange((seq, seq) for seq in one.refused) for one in heard],
            ),
        )
        self._remember(cursor)
        for key, number, one in zip(keys, numbers, heard, strict=True):
            if one.refused:
                self._newly_refused[key[0], number] = one.refused

    def _remember(self, cursor: Cursor) -> None:
        for sensor_id, epoch_no, epoch, through, seen, missing in cursor:
            self._states[sensor_id, epoch_no] = StreamState(epoch, through, seen, parse_ranges(missing))

    def _store_quarantine(self, cursor: Cursor) -> None:
        if not self._rejected:
            return
        values = []
        for rejected in sorted(
            self._rejected, key=lambda one: (one.arrival.topic, one.reason, quarantine.sha256(one.arrival))
        ):
            known = self._sensors.get(_sensor_of(rejected))
            arrival = rejected.arrival
            values.append(
                (
                    known.sensor_id if known else None,
                    quarantine.storable(arrival.topic, quarantine.TOPIC_MAX),
                    str(rejected.reason),
                    quarantine.storable(rejected.detail),
                    arrival.payload,
                    arrival.payload_bytes,
                    quarantine.sha256(arrival),
                    json.dumps(rejected.stored) if rejected.stored else None,
                )
            )
        cursor.executemany(quarantine.INSERT, values)

    def _store_health(self, cursor: Cursor) -> None:
        last: dict[int, tuple[bool, str | None]] = {}
        for _, health in self._batch.health:
            known = self._sensors.get(health.sensor)
            if known and not known.is_retired:
                last[known.sensor_id] = True, msgspec.json.encode(health).decode()
        for _, status in self._batch.status:
            known = self._sensors.get(status.sensor)
            if known and not known.is_retired:
                last[known.sensor_id] = status.state == "online", last.get(known.sensor_id, (True, None))[1]
        if last:
            ids = sorted(last)
            cursor.execute(statements.HEALTH, (ids, [last[i][0] for i in ids], [last[i][1] for i in ids]))


def _sensor_of(rejected: Rejected) -> str:
    parts = rejected.arrival.topic.split("/")
    return parts[2] if len(parts) > 2 else ""


def array(numbers: Iterable[int]) -> str:
    """Return numbers in PostgreSQL's notation: for thousands, a tenth of what the driver takes for a list."""
    return "{" + ",".join(map(str, numbers)) + "}"


def multirange(ranges: Iterable[tuple[int, int]]) -> str:
    """Return closed ranges in PostgreSQL's notation."""
    return "{" + ",".join(f"[{first},{last}]" for first, last in ranges) + "}"


def parse_ranges(text: str) -> Ranges:
    """Return the closed ranges of PostgreSQL's notation, which is half open."""
    if text == "{}":
        return ()
    pairs = (part.split(",") for part in text[2:-2].split("),["))
    return tuple((int(first), int(after) - 1) for first, after in pairs)
