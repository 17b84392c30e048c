"""Counts by hand: kept beside the sensor's, never among them, and once however often a phone sends them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from telstraat_store.connection import Row
from telstraat_store.errors import DuplicateError
from telstraat_store.queries import execute, fetch_all, fetch_one

SELECT = """
select h.*, g.name as segment, g.timezone, a.email from hand_count h join segment g using (segment_id)
left join account a using (account_id)
"""


async def add_hand_count(
    connection: AsyncConnection[Any],
    number: UUID,
    account_id: int,
    segment_id: int,
    window: tuple[datetime, datetime],
    quarters: Sequence[dict[str, Any]],
) -> None:
    """Keep a count; sent again by the same person, it is there already.

    Raises
    ------
    DuplicateError
        Somebody else has sent a count of this number.
    """
    await execute(
        connection,
        "insert into hand_count (hand_count_id, account_id, segment_id, from_at, until_at, quarters)"
        " values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
        (number, account_id, segment_id, *window, Jsonb(list(quarters))),
    )
    row = await fetch_one(connection, "select account_id from hand_count where hand_count_id = %s", (number,))
    if row is None or row["account_id"] != account_id:
        raise DuplicateError("there is a count of this number already")


async def find_hand_count(connection: AsyncConnection[Any], number: UUID) -> Row | None:
    """Return a count with its street's name and zone and its maker's address, or None."""
    return await fetch_one(connection, SELECT + "where h.hand_count_id = %s", (number,))


async def list_hand_counts(connection: AsyncConnection[Any], account_id: int | None, limit: int) -> list[Row]:
    """Return the counts of somebody, the latest first."""
    return await fetch_all(
        connection, SELECT + "where h.account_id = %s order by h.from_at desc limit %s", (account_id, limit)
    )


async def count_hand_counts(connection: AsyncConnection[Any], segment_id: int) -> int:
    """Return how often a street was counted by hand."""
    row = await fetch_one(connection, "select count(*)::int as n from hand_count where segment_id = %s", (segment_id,))
    return int(row["n"]) if row else 0


async def delete_hand_count(connection: AsyncConnection[Any], number: UUID, account_id: int | None) -> bool:
    """Throw away a count of one's own; False without such a count."""
    return bool(
        await execute(
            connection, "delete from hand_count where hand_count_id = %s and account_id = %s", (number, account_id)
        )
    )
