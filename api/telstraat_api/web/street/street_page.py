"""The page of a street: now, a day, the days before, and what came in last."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from telstraat_api.errors import QueryError
from telstraat_api.http.access import connections_for
from telstraat_api.v1.segments import require_segment
from telstraat_api.web.languages import PageLanguage, chosen, page_language
from telstraat_api.web.pages import Pages, page_reader
from telstraat_api.web.street.street_day import StreetDay, read_day
from telstraat_api.web.street.vega_charts import day_chart, days_chart, speed_chart, uptime_chart
from telstraat_contract.quarters import QUARTER
from telstraat_contract.road_user_names import PLURALS
from telstraat_contract.road_users import TOGETHER
from telstraat_store.connection import Database
from telstraat_store.counts.windows import Bucket, local_day

router = APIRouter(include_in_schema=False)
LATEST_ROWS = 12


@router.get("/street/{segment_id}")
async def street_page(
    request: Request,
    segment_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
    day: Annotated[str | None, Query(max_length=10)] = None,
    by: Bucket = Bucket.QUARTER,
) -> Response:
    """Show one street: now, today (or the day asked for), the days before, and what came in last."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    async with database.connection() as connection:
        segment = await require_segment(connection, segment_id)
    await page_reader(request)
    connections = connections_for(request)
    hours_only = connections.is_public
    street = await read_day(database, connections, segment, read_date(day), datetime.now(UTC))
    _ = page_language(chosen(request))
    by = Bucket.HOUR if hours_only or by is not Bucket.QUARTER else Bucket.QUARTER
    return pages.render(
        request,
        "street/street.html",
        street=street,
        segment=segment,
        by=by.value,
        charts=charts_of(street, by, _),
        latest=[] if hours_only else list(reversed(street.quarters))[:LATEST_ROWS],
        quarter=QUARTER,
        day_s=lambda on: local_day(on, street.tz).length_s,
        next_day=(street.day + timedelta(days=1)).isoformat(),
        previous=(street.day - timedelta(days=1)).isoformat(),
        following=(street.day + timedelta(days=1)).isoformat() if street.day < street.today else None,
        reported_at=max((p.received_at for p in street.quarters if p.received_at), default=None),
    )


def read_date(text: str | None) -> date | None:
    """Read the day asked for."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise QueryError(f"day={text!r} is not a date; write 2026-03-01") from error
    if not 2000 <= day.year < 2200:
        raise QueryError(f"day={text!r} lies outside of the years 2000 to 2199")
    return day


def charts_of(day: StreetDay, by: Bucket, _: PageLanguage) -> dict[str, Any]:
    """Return the specs of a street's charts."""
    charts: dict[str, Any] = {
        "day": day_chart(day, by, "together", _),
        "ways": day_chart(day, Bucket.HOUR, "apart", _),
        "uptime": uptime_chart(day, _),
        "days": days_chart(day, _),
    }
    charts["names"] = [_(PLURALS[kind]) for kind in TOGETHER]
    if day.cars_timed:
        charts["speed"] = speed_chart(day, _)
    return charts
