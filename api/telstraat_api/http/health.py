"""`/healthz`: is the database there, which schema has it, how old is the newest report."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from telstraat_api.http.answers import stamp
from telstraat_store.connection import Database
from telstraat_store.errors import UnavailableError
from telstraat_store.places.fleet import newest_report
from telstraat_store.schema.present import schema_version

router = APIRouter(tags=["service"])
EXAMPLE = {
    "status": "ok",
    "database": "ok",
    "schema": "0001_initial",
    "newest_report": "2026-03-02T07:45:00Z",
    "newest_report_age_s": 1132,
    "streams": 3,
}


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
        async with database.connection() as connection:
            body["schema"] = await schema_version(connection)
            newest = await newest_report(connection)
        body["newest_report"] = stamp(newest["at"]) if newest else None
        body["newest_report_age_s"] = newest["age_s"] if newest else None
    except UnavailableError as error:
        status = 503
        body.update(status="failing", database=str(error))
    return Response(orjson.dumps(body), status, media_type="application/json", headers={"Cache-Control": "no-store"})
