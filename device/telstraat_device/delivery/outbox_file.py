"""The outbox's SQLite file: opened, checked, salvaged when it is damaged, and done without when it cannot be had.

A damaged file is moved aside, and a new one takes its place with all that can be read. Where the disk gives no file at all, a
database in memory stands in, so that counting goes on; that is an alarm.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from telstraat_contract.topics import SENSOR_NAME
from telstraat_device.delivery.outbox_schema import CRC_LENGTH, LAYOUT, check, check_unsealed, columns_of, crc, prepare
from telstraat_device.delivery.progress import OutboxProgress, ProgressFile, progress_of
from telstraat_device.delivery.salvage import SUFFIXES, accounts, contents, fill, finish, reports_beside, salvage
from telstraat_device.errors import DamagedError, StorageError

FILE = "outbox.sqlite"
RESERVE_FILE = "outbox.reserve"
RESERVE_BYTES = 4 * 4096 * 32  # several full write-ahead logs
WAL_PAGES = 48  # small, so that a nearly full disk still has room for it
BUSY_S = 5.0
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
NO_DAMAGE = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
)
DISK_TROUBLE = (errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO)
log = logging.getLogger(__name__)


class OutboxFile:
    """One sensor's file; `db` is its connection."""

    def __init__(self, folder: Path, sensor: str) -> None:
        self.path = folder / FILE
        self.sensor = sensor
        self.memory_only = ""  # why there is no file
        self._reserve = folder / RESERVE_FILE
        self._progress = ProgressFile(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            finish(self.path)
            self.db = self._open()
        except (DamagedError, sqlite3.Error) as error:
            if is_damaged(error) or any(part.is_dir() for part in self._parts()):
                self._salvage(error)
            elif self.path.exists() or is_full(error):
                self._fall_back_to_memory(str(error))
            else:
                raise StorageError(
                    f"the state folder {str(folder)!r} cannot be used: {error}; is it writable?"
                ) from error
        except OSError as error:
            if error.errno not in DISK_TROUBLE:
                raise StorageError(f"the state folder {str(folder)!r} cannot be used: {error.strerror}") from error
            self._fall_back_to_memory(str(error.strerror))
        self.keep_reserve()

    @property
    def alarms(self) -> list[str]:
        """What is wrong with the file, in sentences: damage as long as nobody has seen its account and deleted it."""
        return [*([self.memory_only] if self.memory_only else []), *accounts(self.path)]

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

    def salvage_and_reopen(self, error: Exception) -> None:
        """Salvage what can be read of this file, which turned out to be damaged, and open the new one."""
        with contextlib.suppress(sqlite3.Error):
            self.db.close()
        self._salvage(error)

    def note_progress(self) -> None:
        """Write down beside the file how far it is; called after what it says is committed."""
        if self.memory_only:
            return
        with contextlib.suppress(sqlite3.Error):  # what is committed stays committed; damage shows at the next read
            rows = self.db.execute(
                "select generation, epoch, last_seq, through, sent_seq from stream order by generation"
            )
            streams = rows.fetchall()
            for (saves,) in self.db.execute("select saves from device"):
                self._progress.write(progress_of(self.sensor, int(saves), streams))

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def keep_reserve(self) -> None:
        """Hold a little room back, while there is any, for the day when the disk is full."""
        if self._reserve.exists() or self.memory_only:
            return
        try:
            with self._reserve.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        except OSError:
            self._reserve.unlink(missing_ok=True)

    def spend_reserve(self) -> None:
        """Free the reserved room: a log that cannot grow cannot even record what is to be deleted."""
        with contextlib.suppress(OSError):
            self._reserve.unlink(missing_ok=True)

    def _parts(self) -> list[Path]:
        return [self.path.with_name(FILE + suffix) for suffix in SUFFIXES]

    def _open(self) -> sqlite3.Connection:
        progress = self._progress.read()
        if progress is not None and progress.sensor != self.sensor:
            progress = None
        if self.path.exists() and self.path.stat().st_size:
            self._check(progress)
        elif (progress is not None and progress.saves) or contents(self.path.with_name(FILE + "-wal")):
            raise DamagedError("the file is gone, or empty")
        db = self._connect(self.path)
        with contextlib.suppress(sqlite3.Error):  # on a full disk it waits in the log
            db.execute("pragma wal_checkpoint(passive)")  # a new file's tables may stand in the log only
        self._progress.keep_first_page(self.path)
        with contextlib.suppress(OSError):
            self.path.chmod(0o600)
        return db

    def _check(self, progress: OutboxProgress | None) -> None:
        """Raise `DamagedError` unless the file is whole, and as new as the progress noted; change nothing.

        A connection that may write would bring a log of the wrong time or place into the file when it is closed.
        """
        uri = f"{self.path.resolve().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_S)) as db:
            try:
                if not columns_of(db, "device"):
                    raise DamagedError("its tables are gone")
                self._check_owner(db, progress)
                if "seal" in columns_of(db, "report"):
                    check(db, progress)
                else:
                    check_unsealed(db, self.sensor)
            except (sqlite3.Error, TypeError, ValueError, OverflowError) as error:
                if primary_code(error) in NO_DAMAGE:
                    raise
                raise DamagedError(str(error)) from error

    def _check_owner(self, db: sqlite3.Connection, progress: OutboxProgress | None) -> None:
        row = db.execute("select * from device").fetchone()
        if row is None:
            raise DamagedError("it does not say whose it is")
        device = dict(zip(columns_of(db, "device"), row, strict=True))
        layout, sensor, seals = device["layout"], device["sensor"], device.get("seal")
        if seals is not None and not (
            seals[:CRC_LENGTH] == crc(layout) and seals[CRC_LENGTH : 2 * CRC_LENGTH] == crc(sensor)
        ):
            raise DamagedError("whose it is cannot be read")
        if sensor != self.sensor:
            if progress is not None or (seals is None and not is_name(sensor)):
                raise DamagedError(f"it says that it is sensor {sensor!r}'s")
            raise StorageError(
                f"{self.path} holds the counts of sensor {sensor!r}, and this is sensor {self.sensor!r}; "
                "give it a state folder of its own"
            )
        if layout > LAYOUT:
            raise StorageError(f"{self.path} was written by a newer version (layout {layout}); update this one")

    def _connect(self, path: Path | str) -> sqlite3.Connection:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_S)
        try:
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = full")
            db.execute("pragma temp_store = memory")
            db.execute(f"pragma wal_autocheckpoint = {WAL_PAGES}")
            prepare(db, self.sensor)
        except BaseException:
            db.close()
            raise
        return db

    def _salvage(self, error: Exception) -> None:
        """Put a whole file in the damaged one's place; what the disk does not take is tried again at the next start."""
        log.error("the storage is damaged: %s", error)
        self.spend_reserve()
        try:
            salvage(self.path, self.sensor, str(error))
            finish(self.path)
            self.db = self._open()
        except (OSError, sqlite3.Error, DamagedError) as again:
            self._fall_back_to_memory(f"{error}, and then {again}")

    def _fall_back_to_memory(self, reason: str) -> None:
        self.memory_only = f"there is no storage ({' '.join(reason.split())[:90]}): a power cut would take the counts; mend the disk and restart"
        log.error("%s", self.memory_only)
        self.db = self._connect(":memory:")
        with contextlib.suppress(OSError, sqlite3.Error, StorageError):
            fill(self.db, reports_beside(self.path, self.sensor), self.sensor)


def is_name(sensor: object) -> bool:
    """Return whether a stored value may be a sensor's name."""
    return isinstance(sensor, str) and SENSOR_NAME.fullmatch(sensor) is not None


def is_damaged(error: Exception) -> bool:
    """Return whether a file is no longer a database, or not as it was written."""
    return isinstance(error, DamagedError) or primary_code(error) in DAMAGED


def is_full(error: Exception) -> bool:
    """Return whether the disk has no room."""
    return primary_code(error) == sqlite3.SQLITE_FULL


def primary_code(error: Exception) -> int:
    """Return SQLite's code for the kind of an error, 0 where there is none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
