"""The pictures of a report as Vega-Lite specs, and the same as SVG for page and paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from telstraat_analytics.designs.one_street import StreetAnswer
from telstraat_analytics.designs.series import span_of
from telstraat_analytics.measure import Measure
from telstraat_analytics.quality.findings import Finding
from telstraat_analytics.report.numbers import chart_locale
from telstraat_analytics.words import streets_counted, word
from telstraat_contract.road_user_names import COLOURS
from telstraat_contract.road_users import CLASSES

WIDTH_PX, HEIGHT_PX = 640, 190
WEEKS_MAX = 60
LABELS_MAX = 8
"""On an axis: more are not read."""

LABEL_LIMIT_PX = 300
"""What a legend says is read whole: other languages take more room than English."""

FORMATS = {"relative": ",.0f", "km/h": ".0f", "points": "~%"}
SEEN, EXPECTED, EVENT = "#1f5f8b", "#55606c", "#5b5b5b"
"""As the pages have them: what was observed in their accent, what was expected in their soft ink."""
KIND_COLOURS = {
    "silent": "#1b1b1b", "dead_channel": "#a8320b", "moved": "#d55e00", "new_instance": "#cc79a7", "learning": "#e69f00",
    "class_drift": "#0072b2", "gain_drift": "#6a3d9a", "low_uptime": "#a6bddb", "gap": "#b9bcc2", "marked": "#009e73",
}  # fmt: skip
FONT = "Libertinus Serif, DejaVu Serif, serif"


def weeks_chart(answer: StreetAnswer, language: str) -> dict[str, Any]:
    """Return observed against expected, week by week, with the band of what was to be expected.

    Parameters
    ----------
    answer
        One street's answer.
    language
        Its code, as in `telstraat_contract.languages.LANGUAGES`.

    Returns
    -------
    dict
        A Vega-Lite spec.
    """
    unit = answer.effect.unit if answer.effect is not None else "relative"
    weeks = answer.weeks.tail(WEEKS_MAX).copy()
    weeks["day"] = weeks["week"].dt.strftime("%Y-%m-%d")
    names = [word("chart.observed", language), word("chart.expected", language)]
    long = pd.concat(
        [
            weeks.assign(series=names[0], value=weeks["observed"]),
            weeks.assign(series=names[1], value=weeks["expected"]),
        ]
    )
    x = alt.X("day:T", title=None, axis=_days_axis(language))
    y = alt.Y("value:Q", title=word(f"axis.{unit}", language), axis=alt.Axis(format=FORMATS[unit]))
    colour = alt.Color(
        "series:N",
        scale=alt.Scale(domain=names, range=[SEEN, EXPECTED]),
        legend=alt.Legend(title=None, orient="top", labelLimit=LABEL_LIMIT_PX),
    )
    dash = alt.StrokeDash("series:N", scale=alt.Scale(domain=names, range=[[1, 0], [5, 3]]), legend=None)
    band = (
        alt.Chart(_values(weeks[weeks["after"]], ["day", "low", "high"]))
        .mark_area(color=EXPECTED, opacity=0.18)
        .encode(x=x, y=alt.Y("low:Q", scale=alt.Scale(zero=unit != "km/h")), y2="high:Q")
    )
    lines = (
        alt.Chart(_values(long, ["day", "series", "value"]))
        .mark_line(strokeWidth=2)
        .encode(x=x, y=y, color=colour, strokeDash=dash)
    )
    begun = str(weeks.loc[weeks["after"], "day"].min())
    return finished(band + lines + _event(begun, language), HEIGHT_PX, language)


def streets_chart(rows: list[dict[str, Any]], language: str, title: str) -> dict[str, Any]:
    """Return the change of every street, or of every part of one, with its interval.

    Parameters
    ----------
    rows
        Per street: ``street``, ``change``, ``low``, ``high``.
    language
        Its code, as in `telstraat_contract.languages.LANGUAGES`.
    title
        Of the axis, with the unit.

    Returns
    -------
    dict
        A Vega-Lite spec.
    """
    data = alt.InlineData(values=rows)
    y = alt.Y("street:N", title=None, sort=None)
    bars = (
        alt.Chart(data)
        .mark_rule(color=SEEN, strokeWidth=2)
        .encode(y=y, x=alt.X("low:Q", title=title, axis=alt.Axis(tickCount=LABELS_MAX, labelOverlap=True)), x2="high:Q")
    )
    points = alt.Chart(data).mark_point(color=SEEN, filled=True, size=60).encode(y=y, x=alt.X("change:Q"))
    zero = alt.Chart(alt.InlineData(values=[{"x": 0}])).mark_rule(color=EVENT, strokeDash=[2, 2]).encode(x="x:Q")
    return finished(zero + bars + points, 20 * max(len(rows), 2), language)


def findings_chart(findings: Sequence[Finding], measure: Measure, language: str) -> dict[str, Any]:
    """Return what is wrong with the sensors on a timeline, over the days that are compared.

    Parameters
    ----------
    findings
        At least one.
    measure
        Whose streets they are.
    language
        Its code, as in `telstraat_contract.languages.LANGUAGES`.

    Returns
    -------
    dict
        A Vega-Lite spec.
    """
    streets = [segment for segment in measure.segments if any(finding.segment == segment for finding in findings)]
    kinds = [kind for kind in KIND_COLOURS if any(finding.kind == kind for finding in findings)]
    rows = [
        {
            "street": measure.called(finding.segment),
            "first": f"{min(finding.first, finding.last):%Y-%m-%d}",
            "last": f"{max(finding.first, finding.last) + pd.Timedelta(days=1):%Y-%m-%d}",
            "kind": word(f"short.{finding.kind}", language),
        }
        for finding in findings
    ]
    span = span_of(measure)
    sides = [
        {"first": f"{first:%Y-%m-%d}", "last": f"{last + pd.Timedelta(days=1):%Y-%m-%d}"}
        for first, last in ((span.first, span.begin - pd.Timedelta(days=1)), (span.date, span.last))
    ]
    x = alt.X("first:T", title=None, axis=_days_axis(language))
    compared = alt.Chart(alt.InlineData(values=sides)).mark_rect(color=SEEN, opacity=0.1).encode(x=x, x2="last:T")
    colours = alt.Scale(
        domain=[word(f"short.{kind}", language) for kind in kinds], range=[KIND_COLOURS[kind] for kind in kinds]
    )
    bars = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(height=9)
        .encode(
            x=x,
            x2="last:T",
            y=alt.Y("street:N", title=None, sort=[measure.called(segment) for segment in streets]),
            color=alt.Color(
                "kind:N", legend=alt.Legend(title=None, orient="top", columns=5, labelLimit=200), scale=colours
            ),
        )
    )
    return finished(compared + bars + _event(f"{span.begin:%Y-%m-%d}", language), 22 * max(len(streets), 2), language)


def power_chart(table: pd.DataFrame, language: str) -> dict[str, Any]:
    """Return the power of a plan by weeks and sensors.

    Parameters
    ----------
    table
        `telstraat_analytics.planning.Plan.table`.
    language
        Its code, as in `telstraat_contract.languages.LANGUAGES`.

    Returns
    -------
    dict
        A Vega-Lite spec.
    """
    known = table.assign(share=100 * table["power"])
    known["street"] = [streets_counted(n, language) for n in table["sensors"]]
    x = alt.X("weeks:Q", title=word("chart.weeks", language), axis=alt.Axis(tickCount=LABELS_MAX, labelOverlap=True))
    y = alt.Y("share:Q", title=word("chart.power", language), scale=alt.Scale(domain=[0, 100]))
    names = list(dict.fromkeys(known["street"]))
    legend = alt.Legend(title=None, orient="top", symbolType="stroke", symbolSize=400)
    colour = alt.Color("street:N", legend=legend, scale=alt.Scale(domain=names, scheme="dark2"))
    dash = alt.StrokeDash("street:N", legend=legend, scale=alt.Scale(domain=names))
    lines = (
        alt.Chart(_values(known, ["weeks", "share", "street"]))
        .mark_line(strokeWidth=2)
        .encode(x=x, y=y, color=colour, strokeDash=dash)
    )
    rule = alt.Chart(alt.InlineData(values=[{"y": 80}])).mark_rule(color=EVENT, strokeDash=[2, 2]).encode(y="y:Q")
    return finished(lines + rule, HEIGHT_PX, language)


def profile_chart(profile: pd.DataFrame, language: str) -> dict[str, Any]:
    """Return a working day hour by hour, each kind of traffic in its own colour and dash.

    Parameters
    ----------
    profile
        Indexed by local hour, one column per class.
    language
        Its code, as in `telstraat_contract.languages.LANGUAGES`.

    Returns
    -------
    dict
        A Vega-Lite spec.
    """
    kinds = [name for name in CLASSES if name in profile]
    names = [word(f"class.{name}", language) for name in kinds]
    long = pd.concat(
        [
            pd.DataFrame({"hour": profile.index, "count": profile[kind].to_numpy(), "kind": name})
            for kind, name in zip(kinds, names, strict=True)
        ]
    )
    legend = alt.Legend(title=None, orient="top")
    chart = (
        alt.Chart(_values(long, ["hour", "count", "kind"]))
        .mark_line(point=True)
        .encode(
            x=alt.X("hour:Q", title=word("head.hour", language), axis=alt.Axis(tickMinStep=1, tickCount=LABELS_MAX)),
            y=alt.Y("count:Q", title=word("head.per_hour", language)),
            color=alt.Color(
                "kind:N",
                legend=legend,
                scale=alt.Scale(domain=names, range=[COLOURS[kind] for kind in kinds]),
            ),
        )
    )
    return finished(chart, HEIGHT_PX, language)


def week_chart(week: pd.DataFrame, language: str) -> dict[str, Any]:
    """Return the typical week as a field of hours and days, darker where more cars pass.

    Parameters
    ----------
    week
        `telstraat_analytics.describe.typical_week`.
    language
        Its code, as in `telstraat_contract.languages.LANGUAGES`.

    Returns
    -------
    dict
        A Vega-Lite spec.
    """
    days = chart_locale(language)["time"]["shortDays"]
    days = [*days[1:], days[0]]
    known = week.dropna(subset=["car"]).assign(day=lambda table: [days[number] for number in table["weekday"]])
    chart = (
        alt.Chart(_values(known, ["day", "hour", "car"]))
        .mark_rect()
        .encode(
            x=alt.X(
                "hour:O",
                title=word("head.hour", language),
                axis=alt.Axis(labelAngle=0, values=[hour for hour in sorted(set(known["hour"])) if hour % 3 == 0]),
            ),
            y=alt.Y("day:O", title=None, sort=days),
            color=alt.Color(
                "car:Q", title=word("head.per_hour", language), scale=alt.Scale(scheme="viridis", reverse=True)
            ),
        )
    )
    return finished(chart, 20 * 7, language)


def svg(spec: dict[str, Any]) -> str:
    """Return a spec as SVG text."""
    return str(vl_convert.vegalite_to_svg(spec))


def png(svg_text: str) -> bytes:
    """Return an SVG picture as PNG, pixel by pixel of its size; nothing in it is fetched from elsewhere."""
    return bytes(vl_convert.svg_to_png(svg_text, scale=1))


def _values(table: pd.DataFrame, columns: list[str]) -> alt.InlineData:
    rows = [{str(key): value for key, value in row.items()} for row in table[columns].round(4).to_dict("records")]
    return alt.InlineData(values=rows)


def _event(day: str, language: str) -> Any:
    """Return the line where the measure began, with its word."""
    event = alt.Chart(alt.InlineData(values=[{"day": day, "text": word("chart.measure", language)}]))
    rule = event.mark_rule(color=EVENT, strokeDash=[2, 2]).encode(x="day:T")
    label = event.mark_text(color=EVENT, align="right", dx=-4, baseline="bottom", fontSize=10)
    return rule + label.encode(x="day:T", y=alt.value(-2), text="text:N")


def _days_axis(language: str) -> alt.Axis:
    return alt.Axis(format=word("axis.day", language), labelAngle=0, tickCount=LABELS_MAX, labelOverlap=True)


def finished(chart: Any, height_px: int, language: str) -> dict[str, Any]:
    """Return the spec of a chart in the size, type and numbers of a report."""
    done = chart.properties(width=WIDTH_PX, height=height_px)
    spec: dict[str, Any] = (
        done.configure(font=FONT, locale=chart_locale(language)).configure_view(stroke=None).to_dict()
    )
    return spec
