"""What is open here, since when and under which licence; how to download it, cite it, and read it from other programs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from telstraat_api.errors import QueryError
from telstraat_api.http.access import connections_for
from telstraat_api.settings import ApiSettings
from telstraat_api.web.compare.compare_page import street_named
from telstraat_api.web.forms import see_other
from telstraat_api.web.languages import chosen, page_language
from telstraat_api.web.pages import Pages, page_reader
from telstraat_store.connection import Database
from telstraat_store.counts.windows import local_midnight, zone
from telstraat_store.summaries.summary_table import SummaryQuery, read_summaries
from telstraat_store.summaries.town_totals import counted_since

router = APIRouter(include_in_schema=False)
SUGGESTED_MAX = 500
FORMS = ("csv", "parquet", "arrow")
STEPS = ("hour", "day")
EXAMPLE_DAYS = 28


@router.get("/data")
async def data_page(request: Request) -> Response:
    """Show what is open, and how to get it."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    settings: ApiSettings = request.app.state.settings
    await page_reader(request)
    async with database.connection() as connection:
        suggested, streets = await read_summaries(connection, SummaryQuery(limit=SUGGESTED_MAX))
        since = await counted_since(connection)
    today = datetime.now(UTC).date()
    base = settings.public_url or str(request.base_url).rstrip("/")
    return pages.render(
        request,
        "data/data.html",
        suggested=suggested,
        streets=streets,
        since=since,
        forms=FORMS,
        steps=STEPS,
        first=today - timedelta(days=EXAMPLE_DAYS),
        last=today - timedelta(days=1),
        base=base,
        example=suggested[0].segment_id if suggested else 1001,
        hours_only=connections_for(request).is_public,
        cited=page_language(chosen(request)).day(today),
    )


@router.get("/data/file")
async def wanted_file(request: Request) -> Response:
    """Lead to the file that a form on the page asks for: the API's own address, which can be used again."""
    database: Database = request.app.state.database
    query = request.query_params
    form, step = query.get("form", "csv"), query.get("step", "hour")
    if form not in FORMS or step not in STEPS:
        raise QueryError(f"form={form!r} and step={step!r}: files are {', '.join(FORMS)}, by {', '.join(STEPS)}")
    street = query.get("street", "").strip()[:200]
    segments, timezone = "all", "UTC"
    async with database.connection() as connection:
        if street:
            row = await street_named(connection, street)
            if row is None:
                raise QueryError(
                    f"no single street is known by {street!r}; choose one from the list, or leave it empty for all"
                )
            segments, timezone = str(row.segment_id), row.timezone
        else:
            rows, _ = await read_summaries(connection, SummaryQuery(limit=1))
            timezone = rows[0].timezone if rows else timezone
    first, last = sorted((day_in(query.get("from", ""), "from"), day_in(query.get("until", ""), "until")))
    tz = zone(timezone)
    values = {
        "segments": segments,
        "bucket": step,
        "from": written(local_midnight(first, tz)),
        "to": written(local_midnight(last + timedelta(days=1), tz)),
    }
    if form == "csv" and query.get("spreadsheet"):
        values |= {"separator": "semicolon", "decimal": "comma"}
    return see_other(f"/api/v1/reports/file.{form}?{urlencode(values)}")


def day_in(text: str, name: str) -> date:
    """Return the day that a field names, or raise `QueryError`."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise QueryError(f"{name}={text!r} is not a day such as 2026-03-02") from error
    if not 1990 <= day.year < 2200:
        raise QueryError(f"{name}={text}: no street was counted then")
    return day


def written(at: datetime) -> str:
    """Write a moment as the API's addresses have it."""
    return at.isoformat().replace("+00:00", "Z")
