"""Weather: whether it is in the model, and whether it was unusual."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict
from telstraat_analytics.weather import UNUSUAL_SD, unusual

KNOWN_SHARE = 0.9
"""A day that the station missed is no reason to doubt; a table that has ended is."""


class WeatherKnown(Check):
    """Warmth and rain of the two sides against their season."""

    name: ClassVar[str] = "weather"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when weather is in the model, for all days, and was usual; unknown when it is not in the model."""
        weather, span = context.prepared.weather, context.prepared.span
        if weather is None or context.answer.year is not None:
            reason = "not_known_controls" if context.answer.controls else "not_known"
            return self.result(Verdict.UNKNOWN, reason)
        known = pd.DatetimeIndex(weather.dropna().index)
        sides = {"before": (span.first, span.begin - pd.Timedelta(days=1)), "after": (span.date, span.last)}
        shares = {name: float(pd.date_range(*side).isin(known).mean()) for name, side in sides.items()}
        if min(shares.values()) < KNOWN_SHARE and len(known):
            edges = {"first": f"{known.min():%Y-%m-%d}", "last": f"{known.max():%Y-%m-%d}"}
            return self.result(Verdict.DOUBT, "part", **shares, **edges)
        sizes = [*unusual(weather, span.first, span.begin).values(), *unusual(weather, span.date, span.last).values()]
        if not sizes:
            return self.result(Verdict.UNKNOWN, "too_short")
        worst = max(map(abs, sizes))
        return self.result(Verdict.PASSED if worst < UNUSUAL_SD else Verdict.DOUBT, "in_model", size=worst)
