"""The sentence that a council can quote, and the sentences of the checks, from the numbers of the evaluation."""

from __future__ import annotations

import datetime as dt

from telstraat_analytics.checks import CheckResult, Verdict
from telstraat_analytics.designs.network import Network
from telstraat_analytics.effect import Effect
from telstraat_analytics.evaluation import Evaluation
from telstraat_analytics.report.numbers import day, decimal, whole
from telstraat_analytics.words import word

CHANCE_MIN = 1 / 1000
DATES = {"first", "last", "date"}
SHARES = {"before", "after", "drift", "change", "allowed", "shared"}


def percent(value: float, language: str, *, signed: bool = False) -> str:
    """Return a share as whole percent, in the way of a language."""
    number = whole(100 * value if signed else abs(100 * value), language, signed=signed)
    return f"{number}%" if language == "nl" else f"{number} %"


def size(value: float, effect_unit: str, language: str, *, signed: bool = False) -> str:
    """Return a change with its unit."""
    if effect_unit == "relative":
        return percent(value, language, signed=signed)
    number = value if effect_unit == "km/h" else 100 * value
    text = decimal(number if signed else abs(number), language, signed=signed)
    return f"{text} km/h" if effect_unit == "km/h" else word("points", language, value=text)


def short(value: float, effect_unit: str, language: str, *, signed: bool = False) -> str:
    """Return a change with its unit, percentage points in two letters, as it stands in tables."""
    if effect_unit != "points":
        return size(value, effect_unit, language, signed=signed)
    return word(
        "points_short", language, value=decimal(100 * (value if signed else abs(value)), language, signed=signed)
    )


def level(value: float, effect_unit: str, language: str) -> str:
    """Return what was observed or expected: crossings a day, a speed, a share."""
    if effect_unit == "relative":
        return whole(value, language)
    return decimal(value, language) + " km/h" if effect_unit == "km/h" else share(value, language)


def share(value: float, language: str) -> str:
    """Return a share as percent with one decimal."""
    number = decimal(100 * value, language)
    return f"{number}%" if language == "nl" else f"{number} %"


def interval(effect: Effect, language: str) -> str:
    """Return the 95 % interval for a table, where the unit stands beside the change."""
    return f"{bare(effect.low, effect.unit, language)} … {bare(effect.high, effect.unit, language)}"


def bare(value: float, effect_unit: str, language: str) -> str:
    """Return an end of an interval, without the unit of speeds and shares."""
    if effect_unit == "relative":
        return percent(value, language, signed=True)
    return decimal(value if effect_unit == "km/h" else 100 * value, language, signed=True)


def subject(evaluation: Evaluation, language: str) -> str:
    """Return what was asked, as the subject of the sentence."""
    question, measure = evaluation.question, evaluation.measure
    answered = [one for one in evaluation.streets if one.effect is not None] or list(evaluation.streets)
    if len(answered) > 1:
        key = "in_area" if question.is_count else "in_area_mean"
        text = word(key, language, what=word(question.what, language), count=len(answered))
    else:
        text = word(
            "in_street", language, what=word(question.what, language), where=measure.called(answered[0].segment)
        )
    if question.direction:
        text = text.rstrip(",") + word(question.direction, language)
    if question.days != "all":
        text = text.rstrip(",") + word(question.days, language)
    if question.hours:
        text = text.rstrip(",") + word("hours", language, first=min(question.hours), last=max(question.hours) + 1)
    return f"{text}," if question.direction or question.days != "all" or question.hours else text


def chance(value: float, language: str) -> str:
    """Return a probability as one of so many."""
    if value < CHANCE_MIN:
        return word("rarer", language, n=round(1 / CHANCE_MIN))
    if value > 1 / 2:
        return word("often", language)
    n = 1 / value
    rounded = round(n) if n < 10 else round(n, -1) if n < 100 else round(n, -2) if n >= 200 else round(n / 50) * 50
    return word("one_in", language, n=max(round(rounded), 1))


