"""From a damaged outbox to a whole one: what can be read is taken over, what cannot is recorded as lost.

    damaged ── read, built as .part, synced ──► .new ── damaged file moved aside ──► .new takes its place
               (until here: begun again)          (from here: finished at the next start)

What is read: the database with and without its log, row by row, each column by its checksum; and the bytes of both files,
in which every intact report stands whole with its checksum behind it, whatever became of the pages around it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from telstraat_contract.messages import SEQ_MAX, encode
from telstraat_contract.quarters import QUARTER_S
from telstraat_device.delivery.outbox_schema import (
    COLUMNS,
    CRC_LENGTH,
    EPOCH_MAX,
    crc,
    intact,
    prepare,
    report_in,
    rows_of,
)
from telstraat_device.delivery.progress import OutboxProgress, ProgressFile
from telstraat_device.delivery.ranges import Range, joined
from telstraat_device.errors import StorageError
from telstraat_device.quarters.periods import SavedState
from telstraat_device.quarters.tally import report_of

SUFFIXES = ("-wal", "-shm", "-journal", "")  # the log before the database: it must never lie beside another's
PART, WITH_LOG, WITHOUT_LOG, WITH_PAGE = TEMPORARY = (".part", ".with-log", ".without-log", ".with-page")
ACCOUNT_SUFFIX = ".txt"
STAMP, STAMP_LENGTH = "%Y%m%dT%H%M%S%f", 21
ASIDE_MAX = 3  # damaged files that are kept; the oldest goes
BLOCK = 4096
JOURNAL_AT = 18  # where SQLite's header says that there is a log, in two bytes
SIZE_AT = 28  # where SQLite's header says how many pages there are
REPORT_BEGINS = b'{"v":'
REPORT_BYTES_MAX = 4096
log = logging.getLogger(__name__)

Key = tuple[int, int]  # epoch, seq


@dataclass(slots=True)
class PartialRead:
    """What one way of reading the file gives."""

    device: dict[str, Any] = field(default_factory=dict)  # the intact columns only
    streams: list[dict[str, int]] = field(default_factory=list)
    reports: dict[Key, tuple[str, float | None]] = field(default_factory=dict)  # payload, when it was receipted
    lost: list[tuple[int, int, int]] = field(default_factory=list)
    held: list[tuple[Any, ...]] = field(default_factory=list)


@dataclass(slots=True)
class Recovery:
    """All that could be read, made to agree."""

    read: PartialRead
    saves: int  # how many times it was saved, at least
    stale: bool  # the saved state is not the last
    reports: dict[Key, tuple[str, float | None]] = field(default_factory=dict)
    starts: set[Key] = field(default_factory=set)  # epoch, start of a quarter
    streams: dict[int, dict[str, int]] = field(default_factory=dict)  # by epoch
    lost: dict[int, tuple[Range, ...]] = field(default_factory=dict)


def salvage(path: Path, sensor: str, why: str) -> None:
    """Put a whole outbox in the place of a damaged one.

    Raises `OSError` or `sqlite3.Error` where the disk does not take it; nothing is changed then, and the next start begins again.
    Raises `StorageError` where the file is another sensor's.
    """
    beside = ProgressFile(path.parent)
    progress = beside.read()
    if progress is not None and progress.sensor != sensor:
        progress = None
    recovery = gather(path, sensor, progress, beside.first_page())
    part = path.with_name(path.name + PART)
    _remove(part)
    try:
        build(part, sensor, recovery)
        sync(part)
        _write_account(path, recovery, why)
        part.replace(path.with_name(path.name + ".new"))
    except BaseException:
        with contextlib.suppress(OSError):
            _remove(part)
        raise
    sync(path.parent)
    finish(path)


def finish(path: Path) -> None:
    """Finish a salvage that was cut off, and clear away what one left behind."""
    for name in TEMPORARY:
        for file in path.parent.glob(f"{path.name}{name}*"):
            _remove(file)
    new = path.with_name(path.name + ".new")
    if not new.is_file():
        _remove(new)
        return
    aside = _free_name(path)
    for suffix in SUFFIXES:
        file = path.with_name(path.name + suffix)
        if file.exists():
            file.rename(aside.with_name(aside.name + suffix))
    sync(path.parent)
    new.replace(path)
    sync(path.parent)
    _forget_oldest(path)


def accounts(path: Path) -> list[str]:
    """Return the first line of the account of each salvage that nobody has seen yet: its account is still there."""
    texts = []
    for file in sorted(path.parent.glob(f"{path.name}.damaged-*{ACCOUNT_SUFFIX}")):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            texts.append(file.read_text(encoding="utf-8").split("\n", 1)[0])
    return texts


def reports_beside(path: Path, sensor: str) -> Recovery:
    """Read what waits in an outbox whose disk takes nothing, writing nothing: the reports and losses, to be sent from memory.

    What is open stays the file's: it is closed when the disk takes something again.
    """
    beside = ProgressFile(path.parent)
    progress = beside.read()
    if progress is not None and progress.sensor != sensor:
        progress = None
    recovery = gather(path, sensor, progress, beside.first_page(), writes=False)
    recovery.read.held = []
    recovery.read.device.pop("state", None)
    return recovery


def gather(
    path: Path, sensor: str, progress: OutboxProgress | None, first_page: bytes, *, writes: bool = True
) -> Recovery:
    """Read all that can be read of a damaged outbox; without copies on the disk, its log is read for whole reports only."""
    raw = {suffix: contents(path.with_name(path.name + suffix)) for suffix in ("", "-wal")}
    sealed = progress is not None or any(b"seal text" in content for content in raw.values())
    if writes:
        with _copied(path, raw, first_page) as copies:
            reads = [_read_copy(sqlite3.connect(copy, isolation_level=None), sensor, sealed=sealed) for copy in copies]
    else:
        reads = [_read_copy(in_memory(image), sensor, sealed=sealed) for image in _images(raw[""], first_page)]
    foreign = {read.device["sensor"] for read in reads if read.device.get("sensor", sensor) != sensor}
    reads = [read for read in reads if read.device.get("sensor", sensor) == sensor] or [PartialRead()]
    reads.sort(key=lambda read: ("state" in read.device, read.device.get("saves", -1), len(read.reports)), reverse=True)
    saves, noted = reads[0].device.get("saves", -1), progress.saves if progress else 0
    recovery = Recovery(reads[0], max(saves, noted), stale=saves < noted)
    for read in reads:
        _add_reports(recovery, read.reports, sensor)
    _add_streams(recovery, reads, progress)
    written = dict[Key, tuple[str, float | None]]()
    for content in raw.values():
        written.update(carved(content, sensor, sealed=sealed))
    through = {epoch: stream["through"] for epoch, stream in recovery.streams.items()}
    _add_reports(recovery, {key: at for key, at in written.items() if key[1] > through.get(key[0], 0)}, sensor)
    if foreign and not recovery.reports and progress is None:
        raise StorageError(
            f"{path} holds the counts of sensor {foreign.pop()!r}, and this is sensor {sensor!r}; "
            "give it a state folder of its own"
        )
    if writes:
        _close_old_state(recovery, sensor)
    _add_lost(recovery, reads)
    return recovery


def contents(file: Path) -> bytes:
    """Return a file's bytes; blocks that the card no longer gives are zeros."""
    blocks = []
    try:
        handle = os.open(file, os.O_RDONLY)
    except OSError:
        return b""
    try:
        for start in range(0, os.fstat(handle).st_size, BLOCK):
            try:
                blocks.append(os.pread(handle, BLOCK, start))
            except OSError:
                blocks.append(bytes(BLOCK))
    except OSError:
        return b""
    finally:
        os.close(handle)
    return b"".join(blocks)


