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
from telstraat_store.work.rooms import CHANNEL, bump_room, lock_room
from telstraat_store.work.workshops import NOTES_MAX

NOTES_PER_MINUTE = 12
"""Of one participant: more than anybody types, less than a program would send."""

NOTES_EACH = 200
GROUPS_MAX = 60
BLOCKED = "whoever leads this room takes nothing more from this phone"
TAKING = frozenset({"collect", "group"})
"""Phases in which notes of participants are taken: one that was typed before the groups may come while they are made."""


# While a room is locked nobody else writes in it: few statements, so that a hall does not wait for the way to the database.
BEFORE_A_NOTE = """
select same.note_id, same.participant_id, same.account_id,
    (select blocked from workshop_participant where participant_id = %(who)s::bigint) as blocked,
    (select count(*) from workshop_note where workshop_id = %(room)s and deleted_at is null) as all_notes,
    (select count(*) from workshop_note where participant_id = %(who)s::bigint) as own,
    (select count(*) from workshop_note where participant_id = %(who)s::bigint
        and created_at > now() - interval '1 minute') as lately
from (values (1)) as always (n)
left join workshop_note same on same.workshop_id = %(room)s and same.client_id = %(client)s
"""
ADD_NOTE = """
with bumped as (
    update workshop_room set revision = revision + 1 where workshop_id = %(room)s returning revision
), told as (
    select pg_notify(%(channel)s, %(room)s || ' ' || revision) from bumped
), added as (
    insert into workshop_note (workshop_id, participant_id, account_id, client_id, kind, body, pin, expected, revision)
    select %(room)s, %(participant)s::bigint, %(account)s::int, %(client)s, %(kind)s, %(body)s, %(pin)s::jsonb,
        %(expected)s::jsonb, revision from bumped
    returning *
)
select added.* from added cross join told
"""
CAST = """
with bumped as (
    update workshop_room set revision = revision + 1 where workshop_id = %(room)s returning revision
), told as (
    select pg_notify(%(channel)s, %(room)s || ' ' || revision) as done from bumped
), target as (
    select note_id, null::bigint as group_id from workshop_note
    where workshop_id = %(room)s and note_id = any(%(notes)s::bigint[]) and deleted_at is null and not hidden
    union all
    select null, group_id from workshop_group
    where workshop_id = %(room)s and group_id = any(%(groups)s::bigint[]) and deleted_at is null
), gone as (
    delete from workshop_vote v where participant_id = %(who)s and not exists (
        select from target t where t.note_id is not distinct from v.note_id and t.group_id is not distinct from v.group_id)
    returning note_id, group_id
), come as (
    insert into workshop_vote (participant_id, note_id, group_id)
    select %(who)s, note_id, group_id from target on conflict do nothing returning note_id, group_id
), change as (
    select note_id, group_id, 1 as by from come union all select note_id, group_id, -1 from gone
), for_notes as (
    update workshop_note n set votes = n.votes + change.by, vote_revision = (select revision from bumped)
    from change where n.note_id = change.note_id
), for_groups as (
    update workshop_group g set votes = g.votes + change.by, vote_revision = (select revision from bumped)
    from change where g.group_id = change.group_id
), sequenced as (
    update workshop_participant set ballot_sequence = %(sequence)s where participant_id = %(who)s
)
select done from told
"""


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
    [before] = yield BEFORE_A_NOTE, {"who": participant_id, "room": workshop_id, "client": note.client_id}
    if before["note_id"] is not None:
        if (before["participant_id"], before["account_id"]) != (participant_id, account_id):
            raise DuplicateError("a note of that number exists already")
        rows = yield "select * from workshop_note where note_id = %s", (before["note_id"],)
        return rows[0]
    check_takes_note(room, before, is_leader=participant_id is None)
    rows = yield (
        ADD_NOTE,
        {
            "room": workshop_id,
            "channel": CHANNEL,
            "participant": participant_id,
            "account": account_id,
            "client": note.client_id,
            "kind": note.kind,
            "body": note.body,
            "pin": note.pin and Jsonb(note.pin),
            "expected": note.expected and Jsonb(note.expected),
        },
    )
    return rows[0]


def check_takes_note(room: Row, before: Row, *, is_leader: bool) -> None:
    """Raise when a room does not take another note, or none of a participant; whoever leads it may write in every phase."""
    is_taking = room["is_collecting"] and room["phase"] in TAKING
    if not room["is_open"] or not (is_leader or is_taking):
        raise ClosedRoomError("no notes are taken now; yours stays on your phone until they are again")
    if before["blocked"]:
        raise ClosedRoomError(BLOCKED)
    if before["all_notes"] >= NOTES_MAX:
        raise BadValueError(f"a workshop holds up to {NOTES_MAX} notes")
    if before["own"] >= NOTES_EACH:
        raise BadValueError(f"one participant writes up to {NOTES_EACH} notes")
    if before["lately"] >= NOTES_PER_MINUTE:
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
    yield (
        CAST,
        {
            "room": workshop_id,
            "channel": CHANNEL,
            "who": participant_id,
            "sequence": sequence,
            "notes": list(notes),
            "groups": list(groups),
        },
    )
    return sequence


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
