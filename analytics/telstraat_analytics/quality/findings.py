"""A finding: which sensor, from when to when, what is wrong and what is done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

Kind = Literal[
    "silent",
    "dead_channel",
    "moved",
    "new_instance",
    "learning",
    "class_drift",
    "gain_drift",
    "low_uptime",
    "gap",
    "marked",
]
Action = Literal["left out", "warning", "history cut"]

KINDS: dict[str, str] = {
    "silent": "the sensor says that it looks, but counts nothing of any class",
    "dead_channel": "one class is not counted any more although the others are",
    "moved": "counts jump in all classes at once: the sensor looks at something else",
    "new_instance": "another installation of a sensor begins",
    "learning": "a new sensor has not yet learnt to tell large vehicles from cars",
    "class_drift": "the split between cars and large vehicles moves although their sum does not",
    "gain_drift": "all classes move together against the neighbouring streets: the view has changed",
    "low_uptime": "the sensor was looking for much less of the time than usual",
    "gap": "too few hours of daylight were observed to compare the day",
    "marked": "marked by a user as not to be compared",
}
"""Every kind of finding and what it means."""


@dataclass(frozen=True)
class Finding:
    """Something wrong with the counts of one sensor.

    Attributes
    ----------
    segment
        Where.
    kind
        One of `KINDS`.
    first, last
        Local dates, INCLUSIVE.
    classes
        Classes concerned; empty: all.
    action
        ``left out``: these days are not used; ``history cut``: nothing before `last` is used; ``warning``: used, but said.
    detail
        The numbers behind it.
    """

    segment: str
    kind: Kind
    first: pd.Timestamp
    last: pd.Timestamp
    action: Action
    classes: tuple[str, ...] = ()
    detail: str = ""

    def touches(self, columns: Sequence[str]) -> bool:
        """Tell whether the finding concerns one of these columns."""
        names = {column.split("_")[0] for column in columns}
        return not self.classes or bool(names & set(self.classes))

    def overlaps(self, first: pd.Timestamp, last: pd.Timestamp) -> bool:
        """Tell whether the finding concerns one of the days `first` to `last`, INCLUSIVE."""
        return self.first <= last and self.last >= first

    def row(self) -> dict[str, str]:
        """Return the line of the timeline."""
        return {
            "segment": self.segment,
            "kind": self.kind,
            "first": f"{self.first:%Y-%m-%d}",
            "last": f"{self.last:%Y-%m-%d}",
            "classes": ", ".join(self.classes) or "all",
            "action": self.action,
            "detail": self.detail or KINDS[self.kind],
        }


def runs(days: pd.DatetimeIndex, bridge_days: int = 1) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Return first and last day of every run in sorted `days`; holes of up to `bridge_days` do not end a run."""
    out: list[tuple[pd.Timestamp, pd.Timestamp]] = []
    for day in days:
        if out and (day - out[-1][1]).days <= bridge_days + 1:
            out[-1] = (out[-1][0], day)
        else:
            out.append((day, day))
    return out


def timeline(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return all findings as a table, by street and time.

    Parameters
    ----------
    findings
        In any order.

    Returns
    -------
    pandas.DataFrame
        Columns segment, kind, first, last, classes, action, detail.
    """
    columns = ["segment", "kind", "first", "last", "classes", "action", "detail"]
    rows = [
        finding.row()
        for finding in sorted(findings, key=lambda finding: (finding.segment, finding.first, finding.kind))
    ]
    return pd.DataFrame(rows, columns=columns)


def days_out(findings: Sequence[Finding], segment: str, columns: Sequence[str], days: pd.DatetimeIndex) -> pd.Series:
    """Return, per day, whether a finding takes it out of the comparison.

    Parameters
    ----------
    findings
        Of any sensor.
    segment
        Whose days.
    columns
        The counts that are asked for.
    days
        Local dates.

    Returns
    -------
    pandas.Series
        bool, indexed by `days`.
    """
    out = pd.Series(data=False, index=days)
    for finding in findings:
        if finding.segment != segment or not finding.touches(columns):
            continue
        if finding.action == "left out":
            out |= (days >= finding.first) & (days <= finding.last)
        elif finding.action == "history cut":
            out |= days <= finding.last
    return out
