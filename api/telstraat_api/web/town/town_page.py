"""The town: a map and a list of all its streets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request, Response

from telstraat_api.http.access import connections_for
from telstraat_api.http.response_cache import ResponseCache
from telstraat_api.web.languages import chosen
from telstraat_api.web.pages import Pages, page_headers, page_reader, remembering
from telstraat_contract.quarters import quarter_start
from telstraat_contract.road_users import TOGETHER
from telstraat_store.connection import Connections, Database
from telstraat_store.counts.period import Period, both, total
from telstraat_store.counts.reading import read_periods, read_totals, read_watched
from telstraat_store.counts.single_sensor import storage_state_of
from telstraat_store.counts.states import State
from telstraat_store.counts.windows import Bucket, Window, start_of, zone
from telstraat_store.places.segments import Segment, find_segments

router = APIRouter(include_in_schema=False)
LISTED_MAX = 200


@router.get("/")
async def map_page(request: Request) -> Response:
    """Show all streets on a map and in a list."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    cache: ResponseCache = request.app.state.response_cache
    reader = await page_reader(request)
    connections = connections_for(request)
    hours_only = connections.is_public

    async def make() -> bytes:
        now = datetime.now(UTC)
        async with database.connection() as connection:
            segments = await find_segments(connection, limit=LISTED_MAX)
        until = start_of(now, Bucket.HOUR, zone("UTC")) if hours_only else now
        totals = await last_day(connections, segments, until)
        lines = {number: {"n": last.total, "state": last.state} for number, last in totals.items()}
        return pages.html(
            request, "town/map.html", segments=segments, totals=totals, map_totals=lines, now=now
        ).encode()

    key = ("/", hours_only, reader.account_id, chosen(request), str(request.query_params))
    return remembering(request, await cache.answer(request, key, make, page_headers(request)))


@dataclass(frozen=True)
class LastDay:
    """The last 24 hours of a street: corrected counts per class, how much of the time was watched, and what it is without them."""

    counts: dict[str, float | None]
    share: float
    state: State

    @property
    def total(self) -> float | None:
        """All road users; None when nothing was counted."""
        return total(self.counts.values())


async def last_day(connections: Connections, segments: Sequence[Segment], now: datetime) -> dict[int, LastDay]:
    """Return what is known of the last 24 hours of each street."""
    end = quarter_start(now)
    places = [segment.segment_id for segment in segments]
    window = Window(end - timedelta(days=1), end)
    storage = await storage_state_of(connections, places, window)
    totals: dict[int, LastDay] = {}
    if storage.has_imported:
        by_street: dict[int, list[Period]] = {}
        for period in await read_periods(connections, places, window, Bucket.HOUR, LISTED_MAX * 26, storage=storage):
            by_street.setdefault(period.segment_id, []).append(period)
        for place, hours in by_street.items():
            counts: dict[str, float | None] = {kind: total(hour.both(kind) for hour in hours) for kind in TOGETHER}
            totals[place] = counted(counts, sum(hour.observed_s for hour in hours) / window.length_s)
    else:
        for place, (seconds, sums) in (await read_totals(connections, places, window, storage)).items():
            totals[place] = counted({kind: both(sums, kind) for kind in TOGETHER}, seconds / window.length_s)
    rest = [segment for segment in segments if totals.get(segment.segment_id) is None]
    ids = [segment.segment_id for segment in rest]
    watched = await read_watched(connections, ids, window) if connections.is_public and ids else []
    hidden = {quarter.segment_id for quarter in watched if quarter.observed_s}
    for segment in rest:
        state = State.NOT_YET if segment.first_report is None else State.MISSING
        state = State.WITHHELD if segment.segment_id in hidden else state
        totals[segment.segment_id] = LastDay(dict.fromkeys(TOGETHER), 0.0, state)
    return totals


def counted(counts: dict[str, float | None], share: float) -> LastDay:
    """Return a day with its counts; one without any class was not watched."""
    state = State.MISSING if total(counts.values()) is None else State.COUNTED
    return LastDay(counts, min(1.0, share), state)
