"""Placebo in time: what would have been claimed at earlier dates, when nothing was done."""

from __future__ import annotations

from typing import ClassVar

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict

DATES_MIN = 2


class PlaceboInTime(Check):
    """Earlier dates on the same street, in the time before."""

    name: ClassVar[str] = "placebo_in_time"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when at most one earlier date of four or more, and none of fewer, would have been claimed."""
        own = [placebo for placebo in context.answer.placebos if placebo.segment == context.answer.segment]
        if len(own) < DATES_MIN:
            return self.result(Verdict.UNKNOWN, "too_short", dates=len(own))
        claimed = sum(placebo.claimed for placebo in own)
        allowed = 1 if len(own) >= 4 else 0
        verdict = Verdict.PASSED if claimed <= allowed else Verdict.DOUBT
        return self.result(verdict, "dates", dates=len(own), claimed=claimed)
