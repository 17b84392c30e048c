"""A workshop's room: everything that was confirmed is there once, and whoever was away is told exactly what they lack."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest

from telstraat_store.connection import Row
from telstraat_store.errors import BadValueError, ClosedRoomError, DuplicateError, NoSuchRecordError, TooOftenError
from telstraat_store.work import participants, room_notes, rooms, workshops
from telstraat_store.work.room_changes import RoomChanges, room_changes
from telstraat_store.work.room_notes import RoomNote

T = TypeVar("T")
VALUES: dict[str, Any] = {"title": "One evening", "question": "Where do the cars go?", "place": "", "held_at": None, "segments": [],
          "first_day": None, "last_day": None, "measure_id": None, "published": False}  # fmt: skip


@pytest.fixture
def connection(database: str) -> Any:
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def asked_of(dsn: str, work: Callable[[psycopg.AsyncConnection[Any]], Awaitable[T]]) -> T:
    async def connected() -> T:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            return await work(connection)

    return asyncio.run(connected())


@pytest.fixture
def room(database: str, connection: psycopg.Connection) -> int:
    number = asked_of(database, lambda c: workshops.add_workshop(c, None, VALUES))
    rooms.open_room(connection, number, {})
    rooms.change_room(connection, number, {"phase": "collect"})
    return number


def changes(dsn: str, room: int, since: int = 0) -> RoomChanges:
    lacking = asked_of(dsn, lambda c: room_changes(c, room, since))
    assert lacking
    return lacking


def newcomer(dsn: str, connection: psycopg.Connection, room: int, name: str = "") -> int:
    row = connection.execute("select join_code from workshop_room where workshop_id = %s", (room,)).fetchone()
    assert row
    secret = participants.new_participant_secret()
    for _ in "12":  # whoever taps twice is one participant
        participants.join_room(connection, room, row[0], name, secret)
    person = asked_of(dsn, lambda c: participants.participant_of(c, room, secret))
    assert person
    return int(person["participant_id"])


def note(body: str = "Cars wait here", kind: str = "observation", number: UUID | None = None) -> RoomNote:
    return RoomNote(number or uuid4(), kind, body, {"segment_id": 1001})


def test_a_note_that_is_sent_again_is_one_note(database: str, connection: psycopg.Connection, room: int) -> None:
    who, stranger = newcomer(database, connection, room), newcomer(database, connection, room)
    same = note()
    first = room_notes.add_room_note(connection, room, same, participant_id=who)
    again = room_notes.add_room_note(connection, room, same, participant_id=who)
    assert first["note_id"] == again["note_id"]
    with pytest.raises(DuplicateError):
        room_notes.add_room_note(connection, room, same, participant_id=stranger)
    assert [row["body"] for row in changes(database, room).notes] == ["Cars wait here"]


def test_the_same_note_sent_at_the_same_moment_by_many_lines_is_one(
    database: str, connection: psycopg.Connection, room: int
) -> None:
    who, same = newcomer(database, connection, room), note()
    numbers: list[int] = []

    def send() -> None:
        with psycopg.connect(database, autocommit=True) as own:
            numbers.append(room_notes.add_room_note(own, room, same, participant_id=who)["note_id"])

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 8
    assert len(set(numbers)) == 1
    assert len(changes(database, room).notes) == 1


def test_whoever_was_away_is_told_exactly_what_changed(
    database: str, connection: psycopg.Connection, room: int
) -> None:
    who = newcomer(database, connection, room, "Ann")
    stays = room_notes.add_room_note(connection, room, note("one"), participant_id=who)
    gone = room_notes.add_room_note(connection, room, note("two"), participant_id=who)
    before = changes(database, room).revision
    assert changes(database, room, before).notes == []
    room_notes.erase_note(connection, room, gone["note_id"])
    group = room_notes.add_group(connection, room, "Rat run")
    room_notes.put_in_group(connection, room, stays["note_id"], group)
    lacked = changes(database, room, before)
    assert [(row["note_id"], row["body"], row["group_id"]) for row in lacked.notes] == [
        (stays["note_id"], "one", group),
        (gone["note_id"], "", None),
    ]
    assert [row["title"] for row in lacked.groups] == ["Rat run"]
    assert lacked.room is None
    assert [row["note_id"] for row in changes(database, room).notes] == [stays["note_id"]]


def test_a_change_of_mind_counts_once_and_an_old_ballot_that_comes_late_changes_nothing(
    database: str, connection: psycopg.Connection, room: int
) -> None:
    who = newcomer(database, connection, room)
    first, second = (room_notes.add_room_note(connection, room, note(), participant_id=who)["note_id"] for _ in "12")
    group = room_notes.add_group(connection, room, "Rat run")
    with pytest.raises(ClosedRoomError):
        room_notes.cast_ballot(connection, room, who, 1, [first], [])
    rooms.change_room(connection, room, {"phase": "vote", "votes_each": 2})
    with pytest.raises(BadValueError, match="2 votes"):
        room_notes.cast_ballot(connection, room, who, 1, [first, second], [group])
    for _ in range(3):
        assert room_notes.cast_ballot(connection, room, who, 1, [first, second], []) == 1
    assert room_notes.cast_ballot(connection, room, who, 2, [second], [group]) == 2
    assert room_notes.cast_ballot(connection, room, who, 1, [first, second], []) == 2
    now = changes(database, room)
    assert {row["note_id"]: row["votes"] for row in now.notes} == {first: 0, second: 1}
    assert [row["votes"] for row in now.groups] == [1]
    assert now.voters == 1


def test_what_is_hidden_deleted_or_blocked_counts_no_votes(
    database: str, connection: psycopg.Connection, room: int
) -> None:
    who, rude = newcomer(database, connection, room), newcomer(database, connection, room)
    good = room_notes.add_room_note(connection, room, note(), participant_id=who)["note_id"]
    bad = room_notes.add_room_note(connection, room, note("rude"), participant_id=rude)["note_id"]
    rooms.change_room(connection, room, {"phase": "vote"})
    room_notes.cast_ballot(connection, room, who, 1, [good, bad], [])
    room_notes.cast_ballot(connection, room, rude, 1, [good, bad], [])
    participants.block_participant(connection, room, rude, is_blocked=True)
    state = {row["note_id"]: (row["votes"], row["hidden"]) for row in changes(database, room).notes}
    assert state == {good: (1, False), bad: (0, True)}
    room_notes.hide_note(connection, room, good, is_hidden=True)
    assert asked_of(database, lambda c: room_notes.ballot_of(c, who)) == []
    rooms.change_room(connection, room, {"phase": "collect"})
    with pytest.raises(ClosedRoomError, match="nothing more"):
        room_notes.add_room_note(connection, room, note(), participant_id=rude)
    rooms.change_room(connection, room, {"is_collecting": False})
    with pytest.raises(ClosedRoomError, match="no notes"):
        room_notes.add_room_note(connection, room, note(), participant_id=who)


def test_a_room_that_is_closed_forgets_its_people_and_keeps_their_number(
    database: str, connection: psycopg.Connection, room: int
) -> None:
    who = newcomer(database, connection, room, "Ann")
    number = room_notes.add_room_note(connection, room, note(), participant_id=who)["note_id"]
    rooms.change_room(connection, room, {"phase": "vote"})
    room_notes.cast_ballot(connection, room, who, 1, [number], [])
    rooms.close_room(connection, room)
    now = changes(database, room)
    assert (now.people, now.voters, now.notes[0]["votes"], now.notes[0]["first_name"]) == (1, 1, 1, "")
    row = connection.execute("select count(*) from workshop_participant").fetchone()
    assert row == (0,)
    old = now.room and now.room["join_code"]
    rooms.reopen_room(connection, room)
    assert (changes(database, room).room or {})["join_code"] != old
    with pytest.raises(ClosedRoomError):
        participants.join_room(connection, room, str(old), "", participants.new_participant_secret())


def test_whoever_leaves_takes_their_words_along(database: str, connection: psycopg.Connection, room: int) -> None:
    who = newcomer(database, connection, room, "Ann")
    room_notes.add_room_note(connection, room, note("mine"), participant_id=who)
    participants.leave_room(connection, room, who)
    assert changes(database, room).notes == []
    assert "mine" not in str(connection.execute("select n::text from workshop_note n").fetchall())


def test_nobody_writes_faster_than_people_type(database: str, connection: psycopg.Connection, room: int) -> None:
    who = newcomer(database, connection, room)
    for _ in range(room_notes.NOTES_PER_MINUTE):
        room_notes.add_room_note(connection, room, note(), participant_id=who)
    with pytest.raises(TooOftenError):
        room_notes.add_room_note(connection, room, note(), participant_id=who)
    room_notes.add_room_note(connection, room, note(), participant_id=newcomer(database, connection, room))


def test_nothing_is_put_into_a_group_of_another_workshop(
    database: str, connection: psycopg.Connection, room: int
) -> None:
    other = asked_of(database, lambda c: workshops.add_workshop(c, None, VALUES))
    rooms.open_room(connection, other, {})
    strange = room_notes.add_group(connection, other, "Elsewhere")
    with pytest.raises(NoSuchRecordError):
        room_notes.put_in_group(connection, room, 1, strange)


def test_every_change_is_told_to_every_process(database: str, connection: psycopg.Connection, room: int) -> None:
    with psycopg.connect(database, autocommit=True) as listener:
        listener.execute(f"listen {rooms.CHANNEL}")
        revision = rooms.change_room(connection, room, {"phase": "group"})
        heard = next(listener.notifies(timeout=10))
    assert heard.payload == f"{room} {revision}"


def test_a_note_of_the_time_before_rooms_is_shown_and_deleted_as_ever(
    database: str, connection: psycopg.Connection
) -> None:
    number = asked_of(database, lambda c: workshops.add_workshop(c, None, VALUES))
    row: Row = workshops.add_note(connection, number, None, "agreement", "Count again in May")
    assert row["revision"] == 0
    assert workshops.delete_note(connection, number, row["note_id"], None, of_anybody=True)
    assert asked_of(database, lambda c: workshops.notes_of(c, number)) == []
