"""`/api/v1/segments/{id}/live`: server-sent events while somebody watches a street."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from telstraat_api.errors import ForbiddenError, UnauthorizedError
from telstraat_api.http.access import refuse_quarters
from telstraat_api.http.answers import stamp
from telstraat_api.http.rates import asker_of
from telstraat_api.live import Event, LiveHub
from telstraat_api.v1.segments import SegmentId, require_segment
from telstraat_api.v1.shapes import described_stream
from telstraat_contract.messages import Live
from telstraat_contract.road_users import COUNTED
from telstraat_store.connection import Database
from telstraat_store.errors import UnavailableError

router = APIRouter(prefix="/api/v1", tags=["counts"])
KEEP_ALIVE_S = 15.0
ASKED_AGAIN_S = 15.0
"""So long may somebody go on watching whose session, key or role has just ended."""


def live_shape(live: Live, sensor_id: int) -> dict[str, Any]:
    """Return the open quarter as browsers read it."""
    counts = {kind: getattr(live.counts, kind) for kind in COUNTED}
    return {
        "sensor_id": sensor_id,
        "at": stamp(live.at),
        "period_start": stamp(live.period_start),
        "observed_s": live.observed_s,
        "light": live.light,
        "counts": {kind: {"lft": directed.lft, "rgt": directed.rgt} for kind, directed in counts.items()},
    }


def framed(event: Event) -> bytes:
    """Return an event as server-sent events are framed."""
    data: Any = {}
    if event.live is not None:
        data = live_shape(event.live, event.sensor_id)
    elif event.at is not None:
        data = {"received_at": stamp(event.at)}
    return b"event: %s\ndata: %s\n\n" % (event.name.encode(), orjson.dumps(data))


async def follow(
    hub: LiveHub, segment_id: int, asker: str, check_right: Callable[[], Awaitable[None]]
) -> AsyncIterator[bytes]:
    """Yield the events of one street until the browser leaves, may watch no more, or the server stops."""
    asked_at = time.monotonic()
    async with hub.watch(segment_id, asker) as stream:
        yield b"retry: 3000\n\n"
        while not hub.closing:
            try:
                event = await asyncio.wait_for(stream.events.get(), KEEP_ALIVE_S)
            except TimeoutError:
                event = None
            if time.monotonic() - asked_at >= ASKED_AGAIN_S:
                try:
                    await check_right()
                except (UnauthorizedError, ForbiddenError):
                    return
                except UnavailableError:
                    event = None  # the database is away for a moment: nothing is told before the right is known again
                else:
                    asked_at = time.monotonic()
            yield b": still here\n\n" if event is None else framed(event)


@router.get(
    "/segments/{segment_id}/live",
    summary="Live counts of a street, as server-sent events",
    response_class=StreamingResponse,
    responses=described_stream(),
)
async def live(request: Request, segment_id: SegmentId) -> Response:
    """Stream the open quarter (`live`), and a word whenever a report was committed (`report`).

    Live counts are what the sensor has counted so far in the quarter that is still open: they are never stored, and the
    report that follows is what counts. `closing` says that the server stops; reconnect after a few seconds.
    """
    database: Database = request.app.state.database
    hub: LiveHub = request.app.state.live
    async with database.connection() as connection:
        await require_segment(connection, segment_id)
    await refuse_quarters(request)

    async def check_right() -> None:
        request.state.connections = database.public  # who asked at the beginning may be nobody by now
        await refuse_quarters(request)

    asker = asker_of(request.scope)
    hub.check_room(asker)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    events = follow(hub, segment_id, asker, check_right)
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)
