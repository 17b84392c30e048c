"""Workshops as live rooms: opened, moved through phases, extended, closed, and ended with the people in them forgotten.

Every change of a room takes its next revision and is told to every API process by NOTIFY, in the same transaction: whoever
was away asks for what has a higher revision than the last one seen. `for update` on the room's row puts changes in a row.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.types.json import Jsonb

from telstraat_store.connection import Row
from telstraat_store.errors import BadValueError, NoSuchRecordError
from telstraat_store.queries import fetch_all, fetch_one
from telstraat_store.transactions import Steps, transaction

CHANNEL = "telstraat_room"
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""What is not mistaken for another when it is read from a wall."""

CODE_LENGTH = 10
ROOMS_MAX = 200
"""Rooms that may be open at once."""

PHASES = ("look", "collect", "group", "vote", "agree")


def new_code() -> str:
    """Return a code to join with: 49 random bits, short enough to be typed."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))


def lock_room(workshop_id: int) -> Steps[Row]:
    """Wait until no other change of a room is under way, and return the room; `is_open` tells whether it may be changed.

    Raises
    ------
    NoSuchRecordError
        The workshop has no room.
    """
    rows = yield "select * from live_room where workshop_id = %s for update", (workshop_id,)
    if not rows:
        raise NoSuchRecordError(f"workshop {workshop_id} has no room")
    return rows[0]


def bump_room(workshop_id: int) -> Steps[int]:
    """Take the room's next revision and tell every process; returns it."""
    rows = yield (
        """
        with bumped as (
            update workshop_room set revision = revision + 1 where workshop_id = %s returning workshop_id, revision)
        select revision, pg_notify(%s, workshop_id || ' ' || revision) from bumped
        """,
        (workshop_id, CHANNEL),
    )
    return int(rows[0]["revision"]) if rows else 0


def bump_if_there(workshop_id: int) -> Steps[int]:
    """Take the next revision of a room that may not be there; 0 without one. Whoever changes its notes does so."""
    yield "select 1 from workshop_room where workshop_id = %s for update", (workshop_id,)
    return (yield from bump_room(workshop_id))


@transaction
def open_room(workshop_id: int, looked_at: Mapping[str, Any], ends_at: datetime | None = None) -> Steps[Row]:
    """Open the room of a workshop and return it; one that is there stays as it is.

    Raises
    ------
    BadValueError
        `ROOMS_MAX` rooms are open.
    """
    rows = yield "select count(*) as n from live_room where is_open", None
    if rows[0]["n"] >= ROOMS_MAX:
        raise BadValueError(f"{ROOMS_MAX} rooms are open: close one first")
    yield (
        """
        insert into workshop_room (workshop_id, join_code, looked_at, ends_at)
        values (%s, %s, %s, greatest(%s::timestamptz, now()) + interval '24 hours')
        on conflict (workshop_id) do nothing
        """,
        (workshop_id, new_code(), Jsonb(dict(looked_at)), ends_at),
    )
    return (yield from lock_room(workshop_id))


async def find_room(connection: AsyncConnection[Any], workshop_id: int) -> Row | None:
    """Return the room of a workshop, or None; `is_open` tells whether it may be changed."""
    return await fetch_one(connection, "select * from live_room where workshop_id = %s", (workshop_id,))


async def room_by_code(connection: AsyncConnection[Any], code: str) -> Row | None:
    """Return the open room that a code lets in, with the workshop's title and question; None when it lets in nobody."""
    return await fetch_one(
        connection,
        "select r.*, w.title, w.question from live_room r join workshop w using (workshop_id)"
        " where join_code = %s and is_open",
        (code,),
    )


@transaction
def change_room(workshop_id: int, values: Mapping[str, Any]) -> Steps[int]:
    """Change columns of a room and return the revision; `timer_s` and `extend_h` count from the database's clock."""
    yield from lock_room(workshop_id)
    names = {name: Jsonb(value) if name == "looked_at" else value for name, value in values.items()}
    columns: list[sql.Composable] = [sql.SQL("state_revision = revision + 1")]
    if "timer_s" in names:
        seconds = sql.Literal(names.pop("timer_s"))
        columns.append(sql.SQL("timer_until = now() + {} * interval '1 second'").format(seconds))
    if "extend_h" in names:
        hours = sql.Literal(names.pop("extend_h"))
        columns.append(sql.SQL("ends_at = greatest(ends_at, now()) + {} * interval '1 hour'").format(hours))
    columns += [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in names]
    yield (
        sql.SQL("update workshop_room set {} where workshop_id = {}").format(
            sql.SQL(", ").join(columns), sql.Literal(workshop_id)
        ),
        names,
    )
    return (yield from bump_room(workshop_id))


@transaction
def close_room(workshop_id: int) -> Steps[int]:
    """Close a room: nothing is taken any more, and its participants are forgotten, their number is not."""
    yield from lock_room(workshop_id)
    yield from forget_people(workshop_id)
    yield (
        (
            "update workshop_room set closed_at = coalesce(closed_at, now()), timer_until = null,"
            " state_revision = revision + 1 where workshop_id = %s"
        ),
        (workshop_id,),
    )
    return (yield from bump_room(workshop_id))


@transaction
def reopen_room(workshop_id: int) -> Steps[int]:
    """Open a room again, with a new code: whoever comes is new."""
    yield from lock_room(workshop_id)
    yield (
        (
            "update workshop_room set closed_at = null, ends_at = greatest(ends_at, now() + interval '24 hours'), join_code = %s,"
            " state_revision = revision + 1 where workshop_id = %s"
        ),
        (new_code(), workshop_id),
    )
    return (yield from bump_room(workshop_id))


def forget_people(workshop_id: int) -> Steps[None]:
    """Forget who took part in a room. What they wrote stays, without them; how many voted, and for what, stays as a number."""
    yield (
        """
        update workshop_room r set voters = voters + (
            select count(distinct participant_id) from workshop_vote join workshop_participant p using (participant_id)
            where p.workshop_id = r.workshop_id)
        where workshop_id = %s
        """,
        (workshop_id,),
    )
    yield "delete from workshop_participant where workshop_id = %s", (workshop_id,)


async def rooms_past_their_end(connection: AsyncConnection[Any]) -> list[int]:
    """Return the workshops whose rooms ended an hour ago and still know somebody: until then, whoever leads may extend them."""
    rows = await fetch_all(
        connection,
        "select workshop_id from live_room r where (closed_at is not null or ends_at < now() - interval '1 hour')"
        " and exists (select from workshop_participant p where p.workshop_id = r.workshop_id)",
    )
    return [row["workshop_id"] for row in rows]


async def turnout(connection: AsyncConnection[Any], workshop_id: int) -> tuple[int, int]:
    """Return how many have taken part in a workshop's room, and how many of them have voted; (0, 0) without a room."""
    row = await fetch_one(
        connection,
        """
        select people, voters + (select count(distinct participant_id) from workshop_vote
            join workshop_participant p using (participant_id) where p.workshop_id = r.workshop_id) as voted
        from workshop_room r where workshop_id = %s
        """,
        (workshop_id,),
    )
    return (0, 0) if row is None else (row["people"], row["voted"])
