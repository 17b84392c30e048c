"""The outbox's SQLite file: opened, checked, and begun anew when it is damaged or cannot be had.

A damaged file is moved aside, and what can still be read of it is taken over. Where the disk gives no file at all, a
database in memory stands in, so that counting goes on; that is an alarm.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from telstraat_device.errors import StorageError

FILE = "outbox.sqlite"
RESERVE_FILE = "outbox.reserve"
RESERVE_BYTES = 4 * 4096 * 32  # several full write-ahead logs
LAYOUT = 1
WAL_PAGES = 32  # small, so that a nearly full disk still has room for it
BUSY_S = 5.0
DISK_TROUBLE = (errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO)
SCHEMA = """
create table if not exists device (
    one integer primary key check (one = 1), layout integer not null, sensor text not null,
    starts integer not null default 0, state text not null default '{}', config text);
create table if not exists stream (
    generation integer primary key, epoch integer not null unique,
    last_seq integer not null default 0, through integer not null default 0, sent_seq integer not null default 0);
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
ADD_SENT_SEQ = """
begin immediate;
alter table stream add column sent_seq integer not null default 0;
update stream set sent_seq = last_seq;
commit;
"""  # an earlier version has not noted what it sent: all of it may have been
TAKE_OVER_REPORTS = "select epoch, seq, start_s, due_s, receipted_s, payload from report"
log = logging.getLogger(__name__)


class OutboxFile:
    """One sensor's file; `db` is its connection."""

    def __init__(self, folder: Path, sensor: str) -> None:
        self.path = folder / FILE
        self.sensor = sensor
        self.moved_aside = ""  # what became of a damaged file
        self.only_memory = ""  # why there is no file
        self._reserve = folder / RESERVE_FILE
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.db = self._open(self.path)
        except sqlite3.DatabaseError as error:
            if is_damaged(error):
                self._move_aside(error)
            elif self.path.exists() or is_full(error):
                self._do_without(str(error))
            else:
                raise StorageError(
                    f"the state folder {str(folder)!r} cannot be used: {error}; is it writable?"
                ) from error
        except OSError as error:
            if error.errno not in DISK_TROUBLE:
                raise StorageError(f"the state folder {str(folder)!r} cannot be used: {error.strerror}") from error
            self._do_without(str(error.strerror))
        self.keep_reserve()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens inside, or nothing of it."""
        self.db.execute("begin immediate")
        try:
            yield
            self.db.execute("commit")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # some errors have rolled it back already
                self.db.execute("rollback")
            raise

    def begin_anew(self, error: sqlite3.Error) -> None:
        """Go on with a new file when this one turns out to be damaged."""
        with contextlib.suppress(sqlite3.Error):
            self.db.close()
        self._move_aside(error)

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def keep_reserve(self) -> None:
        """Hold a little room back, while there is any, for the day when the disk is full."""
        if self._reserve.exists() or self.only_memory:
            return
        try:
            with self._reserve.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        except OSError:
            self._reserve.unlink(missing_ok=True)

    def spend_reserve(self) -> None:
        """Give the room back: a log that cannot grow cannot even say what is to be deleted."""
        with contextlib.suppress(OSError):
            self._reserve.unlink(missing_ok=True)

    def _open(self, path: Path | str) -> sqlite3.Connection:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_S)
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
        if not any(column[1] == "sent_seq" for column in db.execute("pragma table_info(stream)")):
            db.executescript(ADD_SENT_SEQ)
        db.execute("insert or ignore into device (one, layout, sensor) values (1, ?, ?)", (LAYOUT, self.sensor))
        layout, sensor = db.execute("select layout, sensor from device").fetchone()
        if sensor != self.sensor:
            raise StorageError(
                f"{self.path} holds the counts of sensor {sensor!r}, and this is sensor {self.sensor!r}; "
                "give it a state folder of its own"
            )
        if layout > LAYOUT:
            raise StorageError(f"{self.path} was written by a newer version (layout {layout}); update this one")
        with contextlib.suppress(OSError):
            self.path.chmod(0o600)

    def _move_aside(self, error: sqlite3.Error) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        aside = self.path.with_name(f"{FILE}.damaged-{stamp}")
        try:
            for suffix in ("", "-wal", "-shm"):
                file = self.path.with_name(FILE + suffix)
                if file.exists():
                    file.rename(aside.with_name(aside.name + suffix))
            self.db = self._open(self.path)
        except (OSError, sqlite3.Error) as again:
            self._do_without(f"{error}, and then {again}")
            return
        taken = take_over(aside, self.db)
        self.moved_aside = f"the storage was damaged ({error}): {taken} reports were saved from it, see {aside.name}"
        log.error("%s", self.moved_aside)

    def _do_without(self, reason: str) -> None:
        self.only_memory = (
            f"there is no storage ({reason}): a power cut would take the counts; mend the disk and restart"
        )
        log.error("%s", self.only_memory)
        self.db = self._open(":memory:")


def take_over(damaged: Path, into: sqlite3.Connection) -> int:
    """Copy what can be read of a damaged file; return how many reports that was.

    Its reports keep their epochs, in generations below zero: new reports get a new epoch.
    """
    taken = 0
    into.execute("begin immediate")
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(damaged)) as old:
        epochs: dict[int, int] = {}
        for row in readable(old, TAKE_OVER_REPORTS):
            into.execute("insert or ignore into report values (?, ?, ?, ?, ?, ?)", row)
            epochs[row[0]] = max(epochs.get(row[0], 0), row[1])
            taken += 1
        streams = {
            epoch: (last, through)
            for epoch, last, through in readable(old, "select epoch, last_seq, through from stream")
        }
        for number, (epoch, last_seq) in enumerate(epochs.items(), 1):
            last, through = streams.get(epoch, (last_seq, 0))
            last = max(last, last_seq)
            into.execute("insert or ignore into stream values (?, ?, ?, ?, ?)", (-number, epoch, last, through, last))
        for row in readable(old, "select epoch, first, last from lost"):
            into.execute("insert or ignore into lost values (?, ?, ?)", row)
        for row in readable(old, "select state, config, starts from device"):
            into.execute("update device set state = ?, config = ?, starts = ?", row)
        for row in readable(old, "select boot, start_s, length_s, tally from held"):
            into.execute("insert or ignore into held values (?, ?, ?, ?)", row)
    into.execute("commit")
    return taken


def readable(db: sqlite3.Connection, query: str) -> Iterator[tuple[int, ...]]:
    """Give rows as far as they can be read."""
    with contextlib.suppress(sqlite3.Error):
        yield from db.execute(query)


def is_damaged(error: sqlite3.Error) -> bool:
    """Tell whether a file is no longer a database, or not a whole one."""
    return any(word in str(error) for word in ("malformed", "not a database"))


def is_full(error: sqlite3.Error) -> bool:
    """Tell whether the disk has no room."""
    return "full" in str(error)
