"""The charts of a street: what passed over time, a typical week, how fast by the hour, how well it was watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from babel.dates import get_day_names
from markupsafe import Markup

from telstraat_api.web.charts import (
    Band,
    CategoryAxis,
    Chart,
    Column,
    HeatCell,
    HeatMap,
    Level,
    Series,
    SeriesKind,
    TimeAxis,
    render,
    render_heat_map,
)
from telstraat_api.web.charts.moments import spelt
from telstraat_api.web.languages import UNKNOWN, PageLanguage
from telstraat_api.web.street.shown_counts import ShownCounts
from telstraat_api.web.street.street_view import StreetView, Ways, wall_clock
from telstraat_contract.languages import gettext_noop
from telstraat_contract.quarters import QUARTER_S
from telstraat_contract.road_user_names import PLURALS
from telstraat_contract.road_users import TOGETHER
from telstraat_contract.speeds import added_bins, bin_kmh, v85_kmh
from telstraat_store.counts.habits import HoursOfWeek
from telstraat_store.counts.windows import Bucket, Window, local_day
from telstraat_store.summaries.street_summary import Spread, StreetSummary
from telstraat_store.summaries.usual_days import spread

UNITS = {
    Bucket.QUARTER: gettext_noop("road users per quarter of an hour"),
    Bucket.HOUR: gettext_noop("road users per hour"),
    Bucket.DAY: gettext_noop("road users per day"),
    Bucket.WEEK: gettext_noop("road users per week"),
    Bucket.MONTH: gettext_noop("road users per month"),
    Bucket.YEAR: gettext_noop("road users per year"),
}
HABIT_DAYS = 8
"""Of each weekday so many of the latest are usual ones."""
CARS_MIN = 100
"""With fewer timed cars no V85 of an hour is shown, and no share above the limit."""
CALENDAR_DAYS = 365
CARS = PLURALS["car"]


@dataclass(frozen=True)
class StreetBeside:
    """What is shown as a thinner line: another time or another street."""

    name: str
    counts: ShownCounts


def street_chart(
    counts: ShownCounts,
    usual: Sequence[Spread | None],
    beside: StreetBeside | None,
    events: Sequence[Band],
    address: Callable[..., str],
    _: PageLanguage,
) -> Markup:
    """Return the one chart of a street; `usual` is per step, `address` makes this page's address with other parameters."""
    view = counts.view
    series = [*classes_of(counts, address, _), *usual_of(usual, view, _)]
    if beside is not None:
        series.append(Series("other", beside.name, aligned(beside.counts, counts), SeriesKind.THIN, "other"))
    length_s = [slot.length_s for slot in counts.slots]
    watched = [
        UNKNOWN if period is None else _.percent(min(1.0, period.observed_s / seconds))
        for period, seconds in zip(counts.periods, length_s, strict=True)
    ]
    chart = Chart(
        name="counts",
        title=_("Road users over time, per class; the table below has the numbers."),
        axis=TimeAxis(view.window, view.tz, view.bucket, counts.slots),
        series=series,
        unit=_(UNITS[view.bucket]),
        states=counts.states,
        bands=events,
        columns=[Column(_("observed"), watched)],
        zoom=address(
            **{"from": None, "until": None, "period": None, "day": None, "by": None}, joined="from={from}&until={until}"
        )
        + "#counts",
    )
    return render(chart, _)


def classes_of(counts: ShownCounts, address: Callable[..., str], _: PageLanguage) -> list[Series]:
    """Return a series of bars per class; with both ways apart those from B to A hang below."""
    view = counts.view
    series = []
    for kind in TOGETHER:
        hidden = view.hidden ^ {kind}
        link = address(hide=",".join(k for k in TOGETHER if k in hidden) or None) + "#counts"
        name = _(PLURALS[kind])
        common = {"tone": kind, "is_hidden": kind in view.hidden, "pale": counts.pale, "address": link}
        if view.ways is Ways.APART:
            series.append(Series(kind, name, counts.values(kind, 0), column=f"{name} A→B", **common))  # type: ignore[arg-type]
            series.append(
                Series(kind, name, counts.values(kind, 1), column=f"{name} B→A", is_below=True, **common)  # type: ignore[arg-type]
            )
        else:
            way = {Ways.FORTH: 0, Ways.BACK: 1}.get(view.ways)
            series.append(Series(kind, name, counts.values(kind, way), **common))  # type: ignore[arg-type]
    return series


