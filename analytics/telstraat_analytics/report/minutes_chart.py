"""The chart that people looked at in a workshop, on paper: bars by class, with the numbers of the notes pinned to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from telstraat_analytics.report.charts import HEIGHT_PX, LABELS_MAX, WIDTH_PX, finished
from telstraat_analytics.words import word
from telstraat_contract.road_user_names import COLOURS

LOWER = 0.78
"""Lower than other charts, so that three of them share the first page with what was asked and agreed."""

UNNAMED_COLOUR = "#66717e"
PIN_COLOUR = "#1c242d"
SHADES = ("#e3e0d6", "#cfd9e2", "#f3f1ea")
"""Behind stretches without a count, by why there is none."""


def minutes_chart(
    rows: Sequence[Mapping[str, Any]],
    names: Mapping[str, str],
    pins: Sequence[Mapping[str, str]],
    gaps: Sequence[Mapping[str, str]],
    unit: str,
    language: str,
) -> dict[str, Any]:
    """Return the counts of some hours or days, stacked by class, and the pins of notes above them.

    Parameters
    ----------
    rows
        Per bar: ``at`` (local time of its middle, ISO 8601), ``series`` (its name), ``value``.
    names
        Of the series, by their class of road users, in the order of the legend.
    pins
        Per note: ``at`` (local time), ``number``.
    gaps
        Per stretch without a count: ``from``, ``until`` (local time), ``state`` (why, in words): they are no zeros.
    unit
        What the numbers at the side count.
    language
        Its code, as in `telstraat_contract.languages.LANGUAGES`.

    Returns
    -------
    dict
        A Vega-Lite spec.
    """
    days = {str(row["at"])[:10] for row in rows}
    # Without a format the axis mixes weekdays, days and months; the hours of a day or two are told by the clock.
    short = word("axis.short_day", language)
    is_hourly = len(rows) > len(names) * len(days)
    form = "%H:%M" if len(days) <= 1 else f"{short} %H:%M" if is_hourly else short
    axis = alt.Axis(labelAngle=0, tickCount=LABELS_MAX, labelOverlap=True, format=form)
    x = alt.X("at:T", title=None, axis=axis)
    order = {name: place for place, name in enumerate(names.values())}
    bars = (
        alt.Chart(alt.InlineData(values=[{**row, "order": order[row["series"]]} for row in rows]))
        .mark_bar(size=max(1.5, min(14, 0.8 * WIDTH_PX / max(1, len({row["at"] for row in rows})))))
        .encode(
            x=x,
            y=alt.Y("value:Q", title=unit),
            color=alt.Color(
                "series:N",
                legend=alt.Legend(title=None, orient="top"),
                scale=alt.Scale(domain=list(names.values()), range=[COLOURS.get(key, UNNAMED_COLOUR) for key in names]),
            ),
            order="order:O",
        )
    )
    layers = _shades(gaps) + bars if gaps else alt.layer(bars)
    layers = layers + _pins(pins) if pins else layers
    return finished(layers, round(LOWER * HEIGHT_PX), language)


def _shades(gaps: Sequence[Mapping[str, str]]) -> Any:
    """Return what lies behind stretches without a count, a shade for each reason."""
    states = sorted({gap["state"] for gap in gaps})
    legend = alt.Legend(title=None, orient="top")
    fill = alt.Fill("state:N", scale=alt.Scale(domain=states, range=list(SHADES[: len(states)])), legend=legend)
    return alt.Chart(alt.InlineData(values=list(gaps))).mark_rect().encode(x="from:T", x2="until:T", fill=fill)


def _pins(pins: Sequence[Mapping[str, str]]) -> Any:
    """Return the numbers of notes at their times."""
    base = alt.Chart(alt.InlineData(values=list(pins)))
    top = alt.value(8)
    lines = base.mark_rule(color=PIN_COLOUR, strokeDash=[2, 2]).encode(x="at:T")
    discs = base.mark_point(filled=True, size=220, color=PIN_COLOUR, opacity=1).encode(x="at:T", y=top)
    numbers = base.mark_text(color="white", fontSize=10, fontWeight="bold").encode(x="at:T", y=top, text="number:N")
    return lines + discs + numbers
