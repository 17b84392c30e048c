"""What the device keeps through a power cut: the open quarters, and each report until ingest has committed it.

One SQLite file, WAL, `synchronous=FULL`. Only what is on the disk is ever sent. A report leaves "waiting" only by a
receipt; what had to be given up is recorded as lost, and announced.

The file may be a copy, put back after its numbers were used up. So a stream that an earlier run began sends nothing new
until ingest has said how far it knows it; what has never been sent gets numbers above that.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from telstraat_contract.messages import Receipt, decode, encode
from telstraat_contract.quarters import QUARTER_S
from telstraat_contract.topics import Channel
from telstraat_device.delivery.outbox_file import OutboxFile, is_damaged, is_full
from telstraat_device.delivery.outbox_schema import CRC_LENGTH, EPOCH_MAX, crc
from telstraat_device.delivery.ranges import Range, holds, joined
from telstraat_device.errors import DamagedError
from telstraat_device.quarters.periods import SavedState, SliceKey
from telstraat_device.quarters.tally import Quarter, Tally, report_of

DAY_S = 86_400
ROOM_ROWS = 16  # given up at once when the disk is full: some pages
ATTEMPTS_MAX = 10
MEMORY_REPORTS_MAX = 96  # a day: then the oldest on the disk makes room for the newest in memory
WAITING = "select epoch, seq, start_s, payload, seal from report where receipted_s is null and start_s <= ?"
OLDEST = " order by start_s, seq limit ?"
NEWEST = " order by start_s desc, seq desc limit ?"
NOT_HELD = " and not (epoch = ? and seq > ?)"
STREAM = "select epoch, last_seq, through, sent_seq from stream"
INSERT_REPORT = "insert into report (epoch, seq, start_s, payload) values (?, ?, ?, ?)"
INSERT_HELD = "insert or replace into held (boot, start_s, length_s, tally) values (?, ?, ?, ?)"
RECEIPTED_OLDEST = """
delete from report where (epoch, seq) in
(select epoch, seq from report where receipted_s is not null order by receipted_s limit ?)"""
log = logging.getLogger(__name__)

Key = tuple[int, int]  # epoch, seq


@dataclass(frozen=True, slots=True)
class RetentionLimits:
    """How much the outbox keeps."""

    days: float = 30.0
    megabytes: float = 64.0
    receipted_days: float = 7.0


@dataclass(frozen=True, slots=True)
class QueuedReport:
    """A report that waits for its receipt."""

    epoch: int
    seq: int
    start_s: int
    payload: bytes

    @property
    def key(self) -> Key:
        """Epoch and sequence number: its position in the sensor's streams."""
        return self.epoch, self.seq


@dataclass(frozen=True, slots=True)
class ReportStream:
    """One stream of reports, as far as it is on the disk."""

    epoch: int
    last_seq: int
    through: int
    lost: tuple[Range, ...] = ()
    announced_seq: int = 0
    """The last number that may be announced: of a stream whose place ingest has not confirmed, the last that was sent."""


