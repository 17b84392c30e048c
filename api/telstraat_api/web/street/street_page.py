"""The page of a street: how busy it is, one chart over any time, a typical week, how fast, how well it is watched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from psycopg import AsyncConnection

from telstraat_api.errors import QueryError
from telstraat_api.http.access import Reader, connections_for
from telstraat_api.http.response_cache import ResponseCache
from telstraat_api.settings import ApiSettings
from telstraat_api.v1.segments import require_segment
from telstraat_api.web.charts import Band
from telstraat_api.web.charts.moments import spelt
from telstraat_api.web.compare.compare_page import street_named
from telstraat_api.web.forms import see_other
from telstraat_api.web.languages import PageLanguage, chosen, page_language
from telstraat_api.web.pages import Pages, changed, page_headers, page_reader, remembering
from telstraat_api.web.street.street_charts import (
    StreetBeside,
    speed_bins_chart,
    speed_chart,
    street_chart,
    total_so_far,
    usual_per_step,
    watch_calendar,
    week_chart,
)
from telstraat_api.web.street.street_map import street_map
from telstraat_api.web.street.street_reading import StreetPage, read_street
from telstraat_api.web.street.street_sentence import street_sentence
from telstraat_api.web.street.street_view import OFFERED, Against, StreetView, ViewPeriod, Ways, read_view
from telstraat_api.web.town.colour_scale import signed
from telstraat_api.web.town.street_values import WHY_TEXTS
from telstraat_contract.languages import gettext_noop
from telstraat_contract.quarters import QUARTER
from telstraat_contract.road_user_names import PLURALS
from telstraat_contract.road_users import TOGETHER
from telstraat_store.connection import Connections, Database
from telstraat_store.counts.windows import Bucket, Window, zone
from telstraat_store.places.own_sensors import published_directions
from telstraat_store.places.segments import Segment

router = APIRouter(include_in_schema=False)
BESIDE_MAX = 200
PERIODS = {
    ViewPeriod.DAY: gettext_noop("Day"),
    ViewPeriod.WEEK: gettext_noop("Week"),
    ViewPeriod.MONTH: gettext_noop("Month"),
    ViewPeriod.YEAR: gettext_noop("Year"),
    ViewPeriod.ALL: gettext_noop("All"),
}
STEPS = {
    Bucket.QUARTER: gettext_noop("Quarters"),
    Bucket.HOUR: gettext_noop("Hours"),
    Bucket.DAY: gettext_noop("Days"),
    Bucket.WEEK: gettext_noop("Weeks"),
    Bucket.MONTH: gettext_noop("Months"),
}
WAYS = {
    Ways.BOTH: gettext_noop("Both ways together"),
    Ways.FORTH: gettext_noop("From A to B"),
    Ways.BACK: gettext_noop("From B to A"),
    Ways.APART: gettext_noop("Each way by itself"),
}
AGAINST = {
    Against.NOTHING: gettext_noop("With nothing"),
    Against.BEFORE: gettext_noop("The time before"),
    Against.YEAR: gettext_noop("A year earlier"),
}
SPANS = {
    "shown": gettext_noop("the time shown"),
    "day": gettext_noop("this day"),
    "month": gettext_noop("this month"),
    "year": gettext_noop("this year"),
    "all": gettext_noop("everything"),
}
FILE_STEPS = {"quarter": gettext_noop("quarters"), "hour": gettext_noop("hours"), "day": gettext_noop("days")}
WEEK_EARLIER = gettext_noop("A week earlier")
WHERE = gettext_noop("Where the street lies, from A to B")


@router.get("/street/{segment_id}")
async def street_page(request: Request, segment_id: Annotated[int, Path(ge=1, le=2**63 - 1)]) -> Response:
    """Show one street: what is usual, the time that the address names, and how well it was watched."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    cache: ResponseCache = request.app.state.response_cache
    reader = await page_reader(request)
    connections = connections_for(request)
    now = datetime.now(UTC)
    async with database.connection() as connection:
        segment = await require_segment(connection, segment_id)
        beside = request.query_params.get("beside", "").strip()[:BESIDE_MAX]
        if beside:  # what was typed becomes the street's number in the address
            return await with_street(request, connection, beside)
    view = read_view(
        request.query_params, zone(segment.timezone), now, segment.first_report, is_public=connections.is_public
    )
    if reader.account_id is not None:
        return pages.render(
            request, "street/street.html", **await shown_to(request, connections, segment, view, now, reader)
        )

    async def make() -> bytes:
        context = await shown_to(request, connections, segment, view, now, reader)
        return pages.html(request, "street/street.html", **context).encode()

    key = ("street", segment_id, str(request.query_params), chosen(request), reader.role)
    return remembering(request, await cache.answer(request, key, make, page_headers(request)))


