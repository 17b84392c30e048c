"""What participants send: notes, ballots, and that they take back a note or leave. Forms without a script, JSON with one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from telstraat_api.errors import NotFoundError
from telstraat_api.web.forms import PageForm, read_form, see_other
from telstraat_api.web.measures.measure_pages import Number
from telstraat_api.web.workshops.room_access import NotInRoomError, cookie_of, participant_in
from telstraat_api.web.workshops.room_pages import phone
from telstraat_api.web.workshops.room_shapes import note_of_form, note_shape
from telstraat_api.web.workshops.room_words import NOT_TAKEN
from telstraat_store.connection import Database
from telstraat_store.errors import BadValueError, ClosedRoomError, TooOftenError
from telstraat_store.places.segments import timezones_of
from telstraat_store.work.participants import leave_room
from telstraat_store.work.room_notes import add_room_note, ballot_of, cast_ballot, erase_note


class RoomRoute(APIRoute):
    """Leads a form of somebody who is not in the room any more to the page that says so; a script is answered 404."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers."""
        handle = super().get_route_handler()

        async def led(request: Request) -> Response:
            try:
                return await handle(request)
            except NotInRoomError:
                if wants_json(request):
                    raise
                return see_other(f"/workshops/{request.path_params['workshop_id']}/room")

        return led


router = APIRouter(include_in_schema=False, route_class=RoomRoute)
TARGETS_MAX = 20


def wants_json(request: Request) -> bool:
    """Tell whether a script has sent this, and not a form."""
    return "application/json" in request.headers.get("accept", "")


def as_json(body: dict[str, Any], status: int = 200) -> Response:
    """Return an answer to a script."""
    headers = {"Cache-Control": "private, no-store"}
    return Response(orjson.dumps(body), status, media_type="application/json", headers=headers)


@router.post("/workshops/{workshop_id}/notes")
async def add_note(request: Request, workshop_id: Number) -> Response:
    """Take a participant's note; the same again is the same note."""
    form = await read_form(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        guest = await participant_in(request, connection, workshop_id)
        assert guest.participant is not None
        zones = await timezones_of(connection, guest.workshop["segments"])
        note = note_of_form(form, zones)
        row = None
        if not form.errors:
            try:
                who = guest.participant["participant_id"]
                row = await add_room_note(connection, workshop_id, note, participant_id=who)
            except (ClosedRoomError, TooOftenError, BadValueError) as error:
                if wants_json(request):
                    raise
                form.errors["body"] = NOT_TAKEN[type(error)]
        if row is None:
            if wants_json(request):
                return as_json({"errors": form.errors}, 422)
            return await phone(request, connection, guest, form, 422)
    if not wants_json(request):
        return see_other(f"/workshops/{workshop_id}/room")
    note_row = {**row, "first_name": guest.participant["first_name"]}
    return as_json({"note": note_shape(note_row, is_lead=False), "revision": row["revision"]}, 201)


@router.post("/workshops/{workshop_id}/ballot")
async def vote(request: Request, workshop_id: Number) -> Response:
    """Take a participant's whole ballot; an older one that comes late changes nothing. The answer is the ballot that stands."""
    form = await read_form(request)
    database: Database = request.app.state.database
    notes, groups = targets_of(form)
    async with database.connection() as connection:
        guest = await participant_in(request, connection, workshop_id)
        assert guest.participant is not None
        who = guest.participant["participant_id"]
        sequence = form.whole("sequence", 0, 2**62, needed=False) or guest.participant["ballot_sequence"] + 1
        try:
            sequence = await cast_ballot(connection, workshop_id, who, sequence, notes, groups)
        except (ClosedRoomError, BadValueError) as error:
            if wants_json(request):
                raise
            form.errors["vote"] = NOT_TAKEN[type(error)]
            return await phone(request, connection, guest, form, 422)
        ballot = await ballot_of(connection, who)
    if not wants_json(request):
        return see_other(f"/workshops/{workshop_id}/room")
    standing = [f"n{row['note_id']}" if row["note_id"] else f"g{row['group_id']}" for row in ballot]
    return as_json({"sequence": sequence, "ballot": standing})


def targets_of(form: PageForm) -> tuple[list[int], list[int]]:
    """Return the notes and groups that a form votes for; what is neither is left out."""
    targets = [target for target in form.values("vote")[:TARGETS_MAX] if is_target(target)]
    return [int(t[1:]) for t in targets if t[0] == "n"], [int(t[1:]) for t in targets if t[0] == "g"]


def is_target(text: str) -> bool:
    """Tell whether a text names a note or a group."""
    return text[:1] in {"n", "g"} and text[1:].isascii() and text[1:].isdigit() and len(text) < 19


@router.post("/workshops/{workshop_id}/notes/{note_id}/take-back")
async def take_back(request: Request, workshop_id: Number, note_id: Number) -> Response:
    """Delete a note of one's own."""
    await read_form(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        guest = await participant_in(request, connection, workshop_id)
        assert guest.participant is not None
        if not await erase_note(connection, workshop_id, note_id, guest.participant["participant_id"]):
            raise NotFoundError("there is no such note of yours")
    return as_json({}) if wants_json(request) else see_other(f"/workshops/{workshop_id}/room")


@router.post("/workshops/{workshop_id}/leave")
async def leave(request: Request, workshop_id: Number) -> Response:
    """Forget a participant with everything they wrote and voted, and the phone's cookie."""
    await read_form(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        guest = await participant_in(request, connection, workshop_id)
        assert guest.participant is not None
        await leave_room(connection, workshop_id, guest.participant["participant_id"])
    response = see_other("/join")
    response.delete_cookie(cookie_of(workshop_id))
    return response
