"""Charts as Vega-Lite specs, made with Altair once per language; page and PDF draw the same picture from them.

Time runs in minutes since local midnight, so that a day of 23 or 25 hours is drawn as long as it was. Colours come from
the page's theme, in the order of the classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt

from telstraat_api.web.languages import PageLanguage, page_language
from telstraat_api.web.names import STATE_NAMES
from telstraat_api.web.street.street_day import StreetDay
from telstraat_contract.road_user_names import PLURALS
from telstraat_contract.road_users import TOGETHER
from telstraat_store.counts.period import Period, total
from telstraat_store.counts.states import State
from telstraat_store.counts.windows import Bucket, Window, local_day, next_start

Spec = dict[str, Any]
Rows = list[dict[str, Any]]
UNCERTAIN_BELOW = 0.5  # the border below which Telraam's users call an hour poorly observed
SHARE_SAID_BELOW = 0.9
"""Above a day of which less was watched stands how much of it was: a day of two hours is no quiet day."""
LABEL_EVERY_MIN = 180

NOTHING_YET = {"from": 0, "to": 0, "place": 0, "n": 0, "told": "0", "when": ""}
"""Stands in where nobody has passed, and for the open quarter until the sensor has spoken: Vega takes the axes from it."""

PATTERNS = {State.MISSING: "url(#is-missing)", State.WITHHELD: "url(#is-withheld)"}
"""Where no number is, the page's own patterns are drawn; what is not yet there stays empty."""


def class_names(_: PageLanguage) -> list[str]:
    """Return the classes' names in the order of the colours."""
    return [_(PLURALS[kind]) for kind in TOGETHER]


@lru_cache(maxsize=256)
def clock_labels(day: Window, tz: ZoneInfo) -> tuple[tuple[int, str], ...]:
    """Return minutes since local midnight with the time of day there, at every third hour of a local day."""
    labels: dict[int, str] = {}
    long_min = day.length_s // 60
    for minute in range(0, long_min + 1, 60):
        clock = (day.start + timedelta(minutes=minute)).astimezone(tz).strftime("%H:%M")
        if int(clock[:2]) * 60 % LABEL_EVERY_MIN == 0 and clock not in labels.values():
            labels[minute] = clock
    labels[long_min] = "24:00"
    return tuple(sorted(labels.items()))


def time_axis(labels: dict[int, str]) -> alt.Axis:
    """Return an axis that shows times of day at minutes since local midnight."""
    lookup = "{" + ", ".join(f"'{minute}': '{label}'" for minute, label in labels.items()) + "}"
    return alt.Axis(
        values=list(labels), labelExpr=f"{lookup}['' + datum.value]", title=None, grid=False, labelFlush=True
    )


@lru_cache(maxsize=64)
def _day_skeleton(code: str, labels: tuple[tuple[int, str], ...], ways: str) -> Spec:
    _ = page_language(code)
    end = labels[-1][0]
    x = alt.X("from:Q", bin="binned", axis=time_axis(dict(labels)), scale=alt.Scale(domain=[0, end], nice=False))
    colour = alt.Color("class:N", scale=alt.Scale(domain=class_names(_)), legend=None)
    title = _("A to B above, B to A below") if ways == "apart" else _("road users")
    y_axis = alt.Axis(title=title, tickCount=5, labelExpr="format(abs(datum.value), ',d')")
    y = alt.Y("n:Q", stack="zero", axis=y_axis)
    tooltip = [
        alt.Tooltip("when:N", title=_("time")),
        alt.Tooltip("class:N", title=_("class")),
        alt.Tooltip("told:N", title=_("count")),
        alt.Tooltip("seen:N", title=_("observed")),
    ]
    opacity: Any = alt.condition(f"datum.uptime < {UNCERTAIN_BELOW}", alt.value(0.45), alt.value(1.0))
    gaps = [
        alt.Chart(alt.NamedData(name=state.value))
        .mark_rect(fill=PATTERNS[state])
        .encode(x=x, x2="to:Q", tooltip=[alt.Tooltip("when:N", title=_(STATE_NAMES[state]))])
        for state in PATTERNS
    ]
    bars = alt.Chart(alt.NamedData(name="counts")).mark_bar(binSpacing=0)
    bars = bars.encode(x=x, x2="to:Q", y=y, color=colour, opacity=opacity, order="place:O", tooltip=tooltip)
    live = alt.Chart(alt.NamedData(name="live")).mark_bar(binSpacing=0, opacity=0.6)
    live = live.encode(x=x, x2="to:Q", y=y, color=colour, order="place:O", tooltip=tooltip[:3])
    layers = alt.layer(*gaps, bars) if ways == "apart" else alt.layer(*gaps, bars, live)
    spec: Spec = layers.properties(width="container", height=260).to_dict()
    return spec


