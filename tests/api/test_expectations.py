"""What was expected beside what happened: nothing is called confirmed, or ruled out, that the interval leaves open."""

from __future__ import annotations

from typing import Any

import pytest

from telstraat_api.web.languages import page_language
from telstraat_api.web.workshops import expectations
from telstraat_api.web.workshops.expectations import judged, outcomes


@pytest.mark.parametrize(
    ("expected", "estimate", "low", "high", "judgement"),
    [
        (-20, -22, -30, -14, expectations.AS_EXPECTED),
        (-20, -38, -49, -25, expectations.LESS_THAN),
        (-20, -8, -12, -4, expectations.NOT_SO_FAR),
        (-20, 15, 8, 22, expectations.OTHER_WAY),
        (-20, -5, -25, 15, expectations.NO_CHANGE),
        (-20, 1, -6, 8, expectations.RULED_OUT),
        (10, 25, 15, 35, expectations.MORE_THAN),
        (0, 1, -6, 8, expectations.AS_EXPECTED),
        (0, -20, -30, -10, expectations.LESS_THAN),
        (0, 20, 10, 30, expectations.MORE_THAN),
    ],
)
def test_an_interval_says_no_more_than_it_can(
    expected: float, estimate: float, low: float, high: float, judgement: str
) -> None:
    assert judged(expected, estimate, low, high) == judgement


def answer(what: str, estimate: float | None, **more: Any) -> dict[str, Any]:
    effect = (
        None
        if estimate is None
        else {"estimate": estimate, "low": estimate - 0.1, "high": estimate + 0.1, "unit": "relative"}
    )
    return {
        "question": {"what": what},
        "sentence": {"en": f"About {what}."},
        "effect": effect,
        "reliable": True,
        **more,
    }


def sentence_of(expected: dict[str, Any], *answers: dict[str, Any]) -> str:
    note = {"note_id": 1, "body": "Close it", "expected": expected, "votes": 2}
    results = [{"evaluations": [each]} for each in answers]
    [outcome] = outcomes([note, {"note_id": 2, "expected": None, "votes": 0}], results, page_language("en"))
    return outcome.happened


def test_every_expectation_gets_an_honest_sentence() -> None:
    fewer_cars = {"what": "car", "change": -20}
    assert sentence_of(fewer_cars) == "No evaluation says yet what happened."
    assert sentence_of(fewer_cars, answer("bike", 0.3)) == "The evaluation did not look at cars."
    assert sentence_of(fewer_cars, answer("car", None)) == "About car."
    assert sentence_of(fewer_cars, answer("car", -0.2)).startswith("About car. That is what was expected")
    assert "no certain answer" in sentence_of(fewer_cars, answer("car", -0.2, reliable=False))
    newest = answer("car", -0.6, sentence={"en": "The newest."})
    assert sentence_of(fewer_cars, answer("car", -0.2), newest) == "The newest. It fell more than expected."
