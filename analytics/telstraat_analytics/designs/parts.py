"""The answer in parts: hour by hour, one way and the other, and how the distribution of speeds has shifted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from telstraat_analytics.designs.one_street import StreetAnswer, answer_for
from telstraat_analytics.designs.series import Prepared
from telstraat_analytics.effect import Effect
from telstraat_analytics.errors import QuestionError
from telstraat_analytics.measure import Measure
from telstraat_analytics.question import Question

By = Literal["hour", "direction", "speed"]
SPEEDS_KMH = (20, 30, 40, 50, 60, 70)
RARE = 0.01
"""A share of cars below it, or above its rest, says nothing: next to none, or next to all, drive so fast."""


@dataclass(frozen=True)
class PartAnswer:
    """One part of the answer: an hour (its local start), a direction (``lft``, ``rgt``), or a speed in km/h that is exceeded."""

    key: int | str
    effect: Effect | None


@dataclass(frozen=True)
class Parts:
    """The answer of one street in parts. Every interval stands for itself: of twenty, one leaves out zero by chance."""

    segment: str
    by: By
    parts: tuple[PartAnswer, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        rows = [{"key": part.key, "effect": part.effect.to_dict() if part.effect else None} for part in self.parts]
        return {"segment": self.segment, "by": self.by, "parts": rows}


def known_parts(by: tuple[str, ...]) -> tuple[By, ...]:
    """Return the parts that are asked for, or raise `QuestionError`."""
    for kind in by:
        if kind not in get_args(By):
            raise QuestionError(f"by is {kind!r}; it is one of {', '.join(get_args(By))}")
    return tuple(kind for kind in get_args(By) if kind in by)


def parts_of(
    prepared: Prepared, whole: StreetAnswer, measure: Measure, question: Question, by: tuple[By, ...]
) -> tuple[Parts, ...]:
    """Evaluate the parts of one street's answer.

    Parameters
    ----------
    prepared
        What `telstraat_analytics.designs.series.prepare` returned.
    whole
        The street's answer, with an effect.
    measure, question
        What was done, and what is asked.
    by
        ``hour``; ``direction`` for counts; ``speed`` where speeds were measured: the share of cars above 20, 30, … km/h.

    Returns
    -------
    tuple of Parts
        Without those that make no sense for the question; a part that cannot be answered has no effect.
    """
    answers = []
    for kind in by:
        parts = tuple(_parts(prepared, whole, measure, question, kind))
        if parts:
            answers.append(Parts(whole.segment, kind, parts))
    return tuple(answers)


def _parts(
    prepared: Prepared, whole: StreetAnswer, measure: Measure, question: Question, by: By
) -> Iterator[PartAnswer]:
    table = prepared.tables[whole.segment]
    if by == "hour" and len(whole.hours) > 1:
        for hour in whole.hours:
            narrowed = dataclasses.replace(question, hours=(hour,))
            yield PartAnswer(hour, answer_for(prepared, whole.segment, measure, narrowed).effect)
    if by == "direction" and question.is_count and not question.direction:
        for side in ("lft", "rgt"):
            narrowed = dataclasses.replace(question, direction=side)
            if set(narrowed.columns) <= set(table):
                yield PartAnswer(side, answer_for(prepared, whole.segment, measure, narrowed).effect)
    if by == "speed" and "car_speed" in table and "car" in (question.columns or ("car",)):
        narrowed = dataclasses.replace(question, what="above_limit", direction="")
        for limit in SPEEDS_KMH:
            beyond = dataclasses.replace(measure, speed_limit_kmh=limit)
            effect = answer_for(prepared, whole.segment, beyond, narrowed).effect
            if effect is not None and RARE < effect.expected < 1 - RARE:
                yield PartAnswer(limit, effect)
