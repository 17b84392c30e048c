"""A workshop's room on three kinds of screen: phones that take part, the wall, and whoever leads."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Annotated, Any

import orjson
import segno
from fastapi import APIRouter, Path, Query, Request, Response
from markupsafe import Markup
from psycopg import AsyncConnection
from starlette.responses import StreamingResponse

from telstraat_api.errors import NotFoundError
from telstraat_api.http.rates import Buckets, asker_of
from telstraat_api.settings import ApiSettings
from telstraat_api.v1.resources import audience_of, sees
from telstraat_api.web.forms import PageForm, read_form, see_other
from telstraat_api.web.languages import PageLanguage, chosen, page_language
from telstraat_api.web.measures.measure_pages import Number, rendered
from telstraat_api.web.pages import Pages, page_reader
from telstraat_api.web.workshops.expectations import Outcome, outcomes
from telstraat_api.web.workshops.room_access import (
    Guest,
    cookie_of,
    guest_of,
    leader_of,
    remember_participant,
)
from telstraat_api.web.workshops.room_chart import RoomCharts, looked_at_of
from telstraat_api.web.workshops.room_hub import RoomHub
from telstraat_api.web.workshops.room_map import read_map
from telstraat_api.web.workshops.room_shapes import changes_shape
from telstraat_api.web.workshops.room_words import BODY_MAX, PHASE_NAMES, ROOM_KINDS, WORDS
from telstraat_contract.languages import gettext_noop
from telstraat_store.accounts.secrets import SECRET_BYTES
from telstraat_store.connection import Database, Row
from telstraat_store.counts.windows import zone
from telstraat_store.errors import BadValueError, ClosedRoomError, UnavailableError
from telstraat_store.places.segments import names_of, timezones_of
from telstraat_store.work.evaluations import results_of_measure
from telstraat_store.work.measures import find_measure
from telstraat_store.work.participants import (
    PARTICIPANT_PREFIX,
    join_room,
    list_participants,
    new_participant_secret,
    participant_of,
)
from telstraat_store.work.room_changes import room_changes
from telstraat_store.work.room_notes import ballot_of, notes_of_participant
from telstraat_store.work.rooms import CODE_LENGTH, CODE_LETTERS, find_room, room_by_code
from telstraat_store.work.workshops import find_workshop

router = APIRouter(include_in_schema=False)
BEAT_S = 15.0
ASKED_AGAIN_S = 15.0
"""So long may somebody go on looking who has left, has signed out or leads no more."""
NAME_MAX = 30
Since = Annotated[int, Query(ge=0, le=2**63 - 1)]
Code = Annotated[str, Path(min_length=1, max_length=40)]
WRONG_CODE = gettext_noop("This code opens no room: it is mistyped, was made anew, or the room is closed.")
FULL = gettext_noop("This room is full: it holds 500 phones.")
KEEPING = gettext_noop(
    "The room is open until {at}. When it closes, first names and cookies are deleted; notes and votes stay without names until the workshop is deleted."
)
WRONG_CODES = Buckets(per_minute=20, burst=60)
JOINED = Buckets(per_minute=120, burst=400)
"""From one address: a hall behind one address joins within minutes; whoever stuffs votes with new cookies is slowed down."""


def typed_code(text: str) -> str:
    """Return a code as it was typed from the wall: in any case, with spaces or dashes."""
    return "".join(letter for letter in text.upper() if letter in CODE_LETTERS)[: CODE_LENGTH + 1]


def address_of(request: Request, path: str) -> str:
    """Return a path as an address that other devices open."""
    settings: ApiSettings = request.app.state.settings
    return (settings.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}") + path


def qr_code(address: str, label: str) -> Markup:
    """Return an address as a picture that phones read."""
    code = segno.make(address, error="m", micro=False)
    svg = code.svg_inline(scale=1, border=2, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None)
    return Markup(svg.replace("<svg ", f'<svg role="img" aria-label="{Markup.escape(label)}" ', 1))  # noqa: S704


@router.get("/join")
async def type_code(request: Request, code: Annotated[str, Query(max_length=40)] = "") -> Response:
    """Ask for the code that stands on the wall."""
    await page_reader(request)
    if typed_code(code):
        return see_other(f"/join/{typed_code(code)}")
    return door(request, PageForm())


@router.get("/join/{code}")
async def offer_to_join(request: Request, code: Code) -> Response:
    """Say which room a code opens, and ask for a first name; whoever has joined already goes in."""
    await page_reader(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        room = await room_by_code(connection, typed_code(code))
        if room is None:
            return wrong_code(request)
        secret = request.cookies.get(cookie_of(room["workshop_id"]))
        if secret and await participant_of(connection, room["workshop_id"], secret):
            return see_other(f"/workshops/{room['workshop_id']}/room")
    return door(request, PageForm(), room=room, secret=new_participant_secret())


@router.post("/join/{code}")
async def take_part(request: Request, code: Code) -> Response:
    """Let somebody in, and let the phone remember it. Sent twice, it is one participant."""
    await page_reader(request)
    form = await read_form(request)
    name = form.text("first_name", longest=NAME_MAX, needed=False)
    secret = form.value("once")
    if not secret.startswith(PARTICIPANT_PREFIX) or not SECRET_BYTES < len(secret) <= 60 or not secret.isascii():
        secret = new_participant_secret()
    database: Database = request.app.state.database
    async with database.connection() as connection:
        room = await room_by_code(connection, typed_code(code))
        if room is None:
            return wrong_code(request)
        if form.errors:
            return door(request, form, 422, room=room, secret=secret)
        if JOINED.take(asker_of(request.scope)):
            raise ClosedRoomError("many have joined from your network just now; try again in a minute")
        try:
            await join_room(connection, room["workshop_id"], room["join_code"], " ".join(name.split()), secret)
        except BadValueError:
            form.errors["first_name"] = FULL
            return door(request, form, 422, room=room, secret=secret)
    response = see_other(f"/workshops/{room['workshop_id']}/room")
    return remember_participant(request, response, room, secret)


def wrong_code(request: Request) -> Response:
    """Say that a code opens nothing; whoever tries many waits."""
    if WRONG_CODES.take(asker_of(request.scope)):
        raise ClosedRoomError("too many codes were tried from your network; try again in a minute")
    form = PageForm()
    form.errors["code"] = WRONG_CODE
    return door(request, form, 404)


def door(
    request: Request,
    form: PageForm,
    status: int = 200,
    *,
    room: Row | None = None,
    secret: str = "",
    closed: Row | None = None,
    is_out: bool = False,
) -> Response:
    """Return the page on which one joins; `closed` is the workshop in whose room this phone was, `is_out` that it is in none."""
    keeping = keeping_text(room, page_language(chosen(request))) if room else ""
    return rendered(
        request, "workshops/join.html", status=status, form=form, room=room, secret=secret, closed=closed,
        is_out=is_out, keeping=keeping,
    )  # fmt: skip


def keeping_text(room: Row, _: PageLanguage, tz: tzinfo = UTC) -> str:
    """Return what is kept of a room's people, and until when."""
    return _(KEEPING, at=_.moment(room["ends_at"], tz))


