"""An evaluation in pieces: the same digits in one process and in several, the first answers first."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from tests.analytics.streets import MEASURE, town

from telstraat_analytics import Measure, Question, evaluate, evaluate_all
from telstraat_analytics.effect import Effect
from telstraat_analytics.errors import QuestionError

HOURS = (8, 9, 17)
SPEED = Question("v85", hours=HOURS)
"""The simulated town has no speeds: what it is asked for cannot be answered."""


def evaluated(processes: int, *questions: Question) -> tuple[str, list[tuple[float, str, Any]]]:
    frame = town(71, ("a", "b", "c", "d"), before=70, after=35, effects={"a": {"car": -0.5}})
    measure = Measure("m", MEASURE, ("a", "b"), ("c",), boundary=("d",), timezone="Europe/Brussels", after_days=28)
    steps: list[tuple[float, str, Any]] = []

    def hear(share: float, doing: str, first: Any) -> None:
        steps.append((share, doing, None if first is None else [dict(answer) for answer in first]))

    answers = evaluate_all(frame, measure, questions, by=("hour",), processes=processes, hear=hear)
    return json.dumps([answer.to_dict() for answer in answers], default=str), steps


def test_the_number_of_processes_changes_no_digit_of_the_answer() -> None:
    questions = (Question("car", hours=HOURS), Question("bike", hours=HOURS))
    alone, steps = evaluated(1, *questions)
    assert evaluated(3, *questions)[0] == alone
    shares = [share for share, _, _ in steps]
    assert shares == sorted(shares)
    assert shares[-1] <= 1


def test_treated_streets_are_answered_before_the_boundary_and_both_before_the_rest() -> None:
    answers, steps = evaluated(1, Question("car", hours=HOURS))
    first = [step for step in steps if step[2] is not None]
    assert [len(step[2]) for step in first] == [1, 2, 3]
    assert steps[: len(first)] == first
    assert [answer["role"] for answer in first[-1][2]] == ["treated", "treated", "boundary"]
    [whole] = json.loads(answers)
    assert [answer["effect"] for answer in first[-1][2]] == [
        street["effect"] for street in (*whole["streets"], *whole["boundary"])
    ]
    assert [[part["key"] for part in parts["parts"]] for parts in whole["parts"]] == [list(HOURS), list(HOURS)]


def test_a_part_is_its_own_question_with_the_doubts_of_the_whole() -> None:
    frame = town(71, ("a", "b", "c"), before=70, after=35, effects={"a": {"car": -0.5}})
    measure = Measure("m", MEASURE, ("a",), ("b", "c"), timezone="Europe/Brussels", after_days=28)
    whole = evaluate(frame, measure, Question("car", hours=HOURS), by=("hour",))
    wider = max(whole.streets[0].stretch, 1.0)
    for part in whole.parts[0].parts:
        own = evaluate(frame, measure, Question("car", hours=(int(part.key),))).streets[0]
        assert own.effect is not None
        assert part.effect is not None
        assert part.effect.estimate == pytest.approx(own.effect.estimate, rel=1e-9)
        expected = [half / own.stretch * wider for half in half_widths(own.effect)]
        assert half_widths(part.effect) == pytest.approx(expected, rel=1e-6)


def half_widths(effect: Effect) -> list[float]:
    return [math.log1p(end) - math.log1p(effect.estimate) for end in (effect.low, effect.high)]


def test_what_cannot_be_answered_is_an_error_of_the_caller_in_several_processes_too() -> None:
    with pytest.raises(QuestionError, match="car_speed"):
        evaluated(2, SPEED)
