"""What whoever leads a room does in it: phases, what everybody looks at, groups, hiding, timer, link, end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response
from psycopg import AsyncConnection

from telstraat_api.errors import NotFoundError
from telstraat_api.web.forms import PageForm, digits_in, read_form, see_other
from telstraat_api.web.measures.measure_pages import Number
from telstraat_api.web.workshops.room_access import Guest, leader_of
from telstraat_api.web.workshops.room_chart import DAYS_MAX
from telstraat_api.web.workshops.room_pages import lead
from telstraat_api.web.workshops.room_shapes import BODY_MAX, CHOOSE, client_id_of
from telstraat_api.web.workshops.room_writing import as_json, wants_json
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database
from telstraat_store.errors import BadValueError, NoSuchRecordError
from telstraat_store.work import room_notes, rooms
from telstraat_store.work.participants import block_participant
from telstraat_store.work.room_notes import RoomNote

router = APIRouter(include_in_schema=False)
BIGGEST = 2**63 - 1
TITLE_MAX = 80
BACKWARDS = gettext_noop("This day lies before the first one.")
TOO_MANY_DAYS = gettext_noop("Choose up to 400 days.")
Action = Callable[[AsyncConnection[Any], Guest, PageForm], Awaitable[None]]


async def set_phase(connection: AsyncConnection[Any], guest: Guest, form: PageForm) -> None:
    """Go to another phase; a timer that ran belongs to the one before."""
    if form.value("phase") not in rooms.PHASES:
        form.errors["phase"] = CHOOSE
        return
    await rooms.change_room(connection, number_of(guest), {"phase": form.value("phase"), "timer_until": None})


async def set_look(connection: AsyncConnection[Any], guest: Guest, form: PageForm) -> None:
    """Say what everybody looks at: the map, or a street's days."""
    street = form.value("look")
    if street == "map":
        await rooms.change_room(connection, number_of(guest), {"looked_at": {"view": "map"}})
        return
    number = digits_in(street)
    if number not in guest.workshop["segments"]:
        form.errors["look"] = CHOOSE
    first, last = form.day("first"), form.day("last")
    check_days(form, first, last)
    if form.errors or first is None or last is None:
        return
    look = {"view": "street", "segment_id": number, "first": first.isoformat(), "last": last.isoformat()}
    await rooms.change_room(connection, number_of(guest), {"looked_at": look})


def check_days(form: PageForm, first: date | None, last: date | None) -> None:
    """Mark days that are in the wrong order, or too many."""
    if first is None or last is None:
        return
    if last < first:
        form.errors["last"] = BACKWARDS
    elif (last - first).days >= DAYS_MAX:
        form.errors["last"] = TOO_MANY_DAYS


async def set_timer(connection: AsyncConnection[Any], guest: Guest, form: PageForm) -> None:
    """Set the timer to so many minutes from now; 0 stops it."""
    minutes = form.whole("minutes", 0, 180)
    if minutes is not None:
        values = {"timer_s": minutes * 60} if minutes else {"timer_until": None}
        await rooms.change_room(connection, number_of(guest), values)


async def set_collecting(connection: AsyncConnection[Any], guest: Guest, form: PageForm) -> None:
    """Take notes, or take none."""
    await rooms.change_room(connection, number_of(guest), {"is_collecting": form.value("collecting") == "yes"})


async def set_votes(connection: AsyncConnection[Any], guest: Guest, form: PageForm) -> None:
    """Say how many votes each has."""
    votes = form.whole("votes_each", 1, 20)
    if votes is not None:
        await rooms.change_room(connection, number_of(guest), {"votes_each": votes})


async def add_group(connection: AsyncConnection[Any], guest: Guest, form: PageForm) -> None:
    """Make a group, with a note in it when one is named."""
    title = form.text("title", longest=TITLE_MAX)
    note = form.whole("note", 1, BIGGEST, needed=False)
    if form.errors:
        return
    group = await room_notes.add_group(connection, number_of(guest), title, client_id_of(form))
    if note is not None:
        await room_notes.put_in_group(connection, number_of(guest), note, group)


async def rename_group(connection: AsyncConnection[Any], guest: Guest, form: PageForm) -> None:
    """Give a group another name."""
    group, title = form.whole("group", 1, BIGGEST), form.text("title", longest=TITLE_MAX)
    if group is not None and not form.errors:
        await room_notes.rename_group(connection, number_of(guest), group, title)


