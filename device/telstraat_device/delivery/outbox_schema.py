"""The tables of the outbox, and the seal that each row carries.

A seal holds one CRC-32 per column, so that a damaged column is recognised and the others of its row can still be used.
The seals are written by triggers of the connection: the statements of the outbox need not know of them, and the file
holds nothing that another program could not open.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from telstraat_contract.errors import MessageError
from telstraat_contract.messages import SEQ_MAX, Report, decode
from telstraat_contract.topics import Channel
from telstraat_device.delivery.progress import OutboxProgress
from telstraat_device.errors import DamagedError
from telstraat_device.quarters.periods import SavedState
from telstraat_device.quarters.tally import Tally

LAYOUT = 2
EPOCH_MAX = 2**53 - 1  # exact in every JSON reader
CRC_LENGTH = 8
SCHEMA = """
create table if not exists device (
    one integer primary key check (one = 1), layout integer not null, sensor text not null,
    starts integer not null default 0, state text not null default '{}', config text,
    saves integer not null default 0, seal text not null default '');
create table if not exists stream (
    generation integer primary key, epoch integer not null unique,
    last_seq integer not null default 0, through integer not null default 0, sent_seq integer not null default 0,
    seal text not null default '');
create table if not exists report (
    epoch integer not null, seq integer not null, start_s integer not null,
    receipted_s real, payload text not null, seal text not null default '',
    primary key (epoch, seq), unique (epoch, start_s)) without rowid;
create index if not exists waiting on report (start_s) where receipted_s is null;
create table if not exists lost (
    epoch integer not null, first integer not null, last integer not null, seal text not null default '',
    primary key (epoch, first)) without rowid;
create table if not exists held (
    boot text not null, start_s integer not null, length_s integer not null, tally text not null,
    seal text not null default '', primary key (boot, start_s, length_s)) without rowid;
"""
KEYS = {
    "device": ("one",),
    "stream": ("generation",),
    "report": ("epoch", "seq"),
    "lost": ("epoch", "first"),
    "held": ("boot", "start_s", "length_s"),
}
COLUMNS = {
    "device": ("layout", "sensor", "starts", "state", "config", "saves"),
    "stream": ("generation", "epoch", "last_seq", "through", "sent_seq"),
    "report": (
        "payload",
        "receipted_s",
        "epoch",
        "seq",
        "start_s",
    ),  # the payload first: its CRC follows it in the file
    "lost": ("epoch", "first", "last"),
    "held": ("boot", "start_s", "length_s", "tally"),
}
ADD_SENT_SEQ = """
alter table stream add column sent_seq integer not null default 0;
update stream set sent_seq = last_seq;
"""  # an earlier version has not noted what it sent: all of it may have been
ADD_SEALS = """
alter table report drop column due_s;
alter table device add column saves integer not null default 0;
"""


def crc(value: Any) -> str:
    """Return the checksum of a stored value; the type counts."""
    return f"{zlib.crc32(f'{type(value).__name__}:{value}'.encode(errors='replace')):08x}"


def seal(*values: Any) -> str:
    """Return the checksums of a row's columns, in the order of `COLUMNS`."""
    return "".join(crc(value) for value in values)


def intact(values: tuple[Any, ...], sealed: Any) -> list[bool]:
    """Return for each column whether it is as it was written."""
    text = sealed if isinstance(sealed, str) else ""
    return [text[n * CRC_LENGTH : (n + 1) * CRC_LENGTH] == crc(value) for n, value in enumerate(values)]


def prepare(db: sqlite3.Connection, sensor: str) -> None:
    """Make the tables, bring those of an earlier version up to date in one transaction, and seal what is written."""
    db.create_function("seal", -1, seal, deterministic=True)
    tables = {name for (name,) in db.execute("select name from sqlite_master where type = 'table'")}
    db.execute("begin immediate")
    try:
        if "report" in tables and "due_s" in columns_of(db, "report"):
            _migrate(db)
        for statement in SCHEMA.split(";\n"):
            db.execute(statement)
        for table, columns in COLUMNS.items():
            _seal_from_now_on(db, table, columns)
        if not tables:
            db.execute("insert into device (one, layout, sensor) values (1, ?, ?)", (LAYOUT, sensor))
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise


def _migrate(db: sqlite3.Connection) -> None:
    if "sent_seq" not in columns_of(db, "stream"):
        _run(db, ADD_SENT_SEQ)
    _run(db, ADD_SEALS)
    for table, columns in COLUMNS.items():
        db.execute(f"alter table {table} add column seal text not null default ''")
        if table == "device":
            db.execute("update device set layout = ?", (LAYOUT,))
        db.execute(f"update {table} set seal = seal({', '.join(columns)})")  # noqa: S608 - names of this module


def _run(db: sqlite3.Connection, script: str) -> None:
    """Run statements inside the open transaction, which `executescript` would commit."""
    for statement in filter(str.strip, script.split(";\n")):
        db.execute(statement)


