"""Regression to the mean: whether the time before was unusual, so that going back to the usual would pass for an effect."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict

UNUSUAL_SD = 1.5
WEEKS = 8
EARLIER_MIN = 8


class RegressionToTheMean(Check):
    """The before-period against the street's own earlier history."""

    name: ClassVar[str] = "regression_to_the_mean"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when the time before was usual for the street and it was not chosen for a bad month."""
        chosen = context.measure.chosen_for
        street = context.answer.street
        if street is None:
            return self.result(Verdict.UNKNOWN, "too_short")
        weeks = street.weeks.between(-10_000, -1)
        earlier, recent = weeks.level[weeks.number < -WEEKS], weeks.level[weeks.number >= -WEEKS]
        if chosen == "bad month":
            return self.result(Verdict.DOUBT, "chosen")
        if len(earlier) < EARLIER_MIN or len(recent) == 0:
            return self.result(Verdict.UNKNOWN, "too_short")
        size = float((recent.mean() - earlier.mean()) / max(float(earlier.std()), 1e-9))
        verdict = Verdict.PASSED if abs(size) < UNUSUAL_SD else Verdict.DOUBT
        change = float(np.expm1(recent.mean() - earlier.mean()))
        return self.result(
            verdict, "above" if change >= 0 else "below", change=abs(change), weeks=len(recent), size=size
        )
