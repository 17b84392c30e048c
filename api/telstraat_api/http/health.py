"""`/healthz`: is the database there, which schema has it, how old is the newest report."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from telstraat_api.http.answers import stamp
from telstraat_store.connection import Database, Row
from telstraat_store.errors import SchemaError, UnavailableError

router = APIRouter(tags=["service"])
EXAMPLE = {
    "status": "ok",
    "database": "ok",
    "schema": "0001_initial",
    "newest_report": "2026-03-02T07:45:00Z",
    "newest_report_age_s": 1132,
    "streams": 3,
}


async def schema_version(database: Database) -> str:
    """Return the number and name of the newest migration."""
    found = await database.row("select to_regclass('migration') is not null as kept")
    if found is None or not found["kept"]:
        raise SchemaError("the database has no schema; run: telstraat db migrate")
    row = await database.row("select number, name from migration order by number desc limit 1")
    if row is None:
        raise SchemaError("the database has no schema; run: telstraat db migrate")
    return f"{row['number']:04}_{row['name']}"


async def newest_report(database: Database) -> Row | None:
    """Return the newest report of the sensors heard of last: asking all of them would read every report."""
    return await database.row(
        """
        select max(r.period_start) as at, extract(epoch from now() - max(r.received_at))::bigint as age_s
        from (select sensor_id, epoch_no from stream order by last_at desc limit 20) heard
        cross join lateral (
            select period_start, received_at from report
            where report.sensor_id = heard.sensor_id and report.epoch_no = heard.epoch_no
            order by period_start desc limit 1
        ) r
        """
    )


@router.get(
    "/healthz",
    summary="Is the service well",
    responses={
        200: {"description": "It is.", "content": {"application/json": {"example": EXAMPLE}}},
        503: {"description": "The database does not answer.", "content": {"application/json": {}}},
    },
)
async def healthz(request: Request) -> Response:
    """Tell whether the database answers, its schema's version and the age of the newest report."""
    database: Database = request.app.state.database
    body: dict[str, Any] = {"status": "ok", "database": "ok", "streams": len(request.app.state.live.streams)}
    status = 200
    try:
        body["schema"] = await schema_version(database)
        newest = await newest_report(database)
        body["newest_report"] = stamp(newest["at"]) if newest else None
        body["newest_report_age_s"] = newest["age_s"] if newest else None
    except UnavailableError as error:
        status = 503
        body.update(status="failing", database=str(error))
    return Response(orjson.dumps(body), status, media_type="application/json", headers={"Cache-Control": "no-store"})
