"""What has changed in a workshop's room since a revision: exactly what somebody lacks who was away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.connection import Row
from telstraat_store.queries import fetch_all, fetch_one


@dataclass(frozen=True)
class RoomChanges:
    """What is new after a revision. `room` is None when its own row has not changed."""

    revision: int
    now: datetime
    room: Row | None
    notes: list[Row]
    groups: list[Row]
    note_votes: list[Row]
    group_votes: list[Row]
    people: int
    voters: int


NOTES = """
select n.note_id, n.kind, n.body, n.pin, n.expected, n.group_id, n.hidden, n.deleted_at, n.votes, n.created_at,
    n.participant_id, coalesce(p.first_name, '') as first_name
from workshop_note n left join workshop_participant p using (participant_id)
where n.workshop_id = %(room)s and case when %(since)s = 0 then n.deleted_at is null else n.revision > %(since)s end
order by n.note_id
"""
GROUPS = """
select * from workshop_group
where workshop_id = %(room)s and case when %(since)s = 0 then deleted_at is null else revision > %(since)s end
order by group_id
"""
NOTE_VOTES = (
    "select note_id, votes from workshop_note where workshop_id = %(room)s and vote_revision > %(since)s and not hidden"
)
GROUP_VOTES = "select group_id, votes from workshop_group where workshop_id = %(room)s and vote_revision > %(since)s"
ROOM = """
select r.*, w.title, w.question, now() as now,
    voters + (select count(distinct v.participant_id) from workshop_vote v
        join workshop_participant p using (participant_id) where p.workshop_id = r.workshop_id) as voted
from live_room r join workshop w using (workshop_id) where workshop_id = %(room)s
"""


async def room_changes(connection: AsyncConnection[Any], workshop_id: int, since: int) -> RoomChanges | None:
    """Return what changed in a room after a revision, as of one moment; None without a room.

    From 0 it is everything, except what was deleted meanwhile.
    """
    values = {"room": workshop_id, "since": since}
    async with connection.transaction():
        await connection.execute("set transaction isolation level repeatable read, read only")
        room = await fetch_one(connection, ROOM, values)
        if room is None:
            return None
        notes = await fetch_all(connection, NOTES, values)
        groups = await fetch_all(connection, GROUPS, values)
        note_votes = await fetch_all(connection, NOTE_VOTES, values) if since else []
        group_votes = await fetch_all(connection, GROUP_VOTES, values) if since else []
    is_new = since == 0 or room["state_revision"] > since
    return RoomChanges(
        room["revision"], room["now"], room if is_new else None, notes, groups, note_votes, group_votes,
        room["people"], room["voted"],
    )  # fmt: skip


async def room_revisions(connection: AsyncConnection[Any], workshops: list[int]) -> dict[int, int]:
    """Return the newest revision of rooms, by workshop."""
    rows = await fetch_all(
        connection, "select workshop_id, revision from workshop_room where workshop_id = any(%s)", (workshops,)
    )
    return {row["workshop_id"]: row["revision"] for row in rows}
