"""One transaction: what of a batch goes where, its statements in their order, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from psycopg import Cursor

from telstraat_contract.messages import Health, Receipt, Report
from telstraat_ingest.limits import EPOCHS_MAX, SensorLimits
from telstraat_ingest.writing import quarantine
from telstraat_ingest.writing.batch import Batch
from telstraat_ingest.writing.decode import report_key_of
from telstraat_ingest.writing.multiranges import array, multirange, parse_ranges
from telstraat_ingest.writing.quarantine import Arrival, Reason, Rejected
from telstraat_ingest.writing.receipts import StreamState, receipt
from telstraat_store.reports import copy_rows, statements

_REFUSING = {Reason.MALFORMED, Reason.TOO_OLD, Reason.IN_THE_FUTURE, Reason.CONTRADICTS, Reason.RETIRED_SENSOR,
             Reason.REFUSED_BY_STORE}  # fmt: skip
"""Reasons that the receipt tells: sending it again would not help."""

_RANGE_BYTES = 13
"""What a range of a multirange takes at most: two bounds, its place and its flags."""

StreamKey = tuple[int, int]
"""Sensor id and ordinal of the epoch."""


class KnownSensor(NamedTuple):
    """A sensor that has been added."""

    sensor_id: int
    is_retired: bool


@dataclass
class StreamUpdate:
    """What a batch says of a stream beside its reports."""

    last: int = 0
    lost: set[tuple[int, int]] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    arrivals: list[Arrival] = field(default_factory=list)


@dataclass
class BatchResult:
    """What became of a batch, once it is committed."""

    receipts: dict[str, list[Receipt]] = field(default_factory=dict)
    inserted: int = 0
    duplicates: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    live: int = 0
    splits: int = 0

    def add(self, other: BatchResult) -> None:
        """Count another part of the same batch in."""
        for sensor, receipts in other.receipts.items():
            self.receipts[sensor] = self.receipts.get(sensor, []) + receipts
        self.inserted += other.inserted
        self.duplicates += other.duplicates
        self.rejected += other.rejected
        self.live += other.live
        self.splits += other.splits


class StaleError(Exception):
    """What was remembered of the database is no longer so, e.g. after a restore: forget it and do the batch again."""


class Work:
    """One transaction: what of the batch goes where, and what came of it."""

    def __init__(
        self, batch: Batch, sensors: dict[str, KnownSensor], epochs: dict[tuple[int, int], int], limits: SensorLimits
    ) -> None:
        self._batch = batch
        self._sensors = sensors
        self._epochs = epochs
        self._limits = limits
        self._room: dict[str, int] = {}
        self._has_room: dict[int, bool] = {}
        self.new_epochs: dict[tuple[int, int], int] = {}
        self._rejected: list[Rejected] = list(batch.rejected)
        self._reports: list[tuple[Arrival, tuple[int, int], Report, bytes]] = []
        self._streams: set[tuple[int, int]] = set()
        self._numbers: dict[tuple[int, int], int] = {}
        self._updates: dict[tuple[int, int], StreamUpdate] = {}
        self._names: dict[int, str] = {}
        self._states: dict[StreamKey, StreamState] = {}
        self._newly_refused: dict[StreamKey, set[int]] = {}
        self._inserted = 0
        self._too_many_ranges: set[StreamKey] = set()

    def sort(self, cursor: Cursor) -> None:
        """Give every message its sensor and its stream, or a reason for quarantine."""
        for arrival, report, measured in self._batch.reports:
            sensor_id = self._sensor_id(arrival, report.sensor)
            if sensor_id is not None:
                self._reports.append((arrival, (sensor_id, report.epoch), report, measured))
        self._collect_stream_updates()
        self._find_room(cursor)
        self._collect_refusals()
        self._streams = {stream for _, stream, _, _ in self._reports} | set(self._updates)
        unknown = sorted(stream for stream in self._streams if stream not in self._epochs)
        if unknown:
            ids, epochs = [key[0] for key in unknown], [key[1] for key in unknown]
            cursor.execute(statements.LOCK_SENSORS, (sorted(set(ids)),))
            values = {"sensors": ids, "epochs": epochs, "most": EPOCHS_MAX, "a_day": self._limits.epochs_a_day}
            cursor.execute(statements.NEW_STREAMS, values)
            cursor.execute(statements.STREAMS, (ids, epochs))
            self.new_epochs = {(sensor_id, epoch): number for sensor_id, epoch, number in cursor}
            if len(self.new_epochs) < len(unknown):
                self._reject_streams({stream for stream in unknown if stream not in self.new_epochs})

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
        if self._updates:
            self._store_stream_updates(cursor)
        self._bound_streams(cursor)
        self._store_quarantine(cursor)
        self._store_health(cursor)
        if self._batch.live:
            lines = [msgspec.json.encode(live).decode() for _, live in self._batch.live if live.sensor in self._sensors]
            cursor.execute(statements.LIVE, (lines,))

    def result(self) -> BatchResult:
        """Return what became of the batch; the transaction is committed."""
        result = BatchResult(inserted=self._inserted, rejected=self._rejected, live=len(self._batch.live))
        contradictions = sum(rejected.reason is Reason.CONTRADICTS for rejected in self._rejected)
        result.duplicates = len(self._reports) - self._inserted - contradictions
        for key, state in self._states.items():
            sensor = self._names[key[0]]
            result.receipts.setdefault(sensor, []).append(receipt(state, self._newly_refused.get(key)))
        return result

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

    def _collect_stream_updates(self) -> None:
        for arrival, health in self._batch.health:
            sensor_id = self._sensor_id(arrival, health.sensor)
            if sensor_id is not None and (health.last_seq or health.lost):
                update = self._updates.setdefault((sensor_id, health.epoch), StreamUpdate())
                update.arrivals.append(arrival)
                update.last = max([update.last, health.last_seq, *(b for _, b in health.lost)])
                if len(update.lost) <= self._limits.stream_ranges:  # what is left out is announced again
                    update.lost.update((a, b) for a, b in health.lost if a <= b)
        for arrival, status in self._batch.status:
            sensor_id = self._sensor_id(arrival, status.sensor)
            if sensor_id is not None and status.state == "online" and status.epoch is not None:
                update = self._updates.setdefault((sensor_id, status.epoch), StreamUpdate())
                update.arrivals.append(arrival)
                update.last = max(update.last, status.last_seq)

    def _collect_refusals(self) -> None:
        for rejected in self._rejected:
            known = self._sensors.get(sensor_of(rejected))
            if rejected.reason not in _REFUSING or known is None or not rejected.arrival.topic.endswith("/report"):
                continue
            if rejected.is_bare or not self._has_room[id(rejected.arrival)]:
                continue  # what is not kept is not receipted: the device keeps it
            key = report_key_of(rejected.arrival)
            if key is not None:
                self._names[known.sensor_id] = sensor_of(rejected)
                update = self._updates.setdefault((known.sensor_id, key.epoch), StreamUpdate())
                update.last = max(update.last, key.seq)
                update.refused.add(key.seq)

    def _reject_streams(self, streams: set[tuple[int, int]]) -> None:
        """Send what would begin too many streams to quarantine, without a receipt: the device keeps it and sends it again."""
        limit = f"sensor_epochs_a_day is {self._limits.epochs_a_day}, and {EPOCHS_MAX} are all that a sensor can have"
        arrivals = [
            arrival for stream in streams if stream in self._updates for arrival in self._updates.pop(stream).arrivals
        ]
        arrivals += [arrival for arrival, stream, _, _ in self._reports if stream in streams]
        self._reports = [report for report in self._reports if report[1] not in streams]
        self._streams -= streams
        detail = f"it would begin a stream too many: {limit}"
        self._rejected += [Rejected(arrival, Reason.OVER_LIMIT, detail) for arrival in arrivals]

    def _find_room(self, cursor: Cursor) -> None:
        """Decide which of the rejected are kept with their payload; asks for all that are new at once."""
        fresh = [rejected for rejected in self._rejected if id(rejected.arrival) not in self._has_room]
        topics = {quarantine.storable(rejected.arrival.topic, quarantine.TOPIC_MAX) for rejected in fresh} - set(
            self._room
        )
        if topics:
            limit = self._limits.quarantine_kb * 1024
            self._room |= dict.fromkeys(topics, limit)
            self._room |= {
                topic: limit - int(used)
                for topic, used in cursor.execute(statements.QUARANTINE_USED, (sorted(topics),))
            }
        for rejected in fresh:
            topic = quarantine.storable(rejected.arrival.topic, quarantine.TOPIC_MAX)
            self._room[topic] -= quarantine.bytes_of(rejected)
            self._has_room[id(rejected.arrival)] = self._room[topic] >= 0

    def _epoch_no(self, sensor_id: int, epoch: int) -> int:
        number = self._epochs.get((sensor_id, epoch)) or self.new_epochs.get((sensor_id, epoch))
        if number is None:
            raise StaleError(f"epoch {epoch} of sensor {sensor_id} is gone")
        return number

    def _store_reports(self, cursor: Cursor) -> None:
        with cursor.copy(copy_rows.COPY) as copy:
            copy.write(copy_rows.HEADER + b"".join(self._packed()) + copy_rows.TRAILER)
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
            yield copy_rows.head(ordinal, stream[0], self._numbers[stream]) + measured

    def _find_contradictions(self, cursor: Cursor) -> None:
        cursor.execute(statements.CONTRADICTIONS)
        contradictions: list[tuple[int, dict[str, Any]]] = cursor.fetchall()
        for ordinal, stored in contradictions:
            arrival, (sensor_id, _), report, _ = self._reports[ordinal]
            detail = (
                f"epoch {report.epoch}, {report.period_start.isoformat()} is in the table as number {stored['seq']}"
            )
            self._rejected.append(Rejected(arrival, Reason.CONTRADICTS, detail, sensor_id, stored))
        self._find_room(cursor)
        for ordinal, _ in contradictions:
            arrival, (sensor_id, _), report, _ = self._reports[ordinal]
            if not self._has_room[id(arrival)]:
                continue
            update = self._updates.setdefault((sensor_id, report.epoch), StreamUpdate())
            update.last = max(update.last, report.seq)
            update.refused.add(report.seq)
        if contradictions:
            cursor.execute(statements.FORGET_CONTRADICTIONS, ([ordinal for ordinal, _ in contradictions],))

    def _store_stream_updates(self, cursor: Cursor) -> None:
        keys = sorted(self._updates)
        updates = [self._updates[key] for key in keys]
        numbers = [self._numbers[key] for key in keys]
        cursor.execute(
            statements.HEAR,
            (
                [key[0] for key in keys],
                numbers,
                [update.last for update in updates],
                [multirange(update.lost) for update in updates],
                [multirange((seq, seq) for seq in update.refused) for update in updates],
            ),
        )
        self._remember(cursor)
        for key, number, update in zip(keys, numbers, updates, strict=True):
            if update.refused:
                self._newly_refused[key[0], number] = update.refused

    def _remember(self, cursor: Cursor) -> None:
        for sensor_id, epoch_no, epoch, through, seen, missing, others_bytes in cursor:
            state = StreamState(epoch, through, seen, parse_ranges(missing))
            self._states[sensor_id, epoch_no] = state
            if (
                len(state.missing) > self._limits.stream_ranges
                or others_bytes > _RANGE_BYTES * self._limits.stream_ranges
            ):
                self._too_many_ranges.add((sensor_id, epoch_no))

    def _bound_streams(self, cursor: Cursor) -> None:
        if self._too_many_ranges:
            keys = sorted(self._too_many_ranges)
            self._too_many_ranges = set()
            sensors, numbers = [key[0] for key in keys], [key[1] for key in keys]
            cursor.execute(
                statements.BOUND, {"sensors": sensors, "numbers": numbers, "most": self._limits.stream_ranges}
            )
            self._remember(cursor)

    def _store_quarantine(self, cursor: Cursor) -> None:
        if not self._rejected:
            return
        self._find_room(cursor)
        kb = self._limits.quarantine_kb
        values = []
        for rejected in sorted(
            self._rejected, key=lambda item: (item.arrival.topic, item.reason, quarantine.sha256(item.arrival))
        ):
            known = None if rejected.is_bare else self._sensors.get(sensor_of(rejected))
            has_room = self._has_room[id(rejected.arrival)]
            values.append(quarantine.row_of(rejected, known.sensor_id if known else None, has_room=has_room, kb=kb))
        cursor.executemany(statements.QUARANTINE, values)

    def _store_health(self, cursor: Cursor) -> None:
        last: dict[int, tuple[bool, Health | None]] = {}
        for _, health in self._batch.health:
            known = self._sensors.get(health.sensor)
            if known and not known.is_retired:
                last[known.sensor_id] = True, health
        for _, status in self._batch.status:
            known = self._sensors.get(status.sensor)
            if known and not known.is_retired:
                last[known.sensor_id] = status.state == "online", last.get(known.sensor_id, (True, None))[1]
        if last:
            ids = sorted(last)
            texts = [health_text(word) if (word := last[i][1]) else None for i in ids]
            cursor.execute(statements.HEALTH, (ids, [last[i][0] for i in ids], texts))


def health_text(health: Health) -> str:
    """Return a health message as JSON that PostgreSQL takes: the null character, which no text of it may hold, spelled out."""
    text = msgspec.json.encode(health).decode()
    if "\\u0000" not in text:
        return text
    texts = {name: value for name, value in msgspec.structs.asdict(health).items() if isinstance(value, str)}
    plain = {
        name: value.replace("\0", "\\0") for name, value in texts.items()
    }  # every one, also those that are yet to come
    alarms = tuple(alarm.replace("\0", "\\0") for alarm in health.alarms)
    return msgspec.json.encode(msgspec.structs.replace(health, **plain, alarms=alarms)).decode()


def sensor_of(rejected: Rejected) -> str:
    """Return the sensor that a message's topic names, known or not."""
    parts = rejected.arrival.topic.split("/")
    return parts[2] if len(parts) > 2 else ""
