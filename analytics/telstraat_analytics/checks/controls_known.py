"""Controls: how many streets show what would have happened anyway."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict


class ControlsKnown(Check):
    """The number of controls, and how much they have in common with the street."""

    name: ClassVar[str] = "controls"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass with two controls or more; one is a doubt, none more so: a change of the whole town would pass for the measure's."""
        answer = context.answer
        used = len(answer.controls)
        shared = float(np.max(answer.fit.shared_days[0, 1:])) if answer.fit is not None and used else 0.0
        if used == 0:
            return self.result(Verdict.DOUBT, "none", named=len(context.measure.controls))
        verdict = Verdict.PASSED if used >= 2 else Verdict.DOUBT
        if answer.year is not None:
            names = ", ".join(map(context.measure.called, answer.controls))
            return self.result(verdict, "last_year", used=used, named=len(context.measure.controls), names=names)
        names = ", ".join(map(context.measure.called, answer.controls))
        return self.result(verdict, "some", used=used, named=len(context.measure.controls), names=names, shared=shared)
