"""The page and the PDF of a street's month."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from telstraat_api.http.access import connections_for
from telstraat_api.settings import ApiSettings
from telstraat_api.v1.segments import require_segment
from telstraat_api.web.charts import CategoryAxis, Chart, Series, SeriesKind, render
from telstraat_api.web.languages import PageLanguage, chosen, page_language
from telstraat_api.web.pages import Pages, page_headers, page_reader
from telstraat_api.web.paper import paper
from telstraat_api.web.street.month_report import (
    StreetMonth,
    caveats,
    class_table,
    day_table,
    fact_rows,
    hour_means,
    hour_table,
    month_content,
    month_name,
    month_sentence,
)
from telstraat_api.web.street.shown_counts import read_shown
from telstraat_api.web.street.street_charts import StreetBeside, speed_chart, street_chart
from telstraat_api.web.street.street_view import ViewPeriod, period_days, read_view
from telstraat_contract.road_users import TOGETHER, columns_of
from telstraat_store.connection import Connections, Database
from telstraat_store.counts.habits import read_hours_of_week, read_speeds_of_day, read_watched_days
from telstraat_store.counts.windows import zone
from telstraat_store.places.segments import Segment

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Month = Annotated[str, Path(pattern=r"^(20|21)\d\d-(0[1-9]|1[0-2])$")]


@router.get("/street/{segment_id}/month/{month}")
async def month_page(request: Request, segment_id: Number, month: Month) -> Response:
    """Show a month of a street."""
    pages: Pages = request.app.state.pages
    await page_reader(request)
    segment = await segment_of(request, segment_id)
    settings: ApiSettings = request.app.state.settings
    report = await read_month(settings, connections_for(request), segment, month)
    _ = page_language(chosen(request))
    view = report.counts.view
    before, after = view.neighbours()
    return pages.render(
        request,
        "street/month.html",
        segment=segment,
        month=month,
        name=month_name(report.counts, _),
        before=(before["day"] or "")[:7],
        after=(after["day"] or "")[:7] if view.window.end <= datetime.now(UTC) else None,
        sentence=month_sentence(report, _),
        facts=fact_rows(report, _),
        tables=[class_table(report, _), hour_table(report, _), day_table(report, _)],
        caveats=caveats(report, _),
        counts_chart=street_chart(
            report.counts,
            [None] * len(report.counts.slots),
            StreetBeside(month_name(report.before, _), report.before),
            [],
            lambda joined="", **_changes: f"/street/{segment_id}?{joined}" if joined else f"/street/{segment_id}",
            _,
        ),
        hours_chart=hours_chart(report, _),
        speed_chart=speed_chart(report.speeds, segment.speed_limit_kmh, _),
    )


@router.get("/street/{segment_id}/month/{month}/report.pdf")
async def month_pdf(request: Request, segment_id: Number, month: Month) -> Response:
    """Return a month of a street as PDF."""
    settings: ApiSettings = request.app.state.settings
    await page_reader(request)
    segment = await segment_of(request, segment_id)
    _ = page_language(chosen(request))
    report = await read_month(settings, connections_for(request), segment, month)
    licence = _("Licence of the counts: {licence}.", licence=settings.licence)
    page = f"/street/{segment_id}/month/{month}"
    content = month_content(
        report,
        [f"{licence} {settings.attribution}", f"{settings.public_url or str(request.base_url).rstrip('/')}{page}"],
        _,
    )
    name = f'inline; filename="street-{segment_id}-{month}.pdf"'
    headers = {**page_headers(request), "Content-Type": "application/pdf", "Content-Disposition": name}
    return await paper(
        request, "pdf", content, title=f"{segment.name}, {month_name(report.counts, _)}", back=page, headers=headers
    )


async def segment_of(request: Request, segment_id: int) -> Segment:
    """Return the street, or raise that there is none."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        return await require_segment(connection, segment_id)


async def read_month(settings: ApiSettings, connections: Connections, segment: Segment, month: str) -> StreetMonth:
    """Read a month, the one before it and that of a year earlier."""
    tz, now = zone(segment.timezone), datetime.now(UTC)
    values = {"day": f"{month}-01", "period": ViewPeriod.MONTH.value, "by": "day"}
    view = read_view(values, tz, now, segment.first_report, is_public=connections.is_public)
    first = view.days[0]
    before = period_days(ViewPeriod.MONTH, date.fromordinal(first.toordinal() - 1))[0]
    year = first.replace(year=max(2000, first.year - 1))
    counts = []
    for start in (first, before, year):
        at = read_view(
            {**values, "day": max(start, date(2000, 1, 1)).isoformat()},
            tz,
            now,
            segment.first_report,
            is_public=connections.is_public,
        )
        counts.append(await read_shown(connections, segment, replace(at, today=view.today), now, settings.quarter_min))
    columns = [column for kind in TOGETHER for column in columns_of(kind)]
    return StreetMonth(
        segment=segment,
        counts=counts[0],
        before=counts[1],
        year=counts[2],
        week=await read_hours_of_week(connections, segment.segment_id, view.window, columns),
        speeds=await read_speeds_of_day(connections, segment.segment_id, view.window),
        watched=await read_watched_days(connections, segment.segment_id, segment.timezone, view.window),
    )


def hours_chart(month: StreetMonth, _: PageLanguage) -> str:
    """Return a mean day by the hour: working days and weekends."""
    working, weekend = hour_means(month)
    series = [
        Series("working", _("Monday to Friday"), working, SeriesKind.LINE, "ink"),
        Series("weekend", _("weekend"), weekend, SeriesKind.LINE, "car"),
    ]
    axis = CategoryAxis([f"{hour:02d}" for hour in range(24)], _("Hour"))
    title = _("Road users in a mean hour of the month, on working days and weekends.")
    return render(Chart("hours", title, axis, series, _("road users per hour"), has_table=False), _)
