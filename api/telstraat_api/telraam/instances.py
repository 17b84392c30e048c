"""Instances (cameras): a device at a segment for a time, as Telraam's clients know them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from telstraat_api.errors import NotFoundError
from telstraat_api.telraam.envelope import cached_answer, described, ok, wrapped
from telstraat_api.telraam.examples import CAMERA, CAMERAS
from telstraat_api.telraam.request_parsing import ID_MAX
from telstraat_api.telraam.rows import report_stamp
from telstraat_api.telraam.traffic import MAC_BASE
from telstraat_store.connection import Database, Row
from telstraat_store.places.installations import list_reported_installations

router = APIRouter(tags=["Telraam-compatible"])
SILENT_AFTER = timedelta(hours=2)
Number = Annotated[int, Path(ge=0, le=ID_MAX)]
COLUMNS = {"instance": "installation_id", "segment": "segment_id", "mac": "sensor_id"}
"""What a number is of, by the lists of instances that clients ask for."""


async def find_instances(database: Database, which: str = "all", number: int = 0) -> list[Row]:
    """Return instances by number: all, one, those of a segment or those of a device."""
    if which in {"instance", "mac"} and number >= 2**31:
        return []
    column = COLUMNS.get(which)
    async with database.connection() as connection:
        return await list_reported_installations(connection, **({column: number} if column else {}))


def status_of(row: Row, now: datetime) -> str:
    """Return how an instance is, in Telraam's words."""
    if row["until_at"] is not None:
        return "stopped"
    heard = row["last_at"] is not None and now - row["last_at"] < SILENT_AFTER
    return "active" if row["online"] or heard else "non_active"


def instance_shape(row: Row, now: datetime) -> dict[str, Any]:
    """Return an instance. Who owns it is nobody's business: `user_id` is always 0, the side is not told."""
    status = status_of(row, now)
    seen = ("pedestrians_left", "pedestrians_right", "bikes_left", "bikes_right", "cars_left", "cars_right")
    return {
        "instance_id": row["installation_id"],
        "mac": MAC_BASE + row["sensor_id"],
        "user_id": 0,
        "segment_id": row["segment_id"],
        "direction": True,
        "status": status,
        "manual": False,
        "time_added": report_stamp(row["from_at"]),
        "time_end": None if row["until_at"] is None else report_stamp(row["until_at"]),
        "last_data_package": report_stamp(row["last_at"]),
        "first_data_package": report_stamp(row["first_at"]),
        **dict.fromkeys(seen, True),
        "is_calibration_done": "no",
        "hardware_version": 2,
        "status_detailed": status,
        "private": False,
    }


async def answer(request: Request, which: str, number: int = 0) -> list[dict[str, Any]]:
    """Return the instances that a request names."""
    database: Database = request.app.state.database
    now = datetime.now(UTC)
    return [instance_shape(row, now) for row in await find_instances(database, which, number)]


@router.get("/v1/cameras", summary="All instances (legacy name)", openapi_extra=described(CAMERAS))
@router.get("/v1/instances", summary="All instances", openapi_extra=described(CAMERAS))
async def all_instances(request: Request) -> Response:
    """Return every instance, past ones too."""

    async def make() -> bytes:
        return wrapped(cameras=await answer(request, "all"))

    return await cached_answer(request, "instances", make)


@router.get("/advanced/instances/id/{instance_id}", summary="One instance", openapi_extra=described(CAMERA))
@router.get("/v1/instances/id/{instance_id}", summary="One instance", openapi_extra=described(CAMERA))
async def one_instance(request: Request, instance_id: Number) -> Response:
    """Return one instance, in a list."""
    instances = await answer(request, "instance", instance_id)
    if not instances:
        raise NotFoundError(f"there is no instance {instance_id}")
    return ok(camera=instances)


@router.get(
    "/v1/cameras/segment/{segment_id}", summary="Instances of a segment (legacy)", openapi_extra=described(CAMERA)
)
@router.get("/v1/instances/segment/{segment_id}", summary="Instances of a segment", openapi_extra=described(CAMERA))
async def segment_instances(request: Request, segment_id: Number) -> Response:
    """Return the instances of a segment."""
    return ok(camera=await answer(request, "segment", segment_id))


@router.get("/v1/cameras/{mac_id}", summary="Instances of a device (legacy name)", openapi_extra=described(CAMERA))
@router.get("/v1/instances/mac/{mac_id}", summary="Instances of a device", openapi_extra=described(CAMERA))
async def device_instances(request: Request, mac_id: Number) -> Response:
    """Return the instances of a device, by its serial number."""
    return ok(camera=await answer(request, "mac", mac_id - MAC_BASE if mac_id > MAC_BASE else mac_id))
