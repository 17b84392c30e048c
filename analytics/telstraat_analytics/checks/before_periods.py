"""Parallel before-periods: whether street and controls already drifted apart before the date."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict

WEEKS = 12
WEEKS_MIN = 5
DOUBT_SD = 2.0
FAILED_SD = 3.0
DRIFT_MAX = 0.3
"""A street that drifted further (log) did not run parallel, whatever such streets do by chance: nobody would call it passed."""


class ParallelBefore(Check):
    """The trend of the street against its controls over the last twelve weeks before."""

    name: ClassVar[str] = "parallel_before"

    def run(self, context: CheckContext) -> CheckResult:
        """Pass when the drift over the before-period is small and within two standard deviations of what streets do."""
        answer = context.answer
        if answer.year is not None:
            return self.result(Verdict.UNKNOWN, "last_year")
        if answer.street is None or not answer.donors:
            return self.result(Verdict.UNKNOWN, "no_controls")
        own = answer.street.weeks.between(-WEEKS, -1)
        levels: dict[int, list[float]] = {}
        for other in answer.donors:
            weeks = other.weeks.between(-WEEKS, -1)
            centred = weeks.level - weeks.level.mean()
            for week, level in zip(weeks.number, centred, strict=True):
                levels.setdefault(int(week), []).append(float(level))
        common = np.array([number for number in own.number if int(number) in levels], dtype=float)
        if len(common) < WEEKS_MIN:
            return self.result(Verdict.UNKNOWN, "too_short", weeks=len(common))
        mine = own.level[np.isin(own.number, common)]
        gap = mine - np.array([np.mean(levels[int(week)]) for week in common])
        slope = float(np.polyfit(common, gap, 1)[0])
        span = common[-1] - common[0]
        wandering = context.question.variance_prior.week_step * np.sqrt(1 + 1 / len(answer.donors)) / np.sqrt(span)
        noise = float(np.sqrt(own.noise.mean() / (len(common) * common.var())))
        size = slope / float(np.hypot(wandering, noise))
        verdict = Verdict.PASSED if abs(size) < DOUBT_SD else Verdict.DOUBT if abs(size) < FAILED_SD else Verdict.FAILED
        drift = float(np.expm1(slope * span))
        if verdict == Verdict.PASSED and abs(slope * span) > DRIFT_MAX:
            return self.result(Verdict.DOUBT, "wide", drift=drift, weeks=int(span) + 1, size=size)
        return self.result(verdict, "drift", drift=drift, weeks=int(span) + 1, size=size)
