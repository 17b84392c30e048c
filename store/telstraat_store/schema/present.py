"""Which schema a database has, asked over a connection of a service."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from telstraat_store.errors import SchemaError
from telstraat_store.queries import fetch_one


async def schema_version(connection: AsyncConnection[Any]) -> str:
    """Return the number and name of the newest migration.

    Raises
    ------
    SchemaError
        The database has no schema.
    """
    state = await fetch_one(connection, "select to_regclass('migration') is not null as is_there")
    row = None
    if state is not None and state["is_there"]:
        row = await fetch_one(connection, "select number, name from migration order by number desc limit 1")
    if row is None:
        raise SchemaError("the database has no schema; run: telstraat db migrate")
    return f"{row['number']:04}_{row['name']}"
