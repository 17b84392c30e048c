"""`/api/v1/reports` and its files: several streets at once, as JSON, CSV, Parquet or Arrow."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from telstraat_api.errors import NotFoundError, QueryError
from telstraat_api.http.access import Anybody, connections_for, refuse_quarters
from telstraat_api.http.answers import json_answer, stamp
from telstraat_api.http.rates import asker_of
from telstraat_api.http.times import read_window
from telstraat_api.settings import ApiSettings
from telstraat_api.v1.reports import From, To, gap_shape, reports_of
from telstraat_api.v1.shapes import REPORTS, ReportsShape, described
from telstraat_contract.road_users import COUNT_COLUMNS
from telstraat_store.connection import Database
from telstraat_store.counts.gaps import read_gaps
from telstraat_store.counts.period import Period
from telstraat_store.counts.reading import Key, read_rows
from telstraat_store.counts.single_sensor import storage_state_of
from telstraat_store.counts.suppression import finalised, read_for
from telstraat_store.counts.windows import Bucket, Window, zone
from telstraat_store.export.files import MEDIA_TYPES, Exporter
from telstraat_store.export.queries import Decimal, ExportRequest, Form, Separator
from telstraat_store.places.segments import names_of, timezones_of

router = APIRouter(prefix="/api/v1", tags=["counts"])
SEGMENTS_MAX = 1000
NAME_MAX = 60
Segments = Annotated[
    str,
    Query(
        max_length=20_000,
        pattern=r"^(all|[1-9][0-9]{0,17}(,[1-9][0-9]{0,17})*)$",
        description="Numbers of segments with commas, or `all`.",
        examples=["1001,1002"],
    ),
]


class FileBucket(StrEnum):
    """How long the periods of a file are."""

    QUARTER = "quarter"
    HOUR = "hour"
    DAY = "day"


async def read_segments(database: Database, text: str) -> tuple[tuple[int, str], ...]:
    """Return number and time zone of the segments that a request names, in its order."""
    numbers = None if text == "all" else list(dict.fromkeys(int(part) for part in text.split(",")))
    async with database.connection() as connection:
        zones = await timezones_of(connection, numbers)
    if numbers is None:
        return tuple(zones.items())
    missing = [number for number in numbers if number not in zones]
    if missing:
        raise NotFoundError(f"there is no segment {missing[0]}; GET /api/v1/segments lists all")
    return tuple((number, zones[number]) for number in numbers)


NAMES = (
    "segment_id", "start", "quarters", "observed_s", "sensor_s", "sensors", "flags",
    *COUNT_COLUMNS, *(f"{name}_seen" for name in COUNT_COLUMNS),
)  # fmt: skip


def columns_of(rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Return rows as columns: the shortest JSON there is, and the quickest to read into a data frame."""
    return dict(zip(NAMES, zip(*rows, strict=True) if rows else ((),) * len(NAMES), strict=False))


def row_of(period: Period) -> tuple[Any, ...]:
    """Return a period as a row of columns."""
    nothing = (None,) * len(COUNT_COLUMNS)
    known = (period.segment_id, period.start, period.quarters, period.observed_s, period.sensor_s, period.sensors)
    return (*known, period.flags, *(period.corrected or nothing), *(period.raw or nothing))


@router.get(
    "/reports",
    summary="Counts of several streets over time",
    responses=described(ReportsShape, REPORTS, 401, 403, 404, 422, 503),
)
async def many_reports(
    request: Request,
    segments: Segments,
    _: Anybody,
    bucket: Annotated[Bucket, Query(description="How long each period is.")] = Bucket.HOUR,
    start: From = None,
    to: To = None,
    speed: Annotated[bool, Query(description="Add cars per 5 km/h and V85.")] = False,
) -> Response:
    """Return counts by street and time, as for one street. Dates are those of the first street's time zone."""
    chosen, window = await read_request(request, segments, bucket, start, to)
    return json_answer(request, await reports_of(request, dict(chosen), bucket, window, speed=speed))