@contextlib.contextmanager
def _copied(path: Path, raw: dict[str, bytes], first_page: bytes) -> Iterator[list[Path]]:
    """Yield copies of the database, one for each way of reading it: the original must not change."""
    database, log_file = raw[""], raw["-wal"]
    ways = {WITH_LOG: (database, log_file), WITHOUT_LOG: (database, b"")}
    for image in _images(database, first_page)[1:]:
        ways[WITH_PAGE] = (image, log_file)
    copies = [path.with_name(path.name + name) for name in ways]
    try:
        for copy, parts in zip(copies, ways.values(), strict=True):
            for suffix, part in zip(("", "-wal"), parts, strict=True):
                copy.with_name(copy.name + suffix).write_bytes(part)
        yield copies
    finally:
        for copy in copies:
            for suffix in SUFFIXES:
                _remove(copy.with_name(copy.name + suffix))


def _images(database: bytes, first_page: bytes) -> list[bytes]:
    """Return the database as it is, and with the copy of its first page, where there is one."""
    if not first_page:
        return [database]
    page = first_page[:SIZE_AT] + bytes(4) + first_page[SIZE_AT + 4 :]  # no size: as many pages as there are
    return [database, page + database[len(page) :]]


def in_memory(image: bytes) -> sqlite3.Connection:
    """Open a database's bytes; memory knows no log, so that its header must not ask for one."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    with contextlib.suppress(sqlite3.Error):
        db.deserialize(image[:JOURNAL_AT] + b"\1\1" + image[JOURNAL_AT + 2 :])
    return db


def _read_copy(db: sqlite3.Connection, sensor: str, *, sealed: bool) -> PartialRead:
    """Read a copy by its tables, and close it."""
    read = PartialRead()
    with contextlib.suppress(sqlite3.Error), contextlib.closing(db):
        db.text_factory = lambda text: text.decode(errors="replace")
        for table, columns in COLUMNS.items():
            for *values, seals in rows_of(db, table):
                good = intact(tuple(values), seals) if sealed else [True] * len(values)
                _add_row(read, table, {c: v for c, v, ok in zip(columns, values, good, strict=True) if ok}, sensor)
    return read


def _add_row(read: PartialRead, table: str, row: dict[str, Any], sensor: str) -> None:
    """Add the intact columns of a row."""
    whole = len(row) == len(COLUMNS[table])
    if table == "device":
        read.device = read.device or {name: value for name, value in row.items() if _plausible(name, value)}
    elif table == "stream" and _within(row.get("epoch"), EPOCH_MAX):
        limits = dict.fromkeys(("last_seq", "through", "sent_seq"), SEQ_MAX)
        read.streams.append({name: n for name, n in row.items() if _within(n, limits.get(name, EPOCH_MAX))})
    elif table == "report" and (report := report_in(row.get("payload"), sensor)) is not None:
        at = row.get("receipted_s")
        read.reports[report.epoch, report.seq] = row["payload"], at if isinstance(at, float) else None
    elif table == "lost" and whole and _within(row["epoch"], EPOCH_MAX) and _within(row["last"], SEQ_MAX):
        read.lost.append((row["epoch"], row["first"], row["last"]))
    elif table == "held" and whole:
        read.held.append(tuple(row.values()))


def _within(value: Any, limit: int) -> bool:
    return isinstance(value, int) and -limit <= value <= limit


def _plausible(name: str, value: Any) -> bool:
    kinds = {"sensor": str, "starts": int, "state": str, "config": (str, type(None)), "saves": int}
    return name in kinds and isinstance(value, kinds[name])  # type: ignore[arg-type]


def carved(content: bytes, sensor: str, *, sealed: bool) -> Iterator[tuple[Key, tuple[str, None]]]:
    """Yield the reports that stand whole in a file's bytes, wherever that is."""
    at, decoder = content.find(REPORT_BEGINS), json.JSONDecoder()
    while at >= 0:
        text = content[at : at + REPORT_BYTES_MAX].decode("latin-1")  # a report is ASCII, and one byte is one letter
        with contextlib.suppress(ValueError, RecursionError):
            end = decoder.raw_decode(text)[1]
            report = report_in(text[:end], sensor)
            if report is not None and (not sealed or text[end : end + CRC_LENGTH] == crc(text[:end])):
                yield (report.epoch, report.seq), (text[:end], None)
        at = content.find(REPORT_BEGINS, at + 1)


