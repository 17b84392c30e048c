"""A street's month, for the page and the PDF alike: per day and hour, classes, speeds, how well it was watched, beside two other months."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, log, sqrt
from statistics import mean, stdev

from telstraat_analytics.report.content import Content, Picture, ReportTable, Section
from telstraat_analytics.report.numbers import chart_locale
from telstraat_api.web.charts.moments import spelt
from telstraat_api.web.languages import UNKNOWN, PageLanguage
from telstraat_api.web.street.shown_counts import ShownCounts
from telstraat_api.web.street.street_charts import CARS_MIN, above
from telstraat_api.web.town.colour_scale import signed
from telstraat_contract.languages import gettext_noop
from telstraat_contract.road_user_names import PLURALS
from telstraat_contract.road_users import TOGETHER
from telstraat_contract.speeds import added_bins, v85_kmh
from telstraat_store.counts.habits import HoursOfWeek
from telstraat_store.counts.period import Period, total
from telstraat_store.places.segments import Segment
from telstraat_store.summaries.year_change import T_95

WATCHED_WELL = 0.9
"""A day of which less was watched is in the tables, and in no mean."""
WEEKDAYS_MIN = 5
SURE = gettext_noop("{change} against {month}.")
UNSURE = gettext_noop("{change} against {month}, which may be chance.")
DAYS_MIN = 10
"""With fewer days that were watched well a month is compared with nothing."""
WORKING = 5
COLOURS = ("#009e73", "#0072b2", "#d55e00", "#a8508f", "#66717e")
"""Those of the pages in light colours, by class as in `TOGETHER`."""


@dataclass(frozen=True)
class StreetMonth:
    """What is reported: a month, the month before, the same month a year earlier; hours and speeds of the month."""

    segment: Segment
    counts: ShownCounts
    before: ShownCounts
    year: ShownCounts
    week: HoursOfWeek
    speeds: Mapping[int, Sequence[float]]
    watched: Mapping[date, float]

    @property
    def first(self) -> date:
        """The first day of the month."""
        return self.counts.view.days[0]


def good_days(counts: ShownCounts) -> list[Period]:
    """Return the days of a month that were watched well."""
    return [
        period
        for slot, period in zip(counts.slots, counts.periods, strict=True)
        if period is not None and slot.end <= counts.until and period.observed_s >= WATCHED_WELL * slot.length_s
    ]


def per_day(counts: ShownCounts, kind: str | None = None) -> float | None:
    """Return the mean of the days that were watched well, of a class or of all; None without such a day."""
    kinds = TOGETHER if kind is None else (kind,)
    of_days = [total(period.both(k) for k in kinds) for period in good_days(counts)]
    known = [n for n in of_days if n is not None]
    return mean(known) if known else None


def month_name(counts: ShownCounts, _: PageLanguage) -> str:
    """Return the name of a month with its year."""
    first = counts.view.days[0]
    return spelt(_.code, "yMMMM", first.year, first.month, 1)


@dataclass(frozen=True)
class MonthChange:
    """A month against another, weekday by weekday; 0.1 is 10 % more. `low` to `high` is the interval in which it lies 95 times of 100."""

    share: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        """Tell whether chance alone does not make it."""
        return round(self.low * 100) > 0 or round(self.high * 100) < 0


def weekday_means(counts: ShownCounts, kind: str | None) -> dict[int, float]:
    """Return the mean of the days of each weekday that were watched well."""
    kinds = TOGETHER if kind is None else (kind,)
    of: dict[int, list[float]] = {}
    for day in good_days(counts):
        n = total(day.both(k) for k in kinds)
        if n is not None:
            of.setdefault(day.start.astimezone(counts.view.tz).weekday(), []).append(n)
    return {weekday: mean(values) for weekday, values in of.items()}


def month_change(now: ShownCounts, then: ShownCounts, kind: str | None = None) -> MonthChange | None:
    """Return the change of a month on another; None where too few days were watched well.

    Like weekdays are compared, since months have not the same number of Sundays. The interval is that of Student's t over the weekdays:
    what a weekday has of its own is in their scatter; weather and holidays, which all of them share, are not.
    """
    if min(len(good_days(now)), len(good_days(then))) < DAYS_MIN:
        return None
    here, there = weekday_means(now, kind), weekday_means(then, kind)
    logs = [log(here[day] / there[day]) for day in here if here[day] > 0 and there.get(day, 0) > 0]
    if len(logs) < WEEKDAYS_MIN:
        return None
    middle, wide = mean(logs), T_95[len(logs) - 1] * stdev(logs) / sqrt(len(logs))
    return MonthChange(exp(middle) - 1, exp(middle - wide) - 1, exp(middle + wide) - 1)


def change(now: ShownCounts, then: ShownCounts, _: PageLanguage, kind: str | None = None) -> str:
    """Return the change of a month on another with its interval; a dash where too few days were watched well."""
    of = month_change(now, then, kind)
    if of is None:
        return UNKNOWN
    share, low, high = (signed(value, _) for value in (of.share, of.low, of.high))
    return _("{change} ({low} to {high})", change=share, low=low, high=high)


def month_sentence(month: StreetMonth, _: PageLanguage) -> str:
    """Return what the month brought, in a sentence or two."""
    days = len(good_days(month.counts))
    mean_day = per_day(month.counts)
    if mean_day is None:
        return _(
            "No day of {month} was watched well enough to say how busy the street was.",
            month=month_name(month.counts, _),
        )
    totals = [n for day in good_days(month.counts) if (n := total(day.both(kind) for kind in TOGETHER)) is not None]
    sentences = [
        _(
            "{month}: {mean} road users a day (days that were watched well: {n}), on single days {low} to {high}.",
            month=month_name(month.counts, _),
            mean=_.number(mean_day),
            n=days,
            low=_.number(min(totals)),
            high=_.number(max(totals)),
        )
    ]
    for other in (month.before, month.year):
        of = month_change(month.counts, other)
        if of is not None:
            text = change(month.counts, other, _)
            said_of = SURE if of.is_sure else UNSURE
            sentences.append(_(said_of, change=text, month=month_name(other, _)))
    text = " ".join(sentences)
    return text[:1].upper() + text[1:]  # some languages write months small


def caveats(month: StreetMonth, _: PageLanguage) -> list[str]:
    """Return what is to be known of the figures."""
    texts = [
        _(
            "Means are of days of which at least 90 of 100 parts were watched; other days are in the table of days only."
        ),
        _(
            "Changes compare like weekdays; the interval in brackets holds what one weekday has of its own, 95 times of 100. V85 is the speed that 85 % of the cars do not exceed."
        ),
        _(
            "Changes here set this month beside the month before and the same month of last year, as they were counted: weather, holidays and works are in them. A measure's page compares with what was to be expected without it, so its percentages are other ones."
        ),
    ]
    if min(len(good_days(of)) for of in (month.counts, month.before)) < DAYS_MIN:
        texts.append(_("With fewer than ten days that were watched well a month is compared with none."))
    if month.counts.view.window.end > month.counts.until:
        texts.append(_("This month is not over."))
    return texts


def class_table(month: StreetMonth, _: PageLanguage) -> ReportTable:
    """Return the classes per day, with their changes."""
    head = (
        _("Road users a day"),
        month_name(month.counts, _),
        _("against {month}", month=month_name(month.before, _)),
        _("against {month}", month=month_name(month.year, _)),
        _("share"),
    )
    rows = [
        (
            _(PLURALS[kind]),
            _.number(per_day(month.counts, kind)),
            change(month.counts, month.before, _, kind),
            change(month.counts, month.year, _, kind),
            _.percent(month.counts.split[kind]) if kind in month.counts.split else UNKNOWN,
        )
        for kind in TOGETHER
    ]
    sums = (
        _("All"),
        _.number(per_day(month.counts)),
        change(month.counts, month.before, _),
        change(month.counts, month.year, _),
        "",
    )
    return ReportTable(_("Who passed"), head, (*rows, sums), numbers=(1, 2, 3, 4))


def hour_means(month: StreetMonth) -> tuple[list[float | None], list[float | None]]:
    """Return the mean of each hour on working days, and on weekends."""

    def of(hour: int, weekdays: range) -> float | None:
        counts = [count for weekday in weekdays for count in month.week.get((weekday, hour), ())]
        return mean(counts) if counts else None

    return [of(hour, range(WORKING)) for hour in range(24)], [of(hour, range(WORKING, 7)) for hour in range(24)]


def hour_table(month: StreetMonth, _: PageLanguage) -> ReportTable:
    """Return the hours with their road users and speeds."""
    limit = month.segment.speed_limit_kmh
    head = [_("Hour"), _("Monday to Friday"), _("weekend"), _("V85, km/h"), _("cars timed")]
    if limit:
        head.append(_("over {limit} km/h", limit=limit))
    working, weekend = hour_means(month)
    rows = []
    for hour in range(24):
        cars = month.speeds.get(hour, ())
        is_enough = sum(cars) >= CARS_MIN
        row = [f"{hour:02d}:00", _.number(working[hour]), _.number(weekend[hour])]
        row += [_.number(v85_kmh(cars), 1) if is_enough else UNKNOWN, _.number(sum(cars)) if cars else UNKNOWN]
        if limit:
            share = above(cars, limit) if is_enough else None
            row.append(UNKNOWN if share is None else _.percent(share))
        rows.append(tuple(row))
    note = _("Road users in a mean hour; speeds only where at least 100 cars were timed.")
    return ReportTable(_("Through the day"), tuple(head), tuple(rows), numbers=tuple(range(1, len(head))), note=note)


def day_table(month: StreetMonth, _: PageLanguage) -> ReportTable:
    """Return the days with their classes and how much of each was watched."""
    rows = []
    for slot, period in zip(month.counts.slots, month.counts.periods, strict=True):
        day = slot.start.astimezone(month.counts.view.tz).date()
        counts = [UNKNOWN if period is None else _.number(period.both(kind)) for kind in TOGETHER]
        watched = (
            _.percent(min(1.0, month.watched.get(day, 0.0) / slot.length_s))
            if slot.end <= month.counts.until
            else UNKNOWN
        )
        everybody = UNKNOWN if period is None else _.number(total(period.both(kind) for kind in TOGETHER))
        rows.append((_.short_day(day), *counts, everybody, watched))
    head = (_("Day"), *(_(PLURALS[kind]) for kind in TOGETHER), _("All"), _("observed"))
    return ReportTable(_("Day by day"), head, tuple(rows), numbers=tuple(range(1, len(head))))


def fact_rows(month: StreetMonth, _: PageLanguage) -> tuple[tuple[str, str], ...]:
    """Return the facts at the head: the street, speeds, how well it was watched."""
    bins = added_bins(list(month.speeds.values())) if month.speeds else []
    is_enough = sum(bins) >= CARS_MIN
    limit = month.segment.speed_limit_kmh
    share = above(bins, limit) if is_enough else None
    facts = [
        (_("Street"), month.segment.name),
        (_("V85"), f"{_.number(v85_kmh(bins), 1)} " + _("km/h") if is_enough else _("too few cars were timed")),
        (_("observed"), _.percent(month.counts.observed_share)),
    ]
    if limit and share is not None:
        facts.insert(2, (_("over {limit} km/h", limit=limit), _("{share} of the cars", share=_.percent(share))))
    return tuple(facts)


def month_content(month: StreetMonth, foot: Sequence[str], _: PageLanguage) -> Content:
    """Return the month as a report to set."""
    return Content(
        language=_.code,
        title=f"{month.segment.name}, {month_name(month.counts, _)}",
        kind=_("Month of a street"),
        facts=fact_rows(month, _),
        sections=(
            Section(_(IN_SHORT), month_sentence(month, _), (class_table(month, _),), (day_picture(month, _),), ""),
        ),
        tables=(hour_table(month, _), day_table(month, _)),
        pictures=(),
        foot=tuple(foot),
        method_title=_("To be known of these figures"),
        method=tuple(caveats(month, _)),
    )


def day_picture(month: StreetMonth, _: PageLanguage) -> Picture:
    """Return the days as stacked bars, for paper."""
    names = [_(PLURALS[kind]) for kind in TOGETHER]
    rows = [
        {"day": slot.start.astimezone(month.counts.view.tz).day, "class": name, "place": place, "n": period.both(kind)}
        for slot, period in zip(month.counts.slots, month.counts.periods, strict=True)
        if period is not None
        for place, (kind, name) in enumerate(zip(TOGETHER, names, strict=True))
    ]
    scale = {"domain": names, "range": list(COLOURS)}
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": 520,
        "height": 105,
        "data": {"values": rows},
        "mark": "bar",
        "encoding": {
            "x": {
                "field": "day",
                "type": "ordinal",
                "title": None,
                "scale": {"domain": [n + 1 for n in range(len(month.counts.slots))]},
                "axis": {"labelAngle": 0},
            },
            "y": {"field": "n", "type": "quantitative", "title": None, "stack": True, "axis": {"format": ",d"}},
            "color": {
                "field": "class",
                "type": "nominal",
                "scale": scale,
                "title": None,
                "legend": {"orient": "bottom"},
            },
            "order": {"field": "place"},
        },
        "config": {"view": {"stroke": None}, "font": "DejaVu Sans", "locale": chart_locale(_.code)},
    }
    return Picture(_(PICTURE), spec)


PICTURE = gettext_noop("Road users per day")
IN_SHORT = gettext_noop("The month in short")
