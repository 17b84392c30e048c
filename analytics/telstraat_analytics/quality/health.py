"""The health of one sensor from its own counts: silences, dead channels, moves, learning weeks, gaps, low uptime."""

from __future__ import annotations

import numpy as np
import pandas as pd

from telstraat_analytics.days import DAYLIGHT
from telstraat_analytics.quality.findings import Finding, runs
from telstraat_contract.road_users import CLASSES

SEEN_HOURS_MIN = 3
SILENT_MIN = 20.0  # counts that are missing in a silence: where fewer are usual, nobody passing is no silence
DEAD_SHARE = 0.05  # of the sensor's median day: the published health rule
DEAD_CHANNEL_DAYS = 5
CHANNEL_MIN = 20.0  # a class with fewer a day may well be absent
LEARNING_DAYS_MAX = 40  # V1 sensors were seen to need 6 to 23 days
LEARNING_CARS_MIN = 20.0
MOVE_FACTOR = 4.0  # between two fortnights; the largest measure published more than halves, holidays halve
MOVE_CLASSES_MIN = 3
GAP_DAYS_MIN = 2
UPTIME_SHARE = 0.7  # of the sensor's own usual uptime


def daylight_days(table: pd.DataFrame) -> pd.DataFrame:
    """Return counts per daylight hour and day, all classes beside each other.

    Parameters
    ----------
    table
        Rows of one segment with ``day`` and ``hour`` (see `telstraat_analytics.days.local_table`).

    Returns
    -------
    pandas.DataFrame
        Indexed by day: one column per class (corrected count per hour), ``uptime``, ``hours`` (seen). Days with fewer
        than three daylight hours are absent.
    """
    rows = table[table["hour"].isin(DAYLIGHT)]
    classes = [name for name in CLASSES if name in rows]
    by_day = rows.groupby("day")
    out = by_day[[*classes, "uptime"]].sum()
    hours = by_day.size()
    out = out[hours >= SEEN_HOURS_MIN]
    hours = hours[hours >= SEEN_HOURS_MIN]
    counted = out[classes].div(out["uptime"], axis=0)
    counted["uptime"] = out["uptime"] / hours
    counted["hours"] = hours
    return counted


def health(segment: str, table: pd.DataFrame) -> list[Finding]:
    """Find what is wrong with one sensor, from its own counts.

    Parameters
    ----------
    segment
        Its name.
    table
        Its rows (see `telstraat_analytics.days.local_table`), the whole history.

    Returns
    -------
    list of Finding
        In no particular order.
    """
    days = daylight_days(table)
    if len(days) < 3:
        return []
    findings = [*silent(segment, days), *gaps(segment, days), *low_uptime(segment, days), *instances(segment, table)]
    quiet = pd.DatetimeIndex([])
    for finding in findings:
        if finding.kind == "silent":
            quiet = quiet.union(
                pd.DatetimeIndex(days.index[(days.index >= finding.first) & (days.index <= finding.last)])
            )
    alive = days.drop(index=quiet)
    starts = [days.index[0], *(finding.first for finding in findings if finding.kind == "new_instance")]
    return [*findings, *learning(segment, alive, starts), *moved(segment, alive), *dead_channels(segment, alive)]


def _classes(days: pd.DataFrame) -> list[str]:
    return [name for name in CLASSES if name in days]


def silent(segment: str, days: pd.DataFrame) -> list[Finding]:
    """Find days on which the sensor was up and next to nothing of any class was counted."""
    total = days[_classes(days)].sum(axis=1)
    usual = total[total > 0].median() if (total > 0).any() else 0.0
    dead = days.index[total < DEAD_SHARE * usual]
    return [
        Finding(
            segment,
            "silent",
            first,
            last,
            "left out",
            detail=f"below 5 % of the usual {usual:.0f} an hour, uptime normal",
        )
        for first, last in runs(pd.DatetimeIndex(dead))
        if usual * float(days["hours"][first:last].sum()) >= SILENT_MIN
    ]


def dead_channels(segment: str, days: pd.DataFrame) -> list[Finding]:
    """Find runs of days on which one class is gone while the others go on as usual."""
    findings = []
    hours = days["hours"]
    for name in _classes(days):
        counts = days[name] * hours
        usual = counts[counts > 0].median() if (counts > 0).any() else 0.0
        if usual < CHANNEL_MIN:
            continue
        gone = pd.DatetimeIndex(days.index[counts < DEAD_SHARE * usual])
        for first, last in runs(gone, bridge_days=0):
            inside = days[(days.index >= first) & (days.index <= last)]
            start = days.index[0] == first
            if len(inside) >= DEAD_CHANNEL_DAYS and not (start and name == "heavy"):
                text = f"{name} below 5 % of its usual {usual:.0f} a day for {len(inside)} days"
                findings.append(Finding(segment, "dead_channel", first, last, "left out", (name,), text))
    return findings


