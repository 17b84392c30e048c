"""The pieces of an evaluation: every street for every question, then sums and checks, then parts; what is wanted first comes first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from telstraat_analytics.checks import CHECKS, CheckContext, CheckResult
from telstraat_analytics.designs.division import EvaluationPiece, Hear, compute
from telstraat_analytics.designs.network import Network, network
from telstraat_analytics.designs.one_street import StreetAnswer, answer_for
from telstraat_analytics.designs.parts import SIDES, SPEEDS_KMH, By, Part, Parts, asked_parts, put_together
from telstraat_analytics.designs.series import Prepared, span_of_year
from telstraat_analytics.effect import Effect
from telstraat_analytics.measure import Measure
from telstraat_analytics.question import Question
from telstraat_contract.languages import gettext_noop

TREATED, BOUNDARY, SUMS, CHECKED, PARTS = range(5)
COST_OF_CHECKS, COST_OF_PART = 0.6, 0.3
HOURS_GUESSED = 18
DOING = {
    TREATED: gettext_noop("Computing the first answers"),
    BOUNDARY: gettext_noop("Looking where the traffic went"),
    SUMS: gettext_noop("Adding up the streets"),
    CHECKED: gettext_noop("Checking the answers"),
    PARTS: gettext_noop("Answering in parts"),
}


@dataclass
class Answered:
    """What was computed for one question so far."""

    question: Question
    answers: dict[str, StreetAnswer] = field(default_factory=dict)
    network: Network | None = None
    checks: dict[str, tuple[CheckResult, ...]] = field(default_factory=dict)
    parts: dict[str, dict[Part, Effect | None]] = field(default_factory=dict)

    def of(self, segments: Iterable[str]) -> tuple[StreetAnswer, ...]:
        """Return the answers of some streets, in their order."""
        return tuple(self.answers[segment] for segment in segments)

    def all_parts(self, streets: Iterable[StreetAnswer]) -> tuple[Parts, ...]:
        """Return the parts of the treated streets, in their order."""
        return tuple(
            parts
            for answer in streets
            for parts in put_together(answer.segment, [*self.parts.get(answer.segment, {}).items()])
        )


def answers_to(
    prepared: Prepared,
    measure: Measure,
    questions: Sequence[Question],
    by: tuple[By, ...],
    processes: int = 1,
    hear: Hear | None = None,
) -> list[Answered]:
    """Answer questions about a measure.

    Parameters
    ----------
    prepared
        What `telstraat_analytics.designs.series.prepare` returned.
    measure, questions, by
        What was done, what is asked, and in which parts.
    processes
        How many compute at once.
    hear
        Told how far it is.

    Returns
    -------
    list of Answered
        In the order of the questions.
    """
    dividing = _Dividing(prepared, measure, questions, by, hear)
    compute((prepared, measure), dividing.begin(), processes, dividing.tell)
    return dividing.answered


class _Dividing:
    """Divides one evaluation, and collects what comes back."""

    def __init__(
        self,
        prepared: Prepared,
        measure: Measure,
        questions: Sequence[Question],
        by: tuple[By, ...],
        hear: Hear | None,
    ) -> None:
        self.prepared, self.measure, self.by, self.hear = prepared, measure, by, hear
        self.answered = [Answered(question) for question in questions]
        self.first: list[dict[str, Any]] = []
        parts = HOURS_GUESSED * ("hour" in by) + len(SIDES) * ("direction" in by) + len(SPEEDS_KMH) * ("speed" in by)
        streets = len(measure.treated) * (1 + COST_OF_CHECKS + COST_OF_PART * parts) + len(measure.boundary) + 1
        self.whole = streets * len(questions)
        self.done = 0.0

    def tell(self, piece: EvaluationPiece) -> None:
        """Say how far it is."""
        self.done += piece.cost
        if self.hear is not None:
            self.hear(min(self.done / self.whole, 1.0), piece.doing, self.first if piece.stage <= BOUNDARY else None)

    def begin(self) -> Iterator[EvaluationPiece]:
        """Yield the pieces that need no other: the answer of every street."""
        for stage, segments in ((TREATED, self.measure.treated), (BOUNDARY, self.measure.boundary)):
            for each in self.answered:
                for segment in dict.fromkeys(segments):
                    yield self._piece(stage, 1, _street, (segment, each.question), self._keeps_street(each, stage))

    def _piece(self, stage: int, cost: float, work: Any, values: tuple[Any, ...], then: Any) -> EvaluationPiece:
        return EvaluationPiece(stage, cost, DOING[stage], work, values, then)

    def _keeps_street(self, each: Answered, stage: int) -> Any:
        def then(answer: StreetAnswer) -> Iterator[EvaluationPiece]:
            each.answers[answer.segment] = answer
            self.first.append(_plain(answer, each.question, self.measure, stage))
            if stage == TREATED and answer.effect is not None:
                yield self._piece(
                    CHECKED, COST_OF_CHECKS, _checks, (each.question, answer), self._keeps_checks(each, answer.segment)
                )
            if len(each.answers) == len({*self.measure.treated, *self.measure.boundary}):
                streets, boundary = each.of(self.measure.treated), each.of(self.measure.boundary)
                yield self._piece(SUMS, 1, _sums, (each.question, streets, boundary), self._keeps_sums(each))
                yield from self._parts(each)

        return then

    def _parts(self, each: Answered) -> Iterator[EvaluationPiece]:
        """Yield a piece for every part that some streets are asked for: what they are compared with is then prepared once."""
        streets: dict[Part, list[str]] = {}
        for answer in each.of(self.measure.treated):
            if answer.effect is not None:
                for part in asked_parts(self.prepared, answer, each.question, self.by):
                    streets.setdefault(part, []).append(answer.segment)
                    each.parts.setdefault(answer.segment, {})[part] = None
        for part, segments in streets.items():
            wider = tuple((segment, each.answers[segment].stretch) for segment in segments)
            yield self._piece(PARTS, COST_OF_PART * len(segments), _part, (part, wider), self._keeps_part(each, part))

    def _keeps_part(self, each: Answered, part: Part) -> Any:
        def then(effects: dict[str, Effect | None]) -> tuple[EvaluationPiece, ...]:
            for segment, effect in effects.items():
                each.parts[segment][part] = effect
            return ()

        return then

    def _keeps_sums(self, each: Answered) -> Any:
        def then(result: Network | None) -> tuple[EvaluationPiece, ...]:
            each.network = result
            return ()

        return then

    def _keeps_checks(self, each: Answered, segment: str) -> Any:
        def then(results: tuple[CheckResult, ...]) -> tuple[EvaluationPiece, ...]:
            each.checks[segment] = results
            return ()

        return then


Shared = tuple[Prepared, Measure]


def _street(shared: Shared, segment: str, question: Question) -> StreetAnswer:
    prepared, measure = shared
    return answer_for(prepared, segment, measure, question)


def _checks(shared: Shared, question: Question, answer: StreetAnswer) -> tuple[CheckResult, ...]:
    prepared, measure = shared
    seen = dataclasses.replace(prepared, span=span_of_year(measure)) if question.against == "last year" else prepared
    return tuple(check().run(CheckContext(seen, measure, question, answer)) for check in CHECKS)


def _sums(
    shared: Shared, question: Question, streets: tuple[StreetAnswer, ...], boundary: tuple[StreetAnswer, ...]
) -> Network | None:
    prepared, measure = shared
    return network(prepared, streets, boundary, measure, question)


def _part(shared: Shared, part: Part, streets: tuple[tuple[str, float], ...]) -> dict[str, Effect | None]:
    prepared, measure = shared
    return {segment: part.effect(prepared, segment, measure, wider) for segment, wider in streets}


def _plain(answer: StreetAnswer, question: Question, measure: Measure, stage: int) -> dict[str, Any]:
    """Return a first answer as plain values."""
    return {
        "question": asdict(question),
        "segment": answer.segment,
        "street": measure.called(answer.segment),
        "role": "treated" if stage == TREATED else "boundary",
        "effect": answer.effect.to_dict() if answer.effect else None,
        "refused": [str(reason) for reason in answer.refused],
        "controls": list(answer.controls),
    }
