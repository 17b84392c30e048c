"""The comparison's page: sentences, a chart by hour, tables by class, direction and speed, and what is not comparable."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from urllib.parse import urlencode

from babel.dates import format_date
from fastapi import APIRouter, Request, Response
from markupsafe import Markup
from psycopg import AsyncConnection

from telstraat_api.http.access import connections_for
from telstraat_api.http.response_cache import ResponseCache
from telstraat_api.web.charts import CategoryAxis, Chart, Level, Series, SeriesKind, render
from telstraat_api.web.compare.compare_view import SLOTS, CompareView, Days, number_in
from telstraat_api.web.compare.comparing import Compared, compare
from telstraat_api.web.languages import PageLanguage, chosen, page_language
from telstraat_api.web.pages import Pages, page_headers, page_reader, remembering
from telstraat_contract.languages import gettext_noop
from telstraat_contract.road_user_names import PLURALS
from telstraat_contract.road_users import CLASSES
from telstraat_store.connection import Database
from telstraat_store.counts.states import State
from telstraat_store.counts.windows import local_midnight, zone
from telstraat_store.summaries.summary_table import SummaryQuery, SummaryRow, read_summaries

router = APIRouter(include_in_schema=False)
SUGGESTED_MAX = 30
TONES = ("ink", "car", "bike", "pedestrian")
PER_HOUR = gettext_noop("per hour")
HOUR = gettext_noop("Hour")
BY_HOUR = gettext_noop("{kind} by hour of a working day")
BY_SPEED = gettext_noop("Speed that 85 % of the cars stay below, by hour")
KMH = gettext_noop("km/h")
LIMIT = gettext_noop("limit")
SPAN = gettext_noop("{first} to {last}")
MANY_TIMES = gettext_noop(
    "In the {n} hours in which all were watched, {most} had {times} times as many {kind} as {least}."
)
CHANGED = gettext_noop("{street}: {change} {kind} on a comparable day, {first} before and {second} after.")
WORKERS = ThreadPoolExecutor(2, thread_name_prefix="comparison")
"""A comparison reads months of hours: two at a time leave the rest of the service its processors."""


@router.get("/compare")
async def compare_page(request: Request) -> Response:
    """Show streets or periods side by side."""
    cache: ResponseCache = request.app.state.response_cache
    reader = await page_reader(request)
    view = CompareView.of(request.query_params, datetime.now(UTC).date())
    by_periods = view.other is not None or request.query_params.get("by") == "periods"
    public = connections_for(request).is_public

    async def make() -> bytes:
        return (await compare_html(request, view, by_periods=by_periods, whole=public)).encode()

    key = ("/compare", public, reader.account_id, chosen(request), view, by_periods, request.query_params.get("lang"))
    return remembering(request, await cache.answer(request, key, make, page_headers(request)))


async def compare_html(request: Request, view: CompareView, *, by_periods: bool, whole: bool) -> str:
    """Return the page."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    language = page_language(chosen(request))
    async with database.connection() as connection:
        typed_rows = [await street_named(connection, text) for text in view.streets]
        suggested, _ = await read_summaries(connection, SummaryQuery(limit=SUGGESTED_MAX))
    rows = [row for row in typed_rows if row is not None]
    unknown = [text for text, row in zip(view.streets, typed_rows, strict=True) if row is None]
    compared = None
    if rows and not unknown and (len(rows) > 1 or view.other):
        work = partial(compare, database.dsn, view, rows, whole=whole)
        compared = await asyncio.get_running_loop().run_in_executor(WORKERS, work)
    names = names_of_sides(compared, language) if compared else []
    numbers = tuple(row.segment_id for row in rows)
    return pages.html(
        request,
        "compare/compare.html",
        view=view,
        by_periods=by_periods,
        slots=SLOTS[:1] if by_periods else SLOTS,
        typed=[f"{row.name} ({row.segment_id})" for row in rows] + unknown,
        unknown=unknown,
        suggested=suggested,
        rows=rows,
        compared=compared,
        names=names,
        sentence=sentence_of(view, compared, names, language) if compared else "",
        charts=charts_of(view, compared, names, rows, language) if compared else [],
        link=view.address(numbers),
        others={kind: view.address(numbers, what=kind) for kind in CLASSES},
        downloads=downloads(view, rows),
        signed=partial(signed, language),
    )


async def street_named(connection: AsyncConnection, text: str) -> SummaryRow | None:
    """Return the street that somebody typed: by its number, its name, or the only one whose name has it."""
    number = number_in(text)
    if number is not None:
        rows, _ = await read_summaries(connection, SummaryQuery(segments=(number,)))
        return rows[0] if rows else None
    rows, _ = await read_summaries(connection, SummaryQuery(name=text, limit=50))
    same = [row for row in rows if row.name.casefold() == text.casefold()]
    return same[0] if same else rows[0] if len(rows) == 1 else None