@router.get(
    "/reports/columns",
    summary="Counts of several streets over time, in columns",
    responses={
        200: {
            "description": "One array per column; times in UTC; `_seen` as counted, without it corrected.",
            "content": {
                "application/json": {"example": {"columns": {"start": ["2026-03-02T07:00:00Z"], "car_lft": [57.8]}}}
            },
        },
        **{s: a for s, a in described(ReportsShape, REPORTS, 401, 403, 404, 422, 503).items() if s != 200},
    },
)
async def report_columns(
    request: Request,
    segments: Segments,
    _: Anybody,
    bucket: Annotated[Bucket, Query(description="How long each period is.")] = Bucket.HOUR,
    start: From = None,
    to: To = None,
) -> Response:
    """Return the same counts as arrays, one per column: `pandas.DataFrame(answer["columns"])` reads it."""
    chosen, window = await read_request(request, segments, bucket, start, to)
    settings: ApiSettings = request.app.state.settings
    zones = dict(chosen)
    connections = connections_for(request)
    rows: Sequence[Sequence[Any]]
    storage = await storage_state_of(connections, list(zones), window)
    if connections.is_public or storage.has_imported:
        limits = settings.rows_max, settings.quarter_min
        rows = [row_of(period) for period in await read_for(connections, zones, bucket, window, *limits)]
    else:
        rows = await read_rows(connections, list(zones), window, bucket, settings.rows_max, Key.SEGMENT, storage)
    if len(rows) > settings.rows_max:
        raise QueryError(f"this is more than {settings.rows_max} rows; ask for less, or for a file")
    present = ((row[0], row[1]) for row in rows)
    body = {
        "bucket": bucket.value,
        "from": stamp(window.start),
        "to": stamp(window.end),
        "licence": settings.licence,
        "columns": columns_of(rows),
        "gaps": [gap_shape(*gap) for gap in await read_gaps(connections, zones, bucket, window, present)],
    }
    return Response(orjson.dumps(body, option=orjson.OPT_UTC_Z), media_type="application/json")


async def read_request(
    request: Request, segments: str, bucket: Bucket, start: str | None, to: str | None
) -> tuple[tuple[tuple[int, str], ...], Window]:
    """Return the streets and the window that a request names."""
    database: Database = request.app.state.database
    chosen = await read_segments(database, segments)
    if not chosen:
        raise NotFoundError("there is no segment yet")
    if len(chosen) > SEGMENTS_MAX:
        raise QueryError(f"up to {SEGMENTS_MAX} segments at once; for all of {len(chosen)} take the files")
    return chosen, read_window(start, to, bucket, zone(chosen[0][1]), datetime.now(UTC))


async def street_in_name(database: Database, chosen: Sequence[tuple[int, str]]) -> str:
    """Return what the name of a file says of its street, with a dash behind: its name in plain letters, else its number; nothing of several."""
    if len(chosen) != 1:
        return ""
    number = chosen[0][0]
    async with database.connection() as connection:
        street = (await names_of(connection, [number])).get(number, "")
    plain = unicodedata.normalize("NFKD", street).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:NAME_MAX].strip("-")
    return f"{words or number}-"


@router.get(
    "/reports/file.{form}",
    summary="Counts as a file: CSV, Parquet or Arrow",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file, of any size.",
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "segment_id,street,start_local,start_utc,...\r\n",
                },
                **{
                    MEDIA_TYPES[form]: {"schema": {"type": "string", "format": "binary"}}
                    for form in (Form.PARQUET, Form.ARROW)
                },
            },
        },
        **{s: a for s, a in described(ReportsShape, REPORTS, 401, 403, 404, 422, 503).items() if s != 200},
    },
)
async def report_file(
    request: Request,
    form: Form,
    segments: Segments,
    _: Anybody,
    bucket: Annotated[FileBucket, Query(description="How long each period is.")] = FileBucket.HOUR,
    start: From = None,
    to: To = None,
    separator: Annotated[Separator, Query(description="CSV: what stands between fields.")] = Separator.COMMA,
    decimal: Annotated[Decimal, Query(description="CSV: how fractions are written.")] = Decimal.POINT,
    gaps: Annotated[
        bool, Query(description="A row for every period, also for those without counts; `state` says why.")
    ] = True,
) -> Response:
    """Return counts as a file that streams while it is read. CSV opens in a spreadsheet as it is.

    Every period has a row: `state` is `counted`, `missing` (nobody watched), `withheld` (counted, not for whoever asks) or
    `not_yet`; all but the first have empty cells.
    """
    database: Database = request.app.state.database
    exporter: Exporter = request.app.state.exporter
    chosen = await read_segments(database, segments)
    tz = zone(chosen[0][1] if chosen else "UTC")
    window = read_window(start, to, Bucket(bucket.value), tz, datetime.now(UTC))
    connections = connections_for(request)
    shown_until = None
    if connections.is_public:
        if bucket is FileBucket.QUARTER:
            await refuse_quarters(request)
        shown_until = finalised(window, Bucket(bucket.value), dict(chosen), datetime.now(UTC)).end
    asker = asker_of(request.scope)
    exporter.check_room(asker)
    export = ExportRequest(chosen, window, Bucket(bucket.value), separator, decimal, asker, shown_until, gaps)
    days = f"{window.start.astimezone(tz):%Y%m%d}-{window.end.astimezone(tz):%Y%m%d}"
    name = f"telstraat-{await street_in_name(database, chosen)}{bucket.value}-{days}.{form.value}"
    write = {Form.CSV: exporter.csv, Form.PARQUET: exporter.parquet, Form.ARROW: exporter.arrow}[form]
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(write(connections, export), media_type=MEDIA_TYPES[form], headers=headers)
