"""From hours to what the model needs: the comparable weeks of every street of a measure, for one question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from telstraat_analytics.days import DailyCounts, common_hours, daily_counts, local_table
from telstraat_analytics.errors import NotCountedError
from telstraat_analytics.measure import Measure
from telstraat_analytics.model.priors import CONTROL_HISTORY_DAYS, HISTORY_DAYS
from telstraat_analytics.model.weeks import Floats, Weeks, weekly_levels, weekly_values
from telstraat_analytics.quality.findings import Finding, days_out
from telstraat_analytics.quality.inspect import Span, inspect
from telstraat_analytics.question import Question
from telstraat_analytics.values import daily_values
from telstraat_analytics.weather import weather_answer

CONTROLS_MAX = 6  # more cost time and bring little: days are shared, and six streets show what is shared
WEEKS_BEFORE_MIN = 3
DAYS_MIN = 7
LATEST_MAX = 64
YEAR_DAYS = 364  # 52 weeks: the same weekdays
MOVED_WEEKS_MAX = 3  # Easter moves by up to five weeks; a day is looked for so far from the one a year before


@dataclass(frozen=True)
class StreetSeries:
    """One street of a comparison.

    Attributes
    ----------
    segment
        Which.
    daily
        Its comparable days.
    weeks
        Its weeks around the date, as the model sees them: without what is known of the weather.
    observed
        Shape (n,), the level of the same weeks as it was counted.
    """

    segment: str
    daily: DailyCounts
    weeks: Weeks
    observed: Floats

    @property
    def put_back(self) -> Floats:
        """Return, per week, what was taken out of the level before it was modelled."""
        return self.observed - self.weeks.level

    def days(self, first: pd.Timestamp, last: pd.Timestamp) -> pd.Series:
        """Return the comparable days `first` to `last`, INCLUSIVE."""
        totals = self.daily.totals
        return totals[(totals.index >= first) & (totals.index <= last)]


@dataclass(frozen=True)
class Prepared:
    """Everything about a comparison that does not depend on what is asked.

    Attributes
    ----------
    tables
        Per segment its rows with local day and hour, of the history that the model looks at.
    findings
        What is wrong with them.
    span
        The compared days.
    weather
        Daily weather, where it is known.
    """

    tables: Mapping[str, pd.DataFrame]
    findings: tuple[Finding, ...]
    span: Span
    weather: pd.DataFrame | None = None
    latest: dict[tuple[object, ...], StreetSeries | None] = field(default_factory=dict, repr=False, compare=False)
    """What `street` has answered last: many streets are compared with the same controls."""
    hours: dict[tuple[str, Span], tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)
    """The hours that can be compared, per street and compared days."""


def span_of(measure: Measure) -> Span:
    """Return the compared days of a measure."""
    begin = pd.Timestamp(measure.date)
    date = begin + pd.Timedelta(days=measure.transition_days)
    return Span(
        begin - pd.Timedelta(days=measure.before_days), begin, date, date + pd.Timedelta(days=measure.after_days - 1)
    )


def span_of_year(measure: Measure) -> Span:
    """Return the compared days when they are compared with last year's: what lies between the two stretches counts for neither."""
    own = span_of(measure)
    year, moved = pd.Timedelta(days=YEAR_DAYS), pd.Timedelta(weeks=MOVED_WEEKS_MAX)
    begin = min(own.last - year + moved + pd.Timedelta(days=1), own.date)
    return Span(own.date - year - moved, begin, own.date, own.last)


def days_needed(measure: Measure) -> dict[str, tuple[pd.Timestamp, pd.Timestamp]]:
    """Return, per street, the time whose counts an evaluation reads: whoever fetches counts fetches these and no others.

    Parameters
    ----------
    measure
        What was done where and when.

    Returns
    -------
    dict
        Per segment of the measure the start (INCLUSIVE) and the end (EXCLUSIVE) of whole local days, in UTC: two years
        and more of the streets that are answered for, one of the controls (docs/decisions/027).
    """
    span = span_of(measure)
    end = _midnight(span.last + pd.Timedelta(days=1), measure.timezone)
    out = {}
    for segment in measure.segments:
        days = CONTROL_HISTORY_DAYS if segment in measure.controls else HISTORY_DAYS
        out[segment] = _midnight(min(span.first, span.date - pd.Timedelta(days=days)), measure.timezone), end
    return out


