"""One street: its step at the date, beside streets on which nothing was done, calibrated by dates of nothing."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import pandas as pd

from telstraat_analytics.designs.series import (
    DAYS_MIN,
    Prepared,
    StreetSeries,
    best_controls,
    span_of_year,
    street,
    usable,
)
from telstraat_analytics.designs.year import YearFit, year_fit
from telstraat_analytics.effect import Effect, effect_of, mean_level_after, weeks_table
from telstraat_analytics.measure import Measure
from telstraat_analytics.model.placebo import Placebo, placebos_in_space, placebos_in_time, stretch
from telstraat_analytics.model.posterior import StepFit
from telstraat_analytics.model.step import fit_steps
from telstraat_analytics.quality.findings import Finding
from telstraat_analytics.quality.inspect import NotComparable, impossible
from telstraat_analytics.question import Question


@dataclass(frozen=True)
class StreetAnswer:
    """What was found on one street.

    Attributes
    ----------
    segment
        Which.
    effect
        The change, or None when the street cannot be compared.
    refused
        The reasons when it cannot.
    days_before, days_after
        Comparable days that were used.
    hours
        Local start hours that were compared.
    controls
        Streets it was compared with.
    weeks
        Observed and expected per week.
    placebos
        Dates and streets of nothing, and what was found there.
    stretch
        The factor for the width of the interval that they asked for.
    year
        What was found against last year, where that is asked; then `fit` is None.
    """

    segment: str
    effect: Effect | None
    refused: tuple[NotComparable, ...] = ()
    days_before: int = 0
    days_after: int = 0
    hours: tuple[int, ...] = ()
    controls: tuple[str, ...] = ()
    weeks: pd.DataFrame = field(default_factory=pd.DataFrame)
    placebos: tuple[Placebo, ...] = ()
    stretch: float = 1.0
    fit: StepFit | None = None
    street: StreetSeries | None = None
    donors: tuple[StreetSeries, ...] = ()
    year: YearFit | None = None


def answer_for(prepared: Prepared, segment: str, measure: Measure, question: Question) -> StreetAnswer:
    """Evaluate one street.

    Parameters
    ----------
    prepared
        What `telstraat_analytics.designs.series.prepare` returned.
    segment
        A treated or a boundary street.
    measure, question
        What was done, and what is asked.

    Returns
    -------
    StreetAnswer
        Refused, with the reasons, when sensor or days do not allow an answer.
    """
    prepared, own, reasons = _comparable(prepared, segment, measure, question)
    span = prepared.span
    if reasons or own is None:
        return StreetAnswer(segment, None, tuple(reasons))
    donors = controls_for(own, prepared, measure, question)
    if question.against == "last year":
        return _answer_by_year(own, donors, prepared, measure, question)
    date, southern, variance_prior = span.date, measure.days.southern, question.variance_prior
    others = [control.weeks for control in donors]
    fit = fit_steps([own.weeks], others, variance_prior, date, southern=southern)
    after = int((own.weeks.number >= 0).sum())
    placebos = [
        *placebos_in_time(
            own.weeks, others, variance_prior, date, after, southern=southern, noise_models=fit.noise_models
        ),
        *placebos_in_space(others, variance_prior, date, southern=southern, noise_models=fit.noise_models),
    ]
    wider = stretch(placebos)
    level = mean_level_after(own.weeks.number, own.observed, own.weeks.noise)
    expected = fit.expected[0]
    usual = expected.level + own.put_back
    return StreetAnswer(
        segment,
        effect_of(fit.steps, 0, level, question.what, wider),
        days_before=len(own.days(span.first, span.begin - pd.Timedelta(days=1))),
        days_after=len(own.days(span.date, span.last)),
        hours=own.daily.hours,
        controls=tuple(control.segment for control in donors),
        weeks=weeks_table(expected.number, own.observed, usual, expected.sd * wider, date, question.what),
        placebos=tuple(placebos),
        stretch=wider,
        fit=fit,
        street=own,
        donors=tuple(donors),
    )


def effect_of_part(
    prepared: Prepared, segment: str, measure: Measure, question: Question, wider: float
) -> Effect | None:
    """Evaluate one street for a part of a question whose answer is known, an hour of it or one direction.

    How much wider than the model says an interval must be is learnt from dates and streets of nothing in the whole answer: trying
    them again for each part is most of the work and brings no better intervals (docs/bench/evaluation.md). Narrower than the model
    says no part becomes: what the whole was better at, a part need not be.

    Parameters
    ----------
    prepared, segment, measure, question
        As for `answer_for`.
    wider
        `StreetAnswer.stretch` of the whole.

    Returns
    -------
    Effect or None
        None where `answer_for` would refuse.
    """
    prepared, own, reasons = _comparable(prepared, segment, measure, question)
    if reasons or own is None:
        return None
    donors = controls_for(own, prepared, measure, question)
    if question.against == "last year":
        return _answer_by_year(own, donors, prepared, measure, question).effect
    others, southern = [control.weeks for control in donors], measure.days.southern
    fit = fit_steps(
        [own.weeks], others, question.variance_prior, prepared.span.date, southern=southern, steps_only=True
    )
    level = mean_level_after(own.weeks.number, own.observed, own.weeks.noise)
    return effect_of(fit.steps, 0, level, question.what, max(wider, 1.0))


def _comparable(
    prepared: Prepared, segment: str, measure: Measure, question: Question
) -> tuple[Prepared, StreetSeries | None, list[NotComparable]]:
    """Return what was prepared with the compared days of the question, the street's weeks, and why they allow no answer."""
    if question.against == "last year":
        prepared = dataclasses.replace(prepared, span=span_of_year(measure))
    columns = question.columns or ("car",)
    reasons = impossible(prepared.findings, segment, columns, prepared.span)
    own = street(prepared, segment, measure, question)
    missing = too_little(own, segment, prepared, question)
    if question.against == "last year":
        missing = [_of_year(refusal) for refusal in missing]
    return prepared, own, reasons + missing