def _seal_from_now_on(db: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> None:
    values = ", ".join(f"new.{column}" for column in columns)
    same = " and ".join(f"{key} = new.{key}" for key in KEYS[table])
    for name, event in (("inserted", "insert"), ("updated", f"update of {', '.join(columns)}")):
        sealing = f"update {table} set seal = seal({values}) where {same}"  # noqa: S608 - names of this module
        db.execute(
            f"create temp trigger if not exists {table}_{name} after {event} on main.{table} begin {sealing}; end"
        )


def columns_of(db: sqlite3.Connection, table: str) -> list[str]:
    """Return the names of a table's columns, in order."""
    return [str(column[1]) for column in db.execute(f"pragma table_info({table})")]


def check(db: sqlite3.Connection, progress: OutboxProgress | None) -> None:
    """Raise `DamagedError` unless the file holds together, each row is as it was written, and none is missing."""
    _check_structure(db)
    for table, columns in COLUMNS.items():
        query = f"select {', '.join(columns)}, seal from {table}"  # noqa: S608 - names of this module
        for *values, sealed in db.execute(query):
            if not all(intact(tuple(values), sealed)):
                raise DamagedError(f"a row of {table} is not as it was written")
    if progress is None:
        return
    if db.execute("select saves from device").fetchone()[0] < progress.saves:
        raise DamagedError("it is older than the progress noted beside it")
    known = {row[0]: row[1:] for row in db.execute("select epoch, last_seq, sent_seq from stream")}
    for stream in progress.streams:
        last_seq, sent_seq = known.get(stream.epoch, (-1, -1))
        if last_seq < stream.last_seq or sent_seq < stream.sent_seq:
            raise DamagedError(f"it knows less of epoch {stream.epoch} than the progress noted beside it")


def _check_structure(db: sqlite3.Connection) -> None:
    state = db.execute("pragma integrity_check(1)").fetchone()
    if state is None or state[0] != "ok":
        raise DamagedError(str(state and state[0]))


def check_unsealed(db: sqlite3.Connection, sensor: str) -> None:
    """Raise `DamagedError` where a file without checksums holds what no program of ours has written."""
    _check_structure(db)
    if db.execute("select sensor from device").fetchone() != (sensor,):
        return  # another's: refused elsewhere, with its name
    for epoch, seq, start_s, payload, receipted_s in db.execute(
        "select epoch, seq, start_s, payload, receipted_s from report"
    ):
        report = report_in(payload, sensor)
        if report is None or (report.epoch, report.seq, report.period_start.timestamp()) != (epoch, seq, start_s):
            raise DamagedError(f"report {seq!r} of epoch {epoch!r} is not what its row says")
        if not isinstance(receipted_s, float | None):
            raise DamagedError(f"report {seq} of epoch {epoch} was receipted at {receipted_s!r}")
    for table, columns in UNSEALED.items():
        known = columns_of(db, table)
        names = [name for name in columns if name in known]
        for row in db.execute(f"select {', '.join(names)} from {table}"):  # noqa: S608 - names of this module
            for name, value in zip(names, row, strict=True):
                if not columns[name](value):
                    raise DamagedError(f"{name} of a row of {table} is {value!r}")


def _number(most: int, least: int = 0) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and least <= value <= most


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is(kind: type) -> Callable[[Any], bool]:
    def reads(value: Any) -> bool:
        try:
            msgspec.json.decode(value, type=kind)
        except (msgspec.MsgspecError, TypeError, UnicodeError):
            return False
        return True

    return reads


UNSEALED: dict[str, dict[str, Callable[[Any], bool]]] = {
    "device": {
        "starts": _number(2**53), "state": _is(SavedState), "config": lambda value: value is None or _is_text(value)
    },
    "stream": {
        "generation": _number(2**53, -(2**53)), "epoch": _number(EPOCH_MAX, 1), "last_seq": _number(SEQ_MAX), "through": _number(SEQ_MAX),
        "sent_seq": _number(SEQ_MAX),
    },
    "lost": {"epoch": _number(EPOCH_MAX, 1), "first": _number(SEQ_MAX, 1), "last": _number(SEQ_MAX, 1)},
    "held": {"boot": _is_text, "start_s": _number(2**53, -(2**53)), "length_s": _number(2**31, 1), "tally": _is(Tally)},
}  # fmt: skip
"""What each column of an earlier version's file may hold, beside its reports."""


def report_in(payload: Any, sensor: str) -> Report | None:
    """Return the report that a stored text is, None where it is none of this sensor."""
    if not isinstance(payload, str) or not payload.isascii():
        return None  # what is written is ASCII: another letter is damage, also inside a name that would be passed over
    try:
        report: Report = decode(Channel.REPORT, payload.encode())
    except (MessageError, UnicodeEncodeError):
        return None
    return report if report.sensor == sensor else None


def rows_of(db: sqlite3.Connection, table: str) -> Iterator[tuple[Any, ...]]:
    """Yield a table's rows from both ends, as far as they can be read: columns, then the seal, None where there is none."""
    columns = COLUMNS[table]
    for direction in ("asc", "desc"):
        order = ", ".join(f"{key} {direction}" for key in KEYS[table])
        try:
            known = columns_of(db, table)
            text = ", ".join(name if name in known else "null" for name in (*columns, "seal"))
            query = f"select {text} from {table} not indexed order by {order}"  # noqa: S608 - names of this module
            yield from db.execute(query)
        except (sqlite3.Error, ValueError, OverflowError):
            continue
        return
