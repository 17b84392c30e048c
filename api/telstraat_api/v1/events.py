"""`/api/v1/events`: what happened in a street, as people have seen it: works, a market, a strike, a storm."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from telstraat_api.errors import QueryError
from telstraat_api.http.access import Anybody, Contributor, Reader, Role, needs
from telstraat_api.http.answers import check_unchanged, stamp
from telstraat_api.v1.accounts import RequestBody, with_created
from telstraat_api.v1.resources import (
    After,
    Limit,
    Moment,
    Number,
    OfSegment,
    SegmentNumber,
    Title,
    audience_of,
    check_segments,
    created_with_address,
    filtered_path,
    owns,
    page_shape,
    private,
    require_changeable,
    require_visible,
)
from telstraat_api.v1.shapes import described
from telstraat_api.v1.work_shapes import EventList, EventShape
from telstraat_store.connection import Database, Row
from telstraat_store.work import events as stored
from telstraat_store.work.published import Page

router = APIRouter(prefix="/api/v1", tags=["events"])
PATH = "/api/v1/events"
Kind = Literal[
    "road_works", "closure", "detour", "market", "festivity", "strike", "weather", "accident", "sensor_trouble", "other"
]


class NewEvent(RequestBody):
    """Something that happened in a street, for a time."""

    segment_id: SegmentNumber
    kind: Kind = "other"
    title: Title
    from_at: Moment
    until_at: Moment
    excludes: bool = Field(default=False, description="Its days must not be compared when a measure is evaluated.")
    published: bool = Field(default=False, description="For everybody to read.")


class EventChange(RequestBody):
    """What changes of an event; what is left out, or null, stays."""

    kind: Kind | None = None
    title: Title | None = None
    from_at: Moment | None = None
    until_at: Moment | None = None
    excludes: bool | None = None
    published: bool | None = None


EVENT: dict[str, Any] = {
    "event_id": 1,
    "segment_id": 1001,
    "kind": "market",
    "title": "Christmas market",
    "from_at": "2026-03-20T07:00:00Z",
    "until_at": "2026-03-22T20:00:00Z",
    "excludes": True,
    "published": True,
    "mine": False,
    "created_by": None,
    "created_at": "2026-02-01T09:00:00Z",
    "changed_at": "2026-02-01T09:00:00Z",
    "links": {"self": f"{PATH}/1", "segment": "/api/v1/segments/1001"},
}
Since = Annotated[
    str | None, Query(alias="from", max_length=30, pattern=r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$")
]
Until = Annotated[str | None, Query(max_length=30, pattern=r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$")]


def event_shape(row: Row, reader: Reader) -> dict[str, Any]:
    """Return an event as the reader may see it. Who marked it may be a neighbour: that is for operators."""
    number = row["event_id"]
    return {
        "event_id": number,
        **{name: row[name] for name in ("segment_id", "kind", "title")},
        "from_at": stamp(row["from_at"]),
        "until_at": stamp(row["until_at"]),
        "excludes": row["excludes"],
        "published": row["published"],
        "mine": owns(reader, row),
        "created_by": row["email"] if reader.role is Role.OPERATOR or owns(reader, row) else None,
        "created_at": stamp(row["created_at"]),
        "changed_at": stamp(row["changed_at"]),
        "links": {"self": f"{PATH}/{number}", "segment": f"/api/v1/segments/{row['segment_id']}"},
    }


def in_order(start: datetime, end: datetime) -> None:
    """Raise `QueryError` when an event ends before it begins."""
    if end <= start:
        raise QueryError(f"until_at ({end.isoformat()}) must lie after from_at ({start.isoformat()})")


def read_time(text: str | None, name: str) -> datetime | None:
    """Read the edge of a period; a date is midnight, UTC."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError as error:
        raise QueryError(f"{name}={text!r} is not a time; write 2026-03-01 or 2026-03-01T08:00Z") from error


@router.get(
    "/events",
    summary="What happened in the streets",
    responses=described(EventList, {"events": [EVENT], "next": None}, 401, 403, 422, 503),
)
async def list_events(
    request: Request,
    reader: Anybody,
    after: After = 0,
    limit: Limit = 100,
    segment: OfSegment = None,
    start: Since = None,
    to: Until = None,
    mine: Annotated[bool, Query(description="Only what one has marked oneself.")] = False,
) -> Response:
    """Return the events that one may see, by number: published ones, one's own, and for professionals all."""
    database: Database = request.app.state.database
    window = {"start": read_time(start, "from"), "end": read_time(to, "to")}
    async with database.connection() as connection:
        rows = await stored.list_events(
            connection,
            audience_of(reader),
            Page(after, limit + 1),
            segment_id=segment,
            only_own=mine,
            **window,
        )
    path = filtered_path(PATH, segment=segment, **{"from": start}, to=to, mine="true" if mine else None)
    return private(request, page_shape(path, "events", rows, "event_id", limit, lambda row: event_shape(row, reader)))


@router.post(
    "/events",
    summary="Mark what happened in a street",
    status_code=201,
    responses=with_created(described(EventShape, EVENT, 400, 401, 403, 422, 503)),
    openapi_extra=needs(Role.CITIZEN),
)
async def add_event(request: Request, new: NewEvent, reader: Contributor) -> Response:
    """Mark something that a reader of the counts should know. Evaluations take it into account, published or not."""
    database: Database = request.app.state.database
    in_order(datetime.fromisoformat(new.from_at), datetime.fromisoformat(new.until_at))
    async with database.connection() as connection:
        await check_segments(connection, [new.segment_id], "segment_id")
        row = await stored.add_event(connection, reader.account_id, new.model_dump())
    return created_with_address(request, event_shape(row, reader))


@router.get(
    "/events/{event_id}",
    summary="One event",
    responses=described(EventShape, EVENT, 401, 403, 404, 422, 503),
)
async def one_event(request: Request, event_id: Number, reader: Anybody) -> Response:
    """Return one event."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = require_visible(await stored.find_event(connection, event_id), reader, "event", event_id)
    return private(request, event_shape(row, reader))


@router.patch(
    "/events/{event_id}",
    summary="Change an event",
    responses=described(EventShape, EVENT, 400, 401, 403, 404, 412, 422, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def change_event(request: Request, event_id: Number, change: EventChange, reader: Contributor) -> Response:
    """Change what is given of an event that one has marked."""
    database: Database = request.app.state.database
    values = {name: value for name, value in change.model_dump().items() if value is not None}
    async with database.connection() as connection:
        row = require_changeable(await stored.find_event(connection, event_id), reader, "event", event_id)
        check_unchanged(request, event_shape(row, reader))
        start, end = (
            datetime.fromisoformat(values[name]) if name in values else row[name] for name in ("from_at", "until_at")
        )
        in_order(start, end)
        changed = await stored.change_event(connection, row, values)
    return private(request, event_shape(require_visible(changed, reader, "event", event_id), reader))


@router.delete(
    "/events/{event_id}",
    summary="Delete an event",
    responses=described(EventShape, EVENT, 401, 403, 404, 412, 422, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def delete_event(request: Request, event_id: Number, reader: Contributor) -> Response:
    """Delete an event that one has marked. The answer is what it was."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = require_changeable(await stored.find_event(connection, event_id), reader, "event", event_id)
        body = event_shape(row, reader)
        check_unchanged(request, body)
        await stored.delete_event(connection, event_id)
    return private(request, body)
