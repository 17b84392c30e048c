"""What was expected of a measure beside what the counts say happened: one sentence each, with its doubts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telstraat_api.web.languages import PageLanguage
from telstraat_api.web.workshops.room_words import SUBJECTS
from telstraat_contract.languages import SOURCE, gettext_noop

EXPECTED_MORE = gettext_noop("Expected: {percent} % more {what}.")
EXPECTED_LESS = gettext_noop("Expected: {percent} % fewer {what}.")
EXPECTED_SAME = gettext_noop("Expected: as many {what} as before.")
NOT_YET = gettext_noop("No evaluation says yet what happened.")
NOT_ASKED = gettext_noop("The evaluation did not look at {what}.")
AS_EXPECTED = gettext_noop("That is what was expected, as far as the counts can tell.")
LESS_THAN = gettext_noop("It fell more than expected.")
MORE_THAN = gettext_noop("It rose more than expected.")
NOT_SO_FAR = gettext_noop("It went in that direction, but not as far.")
OTHER_WAY = gettext_noop("It went the other way.")
NO_CHANGE = gettext_noop("So the counts neither show what was expected nor rule it out.")
RULED_OUT = gettext_noop("A change as large as expected would have been seen: it did not come.")
DOUBTED = gettext_noop("The evaluation has doubts of its own: this is no certain answer.")


@dataclass(frozen=True)
class Outcome:
    """An expectation and what became of it, as two sentences; `note_id` is the note that says it, `body` its words."""

    note_id: int
    body: str
    expected: str
    happened: str
    votes: int


def outcomes(
    notes: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]], _: PageLanguage
) -> list[Outcome]:
    """Return what became of every note that expected something, from the newest evaluation that asked about it; most votes first.

    Parameters
    ----------
    notes
        Of a workshop; those with `expected` are looked at.
    results
        Of the evaluations of its measure that the reader may see, the first one first.
    """
    became = [
        Outcome(
            note["note_id"],
            note["body"],
            expectation(note["expected"], _),
            happened(note["expected"], results, _),
            note["votes"],
        )
        for note in notes
        if note["expected"]
    ]
    return sorted(became, key=lambda outcome: -outcome.votes)


def expectation(expected: Mapping[str, Any], _: PageLanguage) -> str:
    """Return what a note expects, as a sentence."""
    change, subject = expected["change"], SUBJECTS[expected["what"]]
    text = EXPECTED_SAME if not change else EXPECTED_MORE if change > 0 else EXPECTED_LESS
    return _(text, percent=_.number(abs(change)), what=_(subject))


def happened(expected: Mapping[str, Any], results: Sequence[Mapping[str, Any]], _: PageLanguage) -> str:
    """Return what the counts say about an expectation."""
    if not results:
        return _(NOT_YET)
    answers = [answer for result in results for answer in result.get("evaluations", ())]
    answer = next((a for a in reversed(answers) if answers_to(a, expected["what"])), None)
    if answer is None:
        subject = SUBJECTS[expected["what"]]
        return _(NOT_ASKED, what=_(subject))
    sentence = str(answer["sentence"].get(_.code, answer["sentence"][SOURCE]))
    effect = answer.get("effect") or {}
    numbers = [effect.get(name) for name in ("estimate", "low", "high")]
    if effect.get("unit") != "relative" or None in numbers:
        return sentence
    estimate, low, high = (100 * float(number) for number in numbers if number is not None)
    parts = [sentence, _(judged(expected["change"], estimate, low, high))]
    if not answer.get("reliable", True):
        parts.append(_(DOUBTED))
    return " ".join(parts)


def judged(expected: float, estimate: float, low: float, high: float) -> str:
    """Return how an interval lies to what was expected, all in percent.

    Only an interval without 0 tells a change; only one without the expected value tells that it was another one.
    """
    if low <= 0 <= high:
        return AS_EXPECTED if expected == 0 else NO_CHANGE if low <= expected <= high else RULED_OUT
    if low <= expected <= high:
        return AS_EXPECTED
    if expected and (expected > 0) != (estimate > 0):
        return OTHER_WAY
    if abs(estimate) > abs(expected):
        return MORE_THAN if estimate > 0 else LESS_THAN
    return NOT_SO_FAR


def answers_to(answer: Mapping[str, Any], what: str) -> bool:
    """Tell whether an answer of an evaluation is about the number of a class of road users, the whole day."""
    question = answer.get("question") or {}
    return bool(question.get("what") == what)
