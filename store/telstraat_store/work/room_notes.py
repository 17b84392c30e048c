"""What is written, grouped and voted in a workshop's room: every confirmed note and ballot is there once, whatever is sent twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from telstraat_store.connection import Row
from telstraat_store.errors import BadValueError, ClosedRoomError, DuplicateError, NoSuchRecordError, TooOftenError
from telstraat_store.queries import fetch_all
from telstraat_store.transactions import Steps, transaction
from telstraat_store.work.participants import uncast
from telstraat_store.work.rooms import bump_room, lock_room
from telstraat_store.work.workshops import NOTES_MAX

NOTES_PER_MINUTE = 12
"""Of one participant: more than anybody types, less than a program would send."""

NOTES_EACH = 200
GROUPS_MAX = 60
BLOCKED = "whoever leads this room takes nothing more from this phone"
TAKING = frozenset({"collect", "group"})
"""Phases in which notes of participants are taken: one that was typed before the groups may come while they are made."""


@dataclass(frozen=True)
class RoomNote:
    """A note as a phone sends it. `client_id` is made there: the same again is the same note."""

    client_id: UUID
    kind: str
    body: str
    pin: dict[str, Any] | None = None
    expected: dict[str, Any] | None = None


@transaction
def add_room_note(
    workshop_id: int, note: RoomNote, *, participant_id: int | None = None, account_id: int | None = None
) -> Steps[Row]:
    """Write a note down and return it; one that is there already is returned as it is.

    Raises
    ------
    ClosedRoomError
        The room takes no notes now.
    TooOftenError
        The participant has written too much, or too much within a minute.
    BadValueError
        The workshop holds `NOTES_MAX` notes.
    DuplicateError
        Somebody else's note has this `client_id`.
    """
    room = yield from lock_room(workshop_id)
    rows = yield (
        "select * from workshop_note where workshop_id = %s and client_id = %s",
        (workshop_id, note.client_id),
    )
    if rows:
        if (rows[0]["participant_id"], rows[0]["account_id"]) != (participant_id, account_id):
            raise DuplicateError("a note of that number exists already")
        return rows[0]
    yield from check_takes_note(room, participant_id)
    revision = yield from bump_room(workshop_id)
    rows = yield (
        """
        insert into workshop_note (workshop_id, participant_id, account_id, client_id, kind, body, pin, expected, revision)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s) returning *
        """,
        (
            workshop_id, participant_id, account_id, note.client_id, note.kind, note.body,
            note.pin and Jsonb(note.pin), note.expected and Jsonb(note.expected), revision,
        ),
    )  # fmt: skip
    return rows[0]


def check_takes_note(room: Row, participant_id: int | None) -> Steps[None]:
    """Raise when a room does not take another note, or none of a participant; whoever leads it may write in every phase."""
    is_taking = room["is_collecting"] and room["phase"] in TAKING
    if not room["is_open"] or (participant_id is not None and not is_taking):
        raise ClosedRoomError("no notes are taken now; yours stays on your phone until they are again")
    rows = yield (
        """
        select count(*) filter (where deleted_at is null) as all_notes, count(*) filter (where participant_id = %(who)s) as own,
            count(*) filter (where participant_id = %(who)s and created_at > now() - interval '1 minute') as lately,
            (select blocked from workshop_participant where participant_id = %(who)s) as blocked
        from workshop_note where workshop_id = %(room)s
        """,
        {"who": participant_id, "room": room["workshop_id"]},
    )
    if rows[0]["blocked"]:
        raise ClosedRoomError(BLOCKED)
    if rows[0]["all_notes"] >= NOTES_MAX:
        raise BadValueError(f"a workshop holds up to {NOTES_MAX} notes")
    if rows[0]["own"] >= NOTES_EACH:
        raise BadValueError(f"one participant writes up to {NOTES_EACH} notes")
    if rows[0]["lately"] >= NOTES_PER_MINUTE:
        raise TooOftenError(f"one participant writes up to {NOTES_PER_MINUTE} notes a minute")


@transaction
def hide_note(workshop_id: int, note_id: int, *, is_hidden: bool) -> Steps[int]:
    """Hide a note from everybody but those who lead, and free the votes it got; or show it again."""
    yield from lock_room(workshop_id)
    revision = yield from bump_room(workshop_id)
    rows = yield (
        (
            "update workshop_note set hidden = %s, revision = %s, votes = case when %s then 0 else votes end,"
            " vote_revision = %s where workshop_id = %s and note_id = %s and deleted_at is null returning note_id"
        ),
        (is_hidden, revision, is_hidden, revision, workshop_id, note_id),
    )
    if rows and is_hidden:
        yield "delete from workshop_vote where note_id = %s", (note_id,)
    return revision


@transaction
def erase_note(workshop_id: int, note_id: int, participant_id: int | None = None) -> Steps[bool]:
    """Delete the words of a note (a participant's own, when one is named); phones that were away are told that it is gone."""
    yield from lock_room(workshop_id)
    revision = yield from bump_room(workshop_id)
    rows = yield (
        (
            "update workshop_note set body = '', pin = null, expected = null, deleted_at = now(), group_id = null, votes = 0,"
            " revision = %(revision)s where workshop_id = %(room)s and note_id = %(note)s and deleted_at is null"
            " and (%(who)s::bigint is null or participant_id = %(who)s) returning note_id"
        ),
        {"revision": revision, "room": workshop_id, "note": note_id, "who": participant_id},
    )
    if rows:
        yield "delete from workshop_vote where note_id = %s", (note_id,)
    return bool(rows)


@transaction
def put_in_group(workshop_id: int, note_id: int, group_id: int | None) -> Steps[int]:
    """Put a note into a group of its workshop, or out of any."""
    yield from lock_room(workshop_id)
    if group_id is not None:
        yield from require_group(workshop_id, group_id)
    revision = yield from bump_room(workshop_id)
    yield (
        (
            "update workshop_note set group_id = %s, revision = %s"
            " where workshop_id = %s and note_id = %s and deleted_at is null"
        ),
        (group_id, revision, workshop_id, note_id),
    )
    return revision


def require_group(workshop_id: int, group_id: int) -> Steps[None]:
    """Raise `NoSuchRecordError` when a workshop has not this group."""
    rows = yield (
        "select 1 from workshop_group where workshop_id = %s and group_id = %s and deleted_at is null",
        (workshop_id, group_id),
    )
    if not rows:
        raise NoSuchRecordError(f"there is no group {group_id} in workshop {workshop_id}")


@transaction
def add_group(workshop_id: int, title: str, client_id: UUID | None = None) -> Steps[int]:
    """Make a group and return its number; the same `client_id` again is the same group.

    Raises
    ------
    BadValueError
        There are `GROUPS_MAX` groups.
    """
    yield from lock_room(workshop_id)
    rows = yield (
        "select group_id from workshop_group where workshop_id = %s and client_id = %s",
        (workshop_id, client_id),
    )
    if rows:
        return int(rows[0]["group_id"])
    rows = yield (
        "select count(*) as n from workshop_group where workshop_id = %s and deleted_at is null",
        (workshop_id,),
    )
    if rows[0]["n"] >= GROUPS_MAX:
        raise BadValueError(f"a workshop holds up to {GROUPS_MAX} groups")
    revision = yield from bump_room(workshop_id)
    rows = yield (
        "insert into workshop_group (workshop_id, client_id, title, revision) values (%s, %s, %s, %s) returning group_id",
        (workshop_id, client_id, title, revision),
    )
    return int(rows[0]["group_id"])


@transaction
def rename_group(workshop_id: int, group_id: int, title: str) -> Steps[int]:
    """Give a group another name."""
    yield from lock_room(workshop_id)
    yield from require_group(workshop_id, group_id)
    revision = yield from bump_room(workshop_id)
    yield "update workshop_group set title = %s, revision = %s where group_id = %s", (title, revision, group_id)
    return revision


@transaction
def delete_group(workshop_id: int, group_id: int) -> Steps[int]:
    """Delete a group; its notes stand alone again, its votes are free again."""
    yield from lock_room(workshop_id)
    yield from require_group(workshop_id, group_id)
    revision = yield from bump_room(workshop_id)
    yield "update workshop_note set group_id = null, revision = %s where group_id = %s", (revision, group_id)
    yield "delete from workshop_vote where group_id = %s", (group_id,)
    yield (
        "update workshop_group set deleted_at = now(), votes = 0, revision = %s where group_id = %s",
        (revision, group_id),
    )
    return revision


@transaction
def cast_ballot(
    workshop_id: int, participant_id: int, sequence: int, notes: Sequence[int], groups: Sequence[int]
) -> Steps[int]:
    """Take a participant's whole ballot in place of the one before, and return the sequence that stands.

    `sequence` grows on the phone with every change of mind: the same ballot again, or an older one that comes late, changes nothing.

    Raises
    ------
    ClosedRoomError
        No votes are taken now.
    BadValueError
        More votes than each has.
    """
    room = yield from lock_room(workshop_id)
    rows = yield (
        "select ballot_sequence, blocked from workshop_participant where participant_id = %s",
        (participant_id,),
    )
    if not rows or sequence <= rows[0]["ballot_sequence"]:
        return int(rows[0]["ballot_sequence"]) if rows else 0
    if rows[0]["blocked"]:
        raise ClosedRoomError(BLOCKED)
    if not room["is_open"] or room["phase"] != "vote":
        raise ClosedRoomError("no votes are taken now")
    if len(set(notes)) + len(set(groups)) > room["votes_each"]:
        raise BadValueError(f"everybody has {room['votes_each']} votes")
    revision = yield from bump_room(workshop_id)
    yield from uncast(participant_id, revision)
    values = {"who": participant_id, "room": workshop_id, "notes": list(notes), "groups": list(groups)}
    yield (
        """
        insert into workshop_vote (participant_id, note_id, group_id)
        select %(who)s, note_id, null::bigint from workshop_note where workshop_id = %(room)s
            and note_id = any(%(notes)s::bigint[]) and deleted_at is null and not hidden
        union all select %(who)s, null, group_id from workshop_group where workshop_id = %(room)s
            and group_id = any(%(groups)s::bigint[]) and deleted_at is null
        """,
        values,
    )
    yield from count_cast(participant_id, revision)
    yield (
        "update workshop_participant set ballot_sequence = %s where participant_id = %s",
        (sequence, participant_id),
    )
    return sequence


def count_cast(participant_id: int, revision: int) -> Steps[None]:
    """Add a participant's votes to what they are for."""
    yield (
        (
            "update workshop_note n set votes = n.votes + 1, vote_revision = %s from workshop_vote v"
            " where v.note_id = n.note_id and v.participant_id = %s"
        ),
        (revision, participant_id),
    )
    yield (
        (
            "update workshop_group g set votes = g.votes + 1, vote_revision = %s from workshop_vote v"
            " where v.group_id = g.group_id and v.participant_id = %s"
        ),
        (revision, participant_id),
    )


async def ballot_of(connection: AsyncConnection[Any], participant_id: int) -> list[Row]:
    """Return what a participant votes for: per vote a `note_id` or a `group_id`."""
    return await fetch_all(
        connection, "select note_id, group_id from workshop_vote where participant_id = %s", (participant_id,)
    )


async def notes_of_participant(connection: AsyncConnection[Any], participant_id: int) -> list[int]:
    """Return the numbers of the notes that a participant has written."""
    rows = await fetch_all(
        connection,
        "select note_id from workshop_note where participant_id = %s and deleted_at is null",
        (participant_id,),
    )
    return [row["note_id"] for row in rows]
