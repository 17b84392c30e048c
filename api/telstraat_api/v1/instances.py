"""`/api/v1/instances`: which sensor stood at which segment, on which side, from when to when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from psycopg import AsyncConnection
from pydantic import Field

from telstraat_api.errors import NotFoundError, QueryError
from telstraat_api.http.access import Anybody, Reader, Registrar, Role, needs
from telstraat_api.http.answers import check_unchanged, stamp
from telstraat_api.v1.accounts import RequestBody, with_created
from telstraat_api.v1.resources import (
    After,
    Limit,
    Line,
    Moment,
    OfSegment,
    SegmentNumber,
    check_segments,
    created_with_address,
    filtered_path,
    page_shape,
    private,
)
from telstraat_api.v1.shapes import described
from telstraat_api.v1.work_shapes import InstanceList, InstanceShape
from telstraat_store.connection import Database, Row
from telstraat_store.errors import NoSuchRecordError
from telstraat_store.places import installations as stored

router = APIRouter(prefix="/api/v1", tags=["registry"])
PATH = "/api/v1/instances"
InstanceId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Side = Literal["left", "right"]


class NewInstance(RequestBody):
    """A sensor as installed at a segment, from a time on."""

    sensor_id: int = Field(ge=1, le=2**31 - 1)
    segment_id: SegmentNumber
    side: Side | None = Field(None, description="Of the street, looking from A to B.")
    from_at: Moment | None = Field(None, description="Since when; now when left out.")
    note: Line = ""


class InstanceChange(RequestBody):
    """What changes of an instance; what is left out, or null, stays."""

    side: Side | None = None
    until_at: Moment | None = Field(None, description="When it ended. It cannot begin again: a new one does.")
    note: Line | None = None


INSTANCE: dict[str, Any] = {
    "instance_id": 101,
    "sensor_id": 1,
    "sensor": None,
    "segment_id": 1001,
    "side": None,
    "note": None,
    "from_at": "2026-03-01T05:50:00Z",
    "until_at": None,
    "links": {"self": f"{PATH}/101", "segment": "/api/v1/segments/1001"},
}


def instance_shape(row: Row, reader: Reader) -> dict[str, Any]:
    """Return an instance. What could tell a house is for the sensor's owner and for operators."""
    is_told = reader.role is Role.OPERATOR or (row["account_id"] is not None and row["account_id"] == reader.account_id)
    number = row["installation_id"]
    return {
        "instance_id": number,
        "sensor_id": row["sensor_id"],
        "sensor": row["name"] if is_told else None,
        "segment_id": row["segment_id"],
        "side": row["side"] if is_told else None,
        "note": row["note"] if is_told else None,
        "from_at": stamp(row["from_at"]),
        "until_at": stamp(row["until_at"]),
        "links": {"self": f"{PATH}/{number}", "segment": f"/api/v1/segments/{row['segment_id']}"},
    }


async def find_instance(connection: AsyncConnection[Any], number: int) -> Row:
    """Return an instance's row, or raise `NotFoundError`."""
    row = await stored.find_installation(connection, number)
    if row is None:
        raise NotFoundError(f"there is no instance {number}")
    return row


@router.get(
    "/instances",
    summary="Which sensor stood where, and when",
    responses=described(InstanceList, {"instances": [INSTANCE], "next": None}, 401, 403, 422, 503),
)
async def list_instances(
    request: Request,
    reader: Anybody,
    after: After = 0,
    limit: Limit = 100,
    segment: OfSegment = None,
    sensor: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Only of this sensor.")] = None,
) -> Response:
    """Return the instances by number. Follow `next` until it is null."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        rows = await stored.list_installations(
            connection, after=after, limit=limit + 1, segment_id=segment, sensor_id=sensor
        )
    path = filtered_path(PATH, segment=segment, sensor=sensor)

    def shape(row: Row) -> dict[str, Any]:
        return instance_shape(row, reader)

    return private(request, page_shape(path, "instances", rows, "installation_id", limit, shape))


@router.get(
    "/instances/{instance_id}",
    summary="One instance",
    responses=described(InstanceShape, INSTANCE, 401, 403, 404, 422, 503),
)
async def one_instance(request: Request, instance_id: InstanceId, reader: Anybody) -> Response:
    """Return one instance."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        return private(request, instance_shape(await find_instance(connection, instance_id), reader))


@router.post(
    "/instances",
    summary="Install a sensor at a segment",
    status_code=201,
    responses=with_created(described(InstanceShape, INSTANCE, 400, 401, 403, 409, 422, 503)),
    openapi_extra=needs(Role.OPERATOR),
)
async def add_instance(request: Request, new: NewInstance, reader: Registrar) -> Response:
    """Install a sensor from a time on; where it stood before ends at that time, and its history stays there."""
    database: Database = request.app.state.database
    from_at = datetime.fromisoformat(new.from_at) if new.from_at else None
    async with database.connection() as connection:
        await check_segments(connection, [new.segment_id], "segment_id")
        try:
            number = await stored.install(
                connection, new.sensor_id, new.segment_id, from_at=from_at, side=new.side, note=new.note
            )
        except NoSuchRecordError as error:
            raise QueryError(f"sensor_id: {error}") from error
        row = await find_instance(connection, number)
    return created_with_address(request, instance_shape(row, reader))


@router.patch(
    "/instances/{instance_id}",
    summary="Say on which side a sensor stands, or that it has ended",
    responses=described(InstanceShape, INSTANCE, 400, 401, 403, 404, 409, 412, 422, 503),
    openapi_extra=needs(Role.OPERATOR),
)
async def change_instance(
    request: Request, instance_id: InstanceId, change: InstanceChange, reader: Registrar
) -> Response:
    """Change side or note, or end an instance. Segment and beginning never change: that would rewrite history."""
    database: Database = request.app.state.database
    ends = datetime.fromisoformat(change.until_at) if change.until_at else None
    async with database.connection() as connection:
        row = await find_instance(connection, instance_id)
        check_unchanged(request, instance_shape(row, reader))
        if ends is not None and ends <= row["from_at"]:
            raise QueryError(f"until_at ({ends.isoformat()}) must lie after from_at ({row['from_at'].isoformat()})")
        changes = {"side": change.side, "note": change.note, "until_at": ends}
        await stored.change_installation(connection, instance_id, changes)
        return private(request, instance_shape(await find_instance(connection, instance_id), reader))
