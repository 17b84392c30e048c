"""The health of a sensor against its neighbours: a gain that changes in all classes at once, a split that drifts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from telstraat_analytics.quality.findings import Finding
from telstraat_contract.road_users import ACTIVE, CLASSES, MOTORIZED

GAIN_STEPS = {"pedestrian": 0.7, "bike": 0.8, "car": 0.4, "heavy": 0.95}
"""Log steps between three weeks and the next three against the neighbours: four standard deviations of what the published
week steps and day noise bring (see `telstraat_analytics.model.priors.VARIANCE_PRIORS`); of a class that is not here,
the largest of them."""

NEIGHBOURS_MIN = 3
SPLIT_STEP = 0.9  # log units of the ratio of large vehicles to cars
SUM_STEP = 0.15
WINDOW_WEEKS = 3
CLASS_MIN = 15.0  # counts a week and class below which nothing can be said


def weekly_rates(days: pd.DataFrame) -> pd.DataFrame:
    """Return log counts per daylight hour and week of each class; weeks and classes too thin are missing.

    Parameters
    ----------
    days
        What `telstraat_analytics.quality.health.daylight_days` returned.

    Returns
    -------
    pandas.DataFrame
        Indexed by Monday, one column per class.
    """
    classes = [name for name in CLASSES if name in days]
    index = pd.DatetimeIndex(days.index)
    week = index - pd.to_timedelta(index.day_of_week, unit="D")
    rates = days[classes].groupby(week).mean()
    counts = days[classes].mul(days["hours"], axis=0).groupby(week).sum()
    thick = rates.where(counts >= CLASS_MIN).clip(lower=1e-3)
    return pd.DataFrame(np.log(thick.to_numpy(float)), index=thick.index, columns=thick.columns)


def gain_drift(rates: Mapping[str, pd.DataFrame]) -> list[Finding]:
    """Find weeks in which motor traffic and people on foot or bike step the same way while the neighbours stay.

    A measure moves them in opposite ways or one of them; a window that is dirty or a camera that has turned moves both.

    Parameters
    ----------
    rates
        Per segment what `weekly_rates` returned.

    Returns
    -------
    list of Finding
        With the history before the step cut: the sensor after it is another instrument.
    """
    findings: list[Finding] = []
    all_steps = {segment: _steps(rate) for segment, rate in rates.items()}
    for segment, steps in all_steps.items():
        others = [steps_there.reindex(steps.index) for name, steps_there in all_steps.items() if name != segment]
        others = [steps_there for steps_there in others if steps_there.notna().any(axis=None)]
        if steps.empty or len(others) < NEIGHBOURS_MIN:
            continue
        relative = steps - pd.concat(others).groupby(level=0).median()
        for side in (-1, 1):
            motor, active = (_beyond(relative, names, side) for names in (MOTORIZED, ACTIVE))
            hits = (motor & active).to_numpy()
            findings += _first_of_each(segment, relative.mean(axis=1), steps.index[hits])
    return findings


def _beyond(relative: pd.DataFrame, names: tuple[str, ...], side: int) -> pd.Series:
    """Tell, per week, whether one of these classes steps to this side by more than streets do."""
    out = pd.Series(data=False, index=relative.index)
    for name in names:
        if name in relative:
            out |= side * relative[name] > GAIN_STEPS.get(name, max(GAIN_STEPS.values()))
    return out


def _steps(rates: pd.DataFrame) -> pd.DataFrame:
    """Return, per week, the change of the mean of the three weeks from it on against the three before."""
    after = rates[::-1].rolling(WINDOW_WEEKS, min_periods=2).mean()[::-1]
    before = rates.rolling(WINDOW_WEEKS, min_periods=2).mean().shift(1)
    return (after - before).dropna(how="all")


def _first_of_each(segment: str, size: pd.Series, weeks: pd.Index) -> list[Finding]:
    findings: list[Finding] = []
    position = 0
    hits = list(weeks)
    while position < len(hits):
        cluster = [week for week in hits[position:] if (week - hits[position]).days <= 7 * WINDOW_WEEKS]
        week = max(cluster, key=lambda finding: abs(float(size[finding])))
        change = float(np.expm1(size[week]))
        text = f"motor and active traffic together {change:+.0%} against the neighbouring streets from the week of {week:%Y-%m-%d}"
        findings.append(Finding(segment, "gain_drift", week, week - pd.Timedelta(days=1), "history cut", detail=text))
        position += len(cluster)
    return findings


def class_drift(segment: str, rates: pd.DataFrame) -> list[Finding]:
    """Find weeks in which the split of cars and large vehicles moves while their sum does not.

    Parameters
    ----------
    segment
        Whose.
    rates
        What `weekly_rates` returned.

    Returns
    -------
    list of Finding
        As warnings: the sum of both stays usable.
    """
    if not {"car", "heavy"} <= set(rates):
        return []
    split = rates["heavy"] - rates["car"]
    total = np.log(np.exp(rates["heavy"]) + np.exp(rates["car"]))
    steps = _steps(pd.DataFrame({"split": split, "sum": total}))
    hits = steps.index[(steps["split"].abs() > SPLIT_STEP) & (steps["sum"].abs() < SUM_STEP)]
    findings: list[Finding] = []
    for week in hits:
        if findings and (week - findings[-1].last).days <= 7 * WINDOW_WEEKS:
            continue
        factor = float(np.exp(steps.loc[week, "split"]))
        text = f"large vehicles per car change {factor:.1f} times while their sum stays"
        last = week + pd.Timedelta(days=6)
        findings.append(Finding(segment, "class_drift", week, last, "warning", ("car", "heavy"), text))
    return findings


def against_neighbours(days: Mapping[str, pd.DataFrame], only: Sequence[str] | None = None) -> list[Finding]:
    """Return all findings that need neighbours, for every segment or only for some.

    Parameters
    ----------
    days
        Per segment what `daylight_days` returned.
    only
        Segments to judge; all by default.

    Returns
    -------
    list of Finding
        In no particular order.
    """
    rates = {segment: weekly_rates(days_there) for segment, days_there in days.items() if len(days_there) >= 14}
    findings = [*gain_drift(rates)]
    for segment, rate in rates.items():
        findings += class_drift(segment, rate)
    return [finding for finding in findings if only is None or finding.segment in only]
