"""What stands in a report, put into words once: page, PDF and JSON show these very strings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from telstraat_analytics.designs.one_street import StreetAnswer
from telstraat_analytics.effect import Effect
from telstraat_analytics.evaluation import Evaluation
from telstraat_analytics.planning import Plan
from telstraat_analytics.report.charts import findings_chart, power_chart, streets_chart, weeks_chart
from telstraat_analytics.report.sentence import chance, check_sentence, check_title, percent, size
from telstraat_analytics.words import word

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Table:
    """A table of texts."""

    title: str
    head: tuple[str, ...]
    rows: Rows


@dataclass(frozen=True)
class Picture:
    """A chart with its caption."""

    title: str
    spec: dict[str, Any]


@dataclass(frozen=True)
class Section:
    """The evaluation of one question."""

    title: str
    sentence: str
    tables: tuple[Table, ...]
    pictures: tuple[Picture, ...]
    verdict: str


@dataclass(frozen=True)
class Content:
    """A whole report."""

    language: str
    title: str
    facts: Rows
    sections: tuple[Section, ...]
    tables: tuple[Table, ...]
    pictures: tuple[Picture, ...]
    foot: tuple[str, ...]


def evaluation_content(evaluations: list[Evaluation], language: str = "en") -> Content:
    """Put evaluations of one measure into words.

    Parameters
    ----------
    evaluations
        Of the same measure, one per question.
    language
        ``en``, ``nl`` or ``fr``.

    Returns
    -------
    Content
        With every check, passed or not, and everything that was found about the sensors.
    """
    first = evaluations[0]
    measure = first.measure
    named = dict(measure.names)
    facts = (
        (word("fact.date", language), f"{measure.date:%Y-%m-%d}"),
        (word("fact.before", language), f"{measure.before_days}"),
        (word("fact.transition", language), f"{measure.transition_days}"),
        (word("fact.after", language), f"{measure.after_days}"),
        (word("fact.treated", language), ", ".join(map(measure.called, measure.treated))),
        (word("fact.boundary", language), ", ".join(map(measure.called, measure.boundary)) or "–"),
        (word("fact.controls", language), ", ".join(map(measure.called, measure.controls)) or "–"),
        (word("fact.calendar", language), measure.days.described()),
    )
    findings = [one for one in first.findings if one.kind not in {"gap", "low_uptime"}]
    pictures = (
        (Picture(word("title.timeline", language), findings_chart(findings, named, language)),) if findings else ()
    )
    shown = Table(
        word("title.findings", language),
        tuple(word(f"head.{name}", language) for name in ("street", "first", "last", "finding", "action")),
        tuple(
            (
                measure.called(one.segment),
                f"{min(one.first, one.last):%Y-%m-%d}",
                f"{one.last:%Y-%m-%d}",
                word(f"short.{one.kind}", language),
                word(f"action.{one.action}", language),
            )
            for one in sorted(first.findings, key=lambda one: (one.segment, one.first))
        ),
    )
    foot = tuple(
        word("foot.hash", language, question=word(one.question.what, language), sha=one.inputs_hash)
        for one in evaluations
    )
    return Content(
        language,
        measure.name,
        facts,
        tuple(_section(one, language) for one in evaluations),
        (shown,) if shown.rows else (),
        pictures,
        (*foot, word("foot.version", language, version=first.version)),
    )


def plan_content(plans: list[Plan], language: str = "en", title: str = "") -> Content:
    """Put plans into words.

    Parameters
    ----------
    plans
        One per kind of traffic.
    language
        ``en``, ``nl`` or ``fr``.
    title
        Of the report.

    Returns
    -------
    Content
        With power and smallest detectable change for every combination.
    """
    sections = []
    for one in plans:
        rows = tuple(
            (
                str(row["sensors"]),
                str(row["weeks"]),
                percent(row["detectable"], language),
                percent(row["power"], language),
            )
            for row in one.table.to_dict("records")
        )
        head = tuple(word(f"head.{name}", language) for name in ("sensors", "weeks", "detectable", "power"))
        sections.append(
            Section(
                word(one.what, language),
                one.sentence(language),
                (Table(word("title.plan", language), head, rows),),
                (Picture(word("title.power", language), power_chart(one.table, language)),),
                "",
            )
        )
    facts = tuple(
        (
            word(one.what, language),
            word(
                "fact.plan", language, per_day=f"{one.per_day:.0f}", wanted=percent(one.wanted, language, signed=True)
            ),
        )
        for one in plans
    )
    return Content(
        language,
        title or word("title.planning", language),
        facts,
        tuple(sections),
        (),
        (),
        (word("foot.plan", language),),
    )


def _section(evaluation: Evaluation, language: str) -> Section:
    measure = evaluation.measure
    tables = [_answers(evaluation, language)]
    flows = _flows(evaluation, language)
    if flows:
        tables.append(flows)
    for segment, results in evaluation.checks.items():
        tables.append(
            Table(
                word("title.checks", language, where=measure.called(segment)),
                tuple(word(f"head.{name}", language) for name in ("check", "verdict", "found")),
                tuple(
                    (check_title(one, language), word(str(one.verdict), language), check_sentence(one, language))
                    for one in results
                ),
            )
        )
    pictures = [
        Picture(
            word("title.weeks", language, where=measure.called(one.segment)),
            weeks_chart(one, _unit(one.effect, language), language),
        )
        for one in (*evaluation.streets, *evaluation.boundary)
        if one.effect is not None
    ]
    lines = [
        {
            "street": measure.called(one.segment),
            "change": 100 * one.effect.estimate,
            "low": 100 * one.effect.low,
            "high": 100 * one.effect.high,
        }
        for one in (*evaluation.streets, *evaluation.boundary)
        if one.effect is not None and one.effect.unit == "relative"
    ]
    if len(lines) > 1:
        pictures.insert(0, Picture(word("title.streets", language), streets_chart(lines, language)))
    verdict = (
        "" if evaluation.effect is None else word("verdict.yes" if evaluation.reliable else "verdict.no", language)
    )
    return Section(
        word(evaluation.question.what, language), evaluation.sentence(language), tuple(tables), tuple(pictures), verdict
    )


def _unit(effect: Effect | None, language: str) -> str:
    if effect is None or effect.unit == "relative":
        return word("chart.per_day", language)
    return "km/h" if effect.unit == "km/h" else word("chart.share", language)


def _answers(evaluation: Evaluation, language: str) -> Table:
    names = ("street", "observed", "expected", "change", "interval", "chance", "detectable", "days")
    rows = [_answer_row(evaluation, one, language) for one in (*evaluation.streets, *evaluation.boundary)]
    if evaluation.network is not None and sum(one.effect is not None for one in evaluation.streets) > 1:
        rows.append((word("head.area", language), *_effect_cells(evaluation.network.area, language), ""))
    return Table(word("title.answers", language), tuple(word(f"head.{name}", language) for name in names), tuple(rows))


def _answer_row(evaluation: Evaluation, one: StreetAnswer, language: str) -> tuple[str, ...]:
    name = evaluation.measure.called(one.segment)
    if one.effect is None:
        reasons = "; ".join(reason.text(language, evaluation.measure.names) for reason in one.refused)
        return (name, "–", "–", "–", "–", "–", "–", reasons)
    return (name, *_effect_cells(one.effect, language), f"{one.days_before} / {one.days_after}")


def _effect_cells(effect: Effect, language: str) -> tuple[str, ...]:
    def level(value: float) -> str:
        if effect.unit == "relative":
            return f"{value:.0f}"
        return f"{value:.1f}" if effect.unit == "km/h" else f"{100 * value:.1f} %"

    return (
        level(effect.observed),
        level(effect.expected),
        size(effect.estimate, effect.unit, language, signed=True),
        f"{size(effect.low, effect.unit, language, signed=True)} … {size(effect.high, effect.unit, language, signed=True)}",
        chance(effect.chance, language),
        size(effect.detectable, effect.unit, language),
    )


def _flows(evaluation: Evaluation, language: str) -> Table | None:
    net = evaluation.network
    if net is None or net.boundary is None or net.balance is None:
        return None
    rows = tuple(
        (word(f"flow.{name}", language), f"{flow.per_day:+.0f}", f"{flow.low:+.0f} … {flow.high:+.0f}")
        for name, flow in (("treated", net.treated), ("boundary", net.boundary), ("balance", net.balance))
    )
    return Table(
        word("title.flows", language),
        tuple(word(f"head.{name}", language) for name in ("where", "per_day", "interval")),
        rows,
    )
