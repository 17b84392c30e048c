"""The way to PostgreSQL: pools, time limits on every statement, and errors in words that a reader can use.

There are two kinds of connection, and whoever reads counts is handed one of them: by a public one whole hours are read
(decision 021), by a full one everything. Everything beside counts goes over the full ones.
"""

from __future__ import annotations

import select
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from telstraat_store.errors import BadValueError, SchemaError, UnavailableError

Row = dict[str, Any]
Query = LiteralString | sql.Composed
Params = Mapping[str, Any] | Sequence[Any] | None

BROKEN = "the connection to the database broke"
CONDITIONS: dict[type[psycopg.Error], str] = {
    psycopg.errors.DiskFull: "the database has no room left on its disk",
    psycopg.errors.TooManyConnections: "the database has as many connections as it takes",
    psycopg.errors.CannotConnectNow: "the database is starting or recovering",
    psycopg.errors.AdminShutdown: "the database is being stopped",
    psycopg.errors.CrashShutdown: "the database is recovering",
    psycopg.errors.ReadOnlySqlTransaction: "the database takes no changes now: it is read-only or recovering",
}
"""What passes by itself, or when the operator has helped; no request is to blame."""


@dataclass(frozen=True)
class PoolLimits:
    """How many connections of a kind are held, and how long is waited for one and for a statement."""

    connections_min: int = 1
    connections_max: int = 8
    wait_s: float = 5.0
    statement_timeout_s: float = 20.0


class Connections:
    """A pool of connections of one kind: public ones, by which whole hours are read, or full ones."""

    def __init__(self, pool: AsyncConnectionPool, *, is_public: bool = False) -> None:
        self.pool = pool
        self.is_public = is_public

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Lend a connection; what goes wrong on it becomes an `UnavailableError`, text that no text of a database is a `BadValueError`."""
        try:
            async with self.pool.connection() as connection:
                yield connection
        except PoolTimeout as error:
            raise UnavailableError("no database connection became free in time; try again in a minute") from error
        except psycopg.errors.QueryCanceled as error:
            raise UnavailableError("the query took longer than this server allows; ask for a shorter period") from error
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            raise SchemaError("the database has no current schema; run: telstraat db migrate") from error
        except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction) as error:
            condition = next((text for kind, text in CONDITIONS.items() if isinstance(error, kind)), BROKEN)
            raise UnavailableError(f"{condition}; try again in a minute") from error
        except (psycopg.DataError, UnicodeEncodeError) as error:
            if isinstance(error, psycopg.DataError) and error.sqlstate is not None:
                raise  # the database has refused it: our own mistake, not the text of whoever asks
            raise BadValueError("a text holds a sign that cannot be kept or looked for, such as NUL") from error

    async def rows(self, query: Query, params: Params = None) -> list[Row]:
        """Return all rows, by name."""
        async with self.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query, params)
            return await cursor.fetchall()

    async def row(self, query: Query, params: Params = None) -> Row | None:
        """Return the first row, or None."""
        async with self.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query, params)
            return await cursor.fetchone()

    async def execute(self, query: Query, params: Params = None) -> int:
        """Change something and return how many rows were."""
        async with self.connection() as connection:
            return (await connection.execute(query, params)).rowcount


class Database:
    """The database of a service. What is asked of it directly goes over the full connections.

    It is no `Connections` itself, so that nobody hands it to a reader of counts, who must be told by which kind.
    """

    def __init__(
        self, dsn: str, limits: PoolLimits | None = None, *, name: str = "telstraat", whole_hours: bool = False
    ) -> None:
        """Make the pools; `name` is what the database's list of sessions shows, `whole_hours` what the public is held to."""
        limits = limits or PoolLimits()
        self.dsn = dsn
        self.full = Connections(pool_of(dsn, limits, name, "public"))
        # The same queries find other tables there: settled.rollup_hour instead of rollup_hour.
        settled = Connections(pool_of(dsn, limits, name, "settled,public"), is_public=True) if whole_hours else None
        self.public = settled or self.full
        self.connection = self.full.connection
        self.rows = self.full.rows
        self.row = self.full.row
        self.execute = self.full.execute

    async def open(self) -> None:
        """Start filling the pools; does not wait, so that pages can say that the database is away."""
        for pool in {self.full.pool, self.public.pool}:
            await pool.open(wait=False)

    async def close(self) -> None:
        """Close every connection."""
        for pool in {self.full.pool, self.public.pool}:
            await pool.close(timeout=2)


async def check_alive(connection: psycopg.AsyncConnection[Any]) -> None:
    """Raise when the server has hung up, which it says on the line: without asking it, before every request, whether it lives."""
    watched = select.poll()
    watched.register(connection.fileno(), select.POLLIN)
    if watched.poll(0):
        connection.pgconn.consume_input()
        if connection.closed or connection.pgconn.status != psycopg.pq.ConnStatus.OK:
            raise psycopg.OperationalError("the server has closed the connection")


def pool_of(dsn: str, limits: PoolLimits, name: str, path: str) -> AsyncConnectionPool:
    """Return a pool of connections that look for tables in these schemas."""
    timeout_ms = int(limits.statement_timeout_s * 1000)
    return AsyncConnectionPool(
        dsn,
        min_size=limits.connections_min,
        max_size=max(limits.connections_min, limits.connections_max),
        timeout=limits.wait_s,
        kwargs={
            "autocommit": True,
            "application_name": name,
            "options": f"-c statement_timeout={timeout_ms} -c timezone=UTC -c search_path={path} -c jit=off",
        },
        check=check_alive,
        open=False,
    )
