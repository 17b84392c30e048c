"""The workshop about the school street as it stands: phones that joined, what they wrote and where they pinned it, groups and votes.

The room stays open, so that a visitor who plays the facilitator leads it on, and one with a phone joins it. Everything has a
number made from its words: a set-up that was interrupted goes on, and writes nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

from telstraat_demo.town.plan import TownPlan
from telstraat_store.accounts.secrets import new_secret
from telstraat_store.work.participants import PARTICIPANT_PREFIX, join_room, list_participants
from telstraat_store.work.room_notes import RoomNote, add_group, add_room_note, cast_ballot, put_in_group
from telstraat_store.work.rooms import change_room, open_room
from telstraat_store.work.workshops import change_workshop, find_workshop

NAMESPACE = UUID("7e15a0de-0000-4000-8000-0000000c0de5")
OPEN_FOR = timedelta(days=30)
SCHOOL_RUN_H, AFTERNOON_H = 8, 15


@dataclass(frozen=True)
class WrittenNote:
    """Something that a participant wrote."""

    by: str
    kind: str
    body: str
    street: str = ""
    hour: int | None = None
    group: str = ""
    expected: tuple[str, int] | None = None
    """Which traffic changes by how many percent."""


QUESTION = "How do all children come to school safely, and where will the cars go?"
GATE, BEHIND, SAFE = "Around the school gate", "Where will the cars go?", "Coming on foot and by bicycle"
NOTES = (
    WrittenNote("Joris", "observation", "Two waves of cars, a quarter of an hour each.", "Schoolstraat", SCHOOL_RUN_H, GATE),
    WrittenNote("Fatima", "observation", "In the afternoon it is calmer: some stay at the after-school club.", "Schoolstraat", AFTERNOON_H, GATE),
    WrittenNote("Wim", "cause", "Many drive on to work and drop the children on the way.", "Schoolstraat", SCHOOL_RUN_H, GATE),
    WrittenNote("Anna", "observation", "Most bicycles come from the quay: that crossing is what matters.", "Vaartkaai", None, SAFE),
    WrittenNote("Els", "cause", "My children may not cycle because of the lorries at the corner.", "Stationsstraat", SCHOOL_RUN_H, SAFE),
    WrittenNote("Noor", "proposal", "A kiss-and-ride at the station, five minutes on foot.", "Stationsstraat", None, GATE),
    WrittenNote("Joris", "proposal", "Close the street for half an hour, twice a day.", "Schoolstraat", SCHOOL_RUN_H, GATE, ("car", -60)),
    WrittenNote("Wim", "observation", "Brugstraat is full already at half past eight.", "Brugstraat", SCHOOL_RUN_H, BEHIND),
    WrittenNote("Fatima", "proposal", "Count Brugstraat and Stationsstraat for six weeks before anything is closed.", "Brugstraat", None, BEHIND),
    WrittenNote("Els", "proposal", "A bicycle train from Vaartkaai, with two parents each morning.", "Vaartkaai", SCHOOL_RUN_H, SAFE, ("bike", 20)),
    WrittenNote("Noor", "cause", "The one-way street behind forces everybody past the gate.", "Schoolstraat", None, BEHIND),
)  # fmt: skip
PEOPLE = tuple(dict.fromkeys(note.by for note in NOTES))
VOTES: Mapping[str, tuple[int, ...]] = {
    "Joris": (6, 9, 8), "Fatima": (8, 9, 6), "Wim": (8, 5), "Anna": (9, 6, 8), "Els": (9, 6), "Noor": (5, 9, 6),
}  # fmt: skip
"""For which notes each has voted, by their place in the list."""


async def hold_workshop(
    connection: AsyncConnection[Any], workshop_id: int, segments: Mapping[str, int], plan: TownPlan, zone: ZoneInfo
) -> None:
    """Have the workshop's room as the evening left it; a room that a visitor has closed stays closed.

    Parameters
    ----------
    connection
        With all rights, committing by itself.
    workshop_id
        The workshop, which is there already.
    segments
        Numbers of the streets, by name.
    plan
        Says when the evening was.
    zone
        Of the town.
    """
    workshop = await find_workshop(connection, workshop_id)
    if workshop is not None and not workshop["question"]:
        await change_workshop(connection, workshop, {"question": QUESTION})
    held = workshop_day(plan)
    days = {"first": (held - timedelta(days=14)).isoformat(), "last": (held - timedelta(days=1)).isoformat()}
    look = {"view": "street", "segment_id": segments["Schoolstraat"], **days}
    room = await open_room(connection, workshop_id, look, datetime.now(UTC) + OPEN_FOR)
    if not room["is_open"] or room["phase"] == "agree":
        return
    people = await _participants(connection, workshop_id, room["join_code"])
    if room["phase"] == "look":
        await change_room(connection, workshop_id, {"phase": "collect"})
    numbers = []
    for note in NOTES:
        pinned = {"segment_id": segments[note.street], **_hour(held - timedelta(days=1), note.hour, zone)}
        expected = note.expected and {"what": note.expected[0], "change": note.expected[1]}
        sent = RoomNote(uuid5(NAMESPACE, f"{workshop_id} {note.body}"), note.kind, note.body, pinned, expected)
        row = await add_room_note(connection, workshop_id, sent, participant_id=people[note.by])
        numbers.append(int(row["note_id"]))
    for title in dict.fromkeys(note.group for note in NOTES):
        group_id = await add_group(connection, workshop_id, title, uuid5(NAMESPACE, f"{workshop_id} {title}"))
        for number, note in zip(numbers, NOTES, strict=True):
            if note.group == title:
                await put_in_group(connection, workshop_id, number, group_id)
    await change_room(connection, workshop_id, {"phase": "vote"})
    for name, chosen in VOTES.items():
        await cast_ballot(connection, workshop_id, people[name], 1, [numbers[at] for at in chosen], [])


def workshop_day(plan: TownPlan) -> date:
    """Return the evening's day: a Thursday of the week before the demo began."""
    day = plan.began_at.date() - timedelta(days=7)
    return day - timedelta(days=(day.weekday() - 3) % 7)


async def _participants(connection: AsyncConnection[Any], workshop_id: int, code: str) -> dict[str, int]:
    """Return the numbers of all that take part, by first name; whoever is not there joins."""
    for name in PEOPLE:
        known = {row["first_name"] for row in await list_participants(connection, workshop_id)}
        if name not in known:
            await join_room(connection, workshop_id, code, name, new_secret(PARTICIPANT_PREFIX))
    return {row["first_name"]: int(row["participant_id"]) for row in await list_participants(connection, workshop_id)}


def _hour(day: date, hour: int | None, zone: ZoneInfo) -> dict[str, str]:
    """Return an hour of a school day as a pin says it."""
    if hour is None:
        return {}
    start = datetime.combine(day, time(hour), zone).astimezone(UTC)
    return {name: f"{at:%Y-%m-%dT%H:%M:%SZ}" for name, at in (("from", start), ("until", start + timedelta(hours=1)))}
