"""A backup is one file: every table as COPY text, from one snapshot, with row counts and checksums. Restoring checks them.

It needs no PostgreSQL programs, and it may be restored into another version or another back end: the schema comes from
the migrations, up to the one the backup was made with, and then on to the present.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec
import psycopg
from msgspec import Struct
from psycopg import Connection, sql

from telstraat_store.errors import BackupError
from telstraat_store.schema import migrate
from telstraat_store.whole_files import write_whole

FORMAT = 1
MANIFEST = "manifest.json"
Progress = Callable[[str, int], None]
"""Called with a table's name and the bytes of it that are done."""

_TABLES = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = current_schema() and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'migration'
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
order by 1
"""
_REFERENCES = """
select distinct a.relname, b.relname from pg_constraint k join pg_class a on a.oid = k.conrelid join pg_class b on b.oid = k.confrelid
where k.contype = 'f' and a.oid <> b.oid and not a.relispartition
"""
_COLUMNS = """
select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = ''
order by attnum
"""
_SEQUENCES = """
select format('%I.%I', schemaname, sequencename), last_value from pg_sequences
where schemaname = current_schema() and last_value is not null
"""
_TABLES_WITH_TRIGGERS = """
select distinct c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc f on f.oid = t.tgfoid
where not t.tgisinternal and c.relnamespace = f.pronamespace and c.relnamespace = current_schema()::regnamespace
"""


class TableEntry(Struct, frozen=True):
    """One table in the file."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str


class Manifest(Struct, frozen=True):
    """What the file holds."""

    format: int
    made_at: datetime
    server: str
    schema: int
    months: tuple[datetime, ...]
    tables: tuple[TableEntry, ...]
    sequences: dict[str, int]


def backup(dsn: str, path: Path, progress: Progress | None = None) -> Manifest:
    """Write a backup, whole or not at all; only its owner can read it."""
    with write_whole(path) as file:
        return _write(dsn, file, progress or _silent)


def read_manifest(path: Path) -> Manifest:
    """Return what a backup holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
    except FileNotFoundError as error:
        raise BackupError(f"backup {path}: there is no such file") from error
    except (OSError, KeyError, zipfile.BadZipFile, msgspec.DecodeError) as error:
        raise BackupError(f"{path} is not a backup of Telstraat: {error}") from error
    if manifest.format != FORMAT:
        raise BackupError(f"backup {path} has format {manifest.format}, this version reads {FORMAT}: update Telstraat")
    return manifest


def restore(dsn: str, path: Path, progress: Progress | None = None, timescale: migrate.Timescale = "auto") -> Manifest:
    """Restore a backup into an empty database, and bring it to the present schema."""
    manifest = read_manifest(path)
    known = [step for step in migrate.migrations() if step.number <= manifest.schema]
    if not known or known[-1].number != manifest.schema:
        raise BackupError(
            f"backup {path} has schema {manifest.schema}, which this version does not know: update Telstraat"
        )
    with psycopg.connect(dsn) as connection:
        _check_empty(connection, path)
    migrate.migrate(dsn, timescale, known)
    with psycopg.connect(dsn) as connection, zipfile.ZipFile(path) as archive:
        connection.execute(
            "select make_report_partition(month) from unnest(%s::timestamptz[]) month", (list(manifest.months),)
        )
        quiet = [sql.Identifier(row[0]) for row in connection.execute(_TABLES_WITH_TRIGGERS).fetchall()]
        for name in quiet:
            connection.execute(sql.SQL("alter table {} disable trigger user").format(name))
        for table in manifest.tables:
            connection.execute(sql.SQL("delete from {}").format(sql.Identifier(table.name)))
        for table in manifest.tables:
            with archive.open(f"{table.name}.copy") as file:
                _load(connection, table, file, path, progress or _silent)
        for name in quiet:
            connection.execute(sql.SQL("alter table {} enable trigger user").format(name))
        for sequence, value in manifest.sequences.items():
            connection.execute("select setval(%s, %s)", (sequence, value))
    migrate.migrate(dsn, timescale)
    return manifest


def _write(dsn: str, file: IO[bytes], progress: Progress) -> Manifest:
    with (
        psycopg.connect(dsn) as connection,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive,
    ):
        connection.execute("set transaction isolation level repeatable read, read only")
        schema = connection.execute("select max(number) from migration").fetchone()
        months = connection.execute(
            "select distinct date_trunc('month', period_start, 'UTC') from report order by 1"
        ).fetchall()
        tables = []
        for name in _in_order(connection):
            columns = tuple(row[0] for row in connection.execute(_COLUMNS, (name,)))
            with archive.open(f"{name}.copy", "w", force_zip64=True) as entry:
                tables.append(_unload(connection, name, columns, entry, progress))
        sequences: dict[str, int] = dict(connection.execute(_SEQUENCES).fetchall())
        manifest = Manifest(
            FORMAT,
            datetime.now(UTC),
            connection.info.parameter_status("server_version") or "?",
            schema[0] if schema else 0,
            tuple(row[0] for row in months),
            tuple(tables),
            sequences,
        )
        archive.writestr(MANIFEST, json.dumps(msgspec.to_builtins(manifest), indent=1))
    return manifest


def _unload(
    connection: Connection, name: str, columns: tuple[str, ...], entry: IO[bytes], progress: Progress
) -> TableEntry:
    digest, done = hashlib.sha256(), 0
    query = sql.SQL("copy (select {} from {}) to stdout").format(_identifiers(columns), sql.Identifier(name))
    with connection.cursor() as cursor:
        with cursor.copy(query) as copy:
            for block in copy:
                data = bytes(block)
                digest.update(data)
                entry.write(data)
                done += len(data)
                progress(name, done)
        return TableEntry(name, columns, cursor.rowcount, digest.hexdigest())


def _load(connection: Connection, table: TableEntry, file: IO[bytes], path: Path, progress: Progress) -> None:
    digest, done = hashlib.sha256(), 0
    query = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table.name), _identifiers(table.columns))
    with connection.cursor() as cursor:
        with cursor.copy(query) as copy:
            while block := file.read(1 << 18):
                digest.update(block)
                copy.write(block)
                done += len(block)
                progress(table.name, done)
        if cursor.rowcount != table.rows or digest.hexdigest() != table.sha256:
            raise BackupError(
                f"backup {path}: table {table.name} has {cursor.rowcount} of {table.rows} rows or another checksum; "
                "the file is damaged and nothing was restored"
            )


def _in_order(connection: Connection) -> list[str]:
    """Return the tables, each after those that it refers to."""
    names = [row[0] for row in connection.execute(_TABLES)]
    needs: dict[str, set[str]] = {name: set() for name in names}
    for name, other in connection.execute(_REFERENCES):
        if name in needs and other in needs:
            needs[name].add(other)
    ordered: list[str] = []
    while needs:
        free = sorted(name for name, others in needs.items() if not others - set(ordered))
        if not free:
            raise BackupError(f"tables {', '.join(sorted(needs))} refer to each other in a circle")
        ordered += free
        for name in free:
            del needs[name]
    return ordered


def _check_empty(connection: Connection, path: Path) -> None:
    row = connection.execute("select to_regclass('sensor'), to_regclass('segment')").fetchone()
    if row is None or row[0] is None or row[1] is None:
        return
    rows = connection.execute("select (select count(*) from sensor) + (select count(*) from segment)").fetchone()
    if rows and rows[0]:
        raise BackupError(f"the database is not empty: restore {path} into a new one, and point the services at it")


def _identifiers(names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _silent(_: str, __: int) -> None:
    """Show nothing."""
