"""Leave one control out: whether the answer hangs on a single control street."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict
from telstraat_analytics.effect import effect_of, mean_level_after
from telstraat_analytics.model.step import fit_steps


class LeaveOneControlOut(Check):
    """The answer again without each of the controls."""

    name: ClassVar[str] = "leave_one_control_out"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when every answer lies in the interval and none changes what is claimed."""
        answer = context.answer
        if answer.effect is None or answer.street is None or answer.fit is None or len(answer.company) < 2:
            return self.result(Verdict.UNKNOWN, "one_control", controls=len(answer.company))
        own = answer.street.weeks
        level = mean_level_after(own.number, answer.street.observed, own.noise)
        found = []
        for left in range(len(answer.company)):
            others = [one.weeks for number, one in enumerate(answer.company) if number != left]
            fit = fit_steps(
                [own],
                others,
                context.question.motion,
                context.prepared.span.date,
                southern=context.measure.days.southern,
                ways=answer.fit.ways,
            )
            found.append(effect_of(fit.steps, 0, level, context.question.what, answer.stretch))
        estimates = [one.estimate for one in found]
        inside = all(answer.effect.low <= one <= answer.effect.high for one in estimates)
        same = all(one.claimed == answer.effect.claimed for one in found)
        verdict = Verdict.PASSED if inside and same else Verdict.DOUBT
        return self.result(
            verdict, "range", low=float(np.min(estimates)), high=float(np.max(estimates)), unit=answer.effect.unit
        )