async def with_street(request: Request, connection: AsyncConnection, text: str) -> Response:
    """Lead to this page with the street that somebody typed beside it, or raise `QueryError`."""
    row = await street_named(connection, text)
    if row is None:
        raise QueryError(f"no single street is known by {text!r}; choose one from the list")
    return see_other(changed(request, beside=None, vs=str(row.segment_id)))


async def shown_to(
    request: Request, connections: Connections, segment: Segment, view: StreetView, now: datetime, reader: Reader
) -> dict[str, Any]:
    """Return what the template shows."""
    database: Database = request.app.state.database
    settings: ApiSettings = request.app.state.settings
    page = await read_street(database, connections, segment, view, now, reader, settings.quarter_min)
    _ = page_language(chosen(request))
    async with database.connection() as connection:
        directions = await published_directions(connection, segment.segment_id)
        place = await street_map(connection, segment.name, segment.geometry, _(WHERE))
    view = page.view
    before, after = view.neighbours()
    first, last = view.days
    return {
        **charts_of(page, lambda joined="", **changes: joined_address(request, joined, changes), _),
        "page": page,
        "segment": segment,
        "directions": directions,
        "place": place,
        "view": view,
        "counts": page.counts,
        "sentences": street_sentence(
            segment, page.counts, page.summary, page.place, total_so_far(page.counts, page.whole_week), _
        ),
        "hours_only": connections.is_public,
        "before": before,
        "after": after if view.window.end <= now else None,
        "first": first,
        "last": last,
        "heading": heading(view, _),
        "periods": PERIODS,
        "steps": {step: STEPS[step] for step in OFFERED if not (connections.is_public and step is Bucket.QUARTER)},
        "ways": WAYS,
        "against": {**AGAINST, **({Against.BEFORE: WEEK_EARLIER} if view.period is ViewPeriod.DAY else {})},
        "quarter": QUARTER,
        "zone": zone,
        "signed": lambda change: signed(change, _),
        "why_texts": WHY_TEXTS,
        "file_spans": {key: name for key, name in SPANS.items() if key != "shown" or view.period is not ViewPeriod.DAY},
        "file_steps": [step for step in FILE_STEPS if not (connections.is_public and step == "quarter")],
        "step_names": FILE_STEPS,
        "reported_at": max((period.received_at for period in page.latest if period.received_at), default=None),
        "names": [_(PLURALS[kind]) for kind in TOGETHER],
    }


def joined_address(request: Request, joined: str, changes: dict[str, str | None]) -> str:
    """Return this page's address with other parameters, and some that are filled in later, as they are."""
    address = changed(request, **changes)
    return f"{address}{'&' if '?' in address else '?'}{joined}" if joined else address


def heading(view: StreetView, _: PageLanguage) -> str:
    """Return the name of the shown time."""
    first, last = view.days
    if view.period is ViewPeriod.DAY:
        return _.day(view.day)
    if view.period in {ViewPeriod.MONTH, ViewPeriod.YEAR}:
        return spelt(_.code, "yMMMM" if view.period is ViewPeriod.MONTH else "y", first.year, first.month, first.day)
    return _("{first} to {last}", first=written(first, _), last=written(last, _))


def written(day: date, _: PageLanguage) -> str:
    """Return a day with its year."""
    return f"{_.short_day(day)} {day.year}"


def charts_of(page: StreetPage, address: Callable[..., str], _: PageLanguage) -> dict[str, Any]:
    """Return the charts of a page; None for those that have nothing to show."""
    view, segment = page.view, page.segment
    usual = usual_per_step(view, page.counts.slots, page.week, page.summary)
    since = segment.first_report.astimezone(view.tz).date() if segment.first_report else None
    events = [Band(Window(event["from_at"], event["until_at"]), event["title"]) for event in page.events]
    return {
        "counts_chart": street_chart(page.counts, usual, beside_of(page, _), events, address, _),
        "week_map": week_chart(page.whole_week, _),
        "speed_chart": speed_chart(page.speeds, segment.speed_limit_kmh, _),
        "speed_bins": speed_bins_chart(page.shown_speeds, _),
        "cars_timed": round(sum(sum(cars) for cars in page.shown_speeds.values())),
        "calendar": watch_calendar(page.watched, view, since, view.today - timedelta(days=1), _),
    }


def beside_of(page: StreetPage, _: PageLanguage) -> StreetBeside | None:
    """Return what is compared with, by its name."""
    if page.other is None or page.other_segment is None:
        return None
    if page.view.other_id is not None:
        return StreetBeside(page.other_segment.name, page.other)
    first, last = page.other.view.days
    name = written(first, _) if first == last else f"{written(first, _)} – {written(last, _)}"
    return StreetBeside(name, page.other)