def _add_reports(recovery: Recovery, reports: dict[Key, tuple[str, float | None]], sensor: str) -> None:
    """Add reports that nothing better is known of; of two for the same quarter the one that was numbered last."""
    for key in sorted(reports, reverse=True):
        report = report_in(reports[key][0], sensor)
        if report is None:
            continue
        place = report.epoch, int(report.period_start.timestamp())
        if key not in recovery.reports and place not in recovery.starts:
            recovery.reports[key] = reports[key]
            recovery.starts.add(place)


def _add_streams(recovery: Recovery, reads: list[PartialRead], progress: OutboxProgress | None) -> None:
    """Put together what is known of each stream: the highest that anybody knows."""
    noted = [msgspec.structs.asdict(stream) for stream in progress.streams] if progress else []
    for row in [row for read in reads for row in read.streams] + noted:
        stream = recovery.streams.setdefault(row["epoch"], {})
        for name, value in row.items():
            stream[name] = max(stream.get(name, value), value)
    for stream in recovery.streams.values():
        stream.setdefault("through", 0)


def _close_old_state(recovery: Recovery, sensor: str) -> None:
    """Close, in their own stream, the open quarters of a state that is not the last, and begin after what is known.

    They may have been closed and sent since: in the same stream the same quarter cannot count twice.
    """
    state = _state_of(recovery.read)
    if state is not None and not recovery.stale:
        return
    recovery.read.held = []  # may have been counted since
    state = state or SavedState()
    counted_s = max([state.counted_until_s, *(float(start_s + QUARTER_S) for _, start_s in recovery.starts)])
    anew = SavedState(closed_until_s=state.closed_until_s, counted_until_s=counted_s)
    recovery.read.device["state"] = msgspec.json.encode(anew).decode()
    recovery.stale = True
    epochs = {stream.get("generation"): epoch for epoch, stream in recovery.streams.items()}
    epoch = epochs.get(state.generation)
    if epoch is None or "last_seq" not in recovery.streams[epoch]:
        return  # a number that may be another report's is worse than a part of a quarter
    last = max([recovery.streams[epoch]["last_seq"], *(seq for e, seq in recovery.reports if e == epoch)])
    for quarter in sorted(state.open, key=lambda quarter: quarter.start_s):
        if (epoch, quarter.start_s) not in recovery.starts:
            last += 1
            quarter.settle()
            recovery.reports[epoch, last] = encode(report_of(quarter, sensor, epoch, last)).decode(), None


