"""Workshops: the streets and days that people read together, and what was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.connection import Row
from telstraat_store.errors import BadValueError
from telstraat_store.queries import fetch_all, fetch_one
from telstraat_store.transactions import Steps, transaction
from telstraat_store.work.published import Audience, NewestPage, Page, delete_row, fetch_newest, fetch_page, update_row
from telstraat_store.work.rooms import bump_if_there

NOTES_MAX = 2000
SELECT = "select w.*, a.email from workshop w left join account a using (account_id)"


async def find_workshop(connection: AsyncConnection[Any], workshop_id: int) -> Row | None:
    """Return a workshop with its maker's address, or None."""
    return await fetch_one(connection, SELECT + " where w.workshop_id = %s", (workshop_id,))


async def list_workshops(connection: AsyncConnection[Any], audience: Audience, page: Page) -> list[Row]:
    """Return workshops by number."""
    return await fetch_page(connection, SELECT, "workshop_id", audience, page)


async def newest_workshops(
    connection: AsyncConnection[Any], audience: Audience, page: NewestPage
) -> tuple[list[Row], bool]:
    """Return the workshops that were held last first, and whether there are older ones; one without a day counts by when it was made."""
    order = "coalesce(held_at, created_at) desc,"
    return await fetch_newest(connection, SELECT, "workshop_id", audience, page, order)


async def add_workshop(connection: AsyncConnection[Any], account_id: int | None, values: Mapping[str, Any]) -> int:
    """Prepare a workshop and return its number; `values` are the columns that people fill in."""
    row = await fetch_one(
        connection,
        """
        insert into workshop (account_id, title, question, place, held_at, segments, first_day, last_day, measure_id, published)
        values (%(account_id)s, %(title)s, %(question)s, %(place)s, %(held_at)s, %(segments)s::bigint[], %(first_day)s, %(last_day)s,
            %(measure_id)s, %(published)s) returning workshop_id
        """,
        {"question": "", **values, "account_id": account_id},
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
    """Return what was said and not hidden, the oldest first."""
    return await fetch_all(
        connection,
        "select * from workshop_note where workshop_id = %s and not hidden and deleted_at is null order by note_id limit %s",
        (workshop_id, NOTES_MAX),
    )


async def groups_of(connection: AsyncConnection[Any], workshop_id: int) -> list[Row]:
    """Return the groups that notes were put into, in the order in which they were made."""
    return await fetch_all(
        connection,
        "select group_id, title, votes from workshop_group where workshop_id = %s and deleted_at is null order by group_id",
        (workshop_id,),
    )


@transaction
def add_note(workshop_id: int, account_id: int | None, kind: str, body: str) -> Steps[Row]:
    """Write down what was said.

    Raises
    ------
    BadValueError
        The workshop holds `NOTES_MAX` notes.
    """
    revision = yield from bump_if_there(workshop_id)
    rows = yield (
        """
        insert into workshop_note (workshop_id, account_id, kind, body, revision)
        select workshop_id, %s, %s, %s, %s from workshop w where workshop_id = %s
            and (select count(*) from workshop_note n where n.workshop_id = w.workshop_id and deleted_at is null) < %s
        returning *
        """,
        (account_id, kind, body, revision, workshop_id, NOTES_MAX),
    )
    if not rows:
        raise BadValueError(f"a workshop holds up to {NOTES_MAX} notes")
    return rows[0]


@transaction
def delete_note(workshop_id: int, note_id: int, account_id: int | None, *, of_anybody: bool) -> Steps[Row | None]:
    """Delete a note of one's own, or of anybody, and return it as it was; None without such a note."""
    revision = yield from bump_if_there(workshop_id)
    rows = yield (
        (
            "select * from workshop_note where note_id = %s and workshop_id = %s and (account_id = %s or %s)"
            " and deleted_at is null"
        ),
        (note_id, workshop_id, account_id, of_anybody),
    )
    if not rows:
        return None
    yield "delete from workshop_vote where note_id = %s", (note_id,)
    if revision:  # phones that are away are told that it is gone
        yield (
            (
                "update workshop_note set body = '', pin = null, expected = null, group_id = null, deleted_at = now(),"
                " votes = 0, revision = %s where note_id = %s"
            ),
            (revision, note_id),
        )
    else:
        yield "delete from workshop_note where note_id = %s", (note_id,)
    return rows[0]