async def delete_group(connection: AsyncConnection[Any], guest: Guest, form: PageForm) -> None:
    """Take a group apart."""
    group = form.whole("group", 1, BIGGEST)
    if group is not None:
        await room_notes.delete_group(connection, number_of(guest), group)


async def move_note(connection: AsyncConnection[Any], guest: Guest, form: PageForm) -> None:
    """Put a note into a group, or out of any."""
    note, group = form.whole("note", 1, BIGGEST), form.whole("group", 1, BIGGEST, needed=False)
    if note is not None and not form.errors:
        await room_notes.put_in_group(connection, number_of(guest), note, group)


async def hide_note(connection: AsyncConnection[Any], guest: Guest, form: PageForm) -> None:
    """Hide a note, or show it again."""
    note = form.whole("note", 1, BIGGEST)
    if note is not None:
        await room_notes.hide_note(connection, number_of(guest), note, is_hidden=form.value("hidden") != "no")


async def delete_note(connection: AsyncConnection[Any], guest: Guest, form: PageForm) -> None:
    """Delete the words of a note."""
    note = form.whole("note", 1, BIGGEST)
    if note is not None:
        await room_notes.erase_note(connection, number_of(guest), note)


async def write_agreement(connection: AsyncConnection[Any], guest: Guest, form: PageForm) -> None:
    """Write down what is agreed."""
    body = form.text("body", longest=BODY_MAX)
    if not form.errors:
        note = RoomNote(client_id_of(form), "agreement", body)
        await room_notes.add_room_note(connection, number_of(guest), note, account_id=guest.reader.account_id)


async def block(connection: AsyncConnection[Any], guest: Guest, form: PageForm) -> None:
    """Take nothing more from a phone, or take it again."""
    who = form.whole("participant", 1, BIGGEST)
    if who is not None:
        await block_participant(connection, number_of(guest), who, is_blocked=form.value("blocked") != "no")


async def renew_code(connection: AsyncConnection[Any], guest: Guest, _: PageForm) -> None:
    """Make the link anew: the old one lets nobody in any more; whoever is in stays in."""
    await rooms.change_room(connection, number_of(guest), {"join_code": rooms.new_code()})


async def extend(connection: AsyncConnection[Any], guest: Guest, form: PageForm) -> None:
    """Keep the room open for longer."""
    hours = form.whole("hours", 1, 24 * 60)
    if hours is not None:
        await rooms.change_room(connection, number_of(guest), {"extend_h": hours})


async def close(connection: AsyncConnection[Any], guest: Guest, _: PageForm) -> None:
    """Close the room and forget who was in it."""
    await rooms.close_room(connection, number_of(guest))


async def reopen(connection: AsyncConnection[Any], guest: Guest, _: PageForm) -> None:
    """Open the room again, with a new code."""
    await rooms.reopen_room(connection, number_of(guest))


ACTIONS: dict[str, Action] = {
    "phase": set_phase, "look": set_look, "timer": set_timer, "collecting": set_collecting, "votes": set_votes,
    "add-group": add_group, "rename-group": rename_group, "delete-group": delete_group, "move": move_note,
    "hide": hide_note, "delete": delete_note, "agree": write_agreement, "block": block, "renew": renew_code,
    "extend": extend, "close": close, "reopen": reopen,
}  # fmt: skip


def number_of(guest: Guest) -> int:
    """Return the workshop's number."""
    return int(guest.workshop["workshop_id"])


@router.post("/workshops/{workshop_id}/lead")
async def do(request: Request, workshop_id: Number) -> Response:
    """Do what a form of the leader's page asks for (`do`)."""
    form = await read_form(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        guest = await leader_of(request, connection, workshop_id)
        action = ACTIONS.get(form.value("do"))
        if action is None:
            raise NotFoundError("there is nothing of that name to do in a room")
        try:
            await action(connection, guest, form)
        except (BadValueError, NoSuchRecordError) as error:
            form.errors["do"] = str(error)
        if form.errors and wants_json(request):
            return as_json({"errors": form.errors}, 422)
        if form.errors:
            return await lead(request, connection, guest, form, 422)
    return as_json({}) if wants_json(request) else see_other(f"/workshops/{workshop_id}/lead")
