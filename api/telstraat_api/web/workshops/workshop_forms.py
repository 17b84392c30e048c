"""Workshops as lists and forms: all that one may see, a new one, a change, its end."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from psycopg import AsyncConnection

from telstraat_api.errors import NotFoundError
from telstraat_api.http.access import Reader, Role, require_role
from telstraat_api.v1.resources import audience_of, owns, require_changeable
from telstraat_api.web.forms import PageForm, digits_in, read_form, see_other, signed_in
from telstraat_api.web.measures.measure_pages import Number, rendered
from telstraat_api.web.pages import page_number, page_reader
from telstraat_api.web.workshops.room_chart import first_look
from telstraat_api.web.workshops.room_leading import check_days
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database, Row
from telstraat_store.counts.windows import zone
from telstraat_store.places.segments import list_counted_segments, names_of, segments_named, timezones_of
from telstraat_store.work.measures import find_measure, newest_measures
from telstraat_store.work.published import NewestPage
from telstraat_store.work.rooms import find_room, open_room
from telstraat_store.work.workshops import (
    add_workshop,
    change_workshop,
    delete_workshop,
    find_workshop,
    newest_workshops,
)

router = APIRouter(include_in_schema=False)
LISTED = 50
MEASURES_OFFERED = 500
TICKED_MAX = 60
"""Streets that are offered with a box each; others are named."""

STREETS_MAX = 100
UNKNOWN_STREET = gettext_noop("There is no street of this name or number: {name}")
NO_TIME = gettext_noop("This is not a time.")
NEEDS_STREETS = gettext_noop("Choose a street, or a measure whose streets are looked at.")


@router.get("/workshops")
async def workshops_page(request: Request) -> Response:
    """List the workshops that one may see, the newest first."""
    database: Database = request.app.state.database
    reader = await page_reader(request)
    page = page_number(request)
    async with database.connection() as connection:
        workshops, has_older = await newest_workshops(connection, audience_of(reader), NewestPage(page, LISTED))
        names = await names_of(connection, sorted({n for workshop in workshops for n in workshop["segments"]}))
    own = {workshop["workshop_id"] for workshop in workshops if owns(reader, workshop)}
    return rendered(
        request, "workshops/workshops.html", workshops=workshops, own=own, names=names, tz=zone("UTC"),
        may_add=reader.role >= Role.PROFESSIONAL, page=page, has_older=has_older,
    )  # fmt: skip


@router.get("/workshops/new")
async def new_workshop(request: Request, measure: int | None = None) -> Response:
    """Ask what a workshop is about."""
    await signed_in(request, Role.PROFESSIONAL)
    form = PageForm({"measure": [str(measure)]} if measure else {})
    return await form_page(request, form, None)


@router.post("/workshops/new")
async def make_workshop(request: Request) -> Response:
    """Prepare a workshop, open its room, and go there."""
    reader = await signed_in(request, Role.PROFESSIONAL)
    form = await read_form(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        values = await values_of(connection, form, reader)
        if form.errors:
            return await form_page(request, form, None, 422)
        number = await add_workshop(connection, reader.account_id, values)
        workshop = await find_workshop(connection, number)
        assert workshop is not None
        look = first_look(workshop, datetime.now(await zone_of(connection, workshop["segments"])).date())
        await open_room(connection, number, look, workshop["held_at"])
    return see_other(f"/workshops/{number}/lead")


@router.post("/workshops/{workshop_id}/open")
async def open_rooms_door(request: Request, workshop_id: Number) -> Response:
    """Open the room of a workshop that has none, as those from the time before rooms."""
    reader = await signed_in(request)
    await read_form(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        workshop = await changeable(connection, reader, workshop_id)
        look = first_look(workshop, datetime.now(await zone_of(connection, workshop["segments"])).date())
        await open_room(connection, workshop_id, look, workshop["held_at"])
    return see_other(f"/workshops/{workshop_id}/lead")


@router.get("/workshops/{workshop_id}/edit")
async def edit_workshop(request: Request, workshop_id: Number) -> Response:
    """Ask what changes of a workshop."""
    reader = await signed_in(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        workshop = await changeable(connection, reader, workshop_id)
        tz = await zone_of(connection, workshop["segments"])
    held = workshop["held_at"] and workshop["held_at"].astimezone(tz)
    fields = {
        "title": workshop["title"], "question": workshop["question"], "place": workshop["place"],
        "held_day": held.date().isoformat() if held else "", "held_time": f"{held:%H:%M}" if held else "",
        "first": day_text(workshop["first_day"]), "last": day_text(workshop["last_day"]),
        "measure": str(workshop["measure_id"] or ""), "published": "yes" if workshop["published"] else "",
    }  # fmt: skip
    form = PageForm({name: [value] for name, value in fields.items()})
    form.fields["street"] = [str(number) for number in workshop["segments"]]
    return await form_page(request, form, workshop)


@router.post("/workshops/{workshop_id}/edit")
async def save_workshop(request: Request, workshop_id: Number) -> Response:
    """Change a workshop."""
    reader = await signed_in(request)
    form = await read_form(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        workshop = await changeable(connection, reader, workshop_id)
        values = await values_of(connection, form, reader)
        if form.errors:
            return await form_page(request, form, workshop, 422)
        await change_workshop(connection, workshop, values)
    return see_other(f"/workshops/{workshop_id}")


@router.post("/workshops/{workshop_id}/delete")
async def remove_workshop(request: Request, workshop_id: Number) -> Response:
    """Delete a workshop with its room, notes, votes and links, when its maker has ticked that this is meant."""
    reader = await signed_in(request)
    form = await read_form(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await changeable(connection, reader, workshop_id)
        if form.value("sure") != "yes":
            return see_other(f"/workshops/{workshop_id}/edit")
        await delete_workshop(connection, workshop_id)
    return see_other("/workshops")


async def changeable(connection: AsyncConnection[Any], reader: Reader, workshop_id: int) -> Row:
    """Return a workshop that the reader may change.

    Raises
    ------
    NotFoundError
        There is no such workshop, or none for whoever asks: both are answered alike, as in its room.
    ForbiddenError
        Whoever asks may only see it.
    """
    workshop = require_changeable(await find_workshop(connection, workshop_id), reader, "workshop", workshop_id)
    require_role(reader, Role.PROFESSIONAL)
    return workshop


def day_text(day: date | None) -> str:
    """Return a day as forms have it; empty for none."""
    return "" if day is None else day.isoformat()


async def zone_of(connection: AsyncConnection[Any], segments: list[int]) -> ZoneInfo:
    """Return the time zone of the first of some streets; UTC without any."""
    zones = await timezones_of(connection, segments)
    return zone(next(iter(zones.values()), "UTC"))


async def form_page(request: Request, form: PageForm, workshop: Row | None, status: int = 200) -> Response:
    """Return the form of a workshop."""
    reader = await page_reader(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        streets = {row["segment_id"]: row["name"] for row in await list_counted_segments(connection)}
        measures, _ = await newest_measures(connection, audience_of(reader), NewestPage(1, MEASURES_OFFERED))
        ticked = {number for value in form.values("street") if (number := digits_in(value)) is not None}
        streets |= await names_of(connection, sorted(ticked - set(streets)))
        room = None if workshop is None else await find_room(connection, workshop["workshop_id"])
    offered = [number for number in streets if number in ticked]
    offered += [number for number in streets if number not in ticked][: TICKED_MAX - len(offered)]
    return rendered(
        request, "workshops/edit.html", status=status, form=form, workshop=workshop, room=room, ticked=ticked,
        streets={number: streets[number] for number in offered}, is_cut=len(offered) < len(streets), measures=measures,
    )  # fmt: skip


async def values_of(connection: AsyncConnection[Any], form: PageForm, reader: Reader) -> dict[str, Any]:
    """Return the columns that a form says; what cannot be used is marked in it."""
    segments = await streets_of(connection, form)
    measure_id = form.whole("measure", 1, 2**63 - 1, needed=False)
    measure = None if measure_id is None else await find_measure(connection, measure_id)
    if measure_id is not None and (measure is None or not (measure["published"] or reader.role >= Role.PROFESSIONAL)):
        raise NotFoundError(f"there is no measure {measure_id}")
    if measure is not None and not segments:
        segments = [*measure["treated"], *measure["boundary"]][:STREETS_MAX]
    if not segments:
        form.errors.setdefault("street", NEEDS_STREETS)
    first, last = form.day("first", needed=False), form.day("last", needed=False)
    check_days(form, first, last)
    return {
        "title": form.text("title", longest=200),
        "question": form.text("question", longest=300),
        "place": form.text("place", longest=200, needed=False),
        "held_at": moment_of(form, await zone_of(connection, segments)),
        "segments": segments,
        "first_day": first,
        "last_day": last,
        "measure_id": measure_id,
        "published": form.value("published") == "yes",
    }


async def streets_of(connection: AsyncConnection[Any], form: PageForm) -> list[int]:
    """Return the streets that are ticked or named in a form; one that is not there is marked."""
    ticked = [number for value in form.values("street") if (number := digits_in(value)) is not None]
    lines = [line.strip() for line in form.text("more", longest=4000, needed=False).splitlines() if line.strip()]
    known = await names_of(connection, ticked)
    segments = [number for number in ticked if number in known]
    for line in lines[:STREETS_MAX]:
        called = await segments_named(connection, line, 1)
        segments += [row["segment_id"] for row in called]
        if not called:
            form.errors["more"] = UNKNOWN_STREET
            form.fields["unknown"] = [line[:60]]
    return list(dict.fromkeys(segments))[:STREETS_MAX]


def moment_of(form: PageForm, tz: ZoneInfo) -> datetime | None:
    """Return when a workshop is held, by the clock of its streets; None where no day stands."""
    day = form.day("held_day", needed=False)
    clock = form.text("held_time", longest=8, needed=False) or "19:00"
    if day is None:
        return None
    try:
        return datetime.fromisoformat(f"{day.isoformat()}T{clock}").replace(tzinfo=tz).astimezone(UTC)
    except ValueError:
        form.errors["held_time"] = NO_TIME
        return None
