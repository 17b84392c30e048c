"""`/api/v1/workshops`: people around a table, the streets and days they read together, and what they said about them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from telstraat_api.errors import NotFoundError, QueryError
from telstraat_api.http.access import Anybody, Professional, Reader, Role, needs
from telstraat_api.http.answers import check_unchanged, stamp
from telstraat_api.v1.accounts import Wanted, created, made
from telstraat_api.v1.measures import find_measure
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
    changeable,
    check_segments,
    created_at,
    found,
    listing,
    maker,
    page,
    private,
    remove,
    update,
    visible,
)
from telstraat_api.v1.shapes import described
from telstraat_api.v1.work_shapes import NoteShape, WorkshopList, WorkshopShape
from telstraat_store.connection import Database, Row

router = APIRouter(prefix="/api/v1", tags=["workshops"])
PATH = "/api/v1/workshops"
NOTES_MAX = 2000
NoteKind = Literal["note", "question", "answer", "agreement"]
Segments = Annotated[list[SegmentNumber], Field(max_length=100)]


class NewWorkshop(Wanted):
    """A workshop to be prepared."""

    title: Title
    place: Line = ""
    held_at: Moment | None = None
    segments: Segments = Field([], description="Streets that are looked at.")
    first_day: Day | None = Field(None, description="First day that is looked at.")
    last_day: Day | None = Field(None, description="Last day that is looked at, included.")
    measure_id: Annotated[int, Field(ge=1, le=BIGGEST)] | None = None
    published: bool = False


class WorkshopChange(Wanted):
    """What changes of a workshop; what is left out, or null, stays."""

    title: Title | None = None
    place: Line | None = None
    held_at: Moment | None = None
    segments: Segments | None = None
    first_day: Day | None = None
    last_day: Day | None = None
    measure_id: Annotated[int, Field(ge=1, le=BIGGEST)] | None = None
    published: bool | None = None


class NewNote(Wanted):
    """Something that was said."""

    kind: NoteKind = "note"
    body: Annotated[Text, Field(min_length=1)]


NOTE = {"note_id": 1, "kind": "question", "body": "Where did the cars go?", "created_at": "2026-05-04T18:20:00Z"}
WORKSHOP: dict[str, Any] = {
    "workshop_id": 1,
    "title": "One year of the school street",
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
    "created_at": "2026-04-20T09:00:00Z",
    "changed_at": "2026-04-20T09:00:00Z",
    "links": {"self": f"{PATH}/1", "notes": f"{PATH}/1/notes", "measure": "/api/v1/measures/1"},
}
SHORT = {name: value for name, value in WORKSHOP.items() if name != "notes"}
SELECT = "select w.*, a.email from workshop w left join account a using (account_id)"
NOTES = "select * from workshop_note where workshop_id = %s order by note_id limit %s"


def day(value: Any) -> str | None:
    """Write a date, or None."""
    return None if value is None else value.isoformat()


def note_shape(row: Row) -> dict[str, Any]:
    """Return a note. Who wrote it down is not told: people speak more freely."""
    return {
        "note_id": row["note_id"],
        "kind": row["kind"],
        "body": row["body"],
        "created_at": stamp(row["created_at"]),
    }


def workshop_shape(row: Row, reader: Reader, notes: list[Row] | None = None) -> dict[str, Any]:
    """Return a workshop as the reader may see it."""
    number = row["workshop_id"]
    links = {"self": f"{PATH}/{number}", "notes": f"{PATH}/{number}/notes"}
    if row["measure_id"] is not None:
        links["measure"] = f"/api/v1/measures/{row['measure_id']}"
    return {
        "workshop_id": number,
        "title": row["title"],
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


async def find_workshop(request: Request, number: int) -> Row | None:
    """Return a workshop's row, or None."""
    database: Database = request.app.state.database
    return await database.row(SELECT + " where w.workshop_id = %s", (number,))


async def whole(request: Request, number: int, reader: Reader) -> dict[str, Any]:
    """Return a workshop with its notes, or raise `NotFoundError`."""
    database: Database = request.app.state.database
    row = found(await find_workshop(request, number), reader, "workshop", number)
    return workshop_shape(row, reader, await database.rows(NOTES, (number, NOTES_MAX)))


