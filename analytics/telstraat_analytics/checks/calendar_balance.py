"""Holidays: whether there are as many on both sides, and whether the model knows them."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict

UNBALANCED = 0.25


class CalendarBalance(Check):
    """The share of holidays before and after."""

    name: ClassVar[str] = "holidays"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when both sides have about the same share of school holidays and all holidays are known."""
        span, calendar = context.prepared.span, context.measure.days
        before = (
            calendar.breaks(pd.date_range(span.first, span.begin - pd.Timedelta(days=1), freq="D")).sum(axis=1).mean()
        )
        after = calendar.breaks(pd.date_range(span.date, span.last, freq="D")).sum(axis=1).mean()
        known = "table" if calendar.school else "assumed"
        if not calendar.country:
            return self.result(Verdict.DOUBT, "no_country", before=float(before), after=float(after))
        shares = {"before": float(before), "after": float(after)}
        unknown = calendar.unknown_years(span.first.date(), span.last.date())
        if unknown:
            where = calendar.country + (f"-{calendar.region}" if calendar.region else "")
            return self.result(
                Verdict.DOUBT, "unknown_years", years=", ".join(map(str, unknown)), where=where, **shares
            )
        edge = calendar.table_edge(span.first.date(), span.last.date())
        if edge is not None:
            reason = "table_ends" if edge < span.last.date() else "table_begins"
            return self.result(Verdict.DOUBT, reason, date=edge.isoformat(), **shares)
        balanced = abs(after - before) <= UNBALANCED
        verdict = Verdict.PASSED if balanced and (calendar.school or max(before, after) == 0) else Verdict.DOUBT
        return self.result(verdict, known, **shares)
