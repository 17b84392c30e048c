"""What the counts say, doubts included: data frames in, result objects out. No database, no HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telstraat_contract.exports import exporter

if TYPE_CHECKING:
    from telstraat_analytics.calendars import Calendar
    from telstraat_analytics.designs.monitoring import Monitoring, monitor
    from telstraat_analytics.designs.series import days_needed
    from telstraat_analytics.effect import Effect
    from telstraat_analytics.evaluation import Evaluation, evaluate, evaluate_all, inputs_hashes
    from telstraat_analytics.frames import as_counts
    from telstraat_analytics.measure import Excluded, Measure, read_measure
    from telstraat_analytics.planning import Plan, plan
    from telstraat_analytics.question import Question
else:
    __getattr__ = exporter(
        __name__,
        {
            "calendars": "Calendar",
            "designs.monitoring": "Monitoring monitor",
            "designs.series": "days_needed",
            "effect": "Effect",
            "evaluation": "Evaluation evaluate evaluate_all inputs_hashes",
            "frames": "as_counts",
            "measure": "Excluded Measure read_measure",
            "planning": "Plan plan",
            "question": "Question",
        },
    )

__all__ = [
    "Calendar",
    "Effect",
    "Evaluation",
    "Excluded",
    "Measure",
    "Monitoring",
    "Plan",
    "Question",
    "as_counts",
    "days_needed",
    "evaluate",
    "evaluate_all",
    "inputs_hashes",
    "monitor",
    "plan",
    "read_measure",
]
