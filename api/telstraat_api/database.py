"""The way to PostgreSQL: one pool, time limits on every statement, and errors in words that a reader can use."""

from __future__ import annotations

import select
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from telstraat_api.errors import DatabaseError
from telstraat_api.settings import ApiSettings

Row = dict[str, Any]
Query = LiteralString | sql.Composed
Params = Mapping[str, Any] | Sequence[Any] | None


reads_settled: ContextVar[bool] = ContextVar("reads_settled", default=False)
"""Whether counts are read for somebody who gets whole hours only (decision 072): see `telstraat_api.discretion`."""


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


class Database:
    """Reads from PostgreSQL; opened and closed with the application."""

    def __init__(self, settings: ApiSettings) -> None:
        self.dsn = settings.dsn
        self.pool = pool_of(settings, "public")
        # The same queries find other tables there: settled.rollup_hour instead of rollup_hour.
        self.settled = pool_of(settings, "settled,public") if settings.quarter_min else self.pool

    async def open(self) -> None:
        """Start filling the pools; does not wait, so that pages can say that the database is away."""
        for pool in {self.pool, self.settled}:
            await pool.open(wait=False)

    async def close(self) -> None:
        """Close every connection."""
        for pool in {self.pool, self.settled}:
            await pool.close(timeout=2)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Lend a connection for reading counts as far as they are for whoever asks."""
        async with self.lent(self.settled if reads_settled.get() else self.pool) as connection:
            yield connection

    @asynccontextmanager
    async def lent(self, pool: AsyncConnectionPool) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Lend a connection; what goes wrong on it becomes a `DatabaseError`."""
        try:
            async with pool.connection() as connection:
                yield connection
        except PoolTimeout as error:
            raise DatabaseError("no database connection became free in time; try again in a minute") from error
        except psycopg.errors.QueryCanceled as error:
            raise DatabaseError("the query took longer than this server allows; ask for a shorter period") from error
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            raise DatabaseError("the database has no current schema; run: telstraat db migrate") from error
        except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction) as error:
            said = next((text for kind, text in CONDITIONS.items() if isinstance(error, kind)), BROKEN)
            raise DatabaseError(f"{said}; try again in a minute") from error

    async def rows(self, query: Query, params: Params = None) -> list[Row]:
        """Return all rows, by name."""
        async with self.lent(self.pool) as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query, params)
            return await cursor.fetchall()

    async def row(self, query: Query, params: Params = None) -> Row | None:
        """Return the first row, or None."""
        async with self.lent(self.pool) as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query, params)
            return await cursor.fetchone()

    async def execute(self, query: Query, params: Params = None) -> int:
        """Change something and return how many rows were."""
        async with self.lent(self.pool) as connection:
            return (await connection.execute(query, params)).rowcount


async def check_alive(connection: psycopg.AsyncConnection[Any]) -> None:
    """Raise when the server has hung up, which it says on the line: without asking it, before every request, whether it lives."""
    watched = select.poll()
    watched.register(connection.fileno(), select.POLLIN)
    if watched.poll(0):
        connection.pgconn.consume_input()
        if connection.closed or connection.pgconn.status != psycopg.pq.ConnStatus.OK:
            raise psycopg.OperationalError("the server has closed the connection")


def pool_of(settings: ApiSettings, path: str) -> AsyncConnectionPool:
    """Return a pool of connections that look for tables in these schemas."""
    timeout_ms = int(settings.statement_timeout_s * 1000)
    return AsyncConnectionPool(
        settings.dsn,
        min_size=settings.pool_min,
        max_size=max(settings.pool_min, settings.pool_max),
        timeout=settings.pool_wait_s,
        kwargs={
            "autocommit": True,
            "application_name": "telstraat api",
            "options": f"-c statement_timeout={timeout_ms} -c timezone=UTC -c search_path={path} -c jit=off",
        },
        check=check_alive,
        open=False,
    )
