"""The doubts: one class per threat to validity, each with a verdict that stands in the report, passed or not."""

from __future__ import annotations

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict
from telstraat_analytics.checks.before_periods import ParallelBefore
from telstraat_analytics.checks.calendar_balance import CalendarBalance
from telstraat_analytics.checks.controls_known import ControlsKnown
from telstraat_analytics.checks.data_quality import DataQuality
from telstraat_analytics.checks.daylight import Daylight
from telstraat_analytics.checks.leave_one_out import LeaveOneControlOut
from telstraat_analytics.checks.odd_level import OddLevel
from telstraat_analytics.checks.other_measures import OtherMeasures
from telstraat_analytics.checks.placebo_space import PlaceboInSpace
from telstraat_analytics.checks.placebo_time import PlaceboInTime
from telstraat_analytics.checks.regression_to_mean import RegressionToTheMean
from telstraat_analytics.checks.season import SeasonCovered
from telstraat_analytics.checks.sensor_change import SensorChange
from telstraat_analytics.checks.step_change import StepChange
from telstraat_analytics.checks.uptime import ObservedAlike
from telstraat_analytics.checks.weather_known import WeatherKnown

CHECKS: tuple[type[Check], ...] = (
    DataQuality,
    ObservedAlike,
    SensorChange,
    StepChange,
    OddLevel,
    PlaceboInTime,
    PlaceboInSpace,
    LeaveOneControlOut,
    ParallelBefore,
    ControlsKnown,
    SeasonCovered,
    CalendarBalance,
    Daylight,
    WeatherKnown,
    OtherMeasures,
    RegressionToTheMean,
)
"""Every check, in the order of the report."""

__all__ = ["CHECKS", "Check", "CheckContext", "CheckResult", "Verdict"]
