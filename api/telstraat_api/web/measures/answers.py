"""What an evaluation found, as the measure's page shows it: the strings of its report beside the numbers that are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from telstraat_api.web.languages import PageLanguage
from telstraat_contract.languages import SOURCE, gettext_noop
from telstraat_store.connection import Row

OBSERVED, EXPECTED, CHANGE, INTERVAL, DETECTABLE = 1, 2, 3, 4, 6
"""Columns of the report's table of answers: street, observed, expected, change, interval, chance, smallest fall seen, days."""

VERDICTS = ("failed", "doubt", "unknown", "passed")
NOTHING = "–"
CARD_UNITS = {
    "relative": gettext_noop("{change} % ({low} to {high})"),
    "km/h": gettext_noop("{change} km/h ({low} to {high})"),
    "points": gettext_noop("{change} percentage points ({low} to {high})"),
}


@dataclass(frozen=True)
class AnswerLine:
    """A street, a part of one, or all together: its change in numbers and as the report writes it.

    Attributes
    ----------
    name
        As people call it.
    effect
        `telstraat_analytics.Effect.to_dict`, or None without an answer.
    segment, role
        Which street, and `treated` or `boundary`; of all together neither.
    change, interval, observed, expected
        As the report writes them.
    weeks
        Observed and expected, week by week.
    """

    name: str
    effect: Mapping[str, Any] | None
    segment: int | None = None
    role: str = ""
    change: str = NOTHING
    interval: str = ""
    observed: str = NOTHING
    expected: str = NOTHING
    weeks: Sequence[Mapping[str, Any]] = ()

    @property
    def result(self) -> str:
        """Return `fell`, `rose`, `unclear`, or `no_answer`: the class of its colour, and the word for it."""
        return result_of(self.effect)


@dataclass(frozen=True)
class CheckLine:
    """A check of one street or several, in the words of the report; `streets` is of how many."""

    title: str
    verdict: str
    verdict_name: str
    sentence: str
    where: str
    streets: int = 1


@dataclass(frozen=True)
class AnswerView:
    """The answer to one question.

    Attributes
    ----------
    what, title, sentence, verdict
        What was asked; the report's title, sentence, and how its checks came out.
    headline
        The change that stands in the largest type.
    lines
        Of every street with the measure and around it.
    checks
        The worst first.
    parts
        By `hour`, `direction` or `speed`: the street and its parts with their effects.
    tables
        The report's tables after the first one: flows, streets without an answer.
    detectable
        The smallest fall that these data would have shown, as the report writes it.
    """

    what: str
    title: str
    sentence: str
    verdict: str
    headline: AnswerLine
    lines: Sequence[AnswerLine]
    checks: Sequence[CheckLine] = ()
    parts: Sequence[Mapping[str, Any]] = ()
    tables: Sequence[Mapping[str, Any]] = ()
    detectable: str = ""

    @property
    def treated(self) -> list[AnswerLine]:
        """Return the streets with the measure that have an answer."""
        return [line for line in self.lines if line.role == "treated" and line.effect is not None]

    @property
    def sureness(self) -> str:
        """Return which sentence says how sure it is: a key of `telstraat_api.web.measures.names.SURENESS`."""
        verdicts = {check.verdict for check in self.checks}
        if self.headline.effect is None:
            return "no_answer"
        if "failed" in verdicts:
            return "failed"
        if not self.headline.effect["claimed"]:
            return "unclear"
        return "doubt" if "doubt" in verdicts else "sure"

    def called(self, segment: str) -> str:
        """Return what people call a street."""
        return next((line.name for line in self.lines if str(line.segment) == segment), segment)

    def counted(self, verdict: str) -> int:
        """Return how many checks came out so, each street's for itself: as the verdict counts them."""
        return sum(check.streets for check in self.checks if check.verdict == verdict)


@dataclass(frozen=True)
class EvaluationView:
    """An evaluation with its answers; the first one is the page's."""

    evaluation: Row
    answers: Sequence[AnswerView]
    facts: Sequence[Sequence[str]] = ()
    method: Sequence[str] = ()
    foot: Sequence[str] = field(default_factory=list)

    @property
    def first(self) -> AnswerView:
        """Return the answer that the page begins with."""
        return self.answers[0]

    @property
    def directions(self) -> list[dict[str, Any]]:
        """Return every change of one direction that has an answer: `title`, `street`, `key`, `effect`."""
        return [
            {"title": answer.title, "street": answer.called(part["segment"]), **row}
            for answer in self.answers
            for part in answer.parts
            if part["by"] == "direction"
            for row in part["parts"]
            if row["effect"] is not None
        ]


