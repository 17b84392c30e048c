"""`/streets/named`: the streets that are offered while somebody types, the same for every field that names one."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response

from telstraat_store.connection import Database
from telstraat_store.places.picking import list_named

router = APIRouter(include_in_schema=False)
OFFERED = 20
TEXT_MAX = 200


@router.get("/streets/named")
async def named_streets(request: Request, q: Annotated[str, Query(max_length=TEXT_MAX)] = "") -> Response:
    """Return number and name of the streets with a text in their name or that number, those first that begin with it."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        rows = await list_named(connection, q.replace("\0", "").strip(), OFFERED)
    streets = [{"id": row["segment_id"], "name": row["name"]} for row in rows]
    headers = {"Cache-Control": "max-age=60"}
    return Response(orjson.dumps({"streets": streets}), media_type="application/json", headers=headers)
