"""`/api/v1/instances`: which sensor stood at which segment, on which side, from when to when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import psycopg
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from telstraat_api.errors import ConflictError, NotFoundError, QueryError
from telstraat_api.http.access import Anybody, Reader, Registrar, Role, needs
from telstraat_api.http.answers import check_unchanged, stamp
from telstraat_api.v1.accounts import Wanted, made
from telstraat_api.v1.resources import (
    After,
    Limit,
    Line,
    Moment,
    OfSegment,
    SegmentNumber,
    asked_path,
    check_segments,
    created_at,
    page,
    private,
)
from telstraat_api.v1.shapes import described
from telstraat_api.v1.work_shapes import InstanceList, InstanceShape
from telstraat_store.connection import Database, Row

router = APIRouter(prefix="/api/v1", tags=["registry"])
PATH = "/api/v1/instances"
InstanceId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Side = Literal["left", "right"]


class NewInstance(Wanted):
    """A sensor as installed at a segment, from a time on."""

    sensor_id: int = Field(ge=1, le=2**31 - 1)
    segment_id: SegmentNumber
    side: Side | None = Field(None, description="Of the street, looking from A to B.")
    from_at: Moment | None = Field(None, description="Since when; now when left out.")
    note: Line = ""


class InstanceChange(Wanted):
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
SELECT = "select i.*, v.name, v.account_id from installation i join sensor v using (sensor_id) "


def instance_shape(row: Row, reader: Reader) -> dict[str, Any]:
    """Return an instance. What could tell a house is for the sensor's owner and for operators."""
    told = reader.role is Role.OPERATOR or (row["account_id"] is not None and row["account_id"] == reader.account_id)
    number = row["installation_id"]
    return {
        "instance_id": number,
        "sensor_id": row["sensor_id"],
        "sensor": row["name"] if told else None,
        "segment_id": row["segment_id"],
        "side": row["side"] if told else None,
        "note": row["note"] if told else None,
        "from_at": stamp(row["from_at"]),
        "until_at": stamp(row["until_at"]),
        "links": {"self": f"{PATH}/{number}", "segment": f"/api/v1/segments/{row['segment_id']}"},
    }


async def find_instance(request: Request, number: int) -> Row:
    """Return an instance's row, or raise `NotFoundError`."""
    database: Database = request.app.state.database
    row = await database.row(SELECT + "where i.installation_id = %s", (number,))
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
    rows = await database.rows(
        SELECT + "where i.installation_id > %(after)s and (%(segment)s::bigint is null or i.segment_id = %(segment)s)"
        " and (%(sensor)s::int is null or i.sensor_id = %(sensor)s) order by i.installation_id limit %(limit)s",
        {"after": after, "limit": limit + 1, "segment": segment, "sensor": sensor},
    )
    path = asked_path(PATH, segment=segment, sensor=sensor)
    return private(
        request, page(path, "instances", rows, "installation_id", limit, lambda row: instance_shape(row, reader))
    )


@router.get(
    "/instances/{instance_id}",
    summary="One instance",
    responses=described(InstanceShape, INSTANCE, 401, 403, 404, 422, 503),
)
async def one_instance(request: Request, instance_id: InstanceId, reader: Anybody) -> Response:
    """Return one instance."""
    return private(request, instance_shape(await find_instance(request, instance_id), reader))


@router.post(
    "/instances",
    summary="Install a sensor at a segment",
    status_code=201,
    responses=made(described(InstanceShape, INSTANCE, 400, 401, 403, 409, 422, 503)),
    openapi_extra=needs(Role.OPERATOR),
)
async def add_instance(request: Request, wanted: NewInstance, reader: Registrar) -> Response:
    """Install a sensor from a time on; where it stood before ends at that time, and its history stays there."""
    database: Database = request.app.state.database
    await check_segments(database, [wanted.segment_id], "segment_id")
    at = datetime.fromisoformat(wanted.from_at) if wanted.from_at else datetime.now(UTC)
    async with database.connection() as connection:
        try:
            async with connection.transaction():
                known = await connection.execute(
                    "select from sensor where sensor_id = %s and retired_at is null for update", (wanted.sensor_id,)
                )
                if not known.rowcount:
                    raise QueryError(f"sensor_id: there is no sensor {wanted.sensor_id}, or it is retired")
                await connection.execute(
                    "update installation set until_at = %s where sensor_id = %s and until_at is null and from_at < %s",
                    (at, wanted.sensor_id, at),
                )
                cursor = await connection.execute(
                    "insert into installation (sensor_id, segment_id, from_at, side, note) values (%s, %s, %s, %s, %s)"
                    " returning installation_id",
                    (wanted.sensor_id, wanted.segment_id, at, wanted.side, wanted.note),
                )
                row = await cursor.fetchone()
        except psycopg.errors.ExclusionViolation as error:
            raise ConflictError(f"sensor {wanted.sensor_id} stands somewhere after {at.isoformat()} already") from error
    assert row is not None
    return created_at(request, instance_shape(await find_instance(request, row[0]), reader))


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
    row = await find_instance(request, instance_id)
    check_unchanged(request, instance_shape(row, reader))
    ends = datetime.fromisoformat(change.until_at) if change.until_at else None
    if ends is not None and ends <= row["from_at"]:
        raise QueryError(f"until_at ({ends.isoformat()}) must lie after from_at ({row['from_at'].isoformat()})")
    async with database.connection() as connection:
        try:
            await connection.execute(
                "update installation set side = coalesce(%s, side), note = coalesce(%s, note),"
                " until_at = coalesce(%s, until_at) where installation_id = %s",
                (change.side, change.note, ends, instance_id),
            )
        except psycopg.errors.ExclusionViolation as error:
            raise ConflictError("the sensor stands somewhere else in that time") from error
    return private(request, instance_shape(await find_instance(request, instance_id), reader))
