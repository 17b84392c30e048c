"""`/api/v1/workshops`: people around a table, the streets and days they read together, and what they said about them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from psycopg import AsyncConnection
from pydantic import Field

from telstraat_api.errors import NotFoundError, QueryError
from telstraat_api.http.access import Anybody, Professional, Reader, Role, needs
from telstraat_api.http.answers import check_unchanged, stamp
from telstraat_api.v1.accounts import RequestBody, created, with_created
from telstraat_api.v1.resources import (
    BIGGEST,
    After,
    Day,
    Limit,
    Line,
    Moment,
    Number,
    SegmentNumber,
    Text,
    Title,
    audience_of,
    check_segments,
    created_with_address,
    maker,
    page_shape,
    private,
    require_changeable,
    require_visible,
)
from telstraat_api.v1.shapes import described
from telstraat_api.v1.work_shapes import NoteShape, WorkshopList, WorkshopShape
from telstraat_store.connection import Database, Row
from telstraat_store.work import workshops as stored
from telstraat_store.work.measures import find_measure
from telstraat_store.work.published import Page
from telstraat_store.work.rooms import find_room, turnout

router = APIRouter(prefix="/api/v1", tags=["workshops"])
PATH = "/api/v1/workshops"
NoteKind = Literal["note", "question", "answer", "agreement", "observation", "cause", "proposal"]
Segments = Annotated[list[SegmentNumber], Field(max_length=100)]


class NewWorkshop(RequestBody):
    """A workshop to be prepared."""

    title: Title
    question: Line = Field("", description="What everybody is asked to think about.")
    place: Line = ""
    held_at: Moment | None = None
    segments: Segments = Field([], description="Streets that are looked at.")
    first_day: Day | None = Field(None, description="First day that is looked at.")
    last_day: Day | None = Field(None, description="Last day that is looked at, included.")
    measure_id: Annotated[int, Field(ge=1, le=BIGGEST)] | None = None
    published: bool = False


class WorkshopChange(RequestBody):
    """What changes of a workshop; what is left out, or null, stays."""

    title: Title | None = None
    question: Line | None = None
    place: Line | None = None
    held_at: Moment | None = None
    segments: Segments | None = None
    first_day: Day | None = None
    last_day: Day | None = None
    measure_id: Annotated[int, Field(ge=1, le=BIGGEST)] | None = None
    published: bool | None = None


class NewNote(RequestBody):
    """Something that was said."""

    kind: NoteKind = "note"
    body: Annotated[Text, Field(min_length=1)]


NOTE: dict[str, Any] = {
    "note_id": 1,
    "kind": "proposal",
    "body": "Close it from 8 to 9.",
    "pin": {"segment_id": 1001, "from": "2026-03-03T07:00:00Z", "until": "2026-03-03T08:00:00Z"},
    "expected": {"what": "car", "change": -20},
    "group_id": 1,
    "votes": 12,
    "created_at": "2026-05-04T18:20:00Z",
}
WORKSHOP: dict[str, Any] = {
    "workshop_id": 1,
    "title": "One year of the school street",
    "question": "Where did the cars go?",
    "place": "Town hall",
    "held_at": "2026-05-04T17:00:00Z",
    "segments": [1001, 1004],
    "first_day": "2026-03-02",
    "last_day": "2026-04-26",
    "measure_id": 1,
    "published": False,
    "mine": True,
    "created_by": "someone@example.org",
    "notes": [NOTE],
    "groups": [{"group_id": 1, "title": "Rat run", "votes": 30}],
    "room": {
        "phase": "agree",
        "is_open": False,
        "opened_at": "2026-05-04T16:30:00Z",
        "ends_at": "2026-05-05T17:00:00Z",
        "closed_at": "2026-05-04T19:10:00Z",
        "people": 42,
        "voters": 39,
    },
    "created_at": "2026-04-20T09:00:00Z",
    "changed_at": "2026-04-20T09:00:00Z",
    "links": {"self": f"{PATH}/1", "notes": f"{PATH}/1/notes", "measure": "/api/v1/measures/1"},
}
SHORT = {name: value for name, value in WORKSHOP.items() if name not in {"notes", "groups", "room"}}


def day(value: Any) -> str | None:
    """Write a date, or None."""
    return None if value is None else value.isoformat()


def note_shape(row: Row) -> dict[str, Any]:
    """Return a note. Who wrote it down is not told: people speak more freely."""
    return {
        "note_id": row["note_id"],
        "kind": row["kind"],
        "body": row["body"],
        "pin": row["pin"],
        "expected": row["expected"],
        "group_id": row["group_id"],
        "votes": row["votes"],
        "created_at": stamp(row["created_at"]),
    }


def room_shape(room: Row, people: int, voters: int) -> dict[str, Any]:
    """Return the room of a workshop; its code is for those who lead it and for the wall."""
    times = {name: stamp(room[name]) for name in ("opened_at", "ends_at", "closed_at")}
    return {"phase": room["phase"], "is_open": room["is_open"], **times, "people": people, "voters": voters}


def workshop_shape(row: Row, reader: Reader, notes: list[Row] | None = None) -> dict[str, Any]:
    """Return a workshop as the reader may see it."""
    number = row["workshop_id"]
    links = {"self": f"{PATH}/{number}", "notes": f"{PATH}/{number}/notes"}
    if row["measure_id"] is not None:
        links["measure"] = f"/api/v1/measures/{row['measure_id']}"
    return {
        "workshop_id": number,
        "title": row["title"],
        "question": row["question"],
        "place": row["place"],
        "held_at": stamp(row["held_at"]),
        "segments": row["segments"],
        "first_day": day(row["first_day"]),
        "last_day": day(row["last_day"]),
        "measure_id": row["measure_id"],
        "published": row["published"],
        **maker(reader, row),
        **({} if notes is None else {"notes": [note_shape(note) for note in notes]}),
        "created_at": stamp(row["created_at"]),
        "changed_at": stamp(row["changed_at"]),
        "links": links,
    }


async def with_notes(connection: AsyncConnection[Any], workshop_id: int, reader: Reader) -> dict[str, Any]:
    """Return a workshop with its notes, or raise `NotFoundError`."""
    row = await stored.find_workshop(connection, workshop_id)
    row = require_visible(row, reader, "workshop", workshop_id)
    shape = workshop_shape(row, reader, await stored.notes_of(connection, workshop_id))
    shape["groups"] = await stored.groups_of(connection, workshop_id)
    room = await find_room(connection, workshop_id)
    shape["room"] = None if room is None else room_shape(room, *await turnout(connection, workshop_id))
    return shape


async def check(connection: AsyncConnection[Any], body: NewWorkshop | WorkshopChange, row: Row | None = None) -> None:
    """Raise `QueryError` when streets, measure or days cannot be."""
    await check_segments(connection, body.segments or [], "segments")
    if body.measure_id is not None and await find_measure(connection, body.measure_id) is None:
        raise QueryError(f"measure_id: there is no measure {body.measure_id}")
    first = body.first_day or (day(row["first_day"]) if row else None)
    last = body.last_day or (day(row["last_day"]) if row else None)
    if first and last and last < first:
        raise QueryError(f"last_day ({last}) lies before first_day ({first})")


@router.get(
    "/workshops",
    summary="Workshops",
    responses=described(WorkshopList, {"workshops": [SHORT], "next": None}, 401, 403, 422, 503),
)
async def list_workshops(request: Request, reader: Anybody, after: After = 0, limit: Limit = 100) -> Response:
    """Return the workshops that one may see, by number. Follow `next`."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        rows = await stored.list_workshops(connection, audience_of(reader), Page(after, limit + 1))

    def shape(row: Row) -> dict[str, Any]:
        return workshop_shape(row, reader)

    return private(request, page_shape(PATH, "workshops", rows, "workshop_id", limit, shape))


