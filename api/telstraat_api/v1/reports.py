"""`/api/v1/segments/{id}/reports`: counts by quarter, hour, day and longer, raw and corrected, with what was observed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from telstraat_api.http.access import Anybody, connections_for
from telstraat_api.http.answers import json_answer, stamp
from telstraat_api.http.times import read_window
from telstraat_api.settings import ApiSettings
from telstraat_api.v1.segments import SegmentId, require_segment
from telstraat_api.v1.shapes import REPORTS, ReportsShape, described
from telstraat_contract.messages import Flag
from telstraat_contract.road_users import CLASSES, COUNTED
from telstraat_contract.speeds import bin_kmh, v85_kmh
from telstraat_store.connection import Database
from telstraat_store.counts.gaps import read_gaps
from telstraat_store.counts.period import Period
from telstraat_store.counts.reading import Speeds, read_speeds
from telstraat_store.counts.states import Stretch, not_shown, period_state
from telstraat_store.counts.suppression import read_for
from telstraat_store.counts.windows import Bucket, Window, next_start, zone

router = APIRouter(prefix="/api/v1", tags=["counts"])
DECIMALS = 4
STAMP = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+ -]\d{2}:?\d{2})?)?$"
LIGHTS = {"u": "unknown", "d": "day", "k": "dusk", "n": "night"}
From = Annotated[
    str | None,
    Query(
        alias="from",
        max_length=40,
        pattern=STAMP,
        description="First period: a date (local midnight) or a date with time (local when it names no zone).",
        examples=["2026-03-01"],
    ),
]
To = Annotated[
    str | None,
    Query(max_length=40, pattern=STAMP, description="End, not included, written as `from`.", examples=["2026-03-02"]),
]


def by_kind(values: Sequence[float | None]) -> dict[str, dict[str, float | None]]:
    """Return counts in the order of `COLUMNS` by class and direction."""
    return {kind: {"lft": lft, "rgt": rgt} for kind, lft, rgt in zip(COUNTED, values[::2], values[1::2], strict=True)}


def rounded(value: float | None) -> float | None:
    """Return a count as answers round it; what is withheld or was not counted stays so."""
    return None if value is None else round(value, DECIMALS)


@lru_cache(maxsize=4096)
def flag_names(flags: int) -> tuple[str, ...]:
    """Return the names of the flags that are set, in the contract's order."""
    return tuple(flag.name.lower() for flag in Flag if flags & flag and flag.name)


def speed_shape(period: Period, bins: list[int] | None) -> dict[str, Any] | None:
    """Return cars per 5 or 10 km/h and their V85, of imported counts as published; None when no speed was measured."""
    if period.source_id is None:
        return None if bins is None else {"bin_kmh": 5, "cars": bins, "v85_kmh": v85_kmh(bins)}
    cars = period.car_speed
    v85 = period.v85_kmh if period.v85_kmh is not None else v85_kmh(cars or ())
    if cars is None and v85 is None:
        return None
    rounded_cars = None if cars is None else [rounded(n) for n in cars]
    return {"bin_kmh": bin_kmh(cars or ()), "cars": rounded_cars, "v85_kmh": v85}


def shape(period: Period, bucket: Bucket, tz: ZoneInfo, speeds: Speeds | None) -> dict[str, Any]:
    """Return one period as the answer tells it."""
    end = next_start(period.start, bucket, tz)
    length_s = (end - period.start).total_seconds()
    corrected = period.corrected
    values: dict[str, Any] = {
        "segment_id": period.segment_id,
        "start": period.start.astimezone(tz),
        "end": end.astimezone(tz),
        "quarters": period.quarters,
        "observed_s": period.observed_s,
        "uptime": round(period.observed_s / length_s, DECIMALS),
        "sensors": period.sensors,
        "sensor_s": period.sensor_s,
        "flags": flag_names(period.flags),
        "source": period.source_id,
        "state": period_state(period),
        "not_shown": not_shown(period),
        "raw": None if period.raw is None else by_kind(period.raw),
        "corrected": None if corrected is None else by_kind([rounded(value) for value in corrected]),
    }
    if period.confidence is not None:
        rated = (None if value is None else round(value, 1) for value in period.confidence)
        values["confidence"] = dict(zip(CLASSES, rated, strict=True))
    if period.light is not None:
        values["light"] = LIGHTS[period.light]
    if speeds is not None:
        values["speed"] = speed_shape(period, speeds.get((period.segment_id, period.start)))
    return values


def gap_shape(segment_id: int, stretch: Stretch) -> dict[str, Any]:
    """Return a gap as answers tell it."""
    start, end = stamp(stretch.window.start), stamp(stretch.window.end)
    return {"segment_id": segment_id, "from": start, "to": end, "state": stretch.state}


async def reports_of(
    request: Request, zones: dict[int, str], bucket: Bucket, window: Window, *, speed: bool
) -> dict[str, Any]:
    """Return the body of an answer about counts."""
    connections = connections_for(request)
    settings: ApiSettings = request.app.state.settings
    segments = list(zones)
    tz = zone(zones[segments[0]])
    periods = await read_for(connections, zones, bucket, window, settings.rows_max, settings.quarter_min)
    speed = speed and not (bucket is Bucket.QUARTER and connections.is_public)
    speeds = await read_speeds(connections, segments, window, bucket) if speed else None
    present = ((period.segment_id, period.start) for period in periods)
    return {
        "segments": segments,
        "timezone": tz.key,
        "bucket": bucket.value,
        "from": stamp(window.start),
        "to": stamp(window.end),
        "licence": settings.licence,
        "periods": [shape(period, bucket, tz, speeds) for period in periods],
        "gaps": [gap_shape(*gap) for gap in await read_gaps(connections, zones, bucket, window, present)],
        "links": {"segment": f"/api/v1/segments/{segments[0]}"},
    }


@router.get(
    "/segments/{segment_id}/reports",
    summary="Counts of a street over time",
    responses=described(ReportsShape, REPORTS, 401, 403, 404, 422, 503),
)
async def segment_reports(
    request: Request,
    segment_id: SegmentId,
    _: Anybody,
    bucket: Annotated[Bucket, Query(description="How long each period is.")] = Bucket.HOUR,
    start: From = None,
    to: To = None,
    speed: Annotated[bool, Query(description="Add cars per 5 km/h and V85.")] = False,
) -> Response:
    """Return what was counted between `from` and `to`, oldest first.

    `raw` is what was seen; `corrected` is scaled up to the full time by what was observed, quarter by quarter. The window
    is widened to whole periods. A period without data is absent, and `gaps` say why: nobody watched (`missing`), it is not
    shown (`withheld`), or it is not there yet (`not_yet`). A quarter in which the sensor was there but blind has
    `observed_s` 0 and `corrected` null. Counts imported from others carry their `source` and have no `raw`.
    """
    database: Database = request.app.state.database
    async with database.connection() as connection:
        segment = await require_segment(connection, segment_id)
    tz = zone(segment.timezone)
    window = read_window(start, to, bucket, tz, datetime.now(UTC))
    zones = {segment_id: segment.timezone}
    return json_answer(request, await reports_of(request, zones, bucket, window, speed=speed))