def _state_of(read: PartialRead) -> SavedState | None:
    try:
        return msgspec.json.decode(read.device.get("state", ""), type=SavedState)
    except msgspec.MsgspecError:
        return None


def _add_lost(recovery: Recovery, reads: list[PartialRead]) -> None:
    """Record what each stream has numbered, ingest has not committed, and nobody can read."""
    known = [(e, last) for read in reads for e, _, last in read.lost] + list(recovery.reports)
    for epoch in {epoch for epoch, _ in known}:
        recovery.streams.setdefault(epoch, {})
    for epoch, stream in recovery.streams.items():
        last = max([stream.get("last_seq", 0), *(seq for e, seq in known if e == epoch)])
        stream["last_seq"] = last
        first, ranges = stream.get("through", 0) + 1, list[Range]()
        for seq in [*sorted(s for e, s in recovery.reports if e == epoch and s >= first), last + 1]:
            if first < seq:
                ranges.append((first, seq - 1))
            first = seq + 1
        recovery.lost[epoch] = joined(ranges)


def build(part: Path, sensor: str, recovery: Recovery) -> None:
    """Write a whole outbox. The streams get generations below zero: what is closed from now on begins a new epoch."""
    with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as db:
        prepare(db, sensor)
        fill(db, recovery, sensor)


