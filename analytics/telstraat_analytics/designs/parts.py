"""The answer in parts: hour by hour, one way and the other, and how the distribution of speeds has shifted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from telstraat_analytics.designs.one_street import StreetAnswer, answer_for, effect_of_part
from telstraat_analytics.designs.series import Prepared
from telstraat_analytics.effect import Effect
from telstraat_analytics.errors import QuestionError
from telstraat_analytics.measure import Measure
from telstraat_analytics.question import Question

By = Literal["hour", "direction", "speed"]
SIDES: tuple[Literal["lft", "rgt"], ...] = ("lft", "rgt")
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


@dataclass(frozen=True)
class Part:
    """What is asked for one part: its kind and key, and the question narrowed to it; a speed narrows the measure."""

    by: By
    key: int | str
    question: Question
    speed_limit_kmh: int = 0

    def effect(self, prepared: Prepared, segment: str, measure: Measure, wider: float) -> Effect | None:
        """Return the answer of one street, or None where there is none or it says nothing; `wider` as for `effect_of_part`.

        Speeds and shares are answered as questions of their own: that a part may take `wider` from the whole was tried on counts alone.
        """
        if self.question.is_count:
            return effect_of_part(prepared, segment, measure, self.question, wider)
        if self.by == "speed":
            measure = dataclasses.replace(measure, speed_limit_kmh=self.speed_limit_kmh)
        effect = answer_for(prepared, segment, measure, self.question).effect
        if self.by == "speed" and (effect is None or not RARE < effect.expected < 1 - RARE):
            return None
        return effect


def asked_parts(prepared: Prepared, whole: StreetAnswer, question: Question, by: tuple[By, ...]) -> Iterator[Part]:
    """Yield what is asked for the parts of one street's answer.

    Parameters
    ----------
    prepared
        What `telstraat_analytics.designs.series.prepare` returned.
    whole
        The street's answer, with an effect.
    question
        What is asked.
    by
        ``hour``; ``direction`` for counts; ``speed`` where speeds were measured: the share of cars above 20, 30, … km/h.

    Yields
    ------
    Part
        Without those that make no sense for the question.
    """
    table = prepared.tables[whole.segment]
    if "hour" in by and len(whole.hours) > 1:
        for hour in whole.hours:
            yield Part("hour", hour, dataclasses.replace(question, hours=(hour,)))
    if "direction" in by and question.is_count and not question.direction:
        for side in SIDES:
            narrowed = dataclasses.replace(question, direction=side)
            if set(narrowed.columns) <= set(table):
                yield Part("direction", side, narrowed)
    if "speed" in by and "car_speed" in table and "car" in (question.columns or ("car",)):
        narrowed = dataclasses.replace(question, what="above_limit", direction="")
        for limit in SPEEDS_KMH:
            yield Part("speed", limit, narrowed, limit)


def put_together(segment: str, answered: Sequence[tuple[Part, Effect | None]]) -> tuple[Parts, ...]:
    """Return the answers of one street by kind; a speed that says nothing is left out, other parts stay without an effect."""
    parts = []
    for kind in get_args(By):
        rows = [PartAnswer(part.key, effect) for part, effect in answered if part.by == kind]
        if kind == "speed":
            rows = [row for row in rows if row.effect is not None]
        if rows:
            parts.append(Parts(segment, kind, tuple(rows)))
    return tuple(parts)
