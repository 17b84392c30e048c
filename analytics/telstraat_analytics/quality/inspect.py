"""All doubts about the sensors of one comparison, and which of them make it impossible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from telstraat_analytics.measure import Measure
from telstraat_analytics.quality.findings import Finding, days_out
from telstraat_analytics.quality.health import daylight_days, health
from telstraat_analytics.quality.neighbours import against_neighbours
from telstraat_analytics.words import word

AT_THE_DATE_DAYS = 10
DEAD_SHARE_MAX = 0.5  # of the days after


@dataclass(frozen=True)
class Span:
    """The compared days: `first` to `last` INCLUSIVE; the time after begins at `date`, the transition at `begin`."""

    first: pd.Timestamp
    begin: pd.Timestamp
    date: pd.Timestamp
    last: pd.Timestamp


@dataclass(frozen=True)
class NotComparable:
    """A reason for which one street cannot be compared, with the numbers behind it; `text` says it."""

    segment: str
    key: str
    findings: tuple[Finding, ...] = ()
    days: int = 0
    needed: int = 0

    def text(self, language: str = "en", names: Mapping[str, str] | None = None) -> str:
        """Return the reason as half a sentence."""
        first = self.findings[0] if self.findings else None
        kinds = dict.fromkeys(word(f"kind.{finding.kind}", language) for finding in self.findings)
        return word(
            f"refusal.{self.key}",
            language,
            where=(names or {}).get(self.segment, self.segment),
            kind=next(iter(kinds), ""),
            why=f" ({'; '.join(kinds)})" if kinds else "",
            first=f"{first.first:%Y-%m-%d}" if first else "",
            last=f"{first.last:%Y-%m-%d}" if first else "",
            days=self.days,
            needed=self.needed,
        )

    def __str__(self) -> str:
        return self.text()


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
    findings: list[Finding] = []
    alive: dict[str, pd.DataFrame] = {}
    for segment, table in tables.items():
        own = health(segment, table)
        days = daylight_days(table)
        index = pd.DatetimeIndex(days.index)
        silent = days_out([finding for finding in own if finding.kind == "silent"], segment, (), index)
        alive[segment] = days[~silent.to_numpy()]
        findings += own
    findings += against_neighbours(alive)
    for exclusion in measure.excluded:
        for segment in exclusion.segments or tables:
            findings.append(
                Finding(
                    segment,
                    "marked",
                    pd.Timestamp(exclusion.first),
                    pd.Timestamp(exclusion.last),
                    "left out",
                    detail=exclusion.reason,
                )
            )
    return [_believed(finding, measure) for finding in findings]


def _believed(finding: Finding, measure: Measure) -> Finding:
    """Believe a silence of classes that the measure keeps out."""
    meant = set(finding.classes) and set(finding.classes) <= set(measure.closed_to)
    if (
        finding.kind == "dead_channel"
        and meant
        and finding.segment in measure.treated
        and finding.last >= pd.Timestamp(measure.date)
    ):
        return replace(finding, action="warning", detail=f"{finding.detail}; the measure keeps them out")
    return finding


def impossible(findings: Sequence[Finding], segment: str, columns: Sequence[str], span: Span) -> list[NotComparable]:
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
    list of NotComparable
        Empty when it can be compared.
    """
    near = pd.Timedelta(days=AT_THE_DATE_DAYS)
    reasons: list[NotComparable] = []
    for finding in findings:
        if finding.segment != segment or not finding.touches(columns):
            continue
        if finding.action == "history cut" and span.begin - near <= finding.first <= span.last:
            reasons.append(NotComparable(segment, "instrument", (finding,)))
        elif finding.kind == "dead_channel" and finding.action == "left out" and finding.overlaps(span.date, span.last):
            share = (min(finding.last, span.last) - max(finding.first, span.date)).days / max(
                (span.last - span.date).days, 1
            )
            if share > DEAD_SHARE_MAX:
                reasons.append(NotComparable(segment, "dead_channel", (finding,)))
    return reasons