def names_of_sides(compared: Compared, language: PageLanguage) -> list[str]:
    """Return what the sides are called: streets by name, periods by their days."""
    streets = [side.name for side in compared.sides]
    if len({side.days for side in compared.sides}) == 1:
        return [
            f"{name} ({streets[:nth].count(name) + 1})" if streets.count(name) > 1 else name
            for nth, name in enumerate(streets)
        ]
    return [span_text(side.days, language) for side in compared.sides]


def span_text(days: Days, language: PageLanguage) -> str:
    """Write some days, with their years."""
    return language(SPAN, first=short(days.first, language), last=short(days.last, language))


def short(day: date, language: PageLanguage) -> str:
    """Write a day with its year, short."""
    return str(format_date(day, "medium", locale=language.locale))


def sentence_of(view: CompareView, compared: Compared, names: Sequence[str], language: PageLanguage) -> str:
    """Say the comparison of the chosen class in a sentence; nothing where it cannot be told."""
    values = [side.per_class.get(view.what) for side in compared.sides]
    if any(value is None for value in values):
        return ""
    known = [value for value in values if value is not None]
    kind = language(PLURALS[view.what]).lower() if language.code != "de" else language(PLURALS[view.what])
    if view.other:
        if known[0] <= 0:
            return ""
        change = signed(language, known[1] / known[0] - 1)
        first, second = (language.number(value) for value in known)
        return language(CHANGED, street=compared.sides[0].name, change=change, kind=kind, first=first, second=second)
    most, least = max(known), min(known)
    if least <= 0:
        return ""
    return language(
        MANY_TIMES, n=language.number(compared.hours), most=names[known.index(most)], least=names[known.index(least)],
        times=language.number(most / least, 1), kind=kind,
    )  # fmt: skip


def signed(language: PageLanguage, value: float) -> str:
    """Write a change with its sign."""
    if round(value * 100) == 0:
        return language.percent(0)
    return ("+" if value > 0 else "\u2212") + language.percent(abs(value))


def charts_of(
    view: CompareView, compared: Compared, names: Sequence[str], rows: Sequence[SummaryRow], language: PageLanguage
) -> list[tuple[str, Markup]]:
    """Return titles and charts: the chosen class by hour of a working day, and speeds where they are known."""
    hours = range(24)
    by_hour = [side.by_hour.get(view.what, {}) for side in compared.sides]
    title = language(BY_HOUR, kind=language(PLURALS[view.what]))
    counts = [[of.get(hour) for hour in hours] for of in by_hour]
    charts = [(title, hourly("hours", title, language(PER_HOUR), names, counts, language))]
    speeds = [side.speed.by_hour if side.speed else {} for side in compared.sides]
    if any(speeds):
        limits = {row.speed_limit_kmh for row in rows if row.speed_limit_kmh}
        levels = [Level(limits.pop(), language(LIMIT))] if len(limits) == 1 else []
        values = [[of.get(hour) for hour in hours] for of in speeds]
        title = language(BY_SPEED)
        charts.append((title, hourly("speeds", title, language(KMH), names, values, language, levels)))
    return charts


def hourly(
    name: str,
    title: str,
    unit: str,
    names: Sequence[str],
    values: Sequence[Sequence[float | None]],
    language: PageLanguage,
    levels: Sequence[Level] = (),
) -> Markup:
    """Return a chart with a line for each side, by hour of the day."""
    states = [State.COUNTED if any(of[hour] is not None for of in values) else State.MISSING for hour in range(24)]
    chart = Chart(
        name=name,
        title=title,
        unit=unit,
        axis=CategoryAxis([f"{hour:02}" for hour in range(24)], language(HOUR)),
        series=[
            Series(
                f"side-{nth}",
                side,
                of,
                SeriesKind.LINE if nth == 0 else SeriesKind.THIN,
                TONES[nth % len(TONES)],
                digits=1,
            )
            for nth, (side, of) in enumerate(zip(names, values, strict=True))
        ],
        states=states,
        levels=levels,
        is_whole=False,
    )
    return render(chart, language)


def downloads(view: CompareView, rows: Sequence[SummaryRow]) -> list[tuple[str, str]]:
    """Return names and addresses of the files with the hours that are compared."""
    if not rows:
        return []
    tz = zone(rows[0].timezone)
    files = []
    for nth, days in enumerate(filter(None, (view.days, view.other)), 1):
        for form in ("csv", "parquet"):
            values = {
                "segments": ",".join(str(row.segment_id) for row in rows),
                "bucket": "hour",
                "from": written(local_midnight(days.first, tz)),
                "to": written(local_midnight(days.last + timedelta(days=1), tz)),
            }
            name = form.upper() if form == "csv" else "Parquet"
            files.append((f"{name} {nth}" if view.other else name, f"/api/v1/reports/file.{form}?{urlencode(values)}"))
    return files


def written(at: datetime) -> str:
    """Write a moment as the API's addresses have it."""
    return at.isoformat().replace("+00:00", "Z")
