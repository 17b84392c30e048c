"""Ask a connection: rows by the names of their columns, or how many were changed; and patterns to ask with."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from telstraat_store.connection import Params, Query, Row


def literal(text: str) -> str:
    """Return a text for a pattern of LIKE in which it stands for itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def containing(text: str) -> str:
    """Return the pattern of LIKE for whatever has a text in it."""
    return f"%{literal(text)}%"


async def fetch_all(connection: AsyncConnection[Any], query: Query, parameters: Params = None) -> list[Row]:
    """Return all rows."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, parameters)
        return await cursor.fetchall()


async def fetch_one(connection: AsyncConnection[Any], query: Query, parameters: Params = None) -> Row | None:
    """Return the first row, or None."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, parameters)
        return await cursor.fetchone()


async def execute(connection: AsyncConnection[Any], query: Query, parameters: Params = None) -> int:
    """Change something and return how many rows were."""
    return (await connection.execute(query, parameters)).rowcount
