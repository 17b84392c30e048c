"""The charts of a measure's page, by the one chart component: observed against expected over time, and hour by hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from telstraat_api.web.charts import Band, CategoryAxis, Chart, Level, Series, SeriesKind, TimeAxis, render
from telstraat_api.web.languages import PageLanguage
from telstraat_api.web.measures.answers import AnswerLine, AnswerView
from telstraat_contract.languages import gettext_noop
from telstraat_store.counts.windows import Bucket, Window

WEEKS_MAX = 60
UNITS = {
    "relative": gettext_noop("on a comparable day"),
    "km/h": gettext_noop("km/h"),
    "points": gettext_noop("percent"),
}
CHANGES = {
    "relative": gettext_noop("change, percent"),
    "km/h": gettext_noop("change, km/h"),
    "points": gettext_noop("change, percentage points"),
}
WEEKS_TITLE = gettext_noop("{what}, {street}: observed and expected without the measure, week by week")
HOURS_TITLE = gettext_noop("{what}, {street}: the change hour by hour, with its interval")
OBSERVED = gettext_noop("observed")
EXPECTED = gettext_noop("expected without the measure")
WITH = gettext_noop("with the measure")
HOUR = gettext_noop("Hour")
CHANGE = gettext_noop("change")
NONE = gettext_noop("no change")


def weeks_figure(name: str, answer: AnswerView, line: AnswerLine, tz: ZoneInfo, _: PageLanguage) -> Markup:
    """Return observed against expected of one street; the band is what was to be expected. Empty without two weeks."""
    weeks = list(line.weeks)[-WEEKS_MAX:]
    if len(weeks) < 2 or line.effect is None:
        return Markup("")
    unit = str(line.effect["unit"])
    factor = 100.0 if unit == "points" else 1.0
    slots = [week_of(date.fromisoformat(week["week"]), tz) for week in weeks]
    axis = TimeAxis(Window(slots[0].start, slots[-1].end), tz, Bucket.WEEK, slots)
    digits = 0 if unit == "relative" else 1

    def values(key: str, *, only_after: bool = False) -> list[float | None]:
        return [
            None if week[key] is None or (only_after and not week["after"]) else factor * week[key] for week in weeks
        ]

    after = [slot for slot, week in zip(slots, weeks, strict=True) if week["after"]]
    chart = Chart(
        name,
        _(WEEKS_TITLE, what=answer.title, street=line.name),
        axis,
        [
            Series(
                "expected", _(EXPECTED), values("expected"), SeriesKind.AREA, "other",
                low=values("low", only_after=True), high=values("high", only_after=True), digits=digits,
            ),
            Series("observed", _(OBSERVED), values("observed"), SeriesKind.LINE, "ink", digits=digits),
        ],
        unit=_(UNITS[unit]),
        bands=[Band(Window(after[0].start, after[-1].end), _(WITH))] if after else [],
        is_whole=False,
    )  # fmt: skip
    return render(chart, _)


def week_of(first: date, tz: ZoneInfo) -> Window:
    """Return the seven local days from a day on."""
    begin, end = (datetime.combine(day, time(), tz) for day in (first, first + timedelta(days=7)))
    return Window(begin.astimezone(ZoneInfo("UTC")), end.astimezone(ZoneInfo("UTC")))


def hours_figure(name: str, answer: AnswerView, part: Mapping[str, Any], street: str, _: PageLanguage) -> Markup:
    """Return the change hour by hour of one street, each with its interval."""
    effects: Sequence[Mapping[str, Any] | None] = [row["effect"] for row in part["parts"]]
    known = [effect for effect in effects if effect is not None]
    if len(known) < 2:
        return Markup("")
    unit = str(known[0]["unit"])
    factor = 1.0 if unit == "km/h" else 100.0

    def values(key: str) -> list[float | None]:
        return [None if effect is None else factor * effect[key] for effect in effects]

    chart = Chart(
        name,
        _(HOURS_TITLE, what=answer.title, street=street),
        CategoryAxis([f"{row['key']}–{row['key'] + 1}" for row in part["parts"]], _(HOUR)),
        [
            Series(
                "change", _(CHANGE), values("estimate"), SeriesKind.AREA, "ink",
                low=values("low"), high=values("high"), digits=0 if unit == "relative" else 1,
            )
        ],
        unit=_(CHANGES[unit]),
        levels=[Level(0.0, _(NONE))],
        is_whole=False,
    )  # fmt: skip
    return render(chart, _)
