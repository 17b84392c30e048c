"""The sentence that a council can quote, and the sentences of the checks, from the numbers of the evaluation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from telstraat_analytics.checks import CheckResult, Verdict
from telstraat_analytics.designs.network import Flow, Network
from telstraat_analytics.designs.one_street import StreetAnswer
from telstraat_analytics.designs.series import span_of
from telstraat_analytics.effect import LEAST, Effect, Unit, direction_of
from telstraat_analytics.measure import Measure
from telstraat_analytics.report.numbers import day, decimal, digits_for, number, whole
from telstraat_analytics.result import EvaluationResult
from telstraat_analytics.words import streets_counted, word

CHANCE_MIN = 1 / 1000
DIGITS: dict[Unit, int] = {"relative": 0, "km/h": 1, "points": 1}
SCALE: dict[Unit, float] = {"relative": 100, "km/h": 1, "points": 100}
"""From the number to what is written: percent, km/h, percentage points; and the usual decimals."""

NAMES_MAX = 4
HOURS_OF_DAY = 24
FLOW_LEAST = 0.01
"""Crossings a day that are written as zero with two decimals."""

DATES = {"first", "last", "date"}
SHARES = {"before", "after", "drift", "change", "allowed", "shared"}
CHANGES = {"size", "usual", "last"}
"""Figures of `odd_level` that are changes; elsewhere a size is in standard deviations, and a last day is a text."""


def percent(value: float, language: str, *, signed: bool = False, digits: int = 0) -> str:
    """Return a share as percent, in the way of a language; a minus is always written (see `number`)."""
    text = number(100 * value, language, digits, signed=signed)
    return word("percent", language, number=text)


def size(value: float, effect_unit: Unit, language: str, *, signed: bool = False, digits: int | None = None) -> str:
    """Return a change with its unit; a minus is always written (see `number`)."""
    places = DIGITS[effect_unit] if digits is None else digits
    if effect_unit == "relative":
        return percent(value, language, signed=signed, digits=places)
    text = number(SCALE[effect_unit] * value, language, places, signed=signed)
    return f"{text} km/h" if effect_unit == "km/h" else word("points", language, value=text)


def short(value: float, effect_unit: Unit, language: str, *, signed: bool = False, digits: int | None = None) -> str:
    """Return a change with its unit, percentage points in two letters, as it stands in tables."""
    if effect_unit != "points":
        return size(value, effect_unit, language, signed=signed, digits=digits)
    places = DIGITS[effect_unit] if digits is None else digits
    return word("points_short", language, value=number(100 * value, language, places, signed=signed))


def digits_of(effect: Effect) -> int:
    """Return the decimals of an effect: as many as it takes that no number of a claim is written as zero."""
    usual = DIGITS[effect.unit]
    if not effect.claimed:
        return usual
    return digits_for(tuple(SCALE[effect.unit] * value for value in (effect.estimate, effect.low, effect.high)), usual)


def smallest(effect: Effect) -> tuple[float, int]:
    """Return the size of the smallest decrease that would have been seen, and its decimals."""
    hidden = abs(effect.detectable)
    return hidden, digits_for((SCALE[effect.unit] * hidden,), DIGITS[effect.unit])


def level(value: float, effect_unit: str, language: str) -> str:
    """Return what was observed or expected: crossings a day, a speed, a share."""
    if effect_unit == "relative":
        return whole(value, language)
    return decimal(value, language) + " km/h" if effect_unit == "km/h" else share(value, language)


def share(value: float, language: str) -> str:
    """Return a share as percent with one decimal."""
    return word("percent", language, number=decimal(100 * value, language))


def interval(effect: Effect, language: str) -> str:
    """Return the 95 % interval for a table, where the unit stands beside the change."""
    places = digits_of(effect)
    low, high = (bare(value, effect.unit, language, places, signed=True) for value in (effect.low, effect.high))
    return f"{low} … {high}"


def bare(value: float, effect_unit: Unit, language: str, digits: int, *, signed: bool = False) -> str:
    """Return an end of an interval, without the unit of speeds and shares."""
    if effect_unit == "relative":
        return percent(value, language, signed=signed, digits=digits)
    return number(SCALE[effect_unit] * value, language, digits, signed=signed)


def subject(evaluation: EvaluationResult, language: str) -> str:
    """Return what was asked, as the subject of the sentence, with its scope: which streets, hours and days."""
    question, measure = evaluation.question, evaluation.measure
    answered = [answer for answer in evaluation.streets if answer.effect is not None]
    known = answered or list(evaluation.streets)
    what, names = word(question.what, language), [measure.called(answer.segment) for answer in known]
    if len(known) > 1:
        key = "in_area" if question.is_count else "in_area_mean"
        text = word(key, language, what=what, streets=streets_text(names, language))
    else:
        text = word("in_street", language, what=what, where=names[0])
    parts = [text.rstrip(",")]
    if question.direction:
        parts.append(word(question.direction, language))
    if question.days != "all":
        parts.append(word(question.days, language))
    hours = hours_seen(answered, language) or hours_text(question.hours, language)
    if hours:
        parts.append(f", {hours}")
    if answered:
        first, last = days_seen(answered, measure)
        parts.append(word("period", language, first=day(first, language), last=day(last, language)))
    return "".join(parts) + ("," if len(parts) > 1 or text.endswith(",") else "")


def days_seen(answers: Sequence[StreetAnswer], measure: Measure) -> tuple[dt.date, dt.date]:
    """Return the first and the last day after the date that counts are there of: a time that was not counted is not told of."""
    span = span_of(measure)
    known = [answer.street.days(span.date, span.last).index for answer in answers if answer.street is not None]
    days = [(index[0], index[-1]) for index in known if len(index)] or [(span.date, span.last)]
    return min(first for first, _ in days).date(), max(last for _, last in days).date()


def streets_text(names: Sequence[str], language: str) -> str:
    """Return streets by name, or how many they are where nobody would read the list."""
    if len(names) > NAMES_MAX:
        return streets_counted(len(names), language)
    *most, last = names
    return f"{', '.join(most)}{word('and', language)}{last}" if most else last


def hours_text(hours: Sequence[int], language: str) -> str:
    """Return local start hours as clock times, stretch by stretch; nothing for none."""
    if len(set(hours)) == HOURS_OF_DAY:
        return word("hours.all", language)
    stretches: list[list[int]] = []
    for hour in sorted(set(hours)):
        if stretches and stretches[-1][1] == hour:
            stretches[-1][1] = hour + 1
        else:
            stretches.append([hour, hour + 1])
    spans = [word("hours.span", language, first=first, last=last) for first, last in stretches]
    if not spans:
        return ""
    *most, final = spans
    joined = f"{', '.join(most)}{word('and', language)}{final}" if most else final
    return word("hours.of", language, spans=joined)


def hours_seen(answers: Sequence[StreetAnswer], language: str) -> str:
    """Return the hours that were compared on some streets: what stands for a day in their numbers."""
    seen = [answer.hours for answer in answers if answer.hours]
    if len(set(seen)) > 1:
        least, most = min(map(len, seen)), max(map(len, seen))
        return word("hours.differ", language, least=least, most=most)
    return hours_text(seen[0], language) if seen else ""


def chance(value: float, language: str) -> str:
    """Return a probability as one of so many."""
    if value < CHANCE_MIN:
        return word("rarer", language, n=round(1 / CHANCE_MIN))
    if value > 1 / 2:
        return word("often", language)
    n = 1 / value
    rounded = round(n) if n < 10 else round(n, -1) if n < 100 else round(n, -2) if n >= 200 else round(n / 50) * 50
    return word("one_in", language, n=max(round(rounded), 1))


def sentence(evaluation: EvaluationResult, language: str = "en") -> str:
    """Return the answer as one sentence, with a second where a check failed and a third where traffic moved.

    Parameters
    ----------
    evaluation
        What was found.
    language
        Its code, as in `telstraat_contract.languages.LANGUAGES`.

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
            reasons="; ".join(refusal.text(language, evaluation.measure.names) for refusal in evaluation.refusals),
        )
    parts = [_answer(effect, about, language, _against(evaluation, effect))]
    failed = [check for check in evaluation.doubts if check.verdict == Verdict.FAILED]
    if failed:
        doubts = "; ".join(
            f"{check_title(check, language)}: {check_sentence(check, language).rstrip('.')}" for check in failed
        )
        parts.append(word("but", language, doubts=doubts))
    if effect.claimed and evaluation.network is not None:
        parts += _where_it_went(evaluation, evaluation.network, language)
    return " ".join(parts)