async def check(request: Request, wanted: NewWorkshop | WorkshopChange, row: Row | None = None) -> None:
    """Raise `QueryError` when streets, measure or days cannot be."""
    database: Database = request.app.state.database
    await check_segments(database, wanted.segments or [], "segments")
    if wanted.measure_id is not None and await find_measure(database, wanted.measure_id) is None:
        raise QueryError(f"measure_id: there is no measure {wanted.measure_id}")
    first = wanted.first_day or (day(row["first_day"]) if row else None)
    last = wanted.last_day or (day(row["last_day"]) if row else None)
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
    rows = await database.rows(listing(SELECT, "workshop_id"), {"after": after, "limit": limit + 1, **visible(reader)})
    return private(
        request, page(PATH, "workshops", rows, "workshop_id", limit, lambda row: workshop_shape(row, reader))
    )


@router.post(
    "/workshops",
    summary="Prepare a workshop",
    status_code=201,
    responses=made(described(WorkshopShape, WORKSHOP, 400, 401, 403, 422, 503)),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def add_workshop(request: Request, wanted: NewWorkshop, reader: Professional) -> Response:
    """Prepare a workshop: which streets and days are read together, and which measure is talked about."""
    await check(request, wanted)
    database: Database = request.app.state.database
    row = await database.row(
        """
        insert into workshop (account_id, title, place, held_at, segments, first_day, last_day, measure_id, published)
        values (%(account)s, %(title)s, %(place)s, %(held_at)s, %(segments)s::bigint[], %(first_day)s, %(last_day)s,
            %(measure_id)s, %(published)s) returning workshop_id
        """,
        {**wanted.model_dump(), "account": reader.account_id},
    )
    assert row is not None
    return created_at(request, await whole(request, row["workshop_id"], reader))


@router.get(
    "/workshops/{workshop_id}",
    summary="One workshop",
    responses=described(WorkshopShape, WORKSHOP, 401, 403, 404, 422, 503),
)
async def one_workshop(request: Request, workshop_id: Number, reader: Anybody) -> Response:
    """Return a workshop with what was said, oldest first."""
    return private(request, await whole(request, workshop_id, reader))


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
    row = changeable(await find_workshop(request, workshop_id), reader, "workshop", workshop_id)
    check_unchanged(request, await whole(request, workshop_id, reader))
    await check(request, change, row)
    given = {name: value for name, value in change.model_dump().items() if value is not None}
    await update(database, "workshop", "workshop_id", row, given)
    return private(request, await whole(request, workshop_id, reader))


@router.delete(
    "/workshops/{workshop_id}",
    summary="Delete a workshop",
    responses=described(WorkshopShape, WORKSHOP, 401, 403, 404, 412, 422, 503),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def delete_workshop(request: Request, workshop_id: Number, reader: Professional) -> Response:
    """Delete a workshop with its notes and links. The answer is what it was."""
    row = changeable(await find_workshop(request, workshop_id), reader, "workshop", workshop_id)
    return await remove(request, "workshop", "workshop_id", row, await whole(request, workshop_id, reader))


@router.post(
    "/workshops/{workshop_id}/notes",
    summary="Write down what was said",
    status_code=201,
    responses=made(described(NoteShape, NOTE, 400, 401, 403, 404, 422, 503)),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def add_note(request: Request, workshop_id: Number, wanted: NewNote, reader: Professional) -> Response:
    """Write down a note, a question, an answer or an agreement. Every professional may: they sit at one table."""
    database: Database = request.app.state.database
    found(await find_workshop(request, workshop_id), reader, "workshop", workshop_id)
    row = await database.row(
        """
        insert into workshop_note (workshop_id, account_id, kind, body)
        select workshop_id, %s, %s, %s from workshop w where workshop_id = %s
            and (select count(*) from workshop_note n where n.workshop_id = w.workshop_id) < %s
        returning *
        """,
        (reader.account_id, wanted.kind, wanted.body, workshop_id, NOTES_MAX),
    )
    if row is None:
        raise QueryError(f"a workshop holds up to {NOTES_MAX} notes")
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
    shop = found(await find_workshop(request, workshop_id), reader, "workshop", workshop_id)
    everything = reader.role is Role.OPERATOR or shop["account_id"] == reader.account_id
    row = await database.row(
        "delete from workshop_note where note_id = %s and workshop_id = %s and (account_id = %s or %s) returning *",
        (note_id, workshop_id, reader.account_id, everything),
    )
    if row is None:
        raise NotFoundError(f"there is no note {note_id} of yours in workshop {workshop_id}")
    return private(request, note_shape(row))
