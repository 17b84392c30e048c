"""What the device keeps through a power cut: the open quarters, and each report until ingest has committed it.

One SQLite file, WAL, `synchronous=FULL`. Only what is on the disk is ever sent. A report leaves "waiting" only by a
receipt; what had to be given up is recorded as lost, and announced.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from telstraat_contract.messages import MAX_RANGES, Receipt, encode
from telstraat_contract.quarters import QUARTER_S
from telstraat_device.errors import StorageError
from telstraat_device.periods import SliceKey, State
from telstraat_device.ranges import Range, holds, joined
from telstraat_device.tally import Quarter, Tally, report_of

FILE = "outbox.sqlite"
LAYOUT = 1
EPOCH_MAX = 2**53 - 1
DAY_S = 86_400
WAL_PAGES = 32  # small, so that a nearly full disk still has room for it
ROOM_ROWS = 8  # given up at once when the disk is full
MEMORY_REPORTS_MAX = 96  # a day: then the oldest on the disk makes room for the newest in memory
SCHEMA = """
create table if not exists device (
    one integer primary key check (one = 1), layout integer not null, sensor text not null,
    starts integer not null default 0, state text not null default '{}', config text);
create table if not exists stream (
    generation integer primary key, epoch integer not null unique,
    last_seq integer not null default 0, through integer not null default 0);
create table if not exists report (
    epoch integer not null, seq integer not null, start_s integer not null, due_s real not null,
    receipted_s real, payload text not null, primary key (epoch, seq), unique (epoch, start_s)) without rowid;
create index if not exists waiting on report (start_s) where receipted_s is null;
create table if not exists lost (
    epoch integer not null, first integer not null, last integer not null, primary key (epoch, first)) without rowid;
create table if not exists held (
    boot text not null, start_s integer not null, length_s integer not null, tally text not null,
    primary key (boot, start_s, length_s)) without rowid;
"""
OLDEST = """
select epoch, seq, start_s, due_s, payload from report
where receipted_s is null and due_s <= ? order by start_s, seq limit ?"""
NEWEST = """
select epoch, seq, start_s, due_s, payload from report
where receipted_s is null and due_s <= ? order by start_s desc, seq desc limit ?"""
RECEIPTED_OLDEST = """
delete from report where (epoch, seq) in
(select epoch, seq from report where receipted_s is not null order by receipted_s limit ?)"""
log = logging.getLogger(__name__)

Key = tuple[int, int]  # epoch, seq


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the outbox keeps."""

    days: float = 30.0
    megabytes: float = 64.0
    receipted_days: float = 7.0


