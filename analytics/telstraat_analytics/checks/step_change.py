"""Step: whether the counts after came in other portions than those before, which another device or another export makes."""

from __future__ import annotations

from typing import ClassVar

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict

SHARE = 0.1
"""A step that fewer of a side's hours have is an exception, and no change."""


class StepChange(Check):
    """How long the rows were that the hours were made of, on the street and its controls."""

    name: ClassVar[str] = "step"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when all streets were counted in the same portions on both sides; doubt when one has changed."""
        span = context.prepared.span
        for segment in (context.answer.segment, *context.answer.controls):
            table = context.prepared.tables.get(segment)
            if table is None or "step_s" not in table:
                continue
            days = table["day"]
            sides = (days >= span.first) & (days < span.begin), (days >= span.date) & (days <= span.last)
            shares = [table.loc[side, "step_s"].value_counts(normalize=True) for side in sides]
            before, after = ({int(str(step)) for step in side.index[side >= SHARE]} for side in shares)
            if before and after and before != after:
                minutes = [" + ".join(str(step // 60) for step in sorted(side)) for side in (before, after)]
                street = context.measure.called(segment)
                return self.result(Verdict.DOUBT, "changed", street=street, before=minutes[0], after=minutes[1])
        return self.result(Verdict.PASSED, "same")
