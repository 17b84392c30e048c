"""Data quality: how much of the compared time was counted, and how much had to be left out."""

from __future__ import annotations

from typing import ClassVar

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict

SHARE_GOOD = 0.75
SHARE_POOR = 0.4


class DataQuality(Check):
    """The share of compared days that could be used."""

    name: ClassVar[str] = "data_quality"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass from three quarters of the days on both sides; fail below four tenths on one."""
        answer, measure = context.answer, context.measure
        share = 7 / {"all": 7, "workdays": 5, "weekend": 2}[context.question.days]
        before = min(answer.days_before * share / measure.before_days, 1.0)
        after = min(answer.days_after * share / measure.after_days, 1.0)
        worst = min(before, after)
        verdict = Verdict.PASSED if worst >= SHARE_GOOD else Verdict.DOUBT if worst >= SHARE_POOR else Verdict.FAILED
        return self.result(verdict, "shares", before=before, after=after)
