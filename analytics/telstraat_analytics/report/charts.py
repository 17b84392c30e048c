"""The pictures of a report as Vega-Lite specs, and the same as SVG for page and paper."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from telstraat_analytics.designs.one_street import StreetAnswer
from telstraat_analytics.quality.findings import Finding
from telstraat_analytics.report.numbers import chart_locale
from telstraat_analytics.words import word

WIDTH_PX, HEIGHT_PX = 640, 190
WEEKS_MAX = 60
FORMATS = {"relative": ",.0f", "km/h": ".0f", "points": "~%"}
SEEN, EXPECTED, EVENT = "#1b4965", "#b8500c", "#5b5b5b"
FONT = "Libertinus Serif, DejaVu Serif, serif"


def weeks_chart(answer: StreetAnswer, language: str) -> dict[str, Any]:
    """Return observed against expected, week by week, with the band of what was to be expected.

    Parameters
    ----------
    answer
        One street's answer.
    language
        ``en``, ``nl`` or ``fr``.

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
    x = alt.X("day:T", title=None, axis=_days_axis())
    y = alt.Y("value:Q", title=word(f"axis.{unit}", language), axis=alt.Axis(format=FORMATS[unit]))
    colour = alt.Color(
        "series:N", scale=alt.Scale(domain=names, range=[SEEN, EXPECTED]), legend=alt.Legend(title=None, orient="top")
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
    begun = [{"day": weeks.loc[weeks["after"], "day"].min(), "text": word("chart.measure", language)}]
    event = alt.Chart(alt.InlineData(values=begun))
    rule = event.mark_rule(color=EVENT, strokeDash=[2, 2]).encode(x="day:T")
    said = event.mark_text(color=EVENT, align="right", dx=-4, baseline="top", fontSize=10).encode(
        x="day:T", y=alt.value(2), text="text:N"
    )
    return _finished(band + lines + rule + said, HEIGHT_PX, language)


def streets_chart(rows: list[dict[str, Any]], language: str) -> dict[str, Any]:
    """Return the change of every street with its interval.

    Parameters
    ----------
    rows
        Per street: ``street``, ``change``, ``low``, ``high`` (percent).
    language
        ``en``, ``nl`` or ``fr``.

    Returns
    -------
    dict
        A Vega-Lite spec.
    """
    data = alt.InlineData(values=rows)
    y = alt.Y("street:N", title=None, sort=None)
    title = word("chart.change", language)
    bars = alt.Chart(data).mark_rule(color=SEEN, strokeWidth=2).encode(y=y, x=alt.X("low:Q", title=title), x2="high:Q")
    points = alt.Chart(data).mark_point(color=SEEN, filled=True, size=60).encode(y=y, x=alt.X("change:Q"))
    zero = alt.Chart(alt.InlineData(values=[{"x": 0}])).mark_rule(color=EVENT, strokeDash=[2, 2]).encode(x="x:Q")
    return _finished(zero + bars + points, 26 * max(len(rows), 2), language)


def findings_chart(findings: list[Finding], names: dict[str, str], language: str) -> dict[str, Any]:
    """Return what is wrong with the sensors on a timeline.

    Parameters
    ----------
    findings
        At least one.
    names
        What people call the segments.
    language
        ``en``, ``nl`` or ``fr``.

    Returns
    -------
    dict
        A Vega-Lite spec.
    """
    rows = [
        {
            "street": names.get(one.segment, one.segment),
            "first": f"{min(one.first, one.last):%Y-%m-%d}",
            "last": f"{max(one.first, one.last) + pd.Timedelta(days=1):%Y-%m-%d}",
            "kind": word(f"short.{one.kind}", language),
        }
        for one in findings
    ]
    x = alt.X("first:T", title=None, axis=_days_axis())
    kinds = sorted({row["kind"] for row in rows})
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(height=9)
        .encode(
            x=x,
            x2="last:T",
            y=alt.Y("street:N", title=None),
            yOffset=alt.YOffset("kind:N", scale=alt.Scale(domain=kinds)),
            color=alt.Color(
                "kind:N",
                legend=alt.Legend(title=None, orient="top", columns=4, labelLimit=200),
                scale=alt.Scale(domain=kinds, scheme="tableau10"),
            ),
        )
    )
    return _finished(chart, max(12 * len({row["street"] for row in rows}) * len(kinds), 60), language)


def power_chart(table: pd.DataFrame, language: str) -> dict[str, Any]:
    """Return the power of a plan by weeks and sensors.

    Parameters
    ----------
    table
        `telstraat_analytics.planning.Plan.table`.
    language
        ``en``, ``nl`` or ``fr``.

    Returns
    -------
    dict
        A Vega-Lite spec.
    """
    known = table.assign(share=100 * table["power"])
    known["street"] = [
        word("head.one_sensor", language) if n == 1 else word("head.n_sensors", language, n=n) for n in table["sensors"]
    ]
    x = alt.X("weeks:Q", title=word("chart.weeks", language))
    y = alt.Y("share:Q", title=word("chart.power", language), scale=alt.Scale(domain=[0, 100]))
    colour = alt.Color("street:N", legend=None, sort=None, scale=alt.Scale(scheme="dark2"))
    columns = ["weeks", "share", "street"]
    lines = alt.Chart(_values(known, columns)).mark_line(point={"size": 40}).encode(x=x, y=y, color=colour)
    ends = known[known["weeks"] == known["weeks"].max()]
    names = alt.Chart(_values(ends, columns)).mark_text(align="left", dx=8, fontSize=10)
    rule = alt.Chart(alt.InlineData(values=[{"y": 80}])).mark_rule(color=EVENT, strokeDash=[2, 2]).encode(y="y:Q")
    return _finished(lines + names.encode(x=x, y=y, text="street:N", color=colour) + rule, HEIGHT_PX, language)


def svg(spec: dict[str, Any]) -> str:
    """Return a spec as SVG text."""
    return str(vl_convert.vegalite_to_svg(spec))


def _values(table: pd.DataFrame, columns: list[str]) -> alt.InlineData:
    rows = [{str(key): value for key, value in row.items()} for row in table[columns].round(4).to_dict("records")]
    return alt.InlineData(values=rows)


def _days_axis() -> alt.Axis:
    return alt.Axis(format="%-d %b %y", labelAngle=0, tickCount=8, labelOverlap=True)


def _finished(chart: Any, height_px: int, language: str) -> dict[str, Any]:
    done = chart.properties(width=WIDTH_PX, height=height_px)
    spec: dict[str, Any] = (
        done.configure(font=FONT, locale=chart_locale(language)).configure_view(stroke=None).to_dict()
    )
    return spec
