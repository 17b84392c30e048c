"""What a followed measure says this week, as sentences; and which of them are news."""

from __future__ import annotations

from collections.abc import Sequence

from telstraat_analytics.designs.monitoring import Held, Monitoring, claim_of
from telstraat_analytics.measure import Measure
from telstraat_analytics.question import Question
from telstraat_analytics.report.numbers import day, digits_for
from telstraat_analytics.report.sentence import hours_text, percent
from telstraat_analytics.words import word


def week_sentences(
    followed: Monitoring, measure: Measure, question: Question, language: str, only: Sequence[str] | None = None
) -> list[str]:
    """Return what the last look says of one street and of the boundary.

    Parameters
    ----------
    found
        Of the street.
    measure, question
        What was done, and what is followed.
    language
        Its code, as in `telstraat_contract.languages.LANGUAGES`.
    only
        Of the boundary, only these keys of `Monitoring.state`; all by default.

    Returns
    -------
    list of str
        The street first.
    """
    where = measure.called(followed.segment)
    subject = word("in_street", language, what=word(question.what, language), where=where).rstrip(",")
    hours = hours_text(followed.hours, language)
    subject = f"{subject}, {hours}" if hours else subject
    weeks = int(followed.looks["weeks"].iloc[-1]) if len(followed.looks) else measure.after_days // 7
    when = {"weeks": weeks, "date": day(measure.date, language)}
    state = followed.state
    if followed.last is None:
        reasons = "; ".join(refusal.text(language, measure.names) for refusal in followed.refused)
        return [word("follow.no_answer", language, subject=subject, reasons=reasons, **when)]
    out = [word(f"follow.{state['claim']}", language, subject=subject, **when, **_numbers(followed.last, language))]
    if followed.course in {"fades", "grows"}:
        out.append(word(f"follow.{followed.course}", language))
    out += [
        word(
            f"follow.boundary.{state[f'boundary {name}']}",
            language,
            where=measure.called(name),
            **when,
            **_numbers(held, language),
        )
        for name, held in followed.boundary.items()
        if only is None or f"boundary {name}" in only
    ]
    return out


def _numbers(held: Held, language: str) -> dict[str, str]:
    """Return estimate and ends: sizes, smaller first, where a word says the direction; signed where none does."""
    if claim_of(held) == "unclear":
        middle, low, high = (percent(value, language, signed=True) for value in held)
    else:
        places = digits_for(tuple(100 * value for value in held), 0)
        sizes = (abs(held[0]), *sorted(map(abs, held[1:])))
        middle, low, high = (percent(value, language, digits=places) for value in sizes)
    return {"size": middle, "low": low, "high": high}
