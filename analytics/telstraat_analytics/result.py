"""What an evaluation found: answers, checks and findings of one question, without words."""

from __future__ import annotations

from dataclasses import dataclass

from telstraat_analytics.checks import CheckResult, Verdict
from telstraat_analytics.designs.network import Network
from telstraat_analytics.designs.one_street import StreetAnswer
from telstraat_analytics.designs.parts import Parts
from telstraat_analytics.effect import Effect
from telstraat_analytics.measure import Measure
from telstraat_analytics.quality.findings import Finding
from telstraat_analytics.quality.inspect import NotComparable
from telstraat_analytics.question import Question


@dataclass(frozen=True)
class EvaluationResult:
    """What was found, and how far to trust it.

    Attributes
    ----------
    measure, question
        What was done, and what was asked.
    streets, boundary
        One answer per treated and per boundary street.
    network
        The area as a whole, where several streets have an answer.
    findings
        What is wrong with the sensors.
    checks
        Per answered treated street, every check's verdict.
    inputs_hash
        SHA-256 of counts, weather, measure and question: the same inputs give the same answer.
    version
        Of the software.
    parts
        Per answered treated street the answer by hour, direction or speed, where that was asked for.
    not_counted
        Streets of the measure without a single count in the days that were looked at.
    """

    measure: Measure
    question: Question
    streets: tuple[StreetAnswer, ...]
    boundary: tuple[StreetAnswer, ...]
    network: Network | None
    findings: tuple[Finding, ...]
    checks: dict[str, tuple[CheckResult, ...]]
    inputs_hash: str
    version: str
    parts: tuple[Parts, ...] = ()
    not_counted: tuple[str, ...] = ()

    @property
    def effect(self) -> Effect | None:
        """Return the headline: of the area where there are several treated streets, else of the street; None if refused."""
        answered = [answer for answer in self.streets if answer.effect is not None]
        if len(answered) > 1 and self.network is not None:
            return self.network.area
        return answered[0].effect if answered else None

    @property
    def refusals(self) -> tuple[NotComparable, ...]:
        """Return the reasons of every street that cannot be compared."""
        return tuple(reason for answer in (*self.streets, *self.boundary) for reason in answer.refused)

    @property
    def refused(self) -> tuple[str, ...]:
        """Return the same in English words."""
        return tuple(map(str, self.refusals))

    @property
    def doubts(self) -> tuple[CheckResult, ...]:
        """Return every check that did not pass, on any street, worst first and each once."""
        order = {Verdict.FAILED: 0, Verdict.DOUBT: 1, Verdict.UNKNOWN: 2}
        worst: dict[str, CheckResult] = {}
        for results in self.checks.values():
            for result in results:
                if result.verdict in order and (
                    result.name not in worst or order[result.verdict] < order[worst[result.name].verdict]
                ):
                    worst[result.name] = result
        return tuple(sorted(worst.values(), key=lambda result: order[result.verdict]))

    @property
    def reliable(self) -> bool:
        """Tell whether no check failed outright."""
        return all(result.verdict != Verdict.FAILED for results in self.checks.values() for result in results)
