"""Brings a database to the present schema: numbered `.sql` files, each once, in order, with its checksum.

Two runners at once wait for each other on an advisory lock. TimescaleDB is taken when the server offers it, unless told
not to; the migrations themselves ask whether it is there.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Literal

import psycopg
from psycopg import Connection

from telstraat_store.errors import MigrationError

Timescale = Literal["auto", "off", "require"]
PARTITIONS_AHEAD = 3
_WAIT_S = 0.5
_LOCK = 0x7E15_7247  # any number, as long as it stays the same
_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Return the checksum that the database remembers."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Applied:
    """A migration as the database remembers it."""

    number: int
    name: str
    sha256: str
    applied_at: datetime


@dataclass(frozen=True)
class SchemaStatus:
    """How far a database is."""

    server: str
    timescaledb: str | None
    applied: tuple[Applied, ...]
    pending: tuple[Migration, ...]

    @property
    def is_present(self) -> bool:
        """Tell whether nothing is left to apply."""
        return not self.pending


def migrations() -> tuple[Migration, ...]:
    """Return the migrations that travel with this version, in order."""
    entries = files("telstraat_store").joinpath("schema", "migrations").iterdir()
    matches = [(entry, _NAME.fullmatch(entry.name)) for entry in entries]
    steps = [Migration(int(name[1]), name[2], entry.read_text(encoding="utf-8")) for entry, name in matches if name]
    return tuple(sorted(steps, key=lambda migration: migration.number))


def migrate(dsn: str, timescale: Timescale = "auto", known: Sequence[Migration] | None = None) -> tuple[Migration, ...]:
    """Apply what is missing and return it; a second run returns nothing."""
    known = migrations() if known is None else tuple(known)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        connection.execute("set client_min_messages to warning")
        if not _memory_exists(connection):
            _take_timescaledb(connection, timescale)
            connection.execute(
                "create table migration (number integer primary key, name text not null, sha256 text not null,"
                " applied_at timestamptz not null default now())"
            )
        pending = _pending(known, _applied(connection))
        for migration in pending:
            _apply(connection, migration)
        make_partitions(connection)
    return pending


def migrate_when_there(dsn: str, timescale: Timescale, is_stopped: Callable[[], bool]) -> None:
    """Migrate as soon as the database answers; waits for one that is away, and says so once."""
    is_told = False
    while not is_stopped():
        try:
            migrate(dsn, timescale)
        except psycopg.OperationalError as error:
            if not is_told:
                logger.warning("waiting for the database: %s", str(error).strip(), extra={"event": "database_away"})
            is_told = True
            time.sleep(_WAIT_S)
        else:
            return


def status(dsn: str, known: Sequence[Migration] | None = None) -> SchemaStatus:
    """Tell how far a database is, without changing it."""
    known = migrations() if known is None else tuple(known)
    with psycopg.connect(dsn) as connection:
        applied = _applied(connection) if _memory_exists(connection) else ()
        row = connection.execute("select extversion from pg_extension where extname = 'timescaledb'").fetchone()
        server = connection.info.parameter_status("server_version") or "?"
        return SchemaStatus(server, row[0] if row else None, applied, _pending(known, applied))


def make_partitions(connection: Connection, months_ahead: int = PARTITIONS_AHEAD) -> None:
    """Make this month's partition of `report` and those of the next months; nothing to do on a hypertable."""
    connection.execute(
        "select make_report_partition(now() + month * interval '1 month') from generate_series(0, %s) as month",
        (months_ahead,),
    )


def _memory_exists(connection: Connection) -> bool:
    row = connection.execute("select to_regclass('migration')").fetchone()
    return row is not None and row[0] is not None


def _applied(connection: Connection) -> tuple[Applied, ...]:
    rows = connection.execute("select number, name, sha256, applied_at from migration order by number").fetchall()
    return tuple(Applied(*row) for row in rows)


def _pending(known: tuple[Migration, ...], applied: tuple[Applied, ...]) -> tuple[Migration, ...]:
    of_number = {migration.number: migration for migration in known}
    for done in applied:
        mine = of_number.get(done.number)
        if mine is None:
            raise MigrationError(
                f"the database has migration {done.number:04} {done.name}, which this version does not know: "
                "it was migrated by a newer version; install that one, or restore a backup made before"
            )
        if mine.sha256 != done.sha256:
            raise MigrationError(
                f"migration {done.number:04} {done.name} was applied as {done.sha256[:12]} and is {mine.sha256[:12]} "
                "here: an applied migration never changes; install the version that wrote this database"
            )
    last = applied[-1].number if applied else 0
    return tuple(migration for migration in known if migration.number > last)


def _apply(connection: Connection, migration: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(migration.text.encode())
            connection.execute(
                "insert into migration (number, name, sha256) values (%s, %s, %s)",
                (migration.number, migration.name, migration.sha256),
            )
    except psycopg.Error as error:
        raise MigrationError(f"migration {migration.number:04} {migration.name}: {error}") from error


def _take_timescaledb(connection: Connection, timescale: Timescale) -> None:
    if timescale == "off":
        return
    # Only superusers may read shared_preload_libraries; that its library is loaded shows in the settings that it defines.
    row = connection.execute(
        "select (select default_version from pg_available_extensions where name = 'timescaledb'),"
        " exists (select from pg_settings where name like 'timescaledb.%')"
    ).fetchone()
    offered, loaded = row or (None, False)
    if offered and loaded:
        connection.execute("create extension if not exists timescaledb")
    elif timescale == "require":
        what = "does not have the extension" if not offered else "has it, but not in shared_preload_libraries"
        raise MigrationError(f"TimescaleDB is required and the server {what}; install it or use --timescale auto")
