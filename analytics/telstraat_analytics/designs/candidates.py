"""Which streets would serve as controls of a measure, and why: judged by the weeks before it alone, so that no answer is chosen."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd

from telstraat_analytics.designs.series import Prepared, StreetSeries, likeness, prepare, street
from telstraat_analytics.lines import Line
from telstraat_analytics.measure import Measure
from telstraat_analytics.quality.findings import Finding
from telstraat_analytics.question import Question

LOOK_DAYS = 91
RECENT_DAYS = 28
"""The days that are looked at, all of them before the measure; so many of them stand for the time after, as a sensor must last."""

DAYS_WANTED = 28
SILENT_DAYS = 7
"""A street that nobody has counted for so long may not be counted after the measure either."""

GOOD, FAIR = 0.25, 0.1
"""Likeness of streets of one town: cars of real pairs go together by 0.2 to 0.4, and 91 days count for four fifths."""

NEAR_M = 150.0
"""Nearer streets take up the traffic that a measure drives away."""

EARTH_DEGREE_M = 111_320.0
Obstacle = Literal["", "treated", "no_counts", "few_days", "silent", "faults", "near", "unlike"]


@dataclass(frozen=True)
class Candidate:
    """A street as a control of a measure.

    Attributes
    ----------
    segment
        Which.
    obstacle
        Why it should not be one; empty when nothing speaks against it.
    likeness
        How much its days go with those of the street with the measure, -1 to 1, as the evaluation weighs it; None without counts.
    pattern
        Correlation of the usual weeks, hour by hour; None without counts.
    days, per_day
        Comparable days, and crossings on one of them.
    distance_m
        To the nearest street with the measure, or None where lines are missing.
    faults
        Kind, first and last day of what is wrong with its sensor in these days.
    weeks
        Its level week by week, 1 is usual; None where nobody watched. The last one ends before the measure.
    """

    segment: str
    obstacle: Obstacle = "no_counts"
    likeness: float | None = None
    pattern: float | None = None
    days: int = 0
    per_day: float | None = None
    distance_m: float | None = None
    faults: tuple[tuple[str, dt.date, dt.date], ...] = ()
    weeks: tuple[float | None, ...] = ()

    @property
    def is_good(self) -> bool:
        """Tell whether it can be recommended."""
        return not self.obstacle

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self) | {"is_good": self.is_good, "is_close": self.is_good and (self.likeness or 0) >= GOOD}


def looked_at(measure: Measure, candidates: Sequence[str], today: dt.date) -> Measure:
    """Return a measure that never was, at a date before the real one and before today: what is seen around it judges controls."""
    end = min(measure.date, today)
    return replace(
        measure,
        date=end - dt.timedelta(days=RECENT_DAYS),
        controls=tuple(name for name in candidates if name not in measure.treated),
        boundary=(),
        before_days=LOOK_DAYS - RECENT_DAYS,
        after_days=RECENT_DAYS,
        transition_days=0,
        other_measures=(),
        closed_to=(),
    )


def judged(
    frame: pd.DataFrame,
    looked: Measure,
    question: Question,
    *,
    lines: Mapping[str, Line],
    treated_elsewhere: Iterable[str] = (),
) -> tuple[list[Candidate], list[Candidate]]:
    """Judge streets as controls of a measure.

    Parameters
    ----------
    frame
        Hourly counts of all of them before the measure (see `telstraat_analytics.frames.as_counts`), one row per hour.
    looked
        What `looked_at` returned.
    question
        What will be asked: streets are alike for one kind of traffic and not for another.
    lines
        Where streets lie, longitude and latitude.
    treated_elsewhere
        Streets on which another measure acts.

    Returns
    -------
    tuple of list
        The streets with the measure as they are themselves; then the candidates, the best first.
    """
    prepared = prepare(frame, looked)
    own = {name: street(prepared, name, looked, question) for name in looked.treated}
    seen = [series for series in own.values() if series is not None]
    taken = set(treated_elsewhere)
    themselves = [_described(prepared, name, own[name], [], question, looked, None) for name in looked.treated]
    candidates = []
    for name in looked.controls:
        series = street(prepared, name, looked, question)
        metres = _nearest(lines.get(name, ()), [lines.get(other, ()) for other in looked.treated])
        described = _described(prepared, name, series, seen, question, looked, metres)
        candidates.append(replace(described, obstacle="treated") if name in taken else described)
    return themselves, sorted(candidates, key=_rank)


def _rank(candidate: Candidate) -> tuple[bool, float]:
    return not candidate.is_good, -(candidate.likeness if candidate.likeness is not None else -2.0)


def _described(
    prepared: Prepared,
    name: str,
    series: StreetSeries | None,
    treated: Sequence[StreetSeries],
    question: Question,
    looked: Measure,
    metres: float | None,
) -> Candidate:
    faults = [finding for finding in prepared.findings if finding.segment == name and finding.touches(question.columns)]
    wrong = tuple((finding.kind, finding.first.date(), finding.last.date()) for finding in faults)
    if series is None:
        return Candidate(name, distance_m=metres, faults=wrong)
    alike = [likeness(own.weeks.shocks, series.weeks.shocks) for own in treated]
    patterns = [_pattern(prepared, own.segment, name, question) for own in treated]
    candidate = Candidate(
        name,
        "",
        float(np.mean(alike)) if alike else None,
        float(np.mean(patterns)) if patterns else None,
        len(series.daily.totals),
        float(series.daily.totals.mean()),
        metres,
        wrong,
        _levels(series),
    )
    last = prepared.tables[name]["day"].max()
    silent_days = (pd.Timestamp(looked.date) + pd.Timedelta(days=looked.after_days - 1) - last).days
    return replace(candidate, obstacle=_obstacle(candidate, faults, silent_days))


def _obstacle(candidate: Candidate, faults: Sequence[Finding], silent_days: int) -> Obstacle:
    if silent_days >= SILENT_DAYS:
        return "silent"
    if candidate.days < DAYS_WANTED:
        return "few_days"
    if any(fault.kind in {"moved", "new_instance", "gain_drift", "dead_channel"} for fault in faults):
        return "faults"
    if candidate.distance_m is not None and candidate.distance_m < NEAR_M:
        return "near"
    return "unlike" if candidate.likeness is not None and candidate.likeness < FAIR else ""


def _levels(series: StreetSeries) -> tuple[float | None, ...]:
    """Return the level of every week against the usual one."""
    first, last = -(LOOK_DAYS - RECENT_DAYS) // 7, RECENT_DAYS // 7
    usual = float(np.mean(series.observed))
    known = dict(zip(series.weeks.number.tolist(), np.exp(series.observed - usual).tolist(), strict=True))
    return tuple(known.get(number) for number in range(first, last))


def _pattern(prepared: Prepared, treated: str, other: str, question: Question) -> float:
    """Return how alike the usual weeks of two streets are, hour by hour."""
    profiles = []
    for name in (treated, other):
        table = prepared.tables[name]
        counts = table[list(question.columns)].sum(axis=1)
        profiles.append(counts.groupby([table["day"].dt.day_of_week, table["hour"]]).mean())
    both = pd.concat(profiles, axis=1, join="inner").dropna().to_numpy(float)
    if len(both) < 2 or both.std(axis=0).min() <= 0:
        return 0.0
    return float(np.corrcoef(both.T)[0, 1])


def _nearest(line: Line, others: Sequence[Line]) -> float | None:
    known = [distance_m(line, other) for other in others if line and other]
    return min(known, default=None)


def distance_m(line: Line, other: Line) -> float:
    """Return how far two lines are apart at their nearest, in metres; good for the distances within a town."""
    middle = math.radians(sum(lat for _, lat in line) / len(line))
    scale = np.array([EARTH_DEGREE_M * math.cos(middle), EARTH_DEGREE_M])
    a, b = (_dense(np.array(points) * scale) for points in (line, other))
    return float(np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)).min())


def _dense(points: np.ndarray, step_m: float = 15.0, most: int = 200) -> np.ndarray:
    """Return points every few metres along a line."""
    parts = [points[:1]]
    for start, end in pairwise(points):
        steps = min(max(int(np.hypot(*(end - start)) / step_m), 1), most)
        parts.append(start + (end - start) * (np.arange(1, steps + 1) / steps)[:, None])
    return np.concatenate(parts)