def sentence(evaluation: Evaluation, language: str = "en") -> str:
    """Return the answer as one sentence, with a second where a check failed and a third where traffic moved.

    Parameters
    ----------
    evaluation
        What was found.
    language
        ``en``, ``nl`` or ``fr``.

    Returns
    -------
    str
        Its numbers are those of `Evaluation.table`, rounded to whole percent.
    """
    about = subject(evaluation, language)
    effect = evaluation.effect
    if effect is None:
        bare = about.rstrip(",")
        return word(
            "refused",
            language,
            subject=bare,
            reasons="; ".join(one.text(language, evaluation.measure.names) for one in evaluation.refusals),
        )
    parts = [_answer(effect, about, language)]
    failed = [one for one in evaluation.doubts if one.verdict == Verdict.FAILED]
    if failed:
        doubts = "; ".join(
            f"{check_title(one, language)}: {check_sentence(one, language).rstrip('.')}" for one in failed
        )
        parts.append(word("but", language, doubts=doubts))
    if effect.claimed and evaluation.network is not None:
        parts += _where_it_went(evaluation.network, language)
    return " ".join(parts)


def _where_it_went(net: Network, language: str) -> list[str]:
    """Return how much of what left is found on the boundary, and whether the rest evaporated."""
    if net.treated is None or net.moved_share is None or net.balance is None:
        return []
    middle, low, high = net.moved_share
    moved = word(
        "moved",
        language,
        left=whole(abs(net.treated.per_day), language),
        share=percent(middle, language),
        low=percent(low, language, signed=low < 0),
        high=percent(high, language, signed=low < 0),
    )
    balance = net.balance
    if balance.high < 0:
        ends = {"low": whole(-balance.high, language), "high": whole(-balance.low, language)}
        return [moved, word("evaporated", language, gone=whole(-balance.per_day, language), **ends)]
    ends = {"low": whole(balance.low, language, signed=True), "high": whole(balance.high, language, signed=True)}
    return [moved, word("evaporated_unclear", language, **ends)]


def _answer(effect: Effect, about: str, language: str) -> str:
    low, high = sorted((effect.low, effect.high), key=abs)
    if effect.claimed:
        key = "fell" if effect.estimate < 0 else "rose"
        return word(
            key,
            language,
            subject=about,
            size=size(effect.estimate, effect.unit, language),
            low=bare(abs(low), effect.unit, language).removeprefix("+"),
            high=size(high, effect.unit, language),
            chance=chance(effect.chance, language),
        )
    return word(
        "unclear",
        language,
        subject=about.rstrip(","),
        size=size(effect.estimate, effect.unit, language, signed=True),
        low=bare(effect.low, effect.unit, language),
        high=size(effect.high, effect.unit, language, signed=True),
        detectable=size(effect.detectable, effect.unit, language),
    )


def check_title(result: CheckResult, language: str) -> str:
    """Return what a check is called."""
    return word(result.name, language)


def check_sentence(result: CheckResult, language: str) -> str:
    """Return what a check found, as a sentence."""
    unit = str(result.figures.get("unit", "relative"))
    figures: dict[str, object] = {}
    for name, value in result.figures.items():
        if isinstance(value, float) and result.name == "leave_one_control_out":
            figures[name] = size(value, unit, language, signed=True)
        elif isinstance(value, float) and name in SHARES:
            figures[name] = percent(value, language, signed=name in {"drift", "change", "allowed"})
        elif isinstance(value, float):
            figures[name] = decimal(value, language, signed=value < 0)
        elif name in DATES and isinstance(value, str):
            figures[name] = day(dt.date.fromisoformat(value), language)
        else:
            figures[name] = value
    if "kind" in figures:
        figures["detail"] = word(f"kind.{figures['kind']}", language)
    return word(f"{result.name}.{result.reason}", language, **figures)