def period_row(day: StreetDay, period: Period, bucket: Bucket, _: PageLanguage) -> dict[str, Any]:
    """Return where a period lies on the time axis and how much of it was observed."""
    end = next_start(period.start, bucket, day.tz)
    length_s = (end - period.start).total_seconds()
    return {
        "from": (period.start - day.window.start).total_seconds() / 60,
        "to": (end - day.window.start).total_seconds() / 60,
        "when": f"{_.clock(period.start, day.tz)}–{_.clock(end, day.tz)}",
        "uptime": round(period.observed_s / length_s, 4),
        "seen": _.percent(period.observed_s / length_s),
    }


def count_rows(day: StreetDay, periods: Iterable[Period], bucket: Bucket, ways: str, _: PageLanguage) -> Rows:
    """Return the rows of a chart of counts: one per period, class and, when they are apart, direction."""
    rows: Rows = []
    names = class_names(_)
    for period in periods:
        base = period_row(day, period, bucket, _)
        for place, kind in enumerate(TOGETHER):
            lft, rgt = period.ways(kind)
            away = None if rgt is None else -rgt
            for n in (lft, away) if ways == "apart" else (total((lft, rgt)),):
                if n:
                    rows.append(
                        {**base, "class": names[place], "place": place, "n": round(n, 2), "told": _.number(abs(n))}
                    )
    return rows


def stretch_row(day: StreetDay, window: Window, _: PageLanguage) -> dict[str, Any]:
    """Return where a stretch without counts lies on the time axis."""
    return {
        "from": (window.start - day.window.start).total_seconds() / 60,
        "to": (window.end - day.window.start).total_seconds() / 60,
        "when": f"{_.clock(window.start, day.tz)}–{_.clock(window.end, day.tz)}",
    }


def day_chart(day: StreetDay, bucket: Bucket, ways: str, _: PageLanguage) -> Spec:
    """Return the counts over the day, stacked by class, with `ways` "together" or "apart" by direction."""
    periods = day.quarters if bucket is Bucket.QUARTER else day.hours
    nothing = [NOTHING_YET | {"class": class_names(_)[0], "uptime": 1, "seen": ""}]
    datasets = {
        "counts": count_rows(day, periods, bucket, ways, _) or nothing,  # after midnight nobody has passed yet
        "live": nothing,
        **{state.value: [stretch_row(day, window, _) for window in day.windows(state)] for state in PATTERNS},
    }
    return {**_day_skeleton(_.code, clock_labels(day.window, day.tz), ways), "datasets": datasets}


@lru_cache(maxsize=64)
def _uptime_skeleton(code: str, labels: tuple[tuple[int, str], ...]) -> Spec:
    _ = page_language(code)
    end = labels[-1][0]
    x = alt.X("from:Q", bin="binned", axis=time_axis(dict(labels)), scale=alt.Scale(domain=[0, end], nice=False))
    y = alt.Y("uptime:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", values=[0, 0.5, 1], title=None))
    tooltip = [alt.Tooltip("when:N", title=_("time")), alt.Tooltip("seen:N", title=_("observed"))]
    bars = alt.Chart(alt.NamedData(name="uptime")).mark_bar(binSpacing=1, color="#7a8794")
    spec: Spec = bars.encode(x=x, x2="to:Q", y=y, tooltip=tooltip).properties(width="container", height=70).to_dict()
    return spec


def uptime_chart(day: StreetDay, _: PageLanguage) -> Spec:
    """Return how much of each hour was observed."""
    rows = [period_row(day, period, Bucket.HOUR, _) for period in day.hours]
    return {**_uptime_skeleton(_.code, clock_labels(day.window, day.tz)), "datasets": {"uptime": rows}}


