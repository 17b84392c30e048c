"""Daylight: like with like, so that a sensor that is blind at night does not turn winter into an effect."""

from __future__ import annotations

from typing import ClassVar

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict

FEW = 6
"""Fewer hours than these miss the morning or the evening, when streets are at their busiest."""


class Daylight(Check):
    """The hours that are compared."""

    name: ClassVar[str] = "daylight"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when the compared hours (those seen on both sides, or those asked for) are more than a piece of the day."""
        hours = context.answer.hours
        if not hours:
            return self.result(Verdict.UNKNOWN, "none")
        few = len(hours) < FEW and not context.question.hours
        reason = "whole_day" if len(hours) == 24 else "few" if few else "part"
        verdict = Verdict.DOUBT if few else Verdict.PASSED
        return self.result(verdict, reason, first=min(hours), last=max(hours) + 1, hours=len(hours))
