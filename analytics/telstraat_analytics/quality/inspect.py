"""All doubts about the sensors of one comparison, and which of them make it impossible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from telstraat_analytics.measure import Measure
from telstraat_analytics.quality.findings import Finding, days_out
from telstraat_analytics.quality.health import daylight_days, health
from telstraat_analytics.quality.neighbours import against_neighbours

AT_THE_DATE_DAYS = 10


@dataclass(frozen=True)
class Span:
    """The compared days: `first` to `last` INCLUSIVE; the time after begins at `date`, the transition at `begin`."""

    first: pd.Timestamp
    begin: pd.Timestamp
    date: pd.Timestamp
    last: pd.Timestamp


def inspect(tables: Mapping[str, pd.DataFrame], measure: Measure) -> list[Finding]:
    """Return every finding about the sensors of a measure.

    Parameters
    ----------
    tables
        Per segment its rows with local days and hours.
    measure
        Its excluded periods become findings, too.

    Returns
    -------
    list of Finding
        In no particular order.
    """
    found: list[Finding] = []
    alive: dict[str, pd.DataFrame] = {}
    for segment, table in tables.items():
        own = health(segment, table)
        days = daylight_days(table)
        index = pd.DatetimeIndex(days.index)
        silent = days_out([one for one in own if one.kind == "silent"], segment, (), index)
        alive[segment] = days[~silent.to_numpy()]
        found += own
    found += against_neighbours(alive)
    for one in measure.excluded:
        for segment in one.segments or tables:
            found.append(
                Finding(
                    segment, "marked", pd.Timestamp(one.first), pd.Timestamp(one.last), "left out", detail=one.reason
                )
            )
    return [_believed(one, measure) for one in found]


def _believed(one: Finding, measure: Measure) -> Finding:
    """Believe a silence of classes that the measure keeps out."""
    meant = set(one.classes) and set(one.classes) <= set(measure.closed_to)
    if (
        one.kind == "dead_channel"
        and meant
        and one.segment in measure.treated
        and one.last >= pd.Timestamp(measure.date)
    ):
        return replace(one, action="warning", detail=f"{one.detail}; the measure keeps them out")
    return one


def impossible(findings: Sequence[Finding], segment: str, columns: Sequence[str], span: Span) -> list[str]:
    """Return the reasons for which one street cannot be compared over a span.

    Parameters
    ----------
    findings
        Of any sensor.
    segment
        Which street.
    columns
        Which counts.
    span
        Which days.

    Returns
    -------
    list of str
        Empty when it can be compared.
    """
    near = pd.Timedelta(days=AT_THE_DATE_DAYS)
    reasons = []
    for one in findings:
        if one.segment != segment or not one.touches(columns):
            continue
        if one.action == "history cut" and span.begin - near <= one.first <= span.last:
            reasons.append(f"{segment}: {one.detail}; the sensor before and after the date is not the same instrument")
        elif one.kind == "dead_channel" and one.action == "left out" and one.overlaps(span.date, span.last):
            share = (min(one.last, span.last) - max(one.first, span.date)).days / max((span.last - span.date).days, 1)
            if share > 0.5:
                reasons.append(f"{segment}: {one.detail}; say closed_to in the measure if the street is closed to them")
    return reasons