@router.post(
    "/workshops",
    summary="Prepare a workshop",
    status_code=201,
    responses=with_created(described(WorkshopShape, WORKSHOP, 400, 401, 403, 422, 503)),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def add_workshop(request: Request, new: NewWorkshop, reader: Professional) -> Response:
    """Prepare a workshop: which streets and days are read together, and which measure is talked about."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await check(connection, new)
        workshop_id = await stored.add_workshop(connection, reader.account_id, new.model_dump())
        body = await with_notes(connection, workshop_id, reader)
    return created_with_address(request, body)


@router.get(
    "/workshops/{workshop_id}",
    summary="One workshop",
    responses=described(WorkshopShape, WORKSHOP, 401, 403, 404, 422, 503),
)
async def one_workshop(request: Request, workshop_id: Number, reader: Anybody) -> Response:
    """Return a workshop with what was said, oldest first."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        return private(request, await with_notes(connection, workshop_id, reader))


@router.patch(
    "/workshops/{workshop_id}",
    summary="Change a workshop",
    responses=described(WorkshopShape, WORKSHOP, 400, 401, 403, 404, 412, 422, 503),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def change_workshop(
    request: Request, workshop_id: Number, change: WorkshopChange, reader: Professional
) -> Response:
    """Change what is given."""
    database: Database = request.app.state.database
    values = {name: value for name, value in change.model_dump().items() if value is not None}
    async with database.connection() as connection:
        row = await stored.find_workshop(connection, workshop_id)
        row = require_changeable(row, reader, "workshop", workshop_id)
        check_unchanged(request, await with_notes(connection, workshop_id, reader))
        await check(connection, change, row)
        await stored.change_workshop(connection, row, values)
        return private(request, await with_notes(connection, workshop_id, reader))


@router.delete(
    "/workshops/{workshop_id}",
    summary="Delete a workshop",
    responses=described(WorkshopShape, WORKSHOP, 401, 403, 404, 412, 422, 503),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def delete_workshop(request: Request, workshop_id: Number, reader: Professional) -> Response:
    """Delete a workshop with its notes and links. The answer is what it was."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        require_changeable(await stored.find_workshop(connection, workshop_id), reader, "workshop", workshop_id)
        body = await with_notes(connection, workshop_id, reader)
        check_unchanged(request, body)
        await stored.delete_workshop(connection, workshop_id)
    return private(request, body)


@router.post(
    "/workshops/{workshop_id}/notes",
    summary="Write down what was said",
    status_code=201,
    responses=with_created(described(NoteShape, NOTE, 400, 401, 403, 404, 422, 503)),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def add_note(request: Request, workshop_id: Number, new: NewNote, reader: Professional) -> Response:
    """Write down a note, a question, an answer or an agreement. Every professional may: they sit at one table."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        require_visible(await stored.find_workshop(connection, workshop_id), reader, "workshop", workshop_id)
        row = await stored.add_note(connection, workshop_id, reader.account_id, new.kind, new.body)
    return created(request, note_shape(row))


@router.delete(
    "/workshops/{workshop_id}/notes/{note_id}",
    summary="Take back what was written down",
    responses=described(NoteShape, NOTE, 401, 403, 404, 422, 503),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def delete_note(request: Request, workshop_id: Number, note_id: Number, reader: Professional) -> Response:
    """Delete a note: one's own, or any when the workshop is one's own. The answer is what it was."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await stored.find_workshop(connection, workshop_id)
        workshop = require_visible(row, reader, "workshop", workshop_id)
        of_anybody = reader.role is Role.OPERATOR or workshop["account_id"] == reader.account_id
        note = await stored.delete_note(connection, workshop_id, note_id, reader.account_id, of_anybody=of_anybody)
    if note is None:
        raise NotFoundError(f"there is no note {note_id} of yours in workshop {workshop_id}")
    return private(request, note_shape(note))