class Outbox:
    """The storage of one sensor, safe to use from several threads."""

    def __init__(self, folder: Path, sensor: str, limits: RetentionLimits | None = None, spread_s: float = 0.0) -> None:
        self.sensor = sensor
        self.limits = limits or RetentionLimits()
        self.spread_s = spread_s
        self.rolled_back = ""  # how ingest came to know more of this storage than it knows itself
        self._trouble = ""
        self._lock = threading.RLock()
        self._unsaved: list[Quarter] = []
        self._given_up: dict[int, int] = {}  # generation: quarters that memory could not keep
        self._confirmed: set[int] = set()  # epochs that began in this run, or whose position ingest has confirmed
        self._file = OutboxFile(folder, sensor)

    @property
    def folder(self) -> Path:
        """The state folder."""
        return self._file.path.parent

    @property
    def alarms(self) -> list[str]:
        """What is wrong with the storage, a sentence each."""
        return [text for text in (self._trouble, *self._file.alarms, self.rolled_back) if text]

    @property
    def _db(self) -> sqlite3.Connection:
        return self._file.db

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def begin(self) -> tuple[SavedState, dict[SliceKey, Tally], int]:
        """Return the saved state, the held slices and how many times the service has started before."""
        with self._lock:
            text, starts = self._db.execute("select state, starts from device").fetchone()
            state = state_of(text)
            rows = self._db.execute("select boot, start_s, length_s, tally from held").fetchall()
            held = {
                (boot, start, length): msgspec.json.decode(tally, type=Tally) for boot, start, length, tally in rows
            }
            try:
                with self._file.transaction():
                    self._db.execute("update device set starts = starts + 1")
                    self._stream(state.generation)
            except sqlite3.Error as error:
                self._record_trouble(error)
            return state, held, starts

    def save(
        self,
        state: SavedState,
        closed: Iterable[Quarter] = (),
        held: dict[SliceKey, Tally] | None = None,
        changed: Iterable[SliceKey] = (),
    ) -> bool:
        """Save everything in one transaction: closed quarters become reports, the rest is as it now is.

        Returns False when the disk does not take it: it is then kept in memory, and tried again by the next call.
        """
        with self._lock:
            self._unsaved += closed
            while self._unsaved and len(self._unsaved) > self.limits.days * DAY_S / QUARTER_S:
                given_up = self._unsaved.pop(0)
                self._given_up[given_up.generation] = self._given_up.get(given_up.generation, 0) + 1
            for attempt in range(ATTEMPTS_MAX):
                try:
                    self._write(state, held or {}, list(changed))
                except sqlite3.Error as error:
                    if attempt + 1 == ATTEMPTS_MAX or not self._repair(error):
                        self._record_trouble(error)
                        return False
                else:
                    break
            if self._unsaved or self._given_up:
                self._file.note_progress()
            self._unsaved, self._given_up, self._trouble = [], {}, ""
            return True

    def _write(self, state: SavedState, held: dict[SliceKey, Tally], changed: list[SliceKey]) -> None:
        with self._file.transaction():
            for generation, count in self._given_up.items():
                epoch, last_seq = self._stream(generation)
                self._record_lost(epoch, last_seq + 1, last_seq + count)
                self._db.execute("update stream set last_seq = ? where epoch = ?", (last_seq + count, epoch))
            for quarter in self._unsaved:
                self._append(quarter)
            self._stream(state.generation)
            self._db.execute("update device set state = ?, saves = saves + 1", (msgspec.json.encode(state).decode(),))
            for key in changed:
                if key in held:
                    text = msgspec.json.encode(held[key]).decode()
                    self._db.execute(INSERT_HELD, (*key, text))
                else:
                    self._db.execute("delete from held where boot = ? and start_s = ? and length_s = ?", key)

    def _append(self, quarter: Quarter) -> None:
        epoch, last_seq = self._stream(quarter.generation)
        if self._db.execute(
            "select 1 from report where epoch = ? and start_s = ?", (epoch, quarter.start_s)
        ).fetchone():
            log.warning("the quarter from %d on is closed already in epoch %d", quarter.start_s, epoch)
            return
        seq = last_seq + 1
        payload = encode(report_of(quarter, self.sensor, epoch, seq)).decode()
        self._db.execute(INSERT_REPORT, (epoch, seq, quarter.start_s, payload))
        self._db.execute("update stream set last_seq = ? where epoch = ?", (seq, epoch))

    def _stream(self, generation: int) -> Key:
        """Return the epoch and last sequence number of a generation; a new one gets a random epoch."""
        epoch = secrets.randbelow(EPOCH_MAX) + 1
        if self._db.execute(
            "insert or ignore into stream (generation, epoch) values (?, ?)", (generation, epoch)
        ).rowcount:
            self._confirmed.add(epoch)
        stream = self._db.execute("select epoch, last_seq from stream where generation = ?", (generation,)).fetchone()
        return int(stream[0]), int(stream[1])

    def _record_lost(self, epoch: int, first: int, last: int) -> None:
        log.warning("reports %d to %d of epoch %d are lost", first, last, epoch)
        self._db.execute("insert or replace into lost (epoch, first, last) values (?, ?, ?)", (epoch, first, last))

    def _repair(self, error: sqlite3.Error) -> bool:
        """Repair what an error is about; return whether another attempt is worthwhile."""
        if is_damaged(error):
            self._file.salvage_and_reopen(error)
            return True
        return is_full(error) and self._make_room()

    def _make_room(self) -> bool:
        """Give up what is least missed: committed reports, and for a day's worth in memory the oldest that wait."""
        try:
            committed = self._db.execute("select 1 from report where receipted_s is not null limit 1").fetchone()
            if committed is None and len(self._unsaved) <= MEMORY_REPORTS_MAX:
                return False
            self._file.spend_reserve()
            self._db.execute("pragma wal_checkpoint(passive)")
            with self._file.transaction():
                gone = self._db.execute(
                    RECEIPTED_OLDEST,
                    (ROOM_ROWS,),
                ).rowcount
                if not gone:
                    gone = self._drop_oldest(ROOM_ROWS)
        except sqlite3.Error:
            return False
        return gone > 0

    def _drop_oldest(self, rows: int, before_s: float = float("inf")) -> int:
        """Give up the oldest waiting reports, and record the loss."""
        oldest = self._db.execute(
            "select epoch, seq from report where receipted_s is null and start_s < ? order by start_s limit ?",
            (before_s, rows),
        ).fetchall()
        for epoch, seq in oldest:
            self._record_lost(epoch, seq, seq)
            self._db.execute("delete from report where epoch = ? and seq = ?", (epoch, seq))
        return len(oldest)

    def prune(self, now_s: float) -> None:
        """Delete what is older than the limits allow: receipted reports first, then the oldest that wait."""
        limits = self.limits
        with self._lock:
            self._file.keep_reserve()
            try:
                with self._file.transaction():
                    self._db.execute(
                        "delete from report where receipted_s < ?", (now_s - limits.receipted_days * DAY_S,)
                    )
                    self._drop_oldest(-1, now_s - limits.days * DAY_S)
                    while self._used_bytes() > limits.megabytes * 1e6:
                        gone = self._db.execute(
                            RECEIPTED_OLDEST,
                            (ROOM_ROWS,),
                        ).rowcount
                        if not gone and not self._drop_oldest(ROOM_ROWS):
                            break
            except sqlite3.Error as error:
                self._record_trouble(error)

    def _used_bytes(self) -> int:
        pages, free, size = (
            self._db.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def apply_receipt(self, receipt: Receipt, now_s: float) -> list[Key]:
        """Apply a receipt; return the reports that ingest asks for again."""
        epoch, top = receipt.epoch, max(receipt.seen, receipt.through)
        with self._lock:
            stream = self._db.execute(
                "select last_seq, max(sent_seq, through) from stream where epoch = ?", (epoch,)
            ).fetchone()
            if stream is None:
                return []
            last_seq, known = int(stream[0]), int(stream[1])
            foreign = epoch not in self._confirmed and self._is_foreign(receipt, known)
            if foreign or (top > last_seq and epoch == self.current().epoch):
                self._note_rollback(top, known if foreign else last_seq)
            try:
                with self._file.transaction():
                    if foreign:
                        last_seq = self._renumber(epoch, known, top - known)
                    missing = self._apply_to_stream(receipt, last_seq, now_s)
            except sqlite3.Error as error:
                self._record_trouble(error)
                return []
            self._confirmed.add(epoch)
            return missing

    def _is_foreign(self, receipt: Receipt, known: int) -> bool:
        """Return whether ingest has a number that this storage has neither sent nor given up."""
        top = max(receipt.seen, receipt.through)
        not_had = joined(
            (max(first, known + 1), min(last, top))
            for first, last in (*receipt.want, *self._lost(receipt.epoch))
            if last > known and first <= top
        )
        return sum(last - first + 1 for first, last in not_had) < top - known

    def _renumber(self, epoch: int, known: int, by: int) -> int:
        """Renumber what was never sent, above what ingest knows; return the last number.

        The epoch stays: a quarter that was open in the copy may have been closed and sent before, and the same quarter
        cannot count twice in one epoch.
        """
        rows = self._db.execute(
            "select seq, start_s, payload from report where epoch = ? and seq > ?", (epoch, known)
        ).fetchall()
        self._db.execute("delete from report where epoch = ? and seq > ?", (epoch, known))
        for seq, start_s, payload in rows:
            report = decode(Channel.REPORT, payload.encode())
            again = encode(msgspec.structs.replace(report, seq=seq + by)).decode()
            self._db.execute(INSERT_REPORT, (epoch, seq + by, start_s, again))
        lost = [(first + by, last + by) for first, last in self._lost(epoch) if first > known]
        self._db.execute("delete from lost where epoch = ? and first > ?", (epoch, known))
        self._db.executemany(
            "insert into lost (epoch, first, last) values (?, ?, ?)", [(epoch, *pair) for pair in lost]
        )
        self._db.execute(
            "update stream set last_seq = last_seq + ?, sent_seq = ? where epoch = ?", (by, known + by, epoch)
        )
        return int(self._db.execute("select last_seq from stream where epoch = ?", (epoch,)).fetchone()[0])

    def _note_rollback(self, theirs: int, ours: int) -> None:
        if not self.rolled_back:
            self.rolled_back = (
                f"the storage was put back: it knows reports to {ours}, ingest to {theirs}; a new epoch begins"
            )

    def mark_sending(self, rows: Iterable[QueuedReport]) -> None:
        """Record that these reports are about to leave, so that what was never sent differs from what may have arrived."""
        last: dict[int, int] = {}
        for row in rows:
            last[row.epoch] = max(last.get(row.epoch, 0), row.seq)
        with self._lock:
            streams = self._rows("select epoch, sent_seq from stream")
            news = [(last[epoch], epoch) for epoch, sent_seq in streams if last.get(epoch, 0) > sent_seq]
            if not news:
                return
            try:
                with self._file.transaction():
                    self._db.executemany("update stream set sent_seq = ? where epoch = ?", news)
                self._file.note_progress()
            except (
                sqlite3.Error
            ) as error:  # not noted, it may look like a copy later, and be quarantined as a duplicate
                self._record_trouble(error)

    def unconfirmed(self) -> list[ReportStream]:
        """Return the streams that hold reports back until ingest confirms how far it knows them."""
        with self._lock:
            held = {epoch: seq for epoch, seq in self._held_back() if self._waits_above(epoch, seq)}
            return [stream for stream in self.streams() if stream.epoch in held] if held else []

    def _held_back(self) -> list[Key]:
        """Return the streams whose place at ingest is not known, with the last number that was sent."""
        streams = self._rows("select epoch, max(sent_seq, through) from stream")
        return [(epoch, seq) for epoch, seq in streams if epoch not in self._confirmed]

    def _waits_above(self, epoch: int, seq: int) -> bool:
        query = "select 1 from report where epoch = ? and seq > ? and receipted_s is null limit 1"
        return bool(self._rows(query, (epoch, seq)))

    def _apply_to_stream(self, receipt: Receipt, last_seq: int, now_s: float) -> list[Key]:
        epoch = receipt.epoch
        rows = self._db.execute(
            "select seq, receipted_s is null from report where epoch = ? and seq <= ?",
            (epoch, max(receipt.seen, receipt.through)),
        ).fetchall()
        present = {seq for seq, _ in rows}
        missing = [seq for seq in present if seq > receipt.through and holds(receipt.want, seq)]
        settled = [seq for seq, waits in rows if waits and seq not in set(missing)]
        self._db.executemany(
            "update report set receipted_s = ? where epoch = ? and seq = ?", [(now_s, epoch, seq) for seq in settled]
        )
        self._db.executemany(
            "update report set receipted_s = null where epoch = ? and seq = ?", [(epoch, seq) for seq in missing]
        )
        gone = [
            seq
            for first, last in receipt.want
            for seq in range(first, min(last, last_seq) + 1)
            if seq > receipt.through and seq not in present
        ]
        known_lost = self._lost(epoch)
        for first, last in joined((seq, seq) for seq in gone if not holds(known_lost, seq)):
            self._record_lost(epoch, first, last)
        self._db.execute("update stream set through = max(through, ?) where epoch = ?", (receipt.through, epoch))
        self._db.execute("delete from lost where epoch = ? and last <= ?", (epoch, receipt.through))
        return [(epoch, seq) for seq in sorted(missing)]

    def _lost(self, epoch: int) -> tuple[Range, ...]:
        return joined(self._db.execute("select first, last from lost where epoch = ?", (epoch,)).fetchall())

    def waiting(self, limit: int, due_by_s: float = float("inf"), *, newest: bool = False) -> list[QueuedReport]:
        """Return reports that wait for a receipt, oldest first or newest first."""
        return self._intact_rows([], limit, due_by_s, newest=newest)

    def sendable(self, limit: int, due_by_s: float, *, newest: bool = False) -> list[QueuedReport]:
        """Return those of them that may be sent."""
        with self._lock:
            return self._intact_rows(self._held_back(), limit, due_by_s, newest=newest)

    def _intact_rows(self, held: list[Key], limit: int, due_by_s: float, *, newest: bool) -> list[QueuedReport]:
        """Return reports that are as they were written; where one is not, what can be read is salvaged first."""
        query = WAITING + NOT_HELD * len(held) + (NEWEST if newest else OLDEST)
        values = (due_by_s - QUARTER_S - self.spread_s, *(number for pair in held for number in pair), limit)
        with self._lock:
            rows = self._rows(query, values)
            if not all(sealed[:CRC_LENGTH] == crc(payload) for *_, payload, sealed in rows):
                self._file.salvage_and_reopen(DamagedError("a report is not as it was written"))
                rows = self._rows(query, values)
        return [QueuedReport(epoch, seq, start_s, payload.encode()) for epoch, seq, start_s, payload, _ in rows]

    def waiting_count(self) -> int:
        """Return how many reports have no receipt, those that only memory holds included."""
        with self._lock:
            count = self._rows("select count(*) from report where receipted_s is null")[0][0]
            return int(count) + len(self._unsaved)

    def streams(self) -> list[ReportStream]:
        """Return the streams, the current one last."""
        with self._lock:
            rows = self._rows(f"{STREAM} order by generation")
            return [self._stream_of(row, self._lost(row[0])) for row in rows]

    def current(self) -> ReportStream:
        """Return the stream that new reports go to; its losses are left out."""
        return self._stream_of(self._rows(f"{STREAM} order by generation desc limit 1")[0])

    def _stream_of(self, row: tuple[int, int, int, int], lost: tuple[Range, ...] = ()) -> ReportStream:
        epoch, last_seq, through, sent_seq = row
        return ReportStream(
            epoch, last_seq, through, lost, last_seq if epoch in self._confirmed else max(sent_seq, through)
        )

    def config(self) -> bytes | None:
        """Return the settings that the server has sent, as they came."""
        with self._lock:
            text = self._db.execute("select config from device").fetchone()[0]
        return None if text is None else str(text).encode()

    def save_config(self, payload: bytes) -> None:
        """Keep the settings that the server has sent."""
        with self._lock:
            try:
                self._db.execute("update device set config = ?", (payload.decode(),))
            except sqlite3.Error as error:
                self._record_trouble(error)

    def _rows(self, query: str, values: tuple[float, ...] = ()) -> list[Any]:
        """Read; a file that turns out to be damaged is replaced by what can be saved of it."""
        with self._lock:
            try:
                return self._db.execute(query, values).fetchall()
            except sqlite3.DatabaseError as error:
                if not is_damaged(error):
                    raise
                self._file.salvage_and_reopen(error)
                return self._db.execute(query, values).fetchall()

    def _record_trouble(self, error: sqlite3.Error) -> None:
        if not self._trouble:
            log.error("storage: %s", error)
        self._trouble = f"the storage takes nothing ({error}): counts are kept in memory"


def state_of(text: str) -> SavedState:
    """Read a saved state; one that cannot be read (it was saved from a damaged file) begins anew."""
    try:
        return msgspec.json.decode(text, type=SavedState)
    except msgspec.MsgspecError as error:
        log.warning("the saved state cannot be read: %s", error)
        return SavedState()
