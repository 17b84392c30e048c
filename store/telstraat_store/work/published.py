"""What measures, evaluations, events and workshops have in common: who sees them, pages by number, no lost updates.

What is published is for everybody; what is not, for whoever made it and for those who see everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import AsyncConnection, sql

from telstraat_store.connection import Row
from telstraat_store.errors import StaleRecordError
from telstraat_store.queries import execute, fetch_all


@dataclass(frozen=True)
class Audience:
    """Whom a list is for: what they made themselves is in it, and everything when they see everything."""

    account_id: int | None
    sees_everything: bool


@dataclass(frozen=True)
class Page:
    """Which part of a list: so many rows with numbers above `after`."""

    after: int
    limit: int


@dataclass(frozen=True)
class NewestPage:
    """Which part of a list that begins with the newest: its number, from 1, and how many rows each part has."""

    number: int
    limit: int


PAGE = sql.SQL("""
select * from ({select}) as listed
where {key} > %(after)s and (published or account_id = %(account)s::int or %(everything)s) {more}
order by {key} limit %(limit)s
""")
NEWEST = sql.SQL("""
select * from ({select}) as listed
where (published or account_id = %(account)s::int or %(everything)s) {more}
order by {order} {key} desc limit %(limit)s + 1 offset %(offset)s
""")


async def fetch_page(
    connection: AsyncConnection[Any],
    select: LiteralString,
    key: str,
    audience: Audience,
    page: Page,
    more: LiteralString = "",
    **values: Any,
) -> list[Row]:
    """Return the rows of `select` that the audience sees, by number; `more` are conditions on `listed` with their `values`."""
    query = PAGE.format(select=sql.SQL(select), key=sql.Identifier(key), more=sql.SQL(more))
    who = {"account": audience.account_id, "everything": audience.sees_everything}
    return await fetch_all(connection, query, {"after": page.after, "limit": page.limit, **who, **values})


async def fetch_newest(
    connection: AsyncConnection[Any],
    select: LiteralString,
    key: str,
    audience: Audience,
    page: NewestPage,
    order: LiteralString = "",
    more: LiteralString = "",
    **values: Any,
) -> tuple[list[Row], bool]:
    """Return the rows of `select` that the audience sees, those with the highest numbers first, and whether there are older ones.

    `order` comes before the number (`"first_day desc,"`); `more` are conditions on `listed` with their `values`.
    """
    query = NEWEST.format(select=sql.SQL(select), key=sql.Identifier(key), order=sql.SQL(order), more=sql.SQL(more))
    who = {"account": audience.account_id, "everything": audience.sees_everything}
    span = {"limit": page.limit, "offset": (page.number - 1) * page.limit}
    rows = await fetch_all(connection, query, {**span, **who, **values})
    return rows[: page.limit], len(rows) > page.limit


async def update_row(
    connection: AsyncConnection[Any], table: str, key: str, row: Row, values: Mapping[str, Any]
) -> None:
    """Change some columns of a row as it was read.

    Raises
    ------
    StaleRecordError
        Somebody has changed it since.
    """
    columns = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in values]
    stamped = [sql.SQL("changed_at = now()")] if "changed_at" in row else []
    statement = sql.SQL("update {table} set {columns} where {key} = {number} and revision = {revision}").format(
        table=sql.Identifier(table),
        columns=sql.SQL(", ").join([*columns, *stamped, sql.SQL("revision = revision + 1")]),
        key=sql.Identifier(key),
        number=sql.Literal(row[key]),
        revision=sql.Literal(row["revision"]),
    )
    if not await execute(connection, statement, dict(values)):
        raise StaleRecordError("somebody has changed this at the same moment: read it again, then change it")


async def delete_row(connection: AsyncConnection[Any], table: str, key: str, number: int) -> None:
    """Delete a row, and what belongs to it."""
    statement = sql.SQL("delete from {table} where {key} = {number}").format(
        table=sql.Identifier(table), key=sql.Identifier(key), number=sql.Literal(number)
    )
    await execute(connection, statement)