def _against(evaluation: EvaluationResult, effect: Effect) -> str:
    """Return which sentence it takes: against the weeks before, or last year, and there whether controls were taken off."""
    if evaluation.question.against != "last year":
        return ""
    alone = effect.claimed and not all(answer.controls for answer in evaluation.streets if answer.effect is not None)
    return "_year_alone" if alone else "_year"


def _where_it_went(evaluation: EvaluationResult, net: Network, language: str) -> list[str]:
    """Return whether what left is found on the boundary, and whether the rest evaporated."""
    if net.treated is None or net.boundary is None or net.balance is None or net.moved_share is None:
        return []
    treated, edge = (
        [answer for answer in group if answer.effect] for group in (evaluation.streets, evaluation.boundary)
    )
    names = [[evaluation.measure.called(answer.segment) for answer in group] for group in (treated, edge)]
    hours = hours_seen([*treated, *edge], language)
    scope = {
        "hours": f" ({hours})" if hours else "",
        "left": whole(abs(net.treated.per_day), language),
        "treated": streets_text(names[0] or list(evaluation.measure.treated), language),
        "boundary": streets_text(names[1] or list(evaluation.measure.boundary), language),
    }
    way = direction_of(*net.moved_share, LEAST["relative"])
    if way < 0 and _way(net.boundary) < 0:
        moved = word("moved_not", language, **scope, **_crossings(net.boundary, language))
    elif way > 0:
        places = digits_for(tuple(100 * value for value in net.moved_share), 0)
        share, low, high = (percent(value, language, digits=places) for value in net.moved_share)
        moved = word("moved", language, **scope, share=share, low=low, high=high)
    else:
        share, low, high = (percent(value, language, signed=True) for value in net.moved_share)
        moved = word("moved_unclear", language, **scope, share=share, low=low, high=high)
    key = {-1: "evaporated", 0: "evaporated_unclear", 1: "evaporated_not"}[_way(net.balance)]
    return [moved, word(key, language, **scope, **_crossings(net.balance, language))]


