"""`/my/sensors/{sensor_id}/live`: the open quarter of one's own sensor while its owner looks; it ends with the ownership."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.responses import StreamingResponse

from telstraat_api.errors import NotFoundError
from telstraat_api.http.rates import asker_of
from telstraat_api.live import Event, LiveHub
from telstraat_api.v1.streams import framed
from telstraat_api.web.forms import signed_in
from telstraat_api.web.pages import page_reader
from telstraat_store.connection import Database
from telstraat_store.errors import UnavailableError
from telstraat_store.places.own_sensors import find_own_sensor, is_owner

router = APIRouter(include_in_schema=False)
KEEP_ALIVE_S = 10.0
ASKED_AGAIN_S = 5.0
"""So long may somebody go on reading a sensor that has just been taken from them, or after their session has ended."""

SensorNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]


async def follow(request: Request, segment_id: int, sensor_id: int, account_id: int | None) -> AsyncIterator[bytes]:
    """Yield what one sensor counts, as long as it is the account's and its session lasts; other sensors of the street are left out."""
    hub: LiveHub = request.app.state.live
    database: Database = request.app.state.database
    asker, asked_at = asker_of(request.scope), time.monotonic()
    async with hub.watch(segment_id, asker) as stream:
        yield b"retry: 3000\n\n"
        while not hub.closing:
            try:
                event = await asyncio.wait_for(stream.events.get(), KEEP_ALIVE_S)
            except TimeoutError:
                event = None
            if event is None or time.monotonic() - asked_at > ASKED_AGAIN_S:
                try:
                    reader = await page_reader(request)
                    async with database.connection() as connection:
                        is_theirs = await is_owner(connection, sensor_id, account_id)
                except UnavailableError:  # for a moment: nothing is told before the right is known again
                    yield b": still here\n\n"
                    continue
                asked_at = time.monotonic()
                if not is_theirs or reader.account_id != account_id:
                    yield framed(Event("lost"))
                    return
            if event is None:
                yield b": still here\n\n"
            elif event.live is None or event.sensor_id == sensor_id:
                yield framed(event)


@router.get("/my/sensors/{sensor_id}/live")
async def own_live(request: Request, sensor_id: SensorNumber) -> Response:
    """Stream the open quarter of one's own sensor."""
    reader = await signed_in(request)
    database: Database = request.app.state.database
    hub: LiveHub = request.app.state.live
    async with database.connection() as connection:
        row = await find_own_sensor(connection, sensor_id, reader.account_id)
    if row is None or row["segment_id"] is None:
        raise NotFoundError(f"there is no sensor {sensor_id} of yours that stands in a street")
    hub.check_room(asker_of(request.scope))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    events = follow(request, row["segment_id"], sensor_id, reader.account_id)
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)
