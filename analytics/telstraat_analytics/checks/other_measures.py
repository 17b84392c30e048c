"""Other measures: whether something else changed nearby in the compared time."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict


class OtherMeasures(Check):
    """What the people who know the street have noted."""

    name: ClassVar[str] = "other_measures"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when none of the noted changes lies in the compared time."""
        span = context.prepared.span
        near = [
            (day, text) for day, text in context.measure.other_measures if span.first <= pd.Timestamp(day) <= span.last
        ]
        if near:
            return self.result(Verdict.DOUBT, "near", date=f"{near[0][0]:%Y-%m-%d}", text=near[0][1])
        return self.result(Verdict.PASSED, "none_noted")