@lru_cache(maxsize=64)
def _days_skeleton(code: str, labels: tuple[str, ...]) -> Spec:
    _ = page_language(code)
    opacity: Any = alt.condition(f"datum.uptime < {UNCERTAIN_BELOW}", alt.value(0.45), alt.value(1.0))
    axis = alt.Axis(title=None, labelAngle=-40, labelOverlap=True)
    x = alt.X("day:N", scale=alt.Scale(domain=list(labels), paddingInner=0.1), axis=axis)
    gaps = [
        alt.Chart(alt.NamedData(name=state.value))
        .mark_rect(fill=PATTERNS[state])
        .encode(x=x, tooltip=[alt.Tooltip("day:N", title=_("day")), alt.Tooltip("told:N", title=_("count"))])
        for state in PATTERNS
    ]
    bars = alt.Chart(alt.NamedData(name="days")).mark_bar()
    bars = bars.encode(
        x=x,
        y=alt.Y("n:Q", axis=alt.Axis(title=_("road users"), tickCount=5, format=",d")),
        color=alt.Color("class:N", scale=alt.Scale(domain=class_names(_)), legend=None),
        order="place:O",
        opacity=opacity,
        tooltip=[
            alt.Tooltip("day:N", title=_("day")),
            alt.Tooltip("class:N", title=_("class")),
            alt.Tooltip("told:N", title=_("count")),
            alt.Tooltip("seen:N", title=_("observed")),
        ],
    )
    shares = alt.Chart(alt.NamedData(name="shares")).mark_text(dy=-7, fontSize=11)
    shares = shares.encode(x=x, y="n:Q", text="said:N")
    spec: Spec = alt.layer(*gaps, bars, shares).properties(width="container", height=240).to_dict()
    return spec


def days_chart(day: StreetDay, _: PageLanguage) -> Spec:
    """Return the days before and this one, stacked by class.

    A day without counts shows in which state it is; above a day that was watched in part stands how much of it was.
    """
    rows: Rows = []
    shares: Rows = []
    others: dict[State, Rows] = {state: [] for state in State}
    names = class_names(_)
    labels = []
    for line in day.fortnight:
        local = line.window.start.astimezone(day.tz).date()
        labels.append(_.short_day(local))
        if line.period is None:
            others[line.state].append({"day": labels[-1], "told": _(STATE_NAMES[line.state])})
            continue
        seen = line.period.observed_s / local_day(local, day.tz).length_s
        base = {"day": labels[-1], "uptime": round(seen, 4), "seen": _.percent(seen)}
        counts = [line.period.both(kind) for kind in TOGETHER]
        for place, n in enumerate(counts):
            if n is not None:
                rows.append({**base, "class": names[place], "place": place, "n": round(n, 1), "told": _.number(n)})
        everybody = total(counts) or 0
        parts = [
            text for text, is_said in (("0", not everybody), (_.percent(seen), seen < SHARE_SAID_BELOW)) if is_said
        ]
        shares.append({**base, "n": everybody, "said": " · ".join(parts)})
    nothing = [NOTHING_YET | {"day": labels[-1], "class": names[0], "uptime": 1, "seen": "", "said": ""}]
    rows, shares = rows or nothing, shares or nothing
    datasets = {"days": rows, "shares": shares, **{state.value: others[state] for state in PATTERNS}}
    return {**_days_skeleton(_.code, tuple(labels)), "datasets": datasets}


@lru_cache
def _speed_skeleton(code: str) -> Spec:
    _ = page_language(code)
    x = alt.X("from:Q", bin="binned", axis=alt.Axis(title="km/h", grid=False, tickMinStep=10))
    tooltip = [alt.Tooltip("told:N", title=_("speed")), alt.Tooltip("cars:Q", title=_("cars"))]
    y = alt.Y("cars:Q", axis=alt.Axis(title=_("cars"), tickCount=4))
    bars = alt.Chart(alt.NamedData(name="speeds")).mark_bar(binSpacing=1)
    bars = bars.encode(x=x, x2="to:Q", y=y, tooltip=tooltip)
    marks = alt.Chart(alt.NamedData(name="marks"))
    rules = marks.mark_rule(strokeDash=[4, 3], strokeWidth=1.5).encode(x="kmh:Q")
    text = marks.mark_text(align="left", dx=4, fontWeight="bold").encode(x="kmh:Q", y=alt.Y("y:Q"), text="what:N")
    spec: Spec = alt.layer(bars, rules, text).properties(width="container", height=260).to_dict()
    return spec


def speed_chart(day: StreetDay, _: PageLanguage) -> Spec:
    """Return how fast the cars went, with V85 and the speed limit."""
    bins, wide = day.speeds or [], day.speed_bin_kmh
    last = max([n for n, cars in enumerate(bins) if cars], default=0)
    rows = [
        {"from": n * wide, "to": (n + 1) * wide, "cars": round(cars, 1), "told": f"{n * wide}–{n * wide + wide} km/h"}
        for n, cars in enumerate(bins[: last + 1])
    ]
    top = max(bins, default=0)
    marks = [{"kmh": day.v85_kmh, "what": "V85", "y": top * 1.08}] if day.v85_kmh else []
    if day.segment.speed_limit_kmh:
        marks.append({"kmh": day.segment.speed_limit_kmh, "what": _("limit"), "y": top * 1.18})
    return {**_speed_skeleton(_.code), "datasets": {"speeds": rows, "marks": marks}}
