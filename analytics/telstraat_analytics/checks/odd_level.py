"""Odd level: whether the last weeks before stood apart from the street's usual level, alone among its neighbours."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict

DOUBT = 0.2
FAILED = 0.8


class OddLevel(Check):
    """How likely the street was odd before the date; the model has covered both its usual and its last level."""

    name: ClassVar[str] = "odd_level"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when an odd level has less than one chance in five; fail when it has four or more and leaves the answer open."""
        answer = context.answer
        if answer.year is not None:
            return self.result(Verdict.UNKNOWN, "last_year")
        if answer.fit is None or answer.effect is None:
            return self.result(Verdict.UNKNOWN, "too_short")
        shift = answer.fit.shift[0]
        if shift is None or shift.probability < DOUBT:
            return self.result(Verdict.PASSED, "usual")
        open_to_doubt = shift.probability >= FAILED and not answer.effect.claimed
        verdict = Verdict.FAILED if open_to_doubt else Verdict.DOUBT
        date = f"{context.prepared.span.date + pd.Timedelta(weeks=shift.first):%Y-%m-%d}"
        if not context.question.is_count:
            return self.result(verdict, "other", date=date)
        levels = {"size": shift.size, "usual": shift.against_usual, "last": shift.against_last}
        return self.result(
            verdict, shift.kind, date=date, **{name: float(np.expm1(value)) for name, value in levels.items()}
        )