@dataclass(frozen=True, slots=True)
class Row:
    """A report that waits for its receipt."""

    epoch: int
    seq: int
    start_s: int
    due_s: float
    payload: bytes

    @property
    def key(self) -> Key:
        """Its place in the sensor's streams."""
        return self.epoch, self.seq


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of reports, as far as it is on the disk."""

    epoch: int
    last_seq: int
    through: int
    lost: tuple[Range, ...] = ()


class Outbox:
    """The storage of one sensor, safe to use from several threads."""

    def __init__(self, folder: Path, sensor: str, limits: Limits | None = None, spread_s: float = 0.0) -> None:
        self.path = folder / FILE
        self.sensor = sensor
        self.limits = limits or Limits()
        self.spread_s = spread_s
        self.alarm = ""  # what is wrong with the storage, in one sentence
        self.moved_aside = ""  # a storage that was damaged
        self.put_back = ""  # a storage that ingest knows to have been further
        self._lock = threading.RLock()
        self._unsaved: list[Quarter] = []
        self._given_up: dict[int, int] = {}  # generation: quarters that memory could not keep
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            if not is_damaged(error):
                raise StorageError(
                    f"the state folder {str(folder)!r} cannot be used: {error}; is it writable?"
                ) from error
            self._db = self._open_anew(error)
        except OSError as error:
            raise StorageError(f"the state folder {str(folder)!r} cannot be used: {error.strerror}") from error

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=5.0)
        try:
            self._set_up(db)
        except BaseException:
            db.close()
            raise
        return db

    def _set_up(self, db: sqlite3.Connection) -> None:
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        db.execute(f"pragma wal_autocheckpoint = {WAL_PAGES}")
        found = db.execute("pragma quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"malformed: {found}")
        db.executescript(SCHEMA)
        db.execute("insert or ignore into device (one, layout, sensor) values (1, ?, ?)", (LAYOUT, self.sensor))
        layout, sensor = db.execute("select layout, sensor from device").fetchone()
        if sensor != self.sensor:
            raise StorageError(
                f"{self.path} holds the counts of sensor {sensor!r}, and this is sensor {self.sensor!r}; "
                "give it a state folder of its own"
            )
        if layout > LAYOUT:
            raise StorageError(f"{self.path} was written by a newer version (layout {layout}); update this one")
        self.path.chmod(0o600)

    def _open_anew(self, error: sqlite3.Error) -> sqlite3.Connection:
        """Move a damaged file aside and begin again, with a new epoch."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        for suffix in ("", "-wal", "-shm"):
            file = self.path.with_name(self.path.name + suffix)
            if file.exists():
                file.rename(file.with_name(f"{FILE}.damaged-{stamp}{suffix}"))
        self.moved_aside = f"the storage was damaged ({error}); it was moved aside as {FILE}.damaged-{stamp}"
        log.error("%s", self.moved_aside)
        return self._open()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def begin(self) -> tuple[State, dict[SliceKey, Tally], int]:
        """Return the saved state, the held slices and how many times the service has started before."""
        with self._lock:
            text, starts = self._db.execute("select state, starts from device").fetchone()
            state = msgspec.json.decode(text, type=State)
            rows = self._db.execute("select boot, start_s, length_s, tally from held").fetchall()
            held = {
                (boot, start, length): msgspec.json.decode(tally, type=Tally) for boot, start, length, tally in rows
            }
            try:
                with self._transaction():
                    self._db.execute("update device set starts = starts + 1")
                    self._stream(state.generation)
            except sqlite3.Error as error:
                self._note(error)
            return state, held, starts

    def save(
        self,
        state: State,
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
            for attempt in (1, 2):
                try:
                    self._write(state, held or {}, list(changed))
                except sqlite3.Error as error:
                    if attempt == 2 or not self._make_room(error):
                        self._note(error)
                        return False
                else:
                    break
            self._unsaved, self._given_up, self.alarm = [], {}, ""
            return True

    def _write(self, state: State, held: dict[SliceKey, Tally], changed: list[SliceKey]) -> None:
        with self._transaction():
            for generation, many in self._given_up.items():
                epoch, last_seq = self._stream(generation)
                self._record_lost(epoch, last_seq + 1, last_seq + many)
                self._db.execute("update stream set last_seq = ? where epoch = ?", (last_seq + many, epoch))
            for quarter in self._unsaved:
                self._append(quarter)
            self._stream(state.generation)
            self._db.execute("update device set state = ?", (msgspec.json.encode(state).decode(),))
            for key in changed:
                if key in held:
                    text = msgspec.json.encode(held[key]).decode()
                    self._db.execute("insert or replace into held values (?, ?, ?, ?)", (*key, text))
                else:
                    self._db.execute("delete from held where boot = ? and start_s = ? and length_s = ?", key)

    def _append(self, quarter: Quarter) -> None:
        epoch, last_seq = self._stream(quarter.generation)
        seq = last_seq + 1
        payload = encode(report_of(quarter, self.sensor, epoch, seq)).decode()
        self._db.execute(
            "insert into report (epoch, seq, start_s, due_s, payload) values (?, ?, ?, ?, ?)",
            (epoch, seq, quarter.start_s, quarter.end_s + self.spread_s, payload),
        )
        self._db.execute("update stream set last_seq = ? where epoch = ?", (seq, epoch))

    def _stream(self, generation: int) -> Key:
        """Return the epoch and last sequence number of a generation; a new one gets a random epoch."""
        self._db.execute(
            "insert or ignore into stream (generation, epoch) values (?, ?)",
            (generation, secrets.randbelow(EPOCH_MAX) + 1),
        )
        found = self._db.execute("select epoch, last_seq from stream where generation = ?", (generation,)).fetchone()
        return int(found[0]), int(found[1])

    def _record_lost(self, epoch: int, first: int, last: int) -> None:
        log.warning("reports %d to %d of epoch %d are lost", first, last, epoch)
        self._db.execute("insert or replace into lost values (?, ?, ?)", (epoch, first, last))

    def _make_room(self, error: sqlite3.Error) -> bool:
        """When the disk is full, give up what is least missed; tell whether another attempt is worth while."""
        if "full" not in str(error):
            return False
        try:
            self._db.execute("pragma wal_checkpoint(truncate)")
            with self._transaction():
                gone = self._db.execute(
                    RECEIPTED_OLDEST,
                    (ROOM_ROWS,),
                ).rowcount
                if not gone and len(self._unsaved) > MEMORY_REPORTS_MAX:
                    gone = self._drop_oldest(ROOM_ROWS)
        except sqlite3.Error:
            return False
        return gone > 0

    def _drop_oldest(self, rows: int, before_s: float = float("inf")) -> int:
        """Give up the oldest waiting reports, and record the loss."""
        found = self._db.execute(
            "select epoch, seq from report where receipted_s is null and start_s < ? order by start_s limit ?",
            (before_s, rows),
        ).fetchall()
        for epoch, seq in found:
            self._record_lost(epoch, seq, seq)
            self._db.execute("delete from report where epoch = ? and seq = ?", (epoch, seq))
        return len(found)

    def prune(self, now_s: float) -> None:
        """Let go of what is older than the limits allow: receipted reports first, then the oldest that wait."""
        limits = self.limits
        with self._lock:
            try:
                with self._transaction():
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
                self._note(error)

    def _used_bytes(self) -> int:
        pages, free, size = (
            self._db.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def apply(self, receipt: Receipt, now_s: float) -> list[Key]:
        """Take a receipt; return the reports that ingest wants again."""
        with self._lock:
            known = self._db.execute(
                "select last_seq, through from stream where epoch = ?", (receipt.epoch,)
            ).fetchone()
            if known is None:
                return []
            try:
                with self._transaction():
                    return self._settle(receipt, int(known[0]), now_s)
            except sqlite3.Error as error:
                self._note(error)
                return []

    def _settle(self, receipt: Receipt, last_seq: int, now_s: float) -> list[Key]:
        epoch = receipt.epoch
        seen = receipt.seen
        if len(receipt.want) >= MAX_RANGES:  # there may be more gaps than fit into a receipt
            seen = min(seen, receipt.want[-1][1])
        rows = self._db.execute(
            "select seq, receipted_s is null from report where epoch = ? and seq <= ?",
            (epoch, max(seen, receipt.through)),
        ).fetchall()
        present = {seq for seq, _ in rows}
        wanted = [seq for seq in present if seq > receipt.through and holds(receipt.want, seq)]
        settled = [seq for seq, waits in rows if waits and seq not in set(wanted)]
        self._db.executemany(
            "update report set receipted_s = ? where epoch = ? and seq = ?", [(now_s, epoch, seq) for seq in settled]
        )
        self._db.executemany(
            "update report set receipted_s = null where epoch = ? and seq = ?", [(epoch, seq) for seq in wanted]
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
        return [(epoch, seq) for seq in sorted(wanted)]

    def _lost(self, epoch: int) -> tuple[Range, ...]:
        return joined(self._db.execute("select first, last from lost where epoch = ?", (epoch,)).fetchall())

    def waiting(self, limit: int, due_by_s: float = float("inf"), *, newest: bool = False) -> list[Row]:
        """Return reports that wait for a receipt and may be sent, oldest first or newest first."""
        with self._lock:
            rows = self._db.execute(NEWEST if newest else OLDEST, (due_by_s, limit)).fetchall()
        return [Row(epoch, seq, start_s, due_s, payload.encode()) for epoch, seq, start_s, due_s, payload in rows]

    def waiting_count(self) -> int:
        """Return how many reports have no receipt, those that only memory holds included."""
        with self._lock:
            count = self._db.execute("select count(*) from report where receipted_s is null").fetchone()[0]
            return int(count) + len(self._unsaved)

    def streams(self) -> list[Stream]:
        """Return the streams, the current one last."""
        with self._lock:
            rows = self._db.execute("select epoch, last_seq, through from stream order by generation").fetchall()
            return [Stream(epoch, last, through, self._lost(epoch)) for epoch, last, through in rows]

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
                self._note(error)

    def _note(self, error: sqlite3.Error) -> None:
        if not self.alarm:
            log.error("storage: %s", error)
        self.alarm = f"the storage takes nothing: {error}; counts are kept in memory"

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit what happens inside, or nothing of it."""
        self._db.execute("begin immediate")
        try:
            yield
            self._db.execute("commit")
        except BaseException:
            with suppress(sqlite3.Error):  # some errors have rolled it back already
                self._db.execute("rollback")
            raise


def is_damaged(error: sqlite3.Error) -> bool:
    """Tell whether a file is no longer a database, or not a whole one."""
    return any(word in str(error) for word in ("malformed", "not a database"))