def usual_of(usual: Sequence[Spread | None], view: StreetView, _: PageLanguage) -> list[Series]:
    """Return what is usual as an area with its range, when anything is known of it."""
    if view.ways is Ways.APART or not any(usual):
        return []
    values = [None if of is None else of.usual for of in usual]
    if view.bucket is Bucket.QUARTER:  # a fourth of the hour says nothing of how far quarters scatter
        return [Series("usual", _("usual"), values, SeriesKind.THIN, "usual")]
    low = [None if of is None else of.low for of in usual]
    high = [None if of is None else of.high for of in usual]
    return [Series("usual", _("usual"), values, SeriesKind.AREA, "usual", low=low, high=high)]


def aligned(other: ShownCounts, counts: ShownCounts) -> list[float | None]:
    """Return the totals of another view at the steps of this one: the same day counted from the first, the same time of day."""
    totals = other.together(counts.view.kinds)
    if counts.view.bucket not in {Bucket.QUARTER, Bucket.HOUR, Bucket.DAY}:
        return (totals + [None] * len(counts.slots))[: len(counts.slots)]
    by_clock = {wall_clock(slot, other.view): n for slot, n in zip(other.slots, totals, strict=True)}
    return [by_clock.get(wall_clock(slot, counts.view)) for slot in counts.slots]


def usual_per_step(
    view: StreetView, slots: Sequence[Window], week: HoursOfWeek, summary: StreetSummary | None
) -> list[Spread | None]:
    """Return what is usual in each step, from the hours of the week; of whole days from the summary, when everything is shown."""
    if view.bucket is Bucket.DAY:
        if summary is None or not view.is_whole_picture:
            return [None] * len(slots)
        return [summary.weekdays[slot.start.astimezone(view.tz).weekday()] for slot in slots]
    if view.bucket not in {Bucket.QUARTER, Bucket.HOUR}:
        return [None] * len(slots)
    of_hour = {place: spread(totals[:HABIT_DAYS]) for place, totals in week.items()}
    parts = 4 if view.bucket is Bucket.QUARTER else 1
    usual = []
    for slot in slots:
        local = slot.start.astimezone(view.tz)
        of = of_hour.get((local.weekday(), local.hour))
        usual.append(None if of is None else Spread(of.usual / parts, of.low / parts, of.high / parts, of.days))
    return usual


def week_chart(week: HoursOfWeek, _: PageLanguage) -> Markup | None:
    """Return a typical week as a heat map; None when no hour of it is known."""
    usual = {place: of.usual for place, totals in week.items() if (of := spread(totals[:HABIT_DAYS])) is not None}
    if not usual:
        return None
    most = max(usual.values()) or 1.0
    days = [get_day_names("abbreviated", locale=_.locale)[day] for day in range(7)]
    hours = [f"{hour:02d}:00" for hour in range(24)]

    def cell(day: int, hour: int) -> HeatCell:
        count = usual.get((day, hour))
        when = f"{days[day]} {hours[hour]}"
        return HeatCell(None if count is None else count / most, f"{when}: {_.number(count)}")

    lines = [[hours[hour], *(_.number(usual.get((day, hour))) for day in range(7))] for hour in range(24)]
    title = _("A typical week, by hour: the darker, the more road users.")
    labels = [hours[hour] if hour % 4 == 0 else "" for hour in range(24)]
    grid = [[cell(day, hour) for hour in range(24)] for day in range(7)]
    return render_heat_map(HeatMap("week", title, days, labels, grid, ["", *days], lines), _)


def speed_chart(speeds: Mapping[int, Sequence[float]], limit_kmh: int | None, _: PageLanguage) -> Markup | None:
    """Return V85 by the hour of the day and the share of cars above the limit; None when too few cars were timed."""
    known = {hour: cars for hour, cars in speeds.items() if sum(cars) >= CARS_MIN}
    if not known:
        return None
    v85 = [v85_kmh(known[hour]) if hour in known else None for hour in range(24)]
    over = [above(known[hour], limit_kmh) if hour in known else None for hour in range(24)]
    cars = [_.number(sum(speeds[hour])) if hour in speeds else UNKNOWN for hour in range(24)]
    columns = [Column(_("cars timed"), cars)]
    if limit_kmh:
        shares = [UNKNOWN if share is None else _.percent(share) for share in over]
        columns.insert(0, Column(_("over {limit} km/h", limit=limit_kmh), shares))
    chart = Chart(
        name="speeds",
        title=_("The speed that 85 of 100 cars stay below, by the hour of the day."),
        axis=CategoryAxis([f"{hour:02d}" for hour in range(24)], _("Hour")),
        series=[Series("v85", "V85", v85, SeriesKind.LINE, "car", digits=1)],
        unit="km/h",
        levels=[Level(limit_kmh, _("limit {limit} km/h", limit=limit_kmh))] if limit_kmh else [],
        columns=columns,
    )
    return render(chart, _)


