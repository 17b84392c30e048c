"""`/operate`: what needs somebody, and how the site is doing."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
from fastapi import APIRouter, Request, Response
from psycopg import AsyncConnection

from telstraat_api.http.access import Role
from telstraat_api.settings import ApiSettings
from telstraat_api.web.forms import signed_in
from telstraat_api.web.operate.sensor_pages import STATE_NAMES_OF_SENSORS, look_for_odd_ones
from telstraat_api.web.operate.shared import rendered_for_operators
from telstraat_store.connection import Database
from telstraat_store.places.fleet_list import SensorState, fleet_by_state, list_fleet
from telstraat_store.reports.quarantined import quarantine_by_reason
from telstraat_store.schema.retention import Size, size

router = APIRouter(include_in_schema=False)
NEEDING = (SensorState.DOUBLED, SensorState.SILENT, SensorState.LATE, SensorState.ODD, SensorState.WAITING)
LISTED = 12


async def troubled(connection: AsyncConnection[Any]) -> list[dict[str, Any]]:
    """Return the sensors that need somebody, the worst first, `LISTED` at most."""
    page = await list_fleet(connection, state=None, search="", offset=0, limit=LISTED)
    return [row for row in page.rows if row["state"] in NEEDING]


def measured(dsn: str) -> Size:
    """Measure the database over a connection of its own: counting may take a while."""
    with psycopg.connect(dsn, options="-c statement_timeout=20s") as connection:
        return size(connection)


@router.get("/operate")
async def overview_page(request: Request) -> Response:
    """Show what needs somebody, the sensors by state, what was refused, and how much the database holds."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    settings: ApiSettings = request.app.state.settings
    async with database.connection() as connection:
        states = await fleet_by_state(connection)
        await look_for_odd_ones(connection)
        sensors = await troubled(connection)
        reasons = await quarantine_by_reason(connection)
    held = await asyncio.to_thread(measured, settings.dsn)
    return await rendered_for_operators(
        request,
        "operate/overview.html",
        states=states,
        state_names=STATE_NAMES_OF_SENSORS,
        sensors=sensors,
        needing=sum(states.get(state, 0) for state in NEEDING),
        reasons=reasons,
        held=held,
    )
