"""The doors of the compatible part: the welcome, what a key may read, and the legacy and website addresses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request, Response

from telstraat_api.errors import BadRequestError, NotFoundError
from telstraat_api.http.access import connections_for
from telstraat_api.telraam.envelope import described, ok
from telstraat_api.telraam.instances import find_instances
from telstraat_api.telraam.request_parsing import ID_MAX
from telstraat_api.telraam.rows import MODES, NOT_TOLD_APART, Interval, without_motorcycles
from telstraat_api.telraam.traffic import (
    MAC_BASE,
    complete,
    days_of,
    read_intervals,
    timezone_of,
)
from telstraat_contract.speeds import coarse
from telstraat_store.connection import Database
from telstraat_store.counts.reading import Key
from telstraat_store.counts.windows import Bucket, Window, local_midnight, zone

router = APIRouter(tags=["Telraam-compatible"])
Number = Annotated[int, Path(ge=0, le=ID_MAX)]
DAYS_MAX = 92
HELLO = {"msg": "Welcome to this Telraam-compatible API.", "env": "prod"}
TELLING, TYPICAL = MODES[-2::-1], ("Avg", "PctOfTypical")
SPEEDS = ("Zero", "Ten", "Twenty", "Thirty", "Fourty", "Fifty", "Sixty", "Seventy")


@router.get("/v1", summary="Welcome", openapi_extra=described(HELLO))
async def welcome(request: Request) -> Response:
    """Say hello; clients ask for this to try their key."""
    hello = {**HELLO, "msg": f"Welcome to the Telraam-compatible API of {request.app.state.settings.site_name}."}
    return Response(orjson.dumps(hello), media_type="application/json")


@router.get("/advanced", summary="What may be read", openapi_extra=described({"status_code": 200, "message": "ok"}))
async def readable(request: Request) -> Response:
    """Return the numbers that may be read: everything that is public."""
    database: Database = request.app.state.database
    rows = await find_instances(database)
    return ok(
        user_id=0,
        segment_ids=sorted({row["segment_id"] for row in rows}),
        instance_ids=[row["installation_id"] for row in rows],
        device_ids=sorted({MAC_BASE + row["sensor_id"] for row in rows}),
    )


@router.get(
    "/api/measurements-day-barchart/segments/{segment_id}/{first}/{last}",
    summary="Counts per day, as the website's charts ask for them",
    openapi_extra=described({"labels": ["2026-03-02"], "dates": ["2026-03-02"], "data": {"car": [412]}}),
)
async def day_barchart(request: Request, segment_id: Number, first: str, last: str) -> Response:
    """Return counts per local day from the first to the last, both included, as arrays of equal length; today so far."""
    database: Database = request.app.state.database
    timezone = await timezone_of(database, Key.SEGMENT, segment_id)
    if timezone is None:
        raise NotFoundError(f"there is no segment {segment_id}")
    tz = zone(timezone)
    days = [read_day(text, name) for text, name in ((first, "first"), (last, "last"))]
    if not timedelta(0) <= days[1] - days[0] < timedelta(days=DAYS_MAX):
        raise BadRequestError(f"{first} to {last}: up to {DAYS_MAX} days, the first before the last")
    window = Window(local_midnight(days[0], tz), local_midnight(days[1] + timedelta(days=1), tz))
    span = complete(window, Bucket.HOUR, timezone, datetime.now(UTC))
    hours = await read_intervals(connections_for(request), Key.SEGMENT, segment_id, span, Bucket.HOUR, timezone)
    intervals = days_of(hours, tz)
    dates = [interval.start.astimezone(tz).date().isoformat() for interval in intervals]
    body = {"labels": dates, "dates": dates, "data": series(intervals) if intervals else []}
    return Response(orjson.dumps(body), media_type="application/json")


def read_day(text: str, name: str) -> date:
    """Read a day in an address; a time after it is ignored."""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError as error:
        raise BadRequestError(f"{name}={text!r} is not a date; write 2026-03-01") from error
    if not 2000 <= day.year < 2200:
        raise BadRequestError(f"{name}={text!r} lies outside of the years 2000 to 2199")
    return day


def series(intervals: list[Interval]) -> dict[str, list[Any]]:
    """Return the arrays of a chart: classes, modes, and cars per 10 km/h."""
    columns: dict[str, list[Any]] = {}

    def counts(kind: str) -> list[float | None]:
        return [None if n is None else round(n, 2) for n in (interval.both(kind) for interval in intervals)]

    for kind in (*TELLING, "night"):
        columns[kind] = counts(kind)
    pairs = zip(columns["bike"], counts("motorcycle"), strict=True)
    columns["mode_bicycle"] = [without_motorcycles(bike, motorcycle) for bike, motorcycle in pairs]
    columns["mode_motorcycle"] = counts("motorcycle")
    columns["mode_car"] = columns["car"]
    columns["mode_pedestrian"] = columns["pedestrian"]
    columns.update({f"mode_{mode}": [None] * len(intervals) for mode in NOT_TOLD_APART})
    for n, name in enumerate(SPEEDS):
        columns[f"speed{name}"] = [coarse(interval.speeds)[n] if interval.speeds else 0 for interval in intervals]
    # What a typical day brings stands in reports/typical_traffic, with how it was reckoned.
    columns.update({f"{kind}{what}": [None] * len(intervals) for what in TYPICAL for kind in TELLING})
    columns.update({f"speed{name}Delta": [None] * len(intervals) for name in SPEEDS})
    return columns


@router.get("/api/segments/id/{segment_id}", include_in_schema=False)
async def website_segment(request: Request, segment_id: Number) -> Response:
    """Return one segment, at the website's address."""
    from telstraat_api.telraam.places import one_segment

    return await one_segment(request, segment_id)