def result_of(effect: Mapping[str, Any] | None) -> str:
    """Return which way a change goes beyond doubt."""
    if effect is None:
        return "no_answer"
    if not effect["claimed"]:
        return "unclear"
    return "fell" if effect["estimate"] < 0 else "rose"


def evaluation_view(evaluation: Row, language: str) -> EvaluationView:
    """Return what the page shows of an evaluation, in the reader's language where it was written in it."""
    contents = evaluation["contents"].get(language) or evaluation["contents"][SOURCE]
    results = evaluation["result"]["evaluations"]
    answers = [answer_view(result, section) for result, section in zip(results, contents["sections"], strict=True)]
    return EvaluationView(evaluation, answers, contents["facts"], contents.get("method", ()), contents["foot"])


def answer_view(result: Mapping[str, Any], section: Mapping[str, Any]) -> AnswerView:
    """Return the answer to one question: its numbers are of `result`, its words of the report's `section`."""
    rows = section["tables"][0]["rows"]
    called = result["measure"]["names"]
    streets = [
        (role, street) for role, group in (("treated", "streets"), ("boundary", "boundary")) for street in result[group]
    ]
    lines = [
        AnswerLine(
            called.get(street["segment"], street["segment"]),
            street["effect"],
            int(street["segment"]),
            role,
            row[CHANGE] if street["effect"] else NOTHING,
            row[INTERVAL] if street["effect"] else "",
            row[OBSERVED],
            row[EXPECTED],
            street["weeks"],
        )
        for (role, street), row in zip(streets, rows, strict=False)
    ]
    headline, row = headline_of(result, lines, rows)
    return AnswerView(
        result["question"]["what"],
        section["title"],
        section["sentence"],
        section["verdict"],
        headline,
        lines,
        checks_in(result, section),
        result["parts"],
        [table for table in section["tables"][1:] if not table.get("marks")],
        row[DETECTABLE] if row else "",
    )


def headline_of(
    result: Mapping[str, Any], lines: Sequence[AnswerLine], rows: Sequence[Sequence[str]]
) -> tuple[AnswerLine, Sequence[str]]:
    """Return the change of all streets together where several have one, else of the one that has, and its row."""
    if result["effect"] is None:
        return AnswerLine("", None), ()
    answered = [at for at, line in enumerate(lines) if line.role == "treated" and line.effect is not None]
    if len(answered) == 1:
        return lines[answered[0]], rows[answered[0]]
    row = rows[-1]
    together = AnswerLine(
        row[0],
        result["effect"],
        change=row[CHANGE],
        interval=row[INTERVAL],
        observed=row[OBSERVED],
        expected=row[EXPECTED],
    )
    return together, row


def checks_in(result: Mapping[str, Any], section: Mapping[str, Any]) -> list[CheckLine]:
    """Return every check of a section, the worst first; what it says of several streets alike is said once."""
    called = result["measure"]["names"]
    tables = [table for table in section["tables"] if table.get("marks")]
    streets: dict[tuple[str, str, str, str], list[str]] = {}
    for segment, table in zip(result["checks"], tables, strict=False):
        for row, mark in zip(table["rows"], table["marks"], strict=True):
            streets.setdefault((row[0], mark, row[1], row[2]), []).append(called.get(segment, segment))
    checks = [
        CheckLine(title, mark, verdict, sentence, ", ".join(where), len(where))
        for (title, mark, verdict, sentence), where in streets.items()
    ]
    return sorted(checks, key=lambda check: VERDICTS.index(check.verdict))


def change_text(effect: Mapping[str, Any], _: PageLanguage) -> str:
    """Return a change with its interval, short: for a card of the list."""
    unit = effect["unit"]
    factor, digits = (1.0, 1) if unit == "km/h" else (100.0, 0 if unit == "relative" else 1)
    change, low, high = (signed(factor * effect[name], digits, _) for name in ("estimate", "low", "high"))
    return _(CARD_UNITS[unit], change=change, low=low, high=high)


def signed(value: float, digits: int, _: PageLanguage) -> str:
    """Return a number with its sign; what is written as zero has none."""
    sign = "−" if value < 0 else "+"
    return _.number(0.0, digits) if round(value, digits) == 0 else f"{sign}{_.number(abs(value), digits)}"
