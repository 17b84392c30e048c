"""How streets are used, in words, tables and charts: for a workshop, before anybody speaks of a measure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import combinations

import pandas as pd

from telstraat_analytics.calendars import Calendar
from telstraat_analytics.days import local_table
from telstraat_analytics.describe import (
    compare_streets,
    modal_split,
    monthly_marks,
    rush_hours,
    school_run,
    speeding,
    through_traffic,
    typical_week,
    working_day,
)
from telstraat_analytics.quality.health import health
from telstraat_analytics.report.charts import profile_chart, week_chart
from telstraat_analytics.report.content import SUMMED, Content, Picture, ReportTable, Section
from telstraat_analytics.report.numbers import day, decimal, whole
from telstraat_analytics.report.sentence import hours_text, percent, share
from telstraat_analytics.words import word
from telstraat_contract.road_users import CLASSES

STREETS_MAX = 12
"""Of which every pair is looked at for through traffic."""

SCHOOL_HOURS = (8, 15)
LARGE_MANY = 0.12
"""More large vehicles per car than this are no lorries: window sensors were seen to count 0.08 to 0.25."""


def description_content(
    frame: pd.DataFrame,
    segments: Sequence[str],
    timezone: str,
    language: str = "en",
    *,
    limit_kmh: int = 50,
    calendar: Calendar | None = None,
    source: str = "",
) -> Content:
    """Describe streets.

    Parameters
    ----------
    frame
        Raw hourly counts (see `telstraat_analytics.as_counts`).
    segments
        Which streets, each with counts.
    timezone
        Of the streets.
    language
        Its code, as in `telstraat_contract.languages.LANGUAGES`.
    limit_kmh
        The speed limit.
    calendar
        With the school holidays; what the zone suggests by default.
    source
        Whose counts these are, and their licence.

    Returns
    -------
    Content
        One section per street, then the streets beside each other.
    """
    known = calendar or Calendar.of_timezone(timezone)
    rows = frame[frame["segment"].isin(segments)]
    local = rows["start"].dt.tz_convert(timezone)
    span = word("fact.span", language, first=day(local.min().date(), language), last=day(local.max().date(), language))
    beside = _beside(frame, segments, timezone, language) if len(segments) > 1 else []
    return Content(
        language,
        word("title.description", language),
        ((word("fact.streets", language), ", ".join(segments)), (word("fact.period", language), span)),
        tuple(_street(frame, segment, timezone, language, limit_kmh, known) for segment in segments),
        (*beside, *_findings(frame, segments, timezone, language)),
        (),
        (word("foot.source", language, source=source) if source else word("foot.no_source", language),),
        word("title.counted", language),
        word("title.counted", language),
        word("title.method", language),
        _method(rows, len(segments), (local.min().date(), local.max().date()), known, language),
    )


def _method(
    rows: pd.DataFrame, streets: int, days: tuple[dt.date, dt.date], calendar: Calendar, language: str
) -> tuple[str, ...]:
    """Return what the reader has to know of these counts."""
    method = [word("describe.reading", language)]
    if "car_lft" in rows and streets > 1:
        method.append(word("describe.hint", language))
    edge = calendar.table_edge(*days)
    if edge is not None and "car" in rows:
        key = "describe.table_ends" if edge < days[1] else "describe.table_begins"
        method.append(word(key, language, date=day(edge, language)))
    if "heavy" in rows and "car" in rows and rows["heavy"].sum() > LARGE_MANY * rows["car"].sum():
        method.append(word("describe.large", language))
    return tuple(method)


def _street(
    frame: pd.DataFrame, segment: str, timezone: str, language: str, limit_kmh: int, calendar: Calendar
) -> Section:
    profile = working_day(frame, segment, timezone)
    per_day = {name: whole(profile[name].sum(min_count=1), language) if name in profile else "–" for name in CLASSES}
    table = local_table(frame, segment, timezone)
    scope = _scope(table, segment, [int(str(hour)) for hour in profile.index], language)
    sentences = [word("describe.street", language, **scope, **per_day)] if len(profile) else []
    school = school_run(frame, segment, timezone, calendar, hours=SCHOOL_HOURS) if "car" in profile else {}
    if school:
        sentences.append(school_sentence(school["extra"], _scope(table, segment, SCHOOL_HOURS, language), language))
    tables = [_split(frame, segment, timezone, language)]
    if "car" in profile:
        tables.append(_peaks(frame, segment, timezone, language))
    if "car_speed" in table:
        speeds = speeding(frame, segment, timezone, limit_kmh)
        cars, fast, above, well_above = (float(value) for value in speeds.to_numpy(float)[-1])
        if cars > 0:
            numbers = {"above": share(above, language), "well_above": share(well_above, language)}
            v85 = decimal(fast, language)
            hours = [int(str(hour)) for hour, row in speeds.iterrows() if hour != "all" and row["cars"] > 0]
            scope = _scope(table, segment, hours, language)
            sentences.append(word("describe.speeding", language, limit=limit_kmh, v85=v85, **scope, **numbers))
            tables.append(_speeds(speeds, limit_kmh, language))
    tables.append(_marks(frame, segment, timezone, language))
    pictures = [Picture(word("title.profile", language), profile_chart(profile, language))]
    if "car" in profile:
        week = typical_week(frame, segment, timezone)
        pictures.append(Picture(word("title.week", language), week_chart(week, language)))
    return Section(segment, " ".join(sentences), tuple(tables), tuple(pictures), "")


def _scope(table: pd.DataFrame, segment: str, hours: Sequence[int], language: str) -> dict[str, str]:
    """Return what a number is of: the street, the hours and the days in which it was seen."""
    if table.empty:
        return {"street": segment, "hours": "–", "first": "–", "last": "–"}
    first, last = (day(moment.date(), language) for moment in (table["day"].min(), table["day"].max()))
    return {"street": segment, "hours": hours_text(hours, language), "first": first, "last": last}


def school_sentence(extra: float, scope: Mapping[str, str], language: str) -> str:
    """Return what the school brings, in words that say whether it is more or less."""
    way = round(100 * extra)
    key = "describe.school_more" if way > 0 else "describe.school_less" if way < 0 else "describe.school_same"
    return word(key, language, **scope, size=percent(abs(extra), language))


def _head(language: str, *names: str) -> tuple[str, ...]:
    return tuple(word(f"head.{name}", language) for name in names)


def _split(frame: pd.DataFrame, segment: str, timezone: str, language: str) -> ReportTable:
    rows = tuple(
        (
            word(f"class.{name}", language),
            share(float(row["share"]), language),
            f"{share(float(row['low']), language)} … {share(float(row['high']), language)}",
        )
        for name, row in modal_split(frame, segment, timezone).iterrows()
    )
    return ReportTable(word("title.split", language), _head(language, "class", "share", "interval"), rows, (1, 2))


def _peaks(frame: pd.DataFrame, segment: str, timezone: str, language: str) -> ReportTable:
    rows = tuple(
        (
            word(f"peak.{name}", language),
            word("part.hour", language, first=peak.hour, last=peak.hour + 1),
            whole(peak.per_hour, language),
            share(peak.share, language),
        )
        for name, peak in rush_hours(frame, segment, timezone).items()
    )
    return ReportTable(
        word("title.peaks", language), _head(language, "part", "hour", "per_hour", "of_day"), rows, (2, 3)
    )


def _speeds(speeds: pd.DataFrame, limit_kmh: int, language: str) -> ReportTable:
    rows = tuple(
        (
            word("part.hour", language, first=int(str(hour)), last=int(str(hour)) + 1),
            f"{decimal(float(row['v85_kmh']), language)} km/h",
            share(float(row["above"]), language),
            share(float(row["well_above"]), language),
        )
        for hour, row in speeds.iterrows()
        if hour != "all" and row["cars"] > 0
    )
    above = [word("head.above", language, limit=limit) for limit in (limit_kmh, limit_kmh + 10)]
    return ReportTable(word("title.speeds", language), (*_head(language, "hour"), "V85", *above), rows, (1, 2, 3))


def _marks(frame: pd.DataFrame, segment: str, timezone: str, language: str) -> ReportTable:
    rows = tuple(
        (f"{month:%Y-%m}", share(float(row["share"]), language), str(row["mark"]))
        for month, row in monthly_marks(frame, segment, timezone).iterrows()
    )
    return ReportTable(word("title.marks", language), _head(language, "month", "share", "mark"), rows, (1,))


def _beside(frame: pd.DataFrame, segments: Sequence[str], timezone: str, language: str) -> list[ReportTable]:
    out = []
    compared = compare_streets(frame, segments, timezone)
    if compared is not None:
        classes = [name for name in CLASSES if name in compared.table]
        rows = tuple(
            (
                str(street),
                *(decimal(float(row[name]), language) for name in classes),
                share(float(row["uptime"]), language),
            )
            for street, row in compared.table.iterrows()
        )
        names = [word(f"class.{name}", language) for name in classes]
        head = (word("head.street", language), *names, word("head.uptime", language))
        out.append(ReportTable(word("title.beside", language), head, rows, tuple(range(1, len(head)))))
        if compared.warnings:
            reasons = tuple((str(number), caveat.text(language)) for number, caveat in enumerate(compared.warnings, 1))
            out.append(ReportTable(word("title.not_comparable", language), ("", word("head.why", language)), reasons))
    pairs = combinations(segments[:STREETS_MAX], 2)
    hints = tuple(
        (
            f"{first}, {word(f'part.{passing.first_side}', language)}",
            f"{second}, {word(f'part.{passing.second_side}', language)}",
            percent(passing.share, language),
            f"{percent(passing.low, language)} … {percent(passing.high, language)}",
        )
        for first, second in pairs
        for passing in through_traffic(frame, first, second, timezone)
        if passing.hint
    )
    if hints:
        head = _head(language, "first_street", "second_street", "share", "interval")
        out.append(ReportTable(word("title.through", language), head, hints, (2, 3)))
    return out


def _findings(frame: pd.DataFrame, segments: Sequence[str], timezone: str, language: str) -> list[ReportTable]:
    rows = tuple(
        (
            segment,
            day(min(finding.first, finding.last).date(), language),
            day(finding.last.date(), language),
            word(f"kind.{finding.kind}", language),
        )
        for segment in segments
        for finding in sorted(health(segment, local_table(frame, segment, timezone)), key=lambda finding: finding.first)
        if finding.kind not in SUMMED
    )
    head = _head(language, "street", "first", "last", "finding")
    return [ReportTable(word("title.findings", language), head, rows)] if rows else []
