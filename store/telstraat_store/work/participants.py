"""Who takes part in a workshop's room: a random secret in a phone's cookie, a first name if they like, nothing else."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from telstraat_store.accounts.secrets import hashed, new_secret
from telstraat_store.connection import Row
from telstraat_store.errors import BadValueError, ClosedRoomError
from telstraat_store.queries import fetch_all, fetch_one
from telstraat_store.transactions import Steps, transaction
from telstraat_store.work.rooms import bump_room, lock_room

PARTICIPANTS_MAX = 500
"""In one room at once."""

PARTICIPANT_PREFIX = "tsp_"


@transaction
def join_room(workshop_id: int, code: str, first_name: str, secret: str) -> Steps[None]:
    """Let somebody in who has this secret in a cookie; sent twice, it is one participant, also when the room is full meanwhile.

    Raises
    ------
    ClosedRoomError
        The room is closed, or its code was made anew.
    BadValueError
        The room is full.
    """
    room = yield from lock_room(workshop_id)
    if not room["is_open"] or room["join_code"] != code:
        raise ClosedRoomError("this room is closed, or its link was made anew")
    rows = yield (
        "select count(*) as n, coalesce(bool_or(hash = %s), false) as is_in from workshop_participant where workshop_id = %s",
        (hashed(secret), workshop_id),
    )
    if rows[0]["is_in"]:
        return
    if rows[0]["n"] >= PARTICIPANTS_MAX:
        raise BadValueError(f"this room holds {PARTICIPANTS_MAX} participants")
    rows = yield (
        (
            "insert into workshop_participant (workshop_id, hash, first_name) values (%s, %s, %s)"
            " on conflict (hash) do nothing returning participant_id"
        ),
        (workshop_id, hashed(secret), first_name),
    )
    if rows:
        yield "update workshop_room set people = people + 1 where workshop_id = %s", (workshop_id,)
        yield from bump_room(workshop_id)


def new_participant_secret() -> str:
    """Return a secret for somebody who has not joined yet."""
    return new_secret(PARTICIPANT_PREFIX)


async def participant_of(connection: AsyncConnection[Any], workshop_id: int, secret: str) -> Row | None:
    """Return who has this cookie in this room, while the room is open; None for anybody else."""
    return await fetch_one(
        connection,
        """
        select p.participant_id, p.first_name, p.blocked, p.ballot_sequence from workshop_participant p
        join live_room r using (workshop_id) where p.hash = %s and p.workshop_id = %s and r.is_open
        """,
        (hashed(secret), workshop_id),
    )


async def list_participants(connection: AsyncConnection[Any], workshop_id: int) -> list[Row]:
    """Return who is in a room, with how much each has written, for whoever leads it."""
    return await fetch_all(
        connection,
        """
        select p.participant_id, p.first_name, p.blocked, p.joined_at,
            (select count(*) from workshop_note n where n.participant_id = p.participant_id) as notes
        from workshop_participant p where p.workshop_id = %s order by p.participant_id
        """,
        (workshop_id,),
    )


@transaction
def block_participant(workshop_id: int, participant_id: int, *, is_blocked: bool) -> Steps[int]:
    """Take nothing more from a participant, hide what they wrote, and count none of their votes; or let them in again."""
    yield from lock_room(workshop_id)
    yield (
        "update workshop_participant set blocked = %s where workshop_id = %s and participant_id = %s",
        (is_blocked, workshop_id, participant_id),
    )
    revision = yield from bump_room(workshop_id)
    if not is_blocked:  # what was hidden is shown again note by note: some of it was hidden for itself
        return revision
    yield from uncast(participant_id, revision)
    yield (
        "delete from workshop_vote v using workshop_note n where v.note_id = n.note_id and n.participant_id = %s",
        (participant_id,),
    )
    yield (
        """
        update workshop_note set hidden = true, votes = 0, revision = %s
        where workshop_id = %s and participant_id = %s and deleted_at is null
        """,
        (revision, workshop_id, participant_id),
    )
    return revision


@transaction
def leave_room(workshop_id: int, participant_id: int) -> Steps[int]:
    """Forget a participant with everything they wrote and voted."""
    yield from lock_room(workshop_id)
    revision = yield from bump_room(workshop_id)
    yield from uncast(participant_id, revision)
    yield (
        (
            "update workshop_note set body = '', pin = null, expected = null, deleted_at = now(), client_id = null,"
            " group_id = null, revision = %s where workshop_id = %s and participant_id = %s"
        ),
        (revision, workshop_id, participant_id),
    )
    yield (
        "delete from workshop_vote v using workshop_note n where v.note_id = n.note_id and n.participant_id = %s",
        (participant_id,),
    )
    yield (
        "delete from workshop_participant where workshop_id = %s and participant_id = %s",
        (workshop_id, participant_id),
    )
    yield "update workshop_room set people = greatest(people - 1, 0) where workshop_id = %s", (workshop_id,)
    return revision


def uncast(participant_id: int, revision: int) -> Steps[None]:
    """Take back every vote of a participant, and count again what they were for."""
    yield (
        (
            "update workshop_note n set votes = n.votes - 1, vote_revision = %s from workshop_vote v"
            " where v.note_id = n.note_id and v.participant_id = %s"
        ),
        (revision, participant_id),
    )
    yield (
        (
            "update workshop_group g set votes = g.votes - 1, vote_revision = %s from workshop_vote v"
            " where v.group_id = g.group_id and v.participant_id = %s"
        ),
        (revision, participant_id),
    )
    yield "delete from workshop_vote where participant_id = %s", (participant_id,)
