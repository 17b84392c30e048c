"""What is open here, since when and under which licence; how to download it, cite it, and read it from other programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from psycopg import AsyncConnection

from telstraat_api.errors import QueryError
from telstraat_api.http.access import connections_for
from telstraat_api.http.response_cache import ResponseCache
from telstraat_api.settings import ApiSettings
from telstraat_api.web.compare.compare_page import street_named
from telstraat_api.web.forms import see_other
from telstraat_api.web.languages import chosen, page_language
from telstraat_api.web.pages import Pages, page_headers, page_reader, remembering
from telstraat_api.web.street.street_view import ViewPeriod, period_days
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database
from telstraat_store.counts.windows import local_midnight, zone
from telstraat_store.places.segments import find_segment
from telstraat_store.summaries.summary_table import SummaryQuery, read_summaries
from telstraat_store.summaries.town_totals import counted_since

router = APIRouter(include_in_schema=False)
SUGGESTED_MAX = 30
FORMS = ("csv", "parquet", "arrow")
STEPS = ("quarter", "hour", "day")
EXAMPLE_DAYS = 28
SPANS = {"day": ViewPeriod.DAY, "month": ViewPeriod.MONTH, "year": ViewPeriod.YEAR}
COLUMNS = {
    "segment_id, street": gettext_noop("number and name of the street"),
    "start_local, start_utc": gettext_noop("when the period begins, by the clock of the street and in UTC"),
    "bucket": gettext_noop("how long a period is: quarter, hour or day"),
    "observed_s, uptime": gettext_noop(
        "for how many seconds the street was watched, and that as a share of the period"
    ),
    "sensors": gettext_noop("how many sensors counted"),
    "flags": gettext_noop("what the sensor noted, added up: 128 means that it was too dark for a part"),
    "pedestrian_lft, pedestrian_rgt": gettext_noop(
        "pedestrians: lft from A to B, rgt from B to A, as on the map of the street"
    ),
    "bike_lft, bike_rgt": gettext_noop("bicycles and other two-wheelers"),
    "motorcycle_lft, motorcycle_rgt": gettext_noop(
        "motorcycles and mopeds, as far as they are told apart; they are among the bicycles, too, and must not be added to them"
    ),
    "car_lft, car_rgt": gettext_noop("cars"),
    "heavy_lft, heavy_rgt": gettext_noop("lorries, buses and other heavy vehicles"),
    "night_lft, night_rgt": gettext_noop(
        "what moved in the dark and could not be named; it belongs to none of the others"
    ),
    "…_seen": gettext_noop(
        "as really counted, whole numbers; without _seen corrected for what was not watched, hence with decimals. Pages show the corrected ones, rounded"
    ),
    "source, licence": gettext_noop("whose counts they are, where others have made them, and their licence"),
    "state": gettext_noop(
        "counted, missing (nobody watched), withheld (counted, not shown) or not_yet; all but the first have empty cells, which are no zeros"
    ),
}
"""The columns of the files, in their order, for people."""


@router.get("/data")
async def data_page(request: Request) -> Response:
    """Show what is open, and how to get it."""
    cache: ResponseCache = request.app.state.response_cache
    reader = await page_reader(request)
    is_public = connections_for(request).is_public

    # Which streets come first is looked up among all of the town: that is worth keeping.
    async def make() -> bytes:
        return (await data_html(request)).encode()

    key = ("/data", is_public, reader.account_id, chosen(request), request.url.netloc, request.query_params.get("lang"))
    return remembering(request, await cache.answer(request, key, make, page_headers(request)))


async def data_html(request: Request) -> str:
    """Return the page."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    settings: ApiSettings = request.app.state.settings
    async with database.connection() as connection:
        suggested, streets = await read_summaries(connection, SummaryQuery(limit=SUGGESTED_MAX))
        since = await counted_since(connection)
    today = datetime.now(UTC).date()
    base = settings.public_url or str(request.base_url).rstrip("/")
    return pages.html(
        request,
        "data/data.html",
        suggested=suggested,
        streets=streets,
        since=since,
        columns=COLUMNS,
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
        since = await counted_from(connection, segments) if query.get("span") == "all" else None
    tz = zone(timezone)
    first, last = days_asked(query, since.astimezone(tz).date() if since else None)
    values = {
        "segments": segments,
        "bucket": step,
        "from": written(local_midnight(first, tz)),
        "to": written(local_midnight(last + timedelta(days=1), tz)),
    }
    if form == "csv" and query.get("spreadsheet"):
        values |= {"separator": "semicolon", "decimal": "comma"}
    return see_other(f"/api/v1/reports/file.{form}?{urlencode(values)}")


async def counted_from(connection: AsyncConnection, segments: str) -> datetime | None:
    """Return when counting began in the street that a file is of; None for all of them, and where nothing was counted."""
    segment = await find_segment(connection, int(segments)) if segments.isdigit() else None
    return segment.first_report if segment else None


def days_asked(query: Mapping[str, str], since: date | None) -> tuple[date, date]:
    """Return the first and the last day that a form asks for: from one to another, or a span around its `day`."""
    span = query.get("span", "shown")
    if span in SPANS:
        day = day_in(query.get("day", ""), "day")
        first, after = period_days(SPANS[span], day)
        return first, after - timedelta(days=1)
    if span == "all":
        today = datetime.now(UTC).date()
        return min(since or today, today), today
    first, last = sorted((day_in(query.get("from", ""), "from"), day_in(query.get("until", ""), "until")))
    return first, last


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