def learning(segment: str, days: pd.DataFrame, starts: list[pd.Timestamp]) -> list[Finding]:
    """Find the first days of an installation on which nothing was called heavy and cars were counted."""
    if "heavy" not in days or "car" not in days:
        return []
    findings = []
    for start in starts:
        young = days[(days.index >= start) & (days.index < start + pd.Timedelta(days=LEARNING_DAYS_MAX))]
        no_heavy = (young["heavy"] == 0).to_numpy()
        length = int(np.argmin(no_heavy)) if not no_heavy.all() else len(no_heavy)
        cars = float((young["car"] * young["hours"])[:length].sum())
        later = days[days.index > young.index[length - 1]] if length else days
        if length < 3 or cars < LEARNING_CARS_MIN * length or later.empty or later["heavy"].median() <= 0:
            continue
        text = f"no large vehicle in the first {length} days with {cars:.0f} cars; cars are then too many"
        findings.append(
            Finding(segment, "learning", young.index[0], young.index[length - 1], "left out", ("car", "heavy"), text)
        )
    return findings


def moved(segment: str, days: pd.DataFrame) -> list[Finding]:
    """Find dates at which every class jumps by a factor that no measure reaches."""
    classes = _classes(days)
    if len(classes) < MOVE_CLASSES_MIN or len(days) < 6:
        return []
    rates = days[classes]
    before = rates.rolling(14, min_periods=5).median().shift(1)
    after = rates[::-1].rolling(14, min_periods=3).median()[::-1]
    ratio = (after + 0.2) / (before + 0.2)
    up, down = ratio > MOVE_FACTOR, ratio < 1 / MOVE_FACTOR
    past = rates.rolling(14, min_periods=5)
    tail = rates.index[-2:]  # too short for a median: beyond everything of the fortnight before
    up.loc[tail] = ((rates + 0.2) / (past.max().shift(1) + 0.2) > MOVE_FACTOR).loc[tail]
    down.loc[tail] = ((rates + 0.2) / (past.min().shift(1) + 0.2) < 1 / MOVE_FACTOR).loc[tail]
    up_classes, down_classes = up.sum(axis=1), down.sum(axis=1)
    jumps = np.flatnonzero((up_classes >= MOVE_CLASSES_MIN) | (down_classes >= MOVE_CLASSES_MIN))
    findings: list[Finding] = []
    for position in jumps:
        at, last = _sharpest(rates, int(position))
        if findings and (at - findings[-1].last).days < 21:
            continue
        text = f"all classes change by more than {MOVE_FACTOR:.0f} times from {at:%Y-%m-%d} on"
        findings.append(Finding(segment, "moved", at, last, "history cut", detail=text))
    return findings


def _sharpest(rates: pd.DataFrame, position: int) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the day of the jump and the day before it, near a position where the fortnights differ."""
    total = np.log(rates.sum(axis=1).to_numpy(float) + 0.5)
    low, high = max(1, position - 7), min(len(total) - 1, position + 7)
    best = low + int(np.argmax(np.abs(np.diff(total)[low - 1 : high])))
    return rates.index[best], rates.index[best - 1]


def gaps(segment: str, days: pd.DataFrame) -> list[Finding]:
    """Find runs of days without a usable daylight hour."""
    whole = pd.date_range(days.index[0], days.index[-1], freq="D")
    return [
        Finding(segment, "gap", first, last, "left out", detail=_too_few((last - first).days + 1))
        for first, last in runs(whole.difference(pd.DatetimeIndex(days.index)), bridge_days=0)
        if (last - first).days + 1 >= GAP_DAYS_MIN
    ]


def _too_few(days: int) -> str:
    return f"{days} days with fewer than {SEEN_HOURS_MIN} hours of daylight observed"


def low_uptime(segment: str, days: pd.DataFrame) -> list[Finding]:
    """Find runs of days with much less uptime than this sensor usually has."""
    usual = days["uptime"].median()
    low = pd.DatetimeIndex(days.index[days["uptime"] < UPTIME_SHARE * usual])
    return [
        Finding(
            segment, "low_uptime", first, last, "warning", detail=f"below {UPTIME_SHARE:.0%} of the usual {usual:.0%}"
        )
        for first, last in runs(low)
        if (last - first).days >= 2
    ]


def instances(segment: str, table: pd.DataFrame) -> list[Finding]:
    """Find changes of the installation, where the data name it."""
    if "instance" not in table or table["instance"].nunique() < 2:
        return []
    by_day = table.groupby("day")["instance"].last().ffill().bfill()
    changed = by_day.index[by_day.ne(by_day.shift()) & (np.arange(len(by_day)) > 0)]
    return [
        Finding(
            segment,
            "new_instance",
            day,
            day - pd.Timedelta(days=1),
            "history cut",
            detail=f"installation {by_day[day]} begins",
        )
        for day in changed
    ]