def _of_year(refusal: NotComparable) -> NotComparable:
    """Return what is missing in the words of a comparison with last year: the days before are those of the year before."""
    if refusal.key not in {"no_days", "few_before", "nothing_before", "holidays"}:
        return refusal
    return dataclasses.replace(refusal, key="few_last_year", days=0, needed=DAYS_MIN)


def _answer_by_year(
    own: StreetSeries, donors: list[StreetSeries], prepared: Prepared, measure: Measure, question: Question
) -> StreetAnswer:
    """Evaluate one street against the same weeks a year before."""
    span = prepared.span
    fit = year_fit(own, donors, question.variance_prior, span.date, span.last, measure.days)
    if fit is None:
        return StreetAnswer(own.segment, None, (NotComparable(own.segment, "few_last_year", (), 0, DAYS_MIN),))
    used = {ratio.segment for ratio in fit.controls}
    return StreetAnswer(
        own.segment,
        effect_of(fit.steps, 0, fit.own.level, question.what, 1.0),
        days_before=int(fit.own.days.sum()),
        days_after=int(fit.own.days.sum()),
        hours=own.daily.hours,
        controls=tuple(control.segment for control in donors if control.segment in used),
        weeks=fit.table(span.date, question.what),
        placebos=fit.placebos,
        street=own,
        donors=tuple(control for control in donors if control.segment in used),
        year=fit,
    )


def controls_for(own: StreetSeries, prepared: Prepared, measure: Measure, question: Question) -> list[StreetSeries]:
    """Return the usable controls of a street, best first.

    Parameters
    ----------
    own
        The street.
    prepared, measure, question
        As for `answer_for`.

    Returns
    -------
    list of StreetSeries
        Controls whose sensor stayed the same instrument and that have weeks on both sides.
    """
    candidates = []
    for segment in measure.controls:
        if impossible(prepared.findings, segment, question.columns or ("car",), prepared.span):
            continue
        candidate = street(prepared, segment, measure, question)
        if candidate is not None and usable(candidate):
            candidates.append(candidate)
    return best_controls(own, candidates)


def too_little(own: StreetSeries | None, segment: str, prepared: Prepared, question: Question) -> list[NotComparable]:
    """Return what is missing for an answer.

    Parameters
    ----------
    own
        The street's comparable days, or None.
    segment
        Its name.
    prepared
        For the span and the findings that took days away.
    question
        What is asked.

    Returns
    -------
    list of NotComparable
        Empty when there is enough.
    """
    span = prepared.span
    why = tuple(
        finding
        for finding in prepared.findings
        if finding.segment == segment and finding.action != "warning" and finding.overlaps(span.first, span.last)
    )
    if own is None:
        return [_nothing(prepared, segment, question, why)]
    earlier = own.days(own.daily.totals.index[0], span.begin - pd.Timedelta(days=1))
    before = len(earlier)
    after = len(own.days(span.date, span.last))
    reasons = []
    if before < DAYS_MIN:
        reasons.append(NotComparable(segment, "few_before", why, before, DAYS_MIN))
    if after < DAYS_MIN:
        reasons.append(NotComparable(segment, "few_after", why, after, DAYS_MIN))
    if not reasons and not earlier.any():
        reasons.append(NotComparable(segment, "nothing_before", why))
    if not reasons and not ((own.weeks.number < 0).any() and (own.weeks.number >= 0).any()):
        reasons.append(NotComparable(segment, "holidays"))
    return reasons


def _nothing(prepared: Prepared, segment: str, question: Question, why: tuple[Finding, ...]) -> NotComparable:
    """Return why no day at all is left: nobody counted on one side, or what was counted is zero, or days were left out."""
    table, span = prepared.tables.get(segment), prepared.span
    if table is None:
        return NotComparable(segment, "not_there", why)
    earlier, later = table[table["day"] < span.begin], table[table["day"].between(span.date, span.last)]
    before, after = earlier["day"].nunique(), later["day"].nunique()
    if after < DAYS_MIN:
        return NotComparable(segment, "few_after", why, after, DAYS_MIN)
    if before < DAYS_MIN:
        return NotComparable(segment, "few_before", why, before, DAYS_MIN)
    counted = earlier[[name for name in question.columns if name in earlier]]
    return NotComparable(segment, "nothing_before" if not counted.to_numpy(float).any() and not why else "no_days", why)
