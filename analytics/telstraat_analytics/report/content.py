"""What stands in a report, put into words once: page, PDF and JSON show these very strings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from telstraat_analytics.checks import Verdict
from telstraat_analytics.designs.one_street import StreetAnswer
from telstraat_analytics.designs.parts import Parts
from telstraat_analytics.designs.series import span_of
from telstraat_analytics.effect import Effect
from telstraat_analytics.evaluation import Evaluation
from telstraat_analytics.quality.findings import Finding
from telstraat_analytics.report.charts import findings_chart, streets_chart, weeks_chart
from telstraat_analytics.report.maps import Line, MapStreet, streets_map
from telstraat_analytics.report.numbers import day, whole
from telstraat_analytics.report.sentence import (
    chance,
    check_sentence,
    check_title,
    digits_of,
    flow_cells,
    hours_seen,
    interval,
    level,
    short,
    size,
    smallest,
)
from telstraat_analytics.words import word

Rows = tuple[tuple[str, ...], ...]
SUMMED = ("gap", "low_uptime")
"""Findings that come often: told once per street, with how often and how many days."""


@dataclass(frozen=True)
class ReportTable:
    """A table of texts.

    Attributes
    ----------
    title, head, rows
        What stands in it.
    numbers
        Which columns hold numbers.
    marks
        Per row a verdict, where the rows are checks.
    note
        What the reader has to know of the table, below it.
    """

    title: str
    head: tuple[str, ...]
    rows: Rows
    numbers: tuple[int, ...] = ()
    marks: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """A chart with its caption."""

    title: str
    spec: dict[str, Any]


@dataclass(frozen=True)
class Section:
    """The evaluation of one question; its first table is the answer."""

    title: str
    sentence: str
    tables: tuple[ReportTable, ...]
    pictures: tuple[Picture, ...]
    verdict: str


@dataclass(frozen=True)
class Content:
    """A whole report: the sentences first, then what they rest on."""

    language: str
    title: str
    facts: Rows
    sections: tuple[Section, ...]
    tables: tuple[ReportTable, ...]
    pictures: tuple[Picture, ...]
    foot: tuple[str, ...]
    kind: str = ""
    facts_title: str = ""
    method_title: str = ""
    method: tuple[str, ...] = ()


def evaluation_content(
    evaluations: Sequence[Evaluation],
    language: str = "en",
    *,
    lines: Mapping[str, Line] | None = None,
    source: str = "",
) -> Content:
    """Put evaluations of one measure into words.

    Parameters
    ----------
    evaluations
        Of the same measure, one per question.
    language
        Its code, as in `telstraat_contract.languages.LANGUAGES`.
    lines
        Where streets lie, longitude and latitude, for the map; also of streets that have no part in the measure.
    source
        Whose counts these are, and their licence.

    Returns
    -------
    Content
        With every check, passed or not, and everything that was found about the sensors.
    """
    first = evaluations[0]
    measure = first.measure
    pictures = (
        (Picture(word("title.timeline", language), findings_chart(first.findings, measure, language)),)
        if first.findings
        else ()
    )
    findings = _findings(first, language)
    foot = (
        word("foot.source", language, source=source) if source else word("foot.no_source", language),
        *(
            word("foot.hash", language, question=word(evaluation.question.what, language), sha=evaluation.inputs_hash)
            for evaluation in evaluations
        ),
        word("foot.version", language, version=first.version),
    )
    return Content(
        language,
        measure.name,
        _facts(first, language),
        tuple(_section(evaluation, language, lines or {}) for evaluation in evaluations),
        (findings,) if findings.rows else (),
        pictures,
        foot,
        word("title.report", language),
        word("title.measure", language),
        word("title.method", language),
        _method(evaluations, language),
    )


def _facts(evaluation: Evaluation, language: str) -> Rows:
    measure = evaluation.measure
    span = span_of(measure)
    sides = {
        "before": (measure.before_days, span.first, span.begin - pd.Timedelta(days=1)),
        "after": (measure.after_days, span.date, span.last),
    }
    periods = {
        name: word("fact.days", language, days=days, first=day(first, language), last=day(last, language))
        for name, (days, first, last) in sides.items()
    }
    streets = {
        name: _named(evaluation, getattr(measure, name), language) for name in ("treated", "boundary", "controls")
    }
    calendar = measure.days
    where = calendar.country + (f"-{calendar.region}" if calendar.region else "")
    public = word("calendar.public", language, where=where) if where else word("calendar.no_public", language)
    school = word("calendar.table" if calendar.school else "calendar.usual", language)
    rows = [
        ("treated", streets["treated"]),
        ("boundary", streets["boundary"]),
        ("controls", streets["controls"] or "–"),
        ("date", day(measure.date, language)),
        ("before", periods["before"]),
        ("transition", str(measure.transition_days) if measure.transition_days else ""),
        ("after", periods["after"]),
        ("calendar", f"{public}; {school}"),
    ]
    return tuple((word(f"fact.{name}", language), text) for name, text in rows if text)


def _named(evaluation: Evaluation, segments: Sequence[str], language: str) -> str:
    """Return streets by name; one without any count has no part in the answer, and is not listed as if it had."""
    called = evaluation.measure.called
    there = ", ".join(called(segment) for segment in segments if segment not in evaluation.not_counted)
    missing = ", ".join(called(segment) for segment in segments if segment in evaluation.not_counted)
    return word("fact.not_counted", language, names=there or "–", missing=missing) if missing else there


def _method(evaluations: Sequence[Evaluation], language: str) -> tuple[str, ...]:
    measure = evaluations[0].measure
    tried = sum(len(answer.placebos) for each in evaluations for answer in (*each.streets, *each.boundary))
    transition = word("method.transition", language, days=measure.transition_days) if measure.transition_days else ""
    compared = word(
        "method.compared",
        language,
        before=measure.before_days,
        after=measure.after_days,
        date=day(measure.date, language),
        transition=transition,
    )
    return (
        compared,
        word("method.expected", language),
        word("method.interval" if tried else "method.untried", language, placebos=tried),
        word("method.reading", language),
    )


def _findings(evaluation: Evaluation, language: str) -> ReportTable:
    """Return what is wrong with the sensors; what comes often is summed per street."""
    measure = evaluation.measure
    single = [finding for finding in evaluation.findings if finding.kind not in SUMMED]
    often: dict[tuple[str, str], list[Finding]] = {}
    for finding in evaluation.findings:
        if finding.kind in SUMMED:
            often.setdefault((finding.segment, finding.kind), []).append(finding)
    groups = [[finding] for finding in single] + list(often.values())
    rows = []
    for group in sorted(groups, key=lambda group: (measure.segments.index(group[0].segment), group[0].first)):
        begun, ended = (
            min(min(finding.first, finding.last) for finding in group),
            max(finding.last for finding in group),
        )
        days = sum(abs((finding.last - finding.first).days) + 1 for finding in group)
        kind = word(f"short.{group[0].kind}", language)
        rows.append(
            (
                measure.called(group[0].segment),
                day(begun, language),
                day(ended, language),
                whole(days, language),
                kind if len(group) == 1 else word("finding.times", language, kind=kind, times=len(group)),
                word(f"action.{group[0].action}", language),
            )
        )
    names = ("street", "first", "last", "days_counted", "finding", "action")
    return ReportTable(
        word("title.findings", language), tuple(word(f"head.{name}", language) for name in names), tuple(rows), (3,)
    )


def _section(evaluation: Evaluation, language: str, lines: Mapping[str, Line]) -> Section:
    measure = evaluation.measure
    tables = [_answers(evaluation, language)]
    tables += [
        table for table in (_unanswered(evaluation, language), _flows(evaluation, language)) if table is not None
    ]
    tables += [_parts_table(evaluation, part, language) for part in evaluation.parts]
    tables += [_checks(evaluation, segment, language) for segment in evaluation.checks]
    answered = [answer for answer in (*evaluation.streets, *evaluation.boundary) if answer.effect is not None]
    relative = [answer for answer in answered if answer.effect is not None and answer.effect.unit == "relative"]
    pictures = []
    mapped = _map_streets(evaluation, lines, language)
    if relative and sum(street.result not in {"", "control"} for street in mapped) > 1:
        pictures.append(Picture(word("title.map", language), streets_map(mapped, language)))
    if len(relative) > 1:
        bars = [_bar(measure.called(answer.segment), answer.effect) for answer in relative if answer.effect is not None]
        pictures.append(
            Picture(
                word("title.streets", language), streets_chart(bars, language, word("chart.change_relative", language))
            )
        )
    pictures += [
        Picture(word("title.weeks", language, where=measure.called(answer.segment)), weeks_chart(answer, language))
        for answer in answered
    ]
    pictures += [_parts_picture(evaluation, part, language) for part in evaluation.parts]
    return Section(
        word(evaluation.question.what, language),
        evaluation.sentence(language),
        tuple(tables),
        tuple(pictures),
        _verdict(evaluation, language),
    )


def _part_name(by: str, key: object, language: str) -> str:
    if by == "hour":
        return word("part.hour", language, first=key, last=int(str(key)) + 1)
    return word(f"part.{key}", language) if by == "direction" else word("part.speed", language, limit=key)


def _parts_title(evaluation: Evaluation, parts: Parts, language: str) -> str:
    return word(f"title.by_{parts.by}", language, where=evaluation.measure.called(parts.segment))


def _parts_table(evaluation: Evaluation, parts: Parts, language: str) -> ReportTable:
    names = ("part", "observed", "expected", "change", "interval", "chance", "detectable")
    rows = tuple(
        (
            _part_name(parts.by, part.key, language),
            *(effect_cells(part.effect, language) if part.effect else ("–",) * (len(names) - 1)),
        )
        for part in parts.parts
    )
    head = tuple(word(f"head.{name}", language) for name in names)
    return ReportTable(_parts_title(evaluation, parts, language), head, rows, tuple(range(1, len(names))))


def _parts_picture(evaluation: Evaluation, parts: Parts, language: str) -> Picture:
    rows = [
        _bar(_part_name(parts.by, part.key, language), part.effect) for part in parts.parts if part.effect is not None
    ]
    units = {part.effect.unit for part in parts.parts if part.effect is not None}
    key = f"chart.change_{units.pop()}" if units else "chart.change_relative"
    return Picture(_parts_title(evaluation, parts, language), streets_chart(rows, language, word(key, language)))


def _verdict(evaluation: Evaluation, language: str) -> str:
    if evaluation.effect is None:
        return ""
    counted = Counter(str(result.verdict) for results in evaluation.checks.values() for result in results)
    verdict = word("verdict.yes" if evaluation.reliable else "verdict.no", language)
    numbers = {str(verdict): counted[str(verdict)] for verdict in Verdict}
    return f"{verdict} {word('verdict.count', language, all=counted.total(), **numbers)}"


def _bar(name: str, effect: Effect) -> dict[str, Any]:
    scale = 1 if effect.unit == "km/h" else 100
    return {
        "street": name,
        "change": scale * effect.estimate,
        "low": scale * effect.low,
        "high": scale * effect.high,
    }


def _map_streets(evaluation: Evaluation, lines: Mapping[str, Line], language: str) -> list[MapStreet]:
    measure = evaluation.measure
    out = [MapStreet(name, "", line) for name, line in lines.items() if name not in measure.segments]
    out += [MapStreet(name, measure.called(name), lines[name], "control") for name in measure.controls if name in lines]
    for answer in (*evaluation.streets, *evaluation.boundary):
        if answer.segment not in lines:
            continue
        name = measure.called(answer.segment)
        if answer.effect is None:
            out.append(MapStreet(answer.segment, name, lines[answer.segment], "no_answer"))
            continue
        effect = answer.effect
        result = {-1: "fell", 0: "unclear", 1: "rose"}[effect.direction]
        change = size(effect.estimate, effect.unit, language, signed=True, digits=digits_of(effect))
        label = f"{change} ({interval(effect, language)})"
        out.append(MapStreet(answer.segment, name, lines[answer.segment], result, abs(effect.estimate), label))
    return out


def _checks(evaluation: Evaluation, segment: str, language: str) -> ReportTable:
    results = evaluation.checks[segment]
    return ReportTable(
        word("title.checks", language, where=evaluation.measure.called(segment)),
        tuple(word(f"head.{name}", language) for name in ("check", "verdict", "found")),
        tuple(
            (check_title(result, language), word(str(result.verdict), language), check_sentence(result, language))
            for result in results
        ),
        marks=tuple(str(result.verdict) for result in results),
    )


def _answers(evaluation: Evaluation, language: str) -> ReportTable:
    names = ("street", "observed", "expected", "change", "interval", "chance", "detectable", "days")
    rows = [
        (
            evaluation.measure.called(answer.segment),
            *effect_cells(answer.effect, language),
            f"{answer.days_before} / {answer.days_after}",
        )
        if answer.effect is not None
        else (evaluation.measure.called(answer.segment), *("–",) * (len(names) - 1))
        for answer in (*evaluation.streets, *evaluation.boundary)
    ]
    together = evaluation.network is not None and sum(answer.effect is not None for answer in evaluation.streets) > 1
    if evaluation.network is not None and together:
        name = "head.area" if evaluation.question.is_count else "head.mean"
        rows.append((word(name, language), *effect_cells(evaluation.network.area, language), ""))
    hours = hours_seen([answer for answer in (*evaluation.streets, *evaluation.boundary) if answer.effect], language)
    notes = (
        word("note.level", language, hours=hours) if hours and evaluation.question.is_count else "",
        word("note.together", language) if together else "",
    )
    return ReportTable(
        word("title.answers", language),
        tuple(word(f"head.{name}", language) for name in names),
        tuple(rows),
        tuple(range(1, len(names))),
        note=" ".join(note for note in notes if note),
    )


def effect_cells(effect: Effect, language: str) -> tuple[str, ...]:
    """Return observed, expected, change, interval, chance and the smallest change seen, as they stand in tables."""
    hidden, places = smallest(effect)
    return (
        level(effect.observed, effect.unit, language),
        level(effect.expected, effect.unit, language),
        short(effect.estimate, effect.unit, language, signed=True, digits=digits_of(effect)),
        interval(effect, language),
        chance(effect.chance, language),
        short(hidden, effect.unit, language, digits=places),
    )


def _unanswered(evaluation: Evaluation, language: str) -> ReportTable | None:
    measure = evaluation.measure

    def reasons(answer: StreetAnswer) -> str:
        return "; ".join(reason.text(language, measure.names) for reason in answer.refused)

    rows = tuple(
        (measure.called(answer.segment), reasons(answer))
        for answer in (*evaluation.streets, *evaluation.boundary)
        if answer.effect is None
    )
    head = (word("head.street", language), word("head.why", language))
    return ReportTable(word("title.no_answer", language), head, rows) if rows else None


def _flows(evaluation: Evaluation, language: str) -> ReportTable | None:
    net = evaluation.network
    if net is None or net.treated is None or net.boundary is None or net.balance is None:
        return None
    hours = hours_seen([answer for answer in (*evaluation.streets, *evaluation.boundary) if answer.effect], language)
    rows = tuple(
        (
            word(f"flow.{name}", language),
            *flow_cells(flow, language),
        )
        for name, flow in (("treated", net.treated), ("boundary", net.boundary), ("balance", net.balance))
    )
    return ReportTable(
        word("title.flows", language),
        tuple(word(f"head.{name}", language) for name in ("where", "per_day", "interval")),
        rows,
        (1, 2),
        note=word("note.flows", language, hours=hours) if hours else "",
    )
