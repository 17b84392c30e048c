"""What others do: raw t, difference in differences, regression on a control, a structural time series, last year.

Each peer gets the same daily totals as the published protocol makes them and returns an effect with its 95 % interval.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from bench.evaluation.data import Case, Panel
from scipy import stats

UPTIME_MIN = 0.5
PROFILE_MIN = 0.8
DEAD_SHARE = 0.05
HAC_LAGS = 7


@dataclass(frozen=True)
class Estimate:
    """A relative effect (-0.1 is ten percent less) with its 95 % interval."""

    effect: float
    low: float
    high: float


@dataclass(frozen=True)
class Days:
    """Daily totals of one case: the treated sensor and its controls, indexed by local date."""

    treated: pd.Series
    controls: pd.DataFrame
    post: np.ndarray


def daily(
    frame: pd.DataFrame,
    panel: Panel,
    sensor: str,
    class_name: str,
    first: pd.Timestamp,
    last: pd.Timestamp,
    date: pd.Timestamp,
) -> pd.Series:
    """Return the protocol's daily totals of one sensor: fixed window, filled up by its own profile, dead days dropped."""
    rows = frame[(frame["segment"] == sensor) & (frame["uptime"] >= UPTIME_MIN)]
    local = rows["start"].dt.tz_convert(panel.timezone)
    day = local.dt.tz_localize(None).dt.normalize()
    hour = local.dt.hour
    inside = hour.isin(panel.hours) & (day >= first) & (day <= last)
    table = (
        pd.DataFrame({"day": day, "hour": hour, "count": rows[class_name] / rows["uptime"]})[inside]
        .pivot_table(index="day", columns="hour", values="count", aggfunc="mean")
        .reindex(columns=list(panel.hours))
    )
    if table.empty:
        return pd.Series(dtype=float)
    profile: pd.Series = table.mean().fillna(0.0)
    profile = profile / profile.sum() if profile.sum() > 0 else profile + 1 / len(profile)
    weight = (table.notna() * profile).sum(axis=1)
    total: pd.Series = table.sum(axis=1) / weight.where(weight >= PROFILE_MIN)
    total = total.dropna()
    before = total[total.index < date]
    return total[total >= DEAD_SHARE * before.median()] if len(before) else total


def case_days(frame: pd.DataFrame, panel: Panel, case: Case) -> Days:
    """Return the daily totals of a case and of its controls over the compared days."""
    first = case.date - pd.Timedelta(days=case.pre_days)
    last = case.date + pd.Timedelta(days=case.post_days - 1)
    treated = daily(frame, panel, case.sensor, case.class_name, first, last, case.date)
    controls = {name: daily(frame, panel, name, case.class_name, first, last, case.date) for name in case.controls}
    table = pd.DataFrame(controls).reindex(treated.index)
    return Days(treated, table, (treated.index >= case.date).astype(float))


def raw_t(days: Days) -> Estimate:
    """Compare the means before and after with Welch's t."""
    post = days.post.astype(bool)
    before, after = days.treated[~post], days.treated[post]
    ratio = after.mean() / before.mean()
    variance = after.var() / len(after) / after.mean() ** 2 + before.var() / len(before) / before.mean() ** 2
    a, b = after.var() / len(after), before.var() / len(before)
    dof = (a + b) ** 2 / (a**2 / (len(after) - 1) + b**2 / (len(before) - 1))
    half = stats.t.ppf(0.975, dof) * np.sqrt(variance)
    return Estimate(ratio - 1, ratio - 1 - ratio * half, ratio - 1 + ratio * half)


def did_hac(days: Days) -> Estimate | None:
    """Difference in differences of log counts against the best control, HAC(7)."""
    if days.controls.shape[1] == 0:
        return None
    ratio = np.log(days.treated + 0.5) - np.log(days.controls.iloc[:, 0] + 0.5)
    good = ratio.notna().to_numpy()
    return _regression(ratio[good], days.post[good], [])


def ols_hac(days: Days) -> Estimate | None:
    """OLS of log daily counts on weekday and after, HAC(7)."""
    return _regression(np.log(days.treated + 0.5), days.post, [])


def ols_control_hac(days: Days) -> Estimate | None:
    """The same with the mean log control as covariate."""
    if days.controls.shape[1] == 0:
        return None
    control = np.log(days.controls + 0.5)
    control = (control - control.mean()).mean(axis=1)
    good = control.notna().to_numpy()
    return _regression(np.log(days.treated + 0.5)[good], days.post[good], [control[good].to_numpy()])


def structural(days: Days) -> Estimate | None:
    """Local level, weekday dummies and control by maximum likelihood, with a step at the date."""
    index = pd.date_range(days.treated.index[0], days.treated.index[-1], freq="D")
    y = np.log(days.treated + 0.5).reindex(index)
    post = (index >= days.treated.index[days.post.astype(bool)][0]).astype(float)
    columns = [post, *_weekdays(index)]
    if days.controls.shape[1]:
        control = np.log(days.controls + 0.5)
        control = (control - control.mean()).mean(axis=1).reindex(index)
        columns.append(control.interpolate(limit_direction="both").fillna(0.0).to_numpy())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = sm.tsa.UnobservedComponents(y.to_numpy(), level="llevel", exog=np.column_stack(columns))
        fit = model.fit(disp=False, maxiter=200)
    where = model.param_names.index("beta.x1")
    effect, error = fit.params[where], fit.bse[where]
    return _from_log(effect, 1.96 * error)


def _weekdays(index: pd.Index) -> list[np.ndarray]:
    weekday = pd.DatetimeIndex(index).dayofweek
    return [(weekday == day).astype(float) for day in range(1, 7)]


def _regression(y: pd.Series, post: np.ndarray, extra: list[np.ndarray]) -> Estimate | None:
    if len(y) < 14 or post.sum() < 5 or (1 - post).sum() < 5:
        return None
    X = np.column_stack([np.ones(len(y)), post, *_weekdays(y.index), *extra])
    fit = sm.OLS(y.to_numpy(), X).fit(cov_type="HAC", cov_kwds={"maxlags": HAC_LAGS})
    return _from_log(fit.params[1], 1.96 * fit.bse[1])


def _from_log(effect: float, half: float) -> Estimate:
    return Estimate(float(np.expm1(effect)), float(np.expm1(effect - half)), float(np.expm1(effect + half)))


PEERS: dict[str, Callable[[Days], Estimate | None]] = {
    "raw t": raw_t,
    "DiD HAC": did_hac,
    "OLS HAC": ols_hac,
    "OLS + control HAC": ols_control_hac,
    "structural time series": structural,
}