def needed(frame: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """Return the rows of a frame of counts that an evaluation reads, those in which nobody looked left out.

    Parameters
    ----------
    frame
        Raw hourly counts (see `telstraat_analytics.frames.as_counts`).
    measure
        What was done where.

    Returns
    -------
    pandas.DataFrame
        In the order of `frame`; what stands in it is all that the answer, and the hash of the inputs, depends on.
    """
    windows = days_needed(measure)
    first = frame["segment"].map({segment: window[0] for segment, window in windows.items()})
    last = frame["segment"].map({segment: window[1] for segment, window in windows.items()})
    return frame[(frame["start"] >= first) & (frame["start"] < last) & (frame["uptime"] > 0)]


def _midnight(day: pd.Timestamp, timezone: str) -> pd.Timestamp:
    """Return the first instant of a local day, also where the clock jumps over midnight or strikes it twice."""
    return day.tz_localize(timezone, ambiguous=True, nonexistent="shift_forward").tz_convert("UTC")


def prepare(frame: pd.DataFrame, measure: Measure, weather: pd.DataFrame | None = None) -> Prepared:
    """Cut a frame to the streets and days of a measure and inspect the sensors.

    Parameters
    ----------
    frame
        Raw hourly counts (see `telstraat_analytics.frames.as_counts`).
    measure
        What was done where.
    weather
        Daily weather (see `telstraat_analytics.weather.read_weather`).

    Returns
    -------
    Prepared
        Streets without a single row in the frame are absent.
    """
    span = span_of(measure)
    near = needed(frame, measure)
    tables = {}
    for segment in measure.segments:
        table = local_table(near, segment, measure.timezone)
        if not table.empty:
            tables[segment] = table
    return Prepared(tables, tuple(inspect(tables, measure)), span, weather)


def street(prepared: Prepared, segment: str, measure: Measure, question: Question) -> StreetSeries | None:
    """Return one street's comparable weeks for a question, or None where there is nothing to compare.

    Parameters
    ----------
    prepared
        What `prepare` returned.
    segment
        Which street.
    measure, question
        What was done, and what is asked.

    Returns
    -------
    Street or None
        None where no hour was seen on both sides, or no day is left.
    """
    key = (segment, question, prepared.span, measure.speed_limit_kmh, measure.days)
    if key not in prepared.latest:
        while len(prepared.latest) >= LATEST_MAX:
            del prepared.latest[next(iter(prepared.latest))]
        prepared.latest[key] = _street(prepared, segment, measure, question)
    return prepared.latest[key]


def _street(prepared: Prepared, segment: str, measure: Measure, question: Question) -> StreetSeries | None:
    table = prepared.tables.get(segment)
    if table is None:
        return None
    missing = [name for name in question.columns if name not in table]
    if missing:
        raise NotCountedError(f"{segment}: the counts have no {', '.join(missing)}, which {question.what!r} needs")
    span = prepared.span
    hours = question.hours or _hours(prepared, segment)
    first = min(pd.Timestamp(table["day"].min()), span.first)
    if question.is_count:
        daily = daily_counts(table, segment, question.columns, hours, span.date, first, span.last)
    else:
        daily = daily_values(table, segment, question, hours, measure.speed_limit_kmh, span)
    totals = _kept(daily.totals, prepared.findings, segment, question, span)
    if len(totals) < DAYS_MIN:
        return None
    daily = DailyCounts(segment, totals, daily.dead, daily.hours, daily.weight.reindex(totals.index))
    if question.is_count:
        counted = weeks = weekly_levels(segment, totals, span.date, question.variance_prior, measure.days)
        answer = weather_answer(weeks, prepared.weather, span.date) if prepared.weather is not None else None
        if answer is not None:
            known = answer.correction.reindex(totals.index).fillna(0.0)
            weeks = weekly_levels(segment, totals * np.exp(-known), span.date, question.variance_prior, measure.days)
    else:
        counted = weeks = weekly_values(segment, totals, daily.weight, span.date, question.variance_prior, measure.days)
    return StreetSeries(segment, daily, weeks, counted.level)


def _hours(prepared: Prepared, segment: str) -> tuple[int, ...]:
    """Return the hours of a street that can be compared, whatever is asked."""
    span = prepared.span
    key = (segment, span)
    if key not in prepared.hours:
        table = prepared.tables[segment]
        compared = table[(table["day"] < span.begin) | (table["day"] >= span.date)]
        prepared.hours[key] = common_hours(compared, span.first, span.last, span.date)
    return prepared.hours[key]


def concerning(findings: tuple[Finding, ...], question: Question) -> tuple[Finding, ...]:
    """Return the findings that matter for a question: the sum of motor traffic is right while its split is learnt."""
    if {"car", "heavy"} <= set(question.columns):
        return tuple(finding for finding in findings if finding.kind not in {"learning", "class_drift"})
    return findings


def _kept(totals: pd.Series, findings: tuple[Finding, ...], segment: str, question: Question, span: Span) -> pd.Series:
    index = pd.DatetimeIndex(totals.index)
    findings = concerning(findings, question)
    columns = question.columns or ("car",)
    out = days_out(findings, segment, columns, index).to_numpy(copy=True)
    out |= np.asarray((index >= span.begin) & (index < span.date))
    if question.days != "all":
        weekend = index.day_of_week >= 5
        out |= weekend if question.days == "workdays" else ~weekend
    return totals[~out]


def usable(street: StreetSeries | None) -> bool:
    """Tell whether a street can serve as a control: weeks on both sides of the date."""
    if street is None:
        return False
    return bool((street.weeks.number < 0).sum() >= WEEKS_BEFORE_MIN and (street.weeks.number >= 0).any())


def best_controls(treated: StreetSeries, candidates: list[StreetSeries]) -> list[StreetSeries]:
    """Return at most six candidates whose days before the date go with the treated street's best.

    Parameters
    ----------
    treated
        The street in question.
    candidates
        Streets on which nothing was done.

    Returns
    -------
    list of StreetSeries
        Best first.
    """
    own = treated.weeks.shocks
    before = own[own.index < 0]
    return sorted(candidates, key=lambda other: likeness(before, other.weeks.shocks), reverse=True)[:CONTROLS_MAX]


def likeness(own: pd.Series, other: pd.Series) -> float:
    """Return how much the days of two streets go together, -1 to 1: their correlation, less where they have few days in common.

    Parameters
    ----------
    own, other
        Standardised deviations of days from their weeks, indexed by day (see `telstraat_analytics.model.weeks.Weeks.shocks`).
    """
    _, mine, theirs = np.intersect1d(own.index, other.index, assume_unique=True, return_indices=True)
    both = np.array([own.to_numpy()[mine], other.to_numpy()[theirs]])
    days = both.shape[1]
    if days < 10 or both.std(axis=1).min() <= 0:
        return -1.0
    return float(np.corrcoef(both)[0, 1] * days / (days + 20))
