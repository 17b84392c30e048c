"""What a check is: a question about an answer, with a verdict and the numbers behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from telstraat_analytics.designs.one_street import StreetAnswer
from telstraat_analytics.designs.series import Prepared
from telstraat_analytics.measure import Measure
from telstraat_analytics.question import Question


class Verdict(StrEnum):
    """What a check says."""

    PASSED = "passed"
    DOUBT = "doubt"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class CheckContext:
    """All that a check may look at: one street's answer and where it came from."""

    prepared: Prepared
    measure: Measure
    question: Question
    answer: StreetAnswer


@dataclass(frozen=True)
class CheckResult:
    """A verdict with the numbers behind it.

    Attributes
    ----------
    name
        Of the check; texts in every language hang on it.
    verdict
        ``passed``, ``doubt``, ``failed`` or ``unknown`` (cannot be checked with these data).
    reason
        Which of the check's sentences applies.
    figures
        The numbers of that sentence.
    """

    name: str
    verdict: Verdict
    reason: str
    figures: Mapping[str, str | int | float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {"name": self.name, "verdict": str(self.verdict), "reason": self.reason, "figures": dict(self.figures)}


class Check(ABC):
    """One threat to validity."""

    name: ClassVar[str]

    @abstractmethod
    def run(self, context: CheckContext) -> CheckResult:
        """Return the verdict on one street's answer."""

    def result(self, verdict: Verdict, reason: str, **figures: str | float) -> CheckResult:
        """Return a result of this check."""
        return CheckResult(self.name, verdict, reason, figures)
