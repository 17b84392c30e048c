"""Placebo in space: what would have been claimed on the control streets at the real date."""

from __future__ import annotations

from typing import ClassVar

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict


class PlaceboInSpace(Check):
    """The control streets, treated as if, at the real date."""

    name: ClassVar[str] = "placebo_in_space"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when no control street shows a change of its own; fail when half of them do."""
        others = [placebo for placebo in context.answer.placebos if placebo.segment != context.answer.segment]
        if not others:
            return self.result(Verdict.UNKNOWN, "no_controls")
        claimed = sum(placebo.claimed for placebo in others)
        if claimed == 0:
            verdict = Verdict.PASSED
        else:
            verdict = Verdict.FAILED if 2 * claimed >= len(others) and len(others) > 1 else Verdict.DOUBT
        return self.result(verdict, "streets", streets=len(others), claimed=claimed)
