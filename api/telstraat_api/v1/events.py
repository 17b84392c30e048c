"""`/api/v1/events`: what happened in a street, as people have seen it: works, a market, a strike, a storm."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from telstraat_api.errors import QueryError
from telstraat_api.http.access import Anybody, Contributor, Reader, Role, needs
from telstraat_api.http.answers import check_unchanged, stamp
from telstraat_api.v1.accounts import Wanted, made
from telstraat_api.v1.resources import (
    After,
    Limit,
    Moment,
    Number,
    OfSegment,
    SegmentNumber,
    Title,
    asked_path,
    changeable,
    check_segments,
    created_at,
    found,
    listing,
    owns,
    page,
    private,
    remove,
    update,
    visible,
)
from telstraat_api.v1.shapes import described
from telstraat_api.v1.work_shapes import EventList, EventShape
from telstraat_store.connection import Database, Row

router = APIRouter(prefix="/api/v1", tags=["events"])
PATH = "/api/v1/events"
Kind = Literal[
    "road_works", "closure", "detour", "market", "festivity", "strike", "weather", "accident", "sensor_trouble", "other"
]


class NewEvent(Wanted):
    """Something that happened in a street, for a time."""

    segment_id: SegmentNumber
    kind: Kind = "other"
    title: Title
    from_at: Moment
    until_at: Moment
    excludes: bool = Field(default=False, description="Its days must not be compared when a measure is evaluated.")
    published: bool = Field(default=False, description="For everybody to read.")


class EventChange(Wanted):
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
SELECT = "select e.*, a.email from street_event e left join account a using (account_id)"
WITHIN = """
and (%(segment)s::bigint is null or segment_id = %(segment)s)
and until_at > coalesce(%(start)s::timestamptz, '-infinity') and from_at < coalesce(%(end)s::timestamptz, 'infinity')
and (not %(mine)s or account_id = %(account)s::int)
"""
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


async def find_event(request: Request, number: int) -> Row | None:
    """Return an event's row, or None."""
    database: Database = request.app.state.database
    return await database.row(SELECT + " where e.event_id = %s", (number,))


def in_order(start: datetime, end: datetime) -> None:
    """Raise `QueryError` when an event ends before it begins."""
    if end <= start:
        raise QueryError(f"until_at ({end.isoformat()}) must lie after from_at ({start.isoformat()})")


def asked_time(text: str | None, name: str) -> datetime | None:
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
    window = {"start": asked_time(start, "from"), "end": asked_time(to, "to")}
    rows = await database.rows(
        listing(SELECT, "event_id", WITHIN),
        {"after": after, "limit": limit + 1, "segment": segment, "mine": mine, **window, **visible(reader)},
    )
    path = asked_path(PATH, segment=segment, **{"from": start}, to=to, mine="true" if mine else None)
    return private(request, page(path, "events", rows, "event_id", limit, lambda row: event_shape(row, reader)))


@router.post(
    "/events",
    summary="Mark what happened in a street",
    status_code=201,
    responses=made(described(EventShape, EVENT, 400, 401, 403, 422, 503)),
    openapi_extra=needs(Role.CITIZEN),
)
async def add_event(request: Request, wanted: NewEvent, reader: Contributor) -> Response:
    """Mark something that a reader of the counts should know. Evaluations take it into account, published or not."""
    database: Database = request.app.state.database
    in_order(datetime.fromisoformat(wanted.from_at), datetime.fromisoformat(wanted.until_at))
    await check_segments(database, [wanted.segment_id], "segment_id")
    row = await database.row(
        """
        insert into street_event (account_id, segment_id, kind, title, from_at, until_at, excludes, published)
        values (%(account)s, %(segment_id)s, %(kind)s, %(title)s, %(from_at)s, %(until_at)s, %(excludes)s, %(published)s)
        returning event_id
        """,
        {**wanted.model_dump(), "account": reader.account_id},
    )
    assert row is not None
    shown = found(await find_event(request, row["event_id"]), reader, "event", row["event_id"])
    return created_at(request, event_shape(shown, reader))


@router.get(
    "/events/{event_id}",
    summary="One event",
    responses=described(EventShape, EVENT, 401, 403, 404, 422, 503),
)
async def one_event(request: Request, event_id: Number, reader: Anybody) -> Response:
    """Return one event."""
    row = found(await find_event(request, event_id), reader, "event", event_id)
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
    row = changeable(await find_event(request, event_id), reader, "event", event_id)
    check_unchanged(request, event_shape(row, reader))
    given = {name: value for name, value in change.model_dump().items() if value is not None}
    edges = {
        name: datetime.fromisoformat(given[name]) if name in given else row[name] for name in ("from_at", "until_at")
    }
    in_order(edges["from_at"], edges["until_at"])
    await update(database, "street_event", "event_id", row, given)
    shown = found(await find_event(request, event_id), reader, "event", event_id)
    return private(request, event_shape(shown, reader))


@router.delete(
    "/events/{event_id}",
    summary="Delete an event",
    responses=described(EventShape, EVENT, 401, 403, 404, 412, 422, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def delete_event(request: Request, event_id: Number, reader: Contributor) -> Response:
    """Delete an event that one has marked. The answer is what it was."""
    row = changeable(await find_event(request, event_id), reader, "event", event_id)
    return await remove(request, "street_event", "event_id", row, event_shape(row, reader))
