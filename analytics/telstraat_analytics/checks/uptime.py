"""Uptime: whether the sensor looked for as much of the compared hours after as before."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict

ALIKE = 1.15
"""Half of a good window sensor's hours lie between 0.71 and 0.79 of uptime: a change by more than this is no chance."""


class ObservedAlike(Check):
    """The mean uptime of the compared hours, before and after."""

    name: ClassVar[str] = "observed"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when both sides were observed alike; hours that were observed for less than half are left out anyway."""
        span, answer = context.prepared.span, context.answer
        table = context.prepared.tables[answer.segment]
        hours = table[table["hour"].isin(answer.hours) & (table["uptime"] > 0)]
        days = hours["day"]
        before = hours.loc[(days >= span.first) & (days < span.begin), "uptime"]
        after = hours.loc[(days >= span.date) & (days <= span.last), "uptime"]
        if before.empty or after.empty:
            return self.result(Verdict.UNKNOWN, "none")
        shares = float(before.mean()), float(after.mean())
        apart = float(np.exp(abs(np.log(shares[1] / shares[0]))))
        verdict = Verdict.PASSED if apart <= ALIKE else Verdict.DOUBT
        return self.result(verdict, "shares", before=shares[0], after=shares[1])
