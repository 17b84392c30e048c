"""Two stretches a year apart: each day against the same weekday a year before, with what control streets did taken off.

Holidays that have moved are matched: a day is compared with the nearest day of the same weekday, 364 days before or up to
three weeks from there, that is a school holiday if and only if it is one itself; public holidays are left out. How much streets change
from year to year by themselves comes from a prior, from the control streets, and from the street's own year before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from telstraat_analytics.calendars import Calendar
from telstraat_analytics.designs.series import DAYS_MIN, MOVED_WEEKS_MAX, YEAR_DAYS, StreetSeries
from telstraat_analytics.effect import weeks_table
from telstraat_analytics.model.placebo import Placebo
from telstraat_analytics.model.posterior import DEGREES, Mixture
from telstraat_analytics.model.priors import VariancePrior
from telstraat_analytics.model.weeks import Floats, Ints

MOVED_WEEKS = sorted(range(-MOVED_WEEKS_MAX, MOVED_WEEKS_MAX + 1), key=abs)
YEAR_SD = {0.05: 0.07, 0.08: 0.17, 0.10: 0.12, 0.12: 0.17}
"""How much streets change from year to year by themselves, in logs, by the week step of their kind (`VariancePrior.week_step`): a
judgement, narrowed after seeing the benchmark; learnt from controls and the street's own year before."""

YEAR_SHARED = 0.5  # of that variance, between streets of one town
PRIOR_YEARS = 10.0  # weight of the prior
WEEK_MEMORY = 0.2  # correlation of one week's ratio with the next
PRIOR_WEEKS = 4.0


@dataclass(frozen=True)
class Ratio:
    """What one street did from one year to the next.

    Attributes
    ----------
    segment
        Whose.
    number
        Shape (n,), weeks from the date.
    now, then
        Shape (n,), mean level of the paired days of each week, and of the days they are paired with.
    days
        Shape (n,), pairs in each week.
    """

    segment: str
    number: Ints
    now: Floats
    then: Floats
    days: Floats

    @property
    def change(self) -> float:
        """Return the mean logarithm of this year over last year."""
        return float(np.average(self.now - self.then, weights=self.days))

    @property
    def level(self) -> float:
        """Return the mean level of this year's paired days."""
        return float(np.average(self.now, weights=self.days))

    def noise(self, variance_prior: VariancePrior) -> float:
        """Return the variance of the change from the scatter of its weeks, held by what such streets do."""
        weeks = len(self.number)
        usual = 2 * (1.9 * variance_prior.day_noise**2 / 7 + variance_prior.week_step**2)
        squares = self.days / self.days.mean() * (self.now - self.then - self.change) ** 2
        spread = (PRIOR_WEEKS * usual + float(squares.sum())) / (PRIOR_WEEKS + weeks - 1)
        return spread / max(weeks * (1 - WEEK_MEMORY) / (1 + WEEK_MEMORY), 1.0)


