"""The pages for people: a map of the streets, and each street's own page. Rendered here, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from telstraat_api.errors import QueryError, UnauthorizedError
from telstraat_api.http.access import EVERYBODY, Reader, connections_for, reader_of
from telstraat_api.http.response_cache import ResponseCache
from telstraat_api.settings import ApiSettings
from telstraat_api.v1.segments import require_segment
from telstraat_api.web import assets
from telstraat_api.web.charts import STATE_NAMES, day_chart, days_chart, speed_chart, uptime_chart
from telstraat_api.web.languages import COOKIE, PageLanguage, chosen, page_language
from telstraat_api.web.street_day import SPLIT, StreetDay, read_day
from telstraat_contract.languages import LANGUAGES, gettext_noop
from telstraat_contract.languages.catalogue import language
from telstraat_contract.quarters import QUARTER, quarter_start
from telstraat_contract.road_user_names import PLURALS
from telstraat_contract.road_users import TOGETHER
from telstraat_store.connection import Connections, Database
from telstraat_store.counts.period import Period, both, total
from telstraat_store.counts.reading import read_periods, read_totals, read_watched
from telstraat_store.counts.single_sensor import storage_state_of
from telstraat_store.counts.states import State
from telstraat_store.counts.windows import Bucket, Window, local_day, start_of, zone
from telstraat_store.places.segments import Segment, find_segments

router = APIRouter(include_in_schema=False)
ERROR_TITLES = (
    gettext_noop("There is nothing here"),
    gettext_noop("A parameter cannot be used"),
    gettext_noop("The database does not answer"),
    gettext_noop("Too many live streams"),
    gettext_noop("Something went wrong here"),
    gettext_noop("Not Found"),
    gettext_noop("Method Not Allowed"),
)
WITHOUT_COUNTS = {
    State.MISSING: gettext_noop("nobody watched in the last 24 hours"),
    State.WITHHELD: gettext_noop("counted in the last 24 hours, not shown"),
    State.NOT_YET: gettext_noop("nothing counted yet"),
}
LISTED_MAX = 200
LATEST_ROWS = 12
YEAR_S = 365 * 86_400


def as_json(value: object) -> Markup:
    """Return JSON that may stand inside a script element."""
    text = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    escaped = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(escaped)  # noqa: S704


def total_of(counts: Mapping[str, float | None], kinds: Sequence[str]) -> float | None:
    """Return the counts of some classes together; None when none of them was counted."""
    return total(counts[kind] for kind in kinds)


class Pages:
    """Renders templates in the reader's language."""

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        self.environments = {code: self.environment(page_language(code)) for code in LANGUAGES}

    def environment(self, _: PageLanguage) -> Environment:
        """Return the templates in one language."""
        environment = Environment(
            loader=PackageLoader("telstraat_api.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        # A page has hundreds of these: a filter costs a tenth of a call.
        environment.filters.update(
            json=as_json, number=_.number, percent=_.percent, clock=_.clock, short_day=_.short_day
        )
        environment.globals.update(
            _=_,
            w=_,
            ngettext=_.ngettext,
            total_of=total_of,
            asset=assets.address,
            site=self.settings,
            languages={code: language(code).name for code in LANGUAGES},
            classes=TOGETHER,
            class_names=PLURALS,
            state_names=STATE_NAMES,
            without_counts=WITHOUT_COUNTS,
            split_classes=SPLIT,
        )
        return environment

    def html(self, request: Request, template: str, **context: object) -> str:
        """Return a page's text."""
        return (
            self.environments[chosen(request)]
            .get_template(template)
            .render(
                request=request,
                here=lambda **changes: changed(request, **changes),
                **context,
            )
        )

    def render(self, request: Request, template: str, status: int = 200, **context: object) -> Response:
        """Return a page."""
        html = self.html(request, template, **context)
        return remembering(request, Response(html, status, headers=page_headers(request)))

    def error(self, request: Request, status: int, title: str, detail: str) -> Response:
        """Return a page that says what went wrong."""
        phrase = HTTPStatus(status).phrase
        return self.render(request, "error.html", status, title=title, detail=detail, phrase=phrase, code=status)


def page_headers(request: Request) -> dict[str, str]:
    """Return the headers of a page."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Language": chosen(request),
        "Vary": "Accept-Language, Cookie",
        "Cache-Control": "no-cache",
    }


def remembering(request: Request, response: Response) -> Response:
    """Have the browser remember the language that was asked for."""
    if request.query_params.get("lang") in LANGUAGES:
        response.set_cookie(COOKIE, chosen(request), max_age=YEAR_S, samesite="lax", httponly=True)
    return response


def changed(request: Request, **changes: str | None) -> str:
    """Return this page's address with some parameters changed or, when None, left out."""
    values = {**request.query_params, **changes}
    query = urlencode({name: value for name, value in values.items() if value is not None})
    return f"{request.url.path}?{query}" if query else request.url.path


@router.get("/")
async def map_page(request: Request) -> Response:
    """Show all streets on a map and in a list."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    cache: ResponseCache = request.app.state.response_cache
    await page_reader(request)
    connections = connections_for(request)
    hours_only = connections.is_public

    async def make() -> bytes:
        now = datetime.now(UTC)
        async with database.connection() as connection:
            segments = await find_segments(connection, limit=LISTED_MAX)
        until = start_of(now, Bucket.HOUR, zone("UTC")) if hours_only else now
        totals = await last_day(connections, segments, until)
        lines = {number: {"n": last.total, "state": last.state} for number, last in totals.items()}
        return pages.html(request, "map.html", segments=segments, totals=totals, map_totals=lines, now=now).encode()

    key = ("/", hours_only, chosen(request), str(request.query_params))
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
        "street.html",
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


async def page_reader(request: Request) -> Reader:
    """Return who reads a page; a session that has ended is nobody's."""
    try:
        return await reader_of(request)
    except UnauthorizedError:
        return EVERYBODY


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


@router.get("/docs")
async def docs_page(request: Request) -> Response:
    """Show every operation of the API, from the same document that programs read."""
    pages: Pages = request.app.state.pages
    return pages.render(request, "docs.html", operations=operations(request.app.openapi()), base=str(request.base_url))


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the operations of an OpenAPI document, each with its parameters and an example of its answer."""
    listed = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation["responses"].get("200", {}).get("content", {})
            media_type, body = next(iter(content.items()), ("", dict[str, Any]()))
            example = body.get("example")
            text = example if isinstance(example, str) or example is None else pretty(example)
            listed.append({**operation, "method": method.upper(), "path": path, "type": media_type, "example": text})
    return listed


def pretty(value: object) -> str:
    """Return JSON for reading."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
