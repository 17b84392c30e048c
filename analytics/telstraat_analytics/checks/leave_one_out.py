"""Leave one control out: whether the answer hangs on a single control street."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict
from telstraat_analytics.designs.year import steps_of
from telstraat_analytics.effect import Effect, effect_of, mean_level_after
from telstraat_analytics.model.step import fit_steps


class LeaveOneControlOut(Check):
    """The answer again without each of the controls."""

    name: ClassVar[str] = "leave_one_control_out"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when every answer lies in the interval and none changes what is claimed."""
        answer = context.answer
        if answer.effect is None or len(answer.donors) < 2:
            return self.result(Verdict.UNKNOWN, "one_control", controls=len(answer.donors))
        effects = [_without(left, context) for left in range(len(answer.donors))]
        estimates = [effect.estimate for effect in effects]
        inside = all(answer.effect.low <= estimate <= answer.effect.high for estimate in estimates)
        same = all(effect.claimed == answer.effect.claimed for effect in effects)
        verdict = Verdict.PASSED if inside and same else Verdict.DOUBT
        return self.result(
            verdict, "range", low=float(np.min(estimates)), high=float(np.max(estimates)), unit=answer.effect.unit
        )


def _without(left: int, context: CheckContext) -> Effect:
    """Return the answer without one of its controls."""
    answer, question = context.answer, context.question
    assert answer.street is not None, "an answer with an effect has its street"
    if answer.year is not None:
        year = answer.year
        others = [control for number, control in enumerate(year.controls) if number != left]
        steps = steps_of([year.own], others, question.variance_prior, year.quiet)
        return effect_of(steps, 0, year.own.level, question.what, answer.stretch)
    assert answer.fit is not None, "an answer against the time before has its fit"
    own, date = answer.street.weeks, context.prepared.span.date
    donors = [control.weeks for number, control in enumerate(answer.donors) if number != left]
    southern, noise_models = context.measure.days.southern, answer.fit.noise_models
    fit = fit_steps(
        [own], donors, question.variance_prior, date, southern=southern, noise_models=noise_models, steps_only=True
    )
    level = mean_level_after(own.number, answer.street.observed, own.noise)
    return effect_of(fit.steps, 0, level, question.what, answer.stretch)
