"""Daylight: like with like, so that a sensor that is blind at night does not turn winter into an effect."""

from __future__ import annotations

from typing import ClassVar

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict


class Daylight(Check):
    """The hours that are compared."""

    name: ClassVar[str] = "daylight"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass always, and say which hours: only those seen on both sides of the date are compared."""
        hours = context.answer.hours
        if not hours:
            return self.result(Verdict.UNKNOWN, "none")
        reason = "whole_day" if len(hours) == 24 else "part"
        return self.result(Verdict.PASSED, reason, first=min(hours), last=max(hours) + 1, hours=len(hours))