def flow_cells(flow: Flow, language: str) -> tuple[str, str]:
    """Return crossings that came or went, with their interval, as they stand in tables."""
    values = (flow.per_day, flow.low, flow.high)
    places = digits_for(values, 0) if _way(flow) else 0
    middle, low, high = (number(value, language, places, signed=True) for value in values)
    return middle, f"{low} … {high}"


def _way(flow: Flow) -> int:
    return direction_of(flow.per_day, flow.low, flow.high, FLOW_LEAST)


def _crossings(flow: Flow, language: str) -> dict[str, str]:
    """Return a flow in numbers: sizes, smaller first, where a word says the direction; signed where none does."""
    values = (flow.per_day, flow.low, flow.high)
    if not _way(flow):
        middle, low, high = (whole(value, language, signed=True) for value in values)
        return {"crossings": middle, "low": low, "high": high}
    places = digits_for(values, 0)
    ends = sorted(map(abs, values[1:]))
    low, high = (number(value, language, places) for value in ends)
    return {"crossings": number(abs(flow.per_day), language, places), "low": low, "high": high}


def _answer(effect: Effect, about: str, language: str, against: str = "") -> str:
    places = digits_of(effect)
    if effect.claimed:
        low, high = sorted(map(abs, (effect.low, effect.high)))
        return word(
            ("fell" if effect.direction < 0 else "rose") + against,
            language,
            subject=about,
            size=size(abs(effect.estimate), effect.unit, language, digits=places),
            low=bare(low, effect.unit, language, places),
            high=size(high, effect.unit, language, digits=places),
            chance=chance(effect.chance, language),
        )
    hidden, hidden_places = smallest(effect)
    return word(
        "unclear" + against,
        language,
        subject=about.rstrip(","),
        size=size(effect.estimate, effect.unit, language, signed=True),
        low=bare(effect.low, effect.unit, language, places, signed=True),
        high=size(effect.high, effect.unit, language, signed=True),
        detectable=size(hidden, effect.unit, language, digits=hidden_places),
    )


def check_title(result: CheckResult, language: str) -> str:
    """Return what a check is called."""
    return word(result.name, language)


def check_sentence(result: CheckResult, language: str) -> str:
    """Return what a check found, as a sentence."""
    unit: Unit = result.figures.get("unit", "relative")  # type: ignore[assignment]
    figures: dict[str, object] = {}
    for name, value in result.figures.items():
        if (isinstance(value, float) and result.name == "leave_one_control_out") or (
            isinstance(value, float) and result.name == "odd_level" and name in CHANGES
        ):
            figures[name] = size(value, unit, language, signed=True)
        elif isinstance(value, float) and name in SHARES:
            figures[name] = percent(value, language, signed=name == "drift")
        elif isinstance(value, float):
            figures[name] = decimal(value, language, signed=value < 0)
        elif name in DATES and isinstance(value, str):
            figures[name] = day(dt.date.fromisoformat(value), language)
        else:
            figures[name] = value
    if "kind" in figures:
        figures["detail"] = word(f"kind.{figures['kind']}", language)
    return word(f"{result.name}.{result.reason}", language, **figures)
