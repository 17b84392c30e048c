"""What one wants to know: which traffic, in which direction, at which hours, on which days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from telstraat_analytics.errors import QuestionError
from telstraat_analytics.model.priors import VARIANCE_PRIORS, VariancePrior, motion_of
from telstraat_contract.road_users import ACTIVE, CLASSES, MOTORIZED

Days = Literal["all", "workdays", "weekend"]
Against = Literal["before", "last year"]
COUNTS: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in CLASSES},
    "motor": MOTORIZED,
    "active": ACTIVE,
    "all": CLASSES,
}
SPEEDS = ("v85", "above_limit")
SHARES = ("bike_share", "active_share", "motor_share")


@dataclass(frozen=True)
class Question:
    """What is asked of a measure.

    Attributes
    ----------
    what
        One of `COUNTS`: a class, ``motor`` (car and heavy), ``active`` (on foot and by bike),
        ``all``; ``v85`` and ``above_limit`` for speed; ``bike_share``, ``active_share``, ``motor_share`` for modal split.
    direction
        ``lft`` (from the segment's first point to its last), ``rgt``, or empty for both.
    hours
        Local start hours; empty: all hours that the sensors saw on both sides of the date.
    days
        ``all``, ``workdays`` (Monday to Friday) or ``weekend``.
    against
        ``before``: the weeks before the measure; ``last year``: the same weeks a year before (counts only).
    """

    what: str = "car"
    direction: str = ""
    hours: tuple[int, ...] = ()
    days: Days = "all"
    against: Against = "before"

    def __post_init__(self) -> None:
        known = (*COUNTS, *SPEEDS, *SHARES)
        if self.what not in known:
            raise QuestionError(f"what is {self.what!r}; it is one of {', '.join(known)}")
        if self.direction not in {"", "lft", "rgt"}:
            raise QuestionError(f"direction is {self.direction!r}; it is 'lft', 'rgt' or empty")
        if any(hour not in range(24) for hour in self.hours):
            raise QuestionError(f"hours are {self.hours}; they are local start hours, 0 to 23")
        if self.days not in {"all", "workdays", "weekend"}:
            raise QuestionError(f"days is {self.days!r}; it is 'all', 'workdays' or 'weekend'")
        if self.against not in {"before", "last year"}:
            raise QuestionError(f"against is {self.against!r}; it is 'before' or 'last year'")
        if self.against == "last year" and self.what not in COUNTS:
            raise QuestionError(f"{self.what!r} is not compared with last year; counts are: {', '.join(COUNTS)}")

    @property
    def is_count(self) -> bool:
        """Tell whether the answer is a number of crossings."""
        return self.what in COUNTS

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns of the frame that are added up."""
        suffix = f"_{self.direction}" if self.direction else ""
        return tuple(f"{name}{suffix}" for name in COUNTS.get(self.what, ()))

    @property
    def variance_prior(self) -> VariancePrior:
        """Return how such traffic moves when nothing is done."""
        if self.what == "v85":
            return VARIANCE_PRIORS["v85"]
        if not self.is_count:
            return VARIANCE_PRIORS["share"]
        return motion_of(self.columns)
