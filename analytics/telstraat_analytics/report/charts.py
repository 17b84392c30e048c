"""The pictures of a report as Vega-Lite specs, and the same as SVG for page and paper."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from telstraat_analytics.designs.one_street import StreetAnswer
from telstraat_analytics.quality.findings import Finding
from telstraat_analytics.words import word

WIDTH_PX, HEIGHT_PX = 640, 230
SEEN, EXPECTED, EVENT = "#1b4965", "#b8500c", "#5b5b5b"
FONT = "Libertinus Serif, DejaVu Serif, serif"


def weeks_chart(answer: StreetAnswer, unit: str, language: str) -> dict[str, Any]:
    """Return observed against expected, week by week, with the band of what was to be expected.

    Parameters
    ----------
    answer
        One street's answer.
    unit
        Title of the vertical axis.
    language
        ``en``, ``nl`` or ``fr``.

    Returns
    -------
    dict
        A Vega-Lite spec.
    """
    weeks = answer.weeks.tail(60).copy()
    weeks["day"] = weeks["week"].dt.strftime("%Y-%m-%d")
    names = [word("chart.observed", language), word("chart.expected", language)]
    long = pd.concat(
        [
            weeks.assign(series=names[0], value=weeks["observed"]),
            weeks.assign(series=names[1], value=weeks["expected"]),
        ]
    )
    x = alt.X("day:T", title=None, axis=alt.Axis(format="%d/%m/%y", labelAngle=0, tickCount=8))
    colour = alt.Color(
        "series:N", scale=alt.Scale(domain=names, range=[SEEN, EXPECTED]), legend=alt.Legend(title=None, orient="top")
    )
    dash = alt.StrokeDash("series:N", scale=alt.Scale(domain=names, range=[[1, 0], [5, 3]]), legend=None)
    band = (
        alt.Chart(_values(weeks[weeks["after"]], ["day", "low", "high"]))
        .mark_area(color=EXPECTED, opacity=0.18)
        .encode(x=x, y=alt.Y("low:Q", title=unit, scale=alt.Scale(zero=True)), y2="high:Q")
    )
    lines = (
        alt.Chart(_values(long, ["day", "series", "value"]))
        .mark_line(strokeWidth=2)
        .encode(x=x, y=alt.Y("value:Q", title=unit), color=colour, strokeDash=dash)
    )
    first = weeks.loc[weeks["after"], "day"].min()
    rule = (
        alt.Chart(alt.InlineData(values=[{"day": first}])).mark_rule(color=EVENT, strokeDash=[2, 2]).encode(x="day:T")
    )
    return _finished(band + lines + rule, HEIGHT_PX)


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
    return _finished(zero + bars + points, 26 * max(len(rows), 2))


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
    x = alt.X("first:T", title=None, axis=alt.Axis(format="%d/%m/%y", labelAngle=0, tickCount=8))
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
                "kind:N", legend=alt.Legend(title=None, orient="top", columns=4), scale=alt.Scale(domain=kinds)
            ),
        )
    )
    return _finished(chart, max(18 * len({row["street"] for row in rows}) * len(kinds), 60))


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
    data = _values(
        table.assign(share=100 * table["power"], sensors=table["sensors"].astype(str)), ["weeks", "share", "sensors"]
    )
    lines = (
        alt.Chart(data)
        .mark_line(point=True)
        .encode(
            x=alt.X("weeks:Q", title=word("chart.weeks", language)),
            y=alt.Y("share:Q", title=word("chart.power", language), scale=alt.Scale(domain=[0, 100])),
            color=alt.Color("sensors:N", title=word("chart.sensors", language), sort=None),
        )
    )
    rule = alt.Chart(alt.InlineData(values=[{"y": 80}])).mark_rule(color=EVENT, strokeDash=[2, 2]).encode(y="y:Q")
    return _finished(lines + rule, HEIGHT_PX)


def svg(spec: dict[str, Any]) -> str:
    """Return a spec as SVG text."""
    return str(vl_convert.vegalite_to_svg(spec))


def _values(table: pd.DataFrame, columns: list[str]) -> alt.InlineData:
    rows = [{str(key): value for key, value in row.items()} for row in table[columns].round(4).to_dict("records")]
    return alt.InlineData(values=rows)


def _finished(chart: Any, height_px: int) -> dict[str, Any]:
    done = chart.properties(width=WIDTH_PX, height=height_px).configure(font=FONT).configure_view(stroke=None)
    spec: dict[str, Any] = done.to_dict()
    return spec