def above(bins: Sequence[float], limit_kmh: int | None) -> float | None:
    """Return the share of cars above a limit; None where the bins do not tell."""
    width = bin_kmh(bins)
    if not limit_kmh or limit_kmh % width or limit_kmh // width >= len(bins) or not sum(bins):
        return None
    return sum(bins[limit_kmh // width :]) / sum(bins)


def speed_bins_chart(speeds: Mapping[int, Sequence[float]], _: PageLanguage) -> Markup | None:
    """Return how many cars drove how fast; None when none was timed."""
    bins = added_bins(list(speeds.values())) if speeds else []
    if not sum(bins):
        return None
    width = bin_kmh(bins)
    last = max(n for n, cars in enumerate(bins) if cars) + 1
    names = [f"{n * width}+" if n == len(bins) - 1 else f"{n * width}–{(n + 1) * width}" for n in range(last)]
    axis = CategoryAxis(names, "km/h")
    series = [Series("cars", _(CARS), bins[:last], tone="car")]
    return render(
        Chart("speed-bins", _("Cars per speed; the table below has the numbers."), axis, series, _("cars")), _
    )


def watch_calendar(
    watched: Mapping[date, float], view: StreetView, since: date | None, until: date, _: PageLanguage
) -> Markup:
    """Return a year of days with how much of each was watched, weeks as columns, and the same by month as a table."""
    first = until - timedelta(days=CALENDAR_DAYS - 1)
    monday = first - timedelta(days=first.weekday())
    weeks = ((until - monday).days // 7) + 1
    grid: list[list[HeatCell | None]] = [[None] * weeks for _row in range(7)]
    months: dict[date, list[float]] = {}
    labels = [""] * weeks
    for n in range(CALENDAR_DAYS):
        day = first + timedelta(days=n)
        if since is None or day < since:
            continue
        share = min(1.0, watched.get(day, 0.0) / local_day(day, view.tz).length_s)
        text = f"{_.short_day(day)} {day.year}: {_.percent(share)}"
        grid[day.weekday()][(day - monday).days // 7] = HeatCell(share or None, text)
        months.setdefault(day.replace(day=1), []).append(share)
    for n in range(CALENDAR_DAYS):
        day = first + timedelta(days=n)
        if day.day == 1:
            labels[(day - monday).days // 7] = spelt(_.code, "MMM", day.year, day.month, 1)
    days = [get_day_names("abbreviated", locale=_.locale)[day] if day % 2 == 0 else "" for day in range(7)]
    lines = [
        [
            spelt(_.code, "yMMMM", month.year, month.month, 1),
            _.percent(sum(of) / len(of)),
            str(sum(1 for s in of if not s)),
        ]
        for month, of in sorted(months.items(), reverse=True)
    ]
    head = [_("Month"), _("observed"), _("days nobody watched")]
    title = _("How much of each day was watched, over a year.")
    return render_heat_map(HeatMap("watched", title, days, labels, grid, head, lines), _)


def total_so_far(counts: ShownCounts, week: HoursOfWeek) -> tuple[float, float] | None:
    """Return what the hours of a day that are over and counted whole have brought, and what such hours usually bring."""
    per_hour: dict[tuple[int, int], list[float]] = {}
    steps = 4 if counts.view.bucket is Bucket.QUARTER else 1
    if counts.view.bucket not in {Bucket.QUARTER, Bucket.HOUR}:
        return None
    for slot, count in zip(counts.slots, counts.together(), strict=True):
        if count is not None and slot.end <= counts.until and slot.length_s in {QUARTER_S, 4 * QUARTER_S}:
            local = slot.start.astimezone(counts.view.tz)
            per_hour.setdefault((local.weekday(), local.hour), []).append(count)
    pairs = [
        (sum(counts), of.usual)
        for place, counts in per_hour.items()
        if len(counts) == steps and (of := spread(week.get(place, [])[:HABIT_DAYS])) is not None
    ]
    return (sum(n for n, _usual in pairs), sum(usual for _n, usual in pairs)) if pairs else None