def by_votes(things: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return notes or groups: those with most votes first, then the newest."""
    return sorted(things, key=lambda thing: (-thing["votes"], -thing["id"]))


async def outcomes_in(
    connection: AsyncConnection[Any], guest: Guest, notes: Sequence[Mapping[str, Any]], _: PageLanguage
) -> tuple[Row | None, list[Outcome]]:
    """Return the measure that a room is about, as far as the guest may see it, and what became of what was expected of it."""
    number = guest.workshop["measure_id"]
    measure = None if number is None else await find_measure(connection, number)
    if measure is None or not sees(guest.reader, measure):
        return None, []
    results = await results_of_measure(connection, number, audience_of(guest.reader))
    expecting = [{**note, "note_id": note["id"]} for note in notes if note["expected"] and not note.get("hidden")]
    return measure, outcomes(expecting, results, _) if results else []


async def room_context(
    request: Request, connection: AsyncConnection[Any], guest: Guest, *, is_lead: bool = False
) -> dict[str, Any]:
    """Return what every screen of a room is drawn from: everything in it, its streets, and what it looks at."""
    number = guest.workshop["workshop_id"]
    changes = await room_changes(connection, number, 0)
    if changes is None:
        raise NotFoundError("this room is gone")
    _ = page_language(chosen(request))
    names = await names_of(connection, guest.workshop["segments"])
    zones = await timezones_of(connection, guest.workshop["segments"])
    state = changes_shape(changes, 0, is_lead=is_lead)
    notes = [note for note in state.get("notes", ()) if "gone" not in note]
    measure, became = await outcomes_in(connection, guest, notes, _)
    tz = zone(next(iter(zones.values()), "UTC"))
    return {
        "workshop": guest.workshop,
        "room": guest.room,
        "state": state,
        "notes": notes,
        "by_votes": by_votes,
        "measure": measure,
        "outcomes": became,
        "keeping": keeping_text(guest.room, _, tz),
        "groups": state.get("groups", []),
        "names": names,
        "tz": tz,
        "map": await read_map(connection, guest.workshop["segments"]),
        "words": {name: _(text) for name, text in WORDS.items()},
        "phases": PHASE_NAMES,
        "kinds": ROOM_KINDS,
        "body_max": BODY_MAX,
        "join_url": address_of(request, f"/join/{guest.room['join_code']}"),
        "qr": qr_code(address_of(request, f"/join/{guest.room['join_code']}"), _(gettext_noop("Code to take part"))),
        "guest": guest,
    }


@router.get("/workshops/{workshop_id}/room")
async def phone_page(request: Request, workshop_id: Number) -> Response:
    """Show a participant the room: the question, the chart that everybody looks at, what others said, and what one may add."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        try:
            guest = await guest_of(request, connection, workshop_id)
        except NotFoundError:
            guest = None
        if guest is None or guest.participant is None:
            was_in = cookie_of(workshop_id) in request.cookies  # nobody else is told that the room is there
            room = await find_room(connection, workshop_id) if was_in else None
            closed = None if room is None or room["is_open"] else await find_workshop(connection, workshop_id)
            return door(request, PageForm(), 404, closed=closed, is_out=closed is None)
        return await phone(request, connection, guest, PageForm())


async def phone(
    request: Request, connection: AsyncConnection[Any], guest: Guest, form: PageForm, status: int = 200
) -> Response:
    """Return a participant's page, with the form as it was sent."""
    assert guest.participant is not None
    who = guest.participant["participant_id"]
    ballot = await ballot_of(connection, who)
    context = await room_context(request, connection, guest)
    own = {
        "notes": await notes_of_participant(connection, who),
        "ballot": [f"n{vote['note_id']}" if vote["note_id"] else f"g{vote['group_id']}" for vote in ballot],
        "sequence": guest.participant["ballot_sequence"],
    }
    context["chart"] = await chart_of(request, guest)
    response = rendered(request, "workshops/phone.html", status=status, form=form, own=own, **context)
    secret = request.cookies.get(cookie_of(guest.workshop["workshop_id"]))
    return remember_participant(request, response, guest.room, secret) if secret else response


async def chart_of(request: Request, guest: Guest) -> Markup:
    """Return the figure that the room looks at; empty when it is the map."""
    charts: RoomCharts = request.app.state.room_charts
    look = looked_at_of(guest.room["looked_at"])
    return Markup("") if look is None else await charts.figure(look, page_language(chosen(request)))


@router.get("/workshops/{workshop_id}/screen")
async def screen_page(request: Request, workshop_id: Number) -> Response:
    """Show the room on the wall: no controls, the code always in view."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        guest = await guest_of(request, connection, workshop_id)
        context = await room_context(request, connection, guest)
    return rendered(request, "workshops/screen.html", chart=await chart_of(request, guest), **context)


@router.get("/workshops/{workshop_id}/lead")
async def lead_page(request: Request, workshop_id: Number) -> Response:
    """Show whoever leads what they lead with."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        guest = await leader_of(request, connection, workshop_id)
        return await lead(request, connection, guest, PageForm())


async def lead(
    request: Request, connection: AsyncConnection[Any], guest: Guest, form: PageForm, status: int = 200
) -> Response:
    """Return the leader's page, with a form as it was sent."""
    context = await room_context(request, connection, guest, is_lead=True)
    people = await list_participants(connection, guest.workshop["workshop_id"])
    chart = await chart_of(request, guest)
    return rendered(request, "workshops/lead.html", status=status, form=form, people=people, chart=chart, **context)


@router.get("/workshops/{workshop_id}/figure")
async def figure(request: Request, workshop_id: Number) -> Response:
    """Return the figure that the room looks at now, to be put in the place of the one before."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        guest = await guest_of(request, connection, workshop_id)
    headers = {"Cache-Control": "private, no-cache"}
    return Response(str(await chart_of(request, guest)), media_type="text/html", headers=headers)


@router.get("/workshops/{workshop_id}/people")
async def people_part(request: Request, workshop_id: Number) -> Response:
    """Return the table of who is in the room, for whoever leads it."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    async with database.connection() as connection:
        guest = await leader_of(request, connection, workshop_id)
        people = await list_participants(connection, workshop_id)
    body = pages.html(request, "workshops/people.html", workshop=guest.workshop, people=people)
    return Response(body, media_type="text/html", headers={"Cache-Control": "private, no-cache"})


@router.get("/workshops/{workshop_id}/state")
async def state(request: Request, workshop_id: Number, since: Since = 0, *, lead: bool = False) -> Response:
    """Return what changed in a room after a revision, for a browser without a stream."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        guest = await guest_of(request, connection, workshop_id)
        changes = await room_changes(connection, workshop_id, since)
        if changes is not None and changes.revision < since:
            since = 0
            changes = await room_changes(connection, workshop_id, since)
    if changes is None:
        raise NotFoundError("this room is gone")
    body = orjson.dumps(changes_shape(changes, since, is_lead=lead and guest.leads))
    return Response(body, media_type="application/json", headers={"Cache-Control": "private, no-cache"})


@router.get("/workshops/{workshop_id}/events")
async def events(request: Request, workshop_id: Number, since: Since = 0, *, lead: bool = False) -> Response:
    """Stream the changes of a room after a revision (`since`, or the browser's `Last-Event-ID`), and a beat when there are none."""
    database: Database = request.app.state.database
    hub: RoomHub = request.app.state.rooms
    async with database.connection() as connection:
        guest = await guest_of(request, connection, workshop_id)
    last = request.headers.get("last-event-id", "")
    since = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else since
    hub.check_place(workshop_id, guest.name)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    is_lead = lead and guest.leads

    async def is_still_in() -> bool:
        try:
            async with database.connection() as connection:
                again = await guest_of(request, connection, workshop_id)
        except NotFoundError:
            return False
        except UnavailableError:
            return True  # nobody is thrown out for a database that pauses
        return again.name == guest.name and (again.leads or not is_lead)

    follow = followed(hub, workshop_id, guest.name, since, is_still_in, is_lead=is_lead)
    return StreamingResponse(follow, media_type="text/event-stream", headers=headers)


async def followed(
    hub: RoomHub, workshop_id: int, who: str, since: int, is_still_in: Callable[[], Awaitable[bool]], *, is_lead: bool
) -> AsyncIterator[bytes]:
    """Yield the changes of a room until the browser leaves, whoever looks is in it no more, or the server stops."""
    asked_at = time.monotonic()
    async with hub.watch(workshop_id, who, since, is_lead=is_lead) as stream:
        yield b"retry: 2000\n\n"
        while not hub.is_over_for(stream):
            frames = await hub.frames(stream, BEAT_S)
            if time.monotonic() - asked_at >= ASKED_AGAIN_S:
                asked_at = time.monotonic()
                if not await is_still_in():
                    return
            yield b"".join(frames) or b"event: beat\ndata: {}\n\n"