def fill(db: sqlite3.Connection, recovery: Recovery, sensor: str) -> None:
    """Write what was recovered into new tables, in one transaction."""
    db.execute("begin immediate")
    device = recovery.read.device
    values = device.get("starts", 0), device.get("state", "{}"), device.get("config"), recovery.saves
    db.execute("update device set starts = ?, state = ?, config = ?, saves = ?", values)
    epochs = sorted(recovery.streams, key=lambda epoch: recovery.streams[epoch].get("generation", -1))
    for number, epoch in enumerate(epochs):
        stream = recovery.streams[epoch]
        last = stream["last_seq"]
        sent = min(stream.get("sent_seq", last), last)
        row = (number - len(epochs), epoch, last, min(stream.get("through", 0), last), sent)
        db.execute("insert into stream (generation, epoch, last_seq, through, sent_seq) values (?, ?, ?, ?, ?)", row)
        db.executemany(
            "insert into lost (epoch, first, last) values (?, ?, ?)", [(epoch, *pair) for pair in recovery.lost[epoch]]
        )
    for (epoch, seq), (payload, receipted_s) in recovery.reports.items():
        report = report_in(payload, sensor)
        if report is not None:
            start_s = int(report.period_start.timestamp())
            db.execute(
                "insert into report (epoch, seq, start_s, receipted_s, payload) values (?, ?, ?, ?, ?)",
                (epoch, seq, start_s, receipted_s, payload),
            )
    db.executemany(
        "insert or ignore into held (boot, start_s, length_s, tally) values (?, ?, ?, ?)", recovery.read.held
    )
    db.execute("commit")


def _write_account(path: Path, recovery: Recovery, why: str) -> None:
    waiting = sum(1 for _, receipted_s in recovery.reports.values() if receipted_s is None)
    lost = sum(last - first + 1 for ranges in recovery.lost.values() for first, last in ranges)
    alarm = f"the storage was damaged ({' '.join(why.split())[:50]}): {waiting} reports saved, {lost} lost; replace the card"
    lines = [
        f"{alarm}, then delete {path.name}.damaged-*.txt",
        f"Reports that wait for a receipt: {waiting}. The damaged file lies beside this one.",
    ]
    for epoch, ranges in recovery.lost.items():
        lines += [
            f"Epoch {epoch}: reports {first} to {last} cannot be read; announced as lost." for first, last in ranges
        ]
    if recovery.stale:
        lines.append("The open quarter was not readable, or not the last that was saved: what it had counted is lost.")
    log.error("%s", lines[0])
    account = _free_name(path)
    account = account.with_name(account.name + ACCOUNT_SUFFIX)
    account.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sync(account)


def _free_name(path: Path) -> Path:
    """Return a name for a file that is moved aside, which comes after all that are there, whatever the clock says."""
    begin = f"{path.name}.damaged-"
    stamp = datetime.now(UTC).strftime(STAMP)
    last = max((file.name[len(begin) :][:STAMP_LENGTH] for file in path.parent.glob(f"{begin}*")), default="")
    if last >= stamp:
        with contextlib.suppress(ValueError, OverflowError):
            stamp = (datetime.strptime(last, STAMP) + timedelta(microseconds=1)).strftime(STAMP)  # noqa: DTZ007 - a name
    return path.with_name(begin + stamp)


def _forget_oldest(path: Path) -> None:
    """Keep the newest few of what was moved aside: a worn card damages it again and again."""
    for suffix in (*SUFFIXES, ACCOUNT_SUFFIX):
        files = sorted(file for file in path.parent.glob(f"{path.name}.damaged-*") if _suffix_of(file) == suffix)
        for file in files[:-ASIDE_MAX]:
            with contextlib.suppress(OSError):
                _remove(file)


def _suffix_of(file: Path) -> str:
    return next(s for s in (ACCOUNT_SUFFIX, *SUFFIXES) if file.name.endswith(s))


def sync(path: Path) -> None:
    """Have a file, or a folder's names, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
