"""Streets beside each other: the same hours of the same days, with what is and is not comparable about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from telstraat_analytics.days import local_table
from telstraat_analytics.describe.caveats import Caveat
from telstraat_analytics.quality.findings import Finding
from telstraat_analytics.quality.health import health
from telstraat_contract.road_users import CLASSES

COMMON_MIN = 0.5
"""Of the hours of the street that was seen least, so many must have been seen by all."""

UPTIME_APART = 0.15
SERIOUS = {"silent", "dead_channel", "moved", "new_instance", "learning", "class_drift"}


@dataclass(frozen=True)
class Beside:
    """Streets in the hours in which all of them were seen.

    Attributes
    ----------
    table
        Indexed by street: one column per class (corrected, per hour) and ``uptime``.
    hours
        How many hours these are.
    warnings
        What speaks against comparing them.
    """

    table: pd.DataFrame
    hours: int
    warnings: tuple[Caveat, ...]


def compare_streets(frame: pd.DataFrame, segments: Sequence[str], timezone: str) -> Beside | None:
    """Compare streets in the hours in which all were seen.

    Parameters
    ----------
    frame
        Raw hourly counts.
    segments
        Two or more.
    timezone
        Of the streets.

    Returns
    -------
    Beside or None
        None when there is no hour in which all were seen.
    """
    tables = {segment: local_table(frame, segment, timezone).set_index("start") for segment in segments}
    common = tables[segments[0]].index
    for table in tables.values():
        common = common.intersection(table.index)
    if common.empty:
        return None
    classes = [name for name in CLASSES if all(name in table for table in tables.values())]
    rows = {
        name: {
            **{column: float((table.loc[common, column] / table.loc[common, "uptime"]).mean()) for column in classes},
            "uptime": float(table.loc[common, "uptime"].mean()),
        }
        for name, table in tables.items()
    }
    out = pd.DataFrame.from_dict(rows, orient="index")
    least = min(len(table) for table in tables.values())
    warnings = [Caveat("few_hours", {"share": len(common) / least})] if len(common) < COMMON_MIN * least else []
    if out["uptime"].max() - out["uptime"].min() > UPTIME_APART:
        warnings.append(Caveat("uptime", {"low": float(out["uptime"].min()), "high": float(out["uptime"].max())}))
    days = {day for table in tables.values() for day in table.loc[common, "day"]}
    for name, table in tables.items():
        findings = [finding for finding in health(name, table.reset_index()) if _matters(finding, min(days), max(days))]
        if findings:
            warnings.append(Caveat("sensor", {"street": name, "kind": findings[0].kind}))
    return Beside(out, len(common), tuple(warnings))


def _matters(finding: Finding, first: pd.Timestamp, last: pd.Timestamp) -> bool:
    return finding.kind in SERIOUS and finding.overlaps(first, last)
