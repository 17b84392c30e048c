"""Sensor changes: whether the instrument itself changed near the date."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict
from telstraat_analytics.designs.series import concerning

NEAR_DAYS = 28
SERIOUS = {"moved", "new_instance", "gain_drift", "learning", "class_drift", "dead_channel"}


class SensorChange(Check):
    """What was found about the sensor around the date and over the compared time."""

    name: ClassVar[str] = "sensor_change"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when nothing was found; doubt when something was in the compared time; fail when it was at the date."""
        span = context.prepared.span
        columns = context.question.columns or ("car",)
        serious = [
            finding
            for finding in concerning(context.prepared.findings, context.question)
            if finding.segment == context.answer.segment
            and finding.kind in SERIOUS
            and finding.touches(columns)
            and finding.overlaps(span.first, span.last)
        ]
        if not serious:
            return self.result(Verdict.PASSED, "none")
        near = pd.Timedelta(days=NEAR_DAYS)
        at_date = [finding for finding in serious if finding.overlaps(span.begin - near, span.date + near)]
        worst = (at_date or serious)[0]
        verdict = Verdict.FAILED if at_date and worst.kind != "class_drift" else Verdict.DOUBT
        return self.result(
            verdict,
            "found",
            kind=worst.kind,
            first=f"{worst.first:%Y-%m-%d}",
            last=f"{worst.last:%Y-%m-%d}",
            detail=worst.detail,
        )
