"""Workshops: the streets and days that people read together, and what was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.connection import Row
from telstraat_store.errors import BadValueError
from telstraat_store.queries import fetch_all, fetch_one
from telstraat_store.work.published import Audience, Page, delete_row, fetch_page, update_row

NOTES_MAX = 2000
SELECT = "select w.*, a.email from workshop w left join account a using (account_id)"


async def find_workshop(connection: AsyncConnection[Any], workshop_id: int) -> Row | None:
    """Return a workshop with its maker's address, or None."""
    return await fetch_one(connection, SELECT + " where w.workshop_id = %s", (workshop_id,))


async def list_workshops(connection: AsyncConnection[Any], audience: Audience, page: Page) -> list[Row]:
    """Return workshops by number."""
    return await fetch_page(connection, SELECT, "workshop_id", audience, page)


async def add_workshop(connection: AsyncConnection[Any], account_id: int | None, values: Mapping[str, Any]) -> int:
    """Prepare a workshop and return its number; `values` are the columns that people fill in."""
    row = await fetch_one(
        connection,
        """
        insert into workshop (account_id, title, place, held_at, segments, first_day, last_day, measure_id, published)
        values (%(account_id)s, %(title)s, %(place)s, %(held_at)s, %(segments)s::bigint[], %(first_day)s, %(last_day)s,
            %(measure_id)s, %(published)s) returning workshop_id
        """,
        {**values, "account_id": account_id},
    )
    assert row is not None
    return int(row["workshop_id"])


async def change_workshop(connection: AsyncConnection[Any], workshop: Row, values: Mapping[str, Any]) -> None:
    """Change columns of a workshop as it was read; `StaleRecordError` when somebody was quicker."""
    await update_row(connection, "workshop", "workshop_id", workshop, values)


async def delete_workshop(connection: AsyncConnection[Any], workshop_id: int) -> None:
    """Delete a workshop with its notes and links."""
    await delete_row(connection, "workshop", "workshop_id", workshop_id)


async def notes_of(connection: AsyncConnection[Any], workshop_id: int) -> list[Row]:
    """Return what was said, the oldest first."""
    return await fetch_all(
        connection,
        "select * from workshop_note where workshop_id = %s order by note_id limit %s",
        (workshop_id, NOTES_MAX),
    )


async def add_note(
    connection: AsyncConnection[Any], workshop_id: int, account_id: int | None, kind: str, body: str
) -> Row:
    """Write down what was said.

    Raises
    ------
    BadValueError
        The workshop holds `NOTES_MAX` notes.
    """
    row = await fetch_one(
        connection,
        """
        insert into workshop_note (workshop_id, account_id, kind, body)
        select workshop_id, %s, %s, %s from workshop w where workshop_id = %s
            and (select count(*) from workshop_note n where n.workshop_id = w.workshop_id) < %s
        returning *
        """,
        (account_id, kind, body, workshop_id, NOTES_MAX),
    )
    if row is None:
        raise BadValueError(f"a workshop holds up to {NOTES_MAX} notes")
    return row


async def delete_note(
    connection: AsyncConnection[Any], workshop_id: int, note_id: int, account_id: int | None, *, of_anybody: bool
) -> Row | None:
    """Delete a note of one's own, or of anybody, and return it; None without such a note."""
    return await fetch_one(
        connection,
        "delete from workshop_note where note_id = %s and workshop_id = %s and (account_id = %s or %s) returning *",
        (note_id, workshop_id, account_id, of_anybody),
    )
