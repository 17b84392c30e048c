"""Season: whether the time after lies in another part of the year, and whether that part was seen before."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict
from telstraat_analytics.model.priors import WARMEST_DAY_OF_YEAR

SMALL_SHIFT = 0.5  # of the half height of the yearly wave
YEAR_DAYS = 364


class SeasonCovered(Check):
    """How far apart in the year the two sides lie."""

    name: ClassVar[str] = "season"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when last year's same weeks are there or the sides lie in like parts of the year."""
        span, answer = context.prepared.span, context.answer
        wave = [_warmth(span.first, span.begin), _warmth(span.date, span.last)]
        shift = abs(wave[1] - wave[0])
        amplitude = context.question.variance_prior.season_amplitude
        if answer.street is not None:
            days = pd.DatetimeIndex(answer.street.daily.totals.index)
            year_before = span.date - pd.Timedelta(days=YEAR_DAYS)
            if ((days >= year_before) & (days <= span.last - pd.Timedelta(days=YEAR_DAYS))).sum() >= 14:
                return self.result(Verdict.PASSED, "last_year", shift=shift)
        if shift < SMALL_SHIFT:
            return self.result(Verdict.PASSED, "same_season", shift=shift)
        return self.result(Verdict.DOUBT, "other_season", shift=shift, allowed=float(np.expm1(amplitude * shift)))


def _warmth(first: pd.Timestamp, last: pd.Timestamp) -> float:
    days = pd.date_range(first, last, freq="D")
    return float(np.cos(2 * np.pi * (np.asarray(days.day_of_year) - WARMEST_DAY_OF_YEAR) / 365.25).mean())