def ratio(street: StreetSeries, date: pd.Timestamp, last: pd.Timestamp, calendar: Calendar) -> Ratio | None:
    """Pair the days of a stretch with those of the year before.

    Parameters
    ----------
    street
        Its comparable days, both years among them.
    date, last
        The stretch, INCLUSIVE.
    calendar
        Special days.

    Returns
    -------
    Ratio or None
        None with fewer than seven pairs.
    """
    totals = street.daily.totals
    index = pd.DatetimeIndex(totals.index)
    usual = ~calendar.free_days(index) & (totals.to_numpy(float) > 0)
    holiday = (calendar.breaks(index) >= 0.5) @ np.array([1, 2])
    known = {
        day: (float(np.log(totals[day])), int(kind)) for day, kind in zip(index[usual], holiday[usual], strict=True)
    }
    rows = []
    for day, (level, kind) in known.items():
        if not date <= day <= last:
            continue
        for weeks in MOVED_WEEKS:
            other = known.get(day - pd.Timedelta(days=YEAR_DAYS - 7 * weeks))
            if other is not None and other[1] == kind:
                rows.append(((day - date).days // 7, level, other[0]))
                break
    if len(rows) < DAYS_MIN:
        return None
    weekly = pd.DataFrame(rows, columns=["week", "now", "then"]).groupby("week").agg(["mean", "size"])
    now, then, days = (weekly[key].to_numpy(float) for key in (("now", "mean"), ("then", "mean"), ("now", "size")))
    return Ratio(street.segment, weekly.index.to_numpy(np.int64), now, then, days)


def steps_of(
    treated: Sequence[Ratio], controls: Sequence[Ratio], variance_prior: VariancePrior, quiet: Sequence[Ratio] = ()
) -> Mixture:
    """Return the steps of treated streets against what their controls did over the same year.

    Parameters
    ----------
    treated, controls
        Changes from last year to this.
    variance_prior
        How such streets move.
    quiet
        The treated streets' own changes over years without the measure.

    Returns
    -------
    Mixture
        Of one component, as wide as a Student t with as many degrees of freedom as years are known.
    """
    prior = YEAR_SD[variance_prior.week_step] ** 2
    noise = np.array([control.noise(variance_prior) for control in controls])
    changes = np.array([control.change for control in controls])
    apart = (1 - YEAR_SHARED) * prior
    weight = 1 / (apart + noise)
    shared = float(weight @ changes / (weight.sum() + 1 / (YEAR_SHARED * prior))) if len(controls) else 0.0
    squares = [
        max((change - shared) ** 2 - extra, 0.0) / (1 - YEAR_SHARED)
        for change, extra in zip(changes, noise, strict=True)
    ]
    squares += [max(ratio.change**2 - ratio.noise(variance_prior), 0.0) for ratio in quiet]
    year = (PRIOR_YEARS * prior + float(np.sum(squares))) / (PRIOR_YEARS + len(squares))
    apart, town = (1 - YEAR_SHARED) * year, YEAR_SHARED * year
    precision = 1 / town + float((1 / (apart + noise)).sum())
    shared = float((changes / (apart + noise)).sum() / precision)
    centre = np.array([ratio.change - shared for ratio in treated])
    covariance = np.diag([apart + ratio.noise(variance_prior) for ratio in treated]) + 1 / precision
    wider = float(stdtrit(PRIOR_YEARS + len(squares), 0.975) / stdtrit(DEGREES, 0.975))
    return Mixture(centre[None, :], wider**2 * covariance[None, :, :], np.ones(1), 0.0, float(np.sqrt(year / prior)))


@dataclass(frozen=True)
class YearFit:
    """What two stretches a year apart say about one street.

    Attributes
    ----------
    steps
        Posterior of the step.
    own, controls
        Changes over the year.
    quiet
        The street's own change over the year before that, where it was counted.
    placebos
        That year, and every control, as if treated.
    """

    steps: Mixture
    own: Ratio
    controls: tuple[Ratio, ...]
    quiet: tuple[Ratio, ...]
    placebos: tuple[Placebo, ...]

    def table(self, date: pd.Timestamp, what: str) -> pd.DataFrame:
        """Return observed and expected per week of both years (see `telstraat_analytics.effect.weeks_table`)."""
        own = self.own
        shared = own.change - self.steps.mean()
        number = np.concatenate([own.number - YEAR_DAYS // 7, own.number])
        observed, expected = np.concatenate([own.then, own.now]), np.concatenate([own.then, own.then + shared])
        sd = np.repeat([0.0, self.steps.sd()], len(own.number))
        return weeks_table(number, observed, expected, sd, date, what)


def year_fit(
    own: StreetSeries,
    donors: Sequence[StreetSeries],
    variance_prior: VariancePrior,
    date: pd.Timestamp,
    last: pd.Timestamp,
    calendar: Calendar,
) -> YearFit | None:
    """Compare a stretch with the same weeks a year before.

    Parameters
    ----------
    own
        The street.
    donors
        Its controls.
    variance_prior
        How such streets move.
    date, last
        The stretch, INCLUSIVE.
    calendar
        Special days.

    Returns
    -------
    YearFit or None
        None where fewer than seven days can be paired.
    """
    mine = ratio(own, date, last, calendar)
    if mine is None:
        return None
    controls = tuple(control for street in donors if (control := ratio(street, date, last, calendar)) is not None)
    year = pd.Timedelta(days=YEAR_DAYS)
    before = ratio(own, date - year, last - year, calendar)
    quiet = (before,) if before is not None else ()
    placebos = [_placebo(before, (), variance_prior, date - year) for before in quiet]
    placebos += [
        _placebo(control, [two for two in controls if two is not control], variance_prior, date) for control in controls
    ]
    return YearFit(steps_of([mine], controls, variance_prior, quiet), mine, controls, quiet, tuple(placebos))


def _placebo(target: Ratio, others: Sequence[Ratio], variance_prior: VariancePrior, date: pd.Timestamp) -> Placebo:
    steps = steps_of([target], others, variance_prior)
    claimed = steps.quantile(0.025) > 0 or steps.quantile(0.975) < 0
    return Placebo(target.segment, date, steps.mean(), steps.sd(), claimed)
