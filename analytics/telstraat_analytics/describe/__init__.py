"""What the counts look like without a measure: week, split, peaks, speeds, two periods, quality of a month."""

from __future__ import annotations

from telstraat_analytics.describe.caveats import Caveat
from telstraat_analytics.describe.marks import monthly_marks
from telstraat_analytics.describe.peaks import rush_hours, school_run, working_day
from telstraat_analytics.describe.periods import Comparison, compare_periods
from telstraat_analytics.describe.speeding import speeding
from telstraat_analytics.describe.streets import Beside, compare_streets
from telstraat_analytics.describe.through import Passing, through_traffic
from telstraat_analytics.describe.typical import modal_split, typical_week

__all__ = [
    "Beside",
    "Caveat",
    "Comparison",
    "Passing",
    "compare_periods",
    "compare_streets",
    "modal_split",
    "monthly_marks",
    "rush_hours",
    "school_run",
    "speeding",
    "through_traffic",
    "typical_week",
    "working_day",
]
