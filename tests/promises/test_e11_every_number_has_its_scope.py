"""E11: every number has its scope. Which hours, days and streets it is of stands in the same sentence, for a reader in a hurry."""

from __future__ import annotations

import re
import string

import numpy as np
import pandas as pd
import pytest
from tests.analytics.streets import MEASURE, ZONE, town

from telstraat_analytics import Evaluation, Measure, Question, as_counts, evaluate, plan
from telstraat_analytics.checks import Verdict
from telstraat_analytics.describe import typical_week, working_day
from telstraat_analytics.designs.network import Flow, Network
from telstraat_analytics.designs.one_street import StreetAnswer
from telstraat_analytics.effect import Effect
from telstraat_analytics.quality.findings import KINDS
from telstraat_analytics.report.charts import profile_chart, svg, week_chart
from telstraat_analytics.report.content import evaluation_content
from telstraat_analytics.report.description import description_content
from telstraat_analytics.report.plans import plan_content
from telstraat_analytics.report.sentence import hours_text, sentence
from telstraat_analytics.words import WORDS, spoken, word
from telstraat_contract.languages import LANGUAGES

SHARE_OF = {"share", "shared", "above", "well_above", "power"}
NUMBERS = {
    "size", "low", "high", "left", "crossings", "before", "after", "claimed", "drift", "change", "detectable", "found",
    "car", "bike", "pedestrian", "v85", "extra", "per_day", "allowed", "days", "least", "most", "chance",
} | SHARE_OF  # fmt: skip
"""Placeholders of what was counted or computed."""

SCOPE = {
    r"fell|rose|unclear": {"subject"},
    r"moved.*|evaporated.*": {"hours", "treated", "boundary"},
    r"follow\.(fell|rose|unclear)": {"subject", "weeks", "date"},
    r"follow\.boundary\..*": {"where", "weeks", "date"},
    r"describe\.(street|school.*|speeding)": {"street", "hours", "first", "last"},
    r"plan_.*": {"what", "controls", "sensors", "weeks"},
    r"refusal\..*": {"where"},
    r"fact\.days": {"first", "last"},
    r"method\.compared": {"date"},
}
"""Sentences that stand alone, and the placeholders that say what their numbers are of."""

SAYS = {
    "en": r"before|after|days|weeks|date|dates|streets|hours|period|control|season|street",
    "nl": r"ervoor|erna|dagen|weken|data|straten|straat|controle|uren|periode|seizoen",
    "fr": r"avant|après|jours|semaines|dates|rues|rue|témoin|heures|période|saison",
    "de": r"vorher|nachher|davor|danach|tage|wochen|stichtag|straße|stunden|zeitr|vorjahr|saison|jahreszeit",
}
"""What a sentence of a check, of a caveat or of the method, which stand under the name of their street, must say."""

PIECES = {
    "points",
    "points_short",
    "plan.fall",
    "plan.rise",
    "plan.cell",
    "hours.differ",
    "method.transition",
    "fact.plan",
}
"""Parts of sentences and cells, whose scope stands around them."""


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", [key for key, text in WORDS.items() if fields(text) & NUMBERS and key not in PIECES])
def test_a_sentence_with_a_number_has_a_place_for_its_scope(key: str) -> None:
    demanded = [need for pattern, need in SCOPE.items() if re.fullmatch(pattern, key)]
    for language, scope in SAYS.items():
        text = spoken(language).gettext(WORDS[key])
        if demanded:
            assert demanded[0] <= fields(text), (key, language)
        else:
            assert re.search(scope, text, re.IGNORECASE), (key, language)


def answered(hours: tuple[tuple[int, ...], ...]) -> Evaluation:
    """Return an evaluation of two streets and a boundary whose hours are these."""
    effect = Effect(-0.3, -0.4, -0.2, "relative", 100.0, 120.0, 0.02, -0.1)
    names = {"a": "Canal Street", "b": "Mill Lane", "c": "Ring"}
    measure = Measure("Scheme", MEASURE, ("a", "b"), boundary=("c",), names=names, after_days=28)
    streets = [StreetAnswer(name, effect, hours=own) for name, own in zip("abc", hours, strict=True)]
    flows = (Flow(-500.0, -700.0, -300.0), Flow(200.0, 100.0, 300.0), Flow(-300.0, -600.0, -10.0))
    net = Network(effect, *flows, (0.4, 0.2, 0.6))
    return Evaluation(measure, Question("car"), tuple(streets[:2]), tuple(streets[2:]), net, (), {}, "", "")


@pytest.mark.parametrize(
    ("language", "hours", "days"),
    [
        ("en", "8 to 16 o'clock", "22 September 2025 to 19 October 2025"),
        ("nl", "8 tot 16 uur", "22 september 2025 tot 19 oktober 2025"),
        ("fr", "de 8 à 16 h", "du 22 septembre 2025 au 19 octobre 2025"),
        ("de", "8 bis 16 Uhr", "22. September 2025 bis 19. Oktober 2025"),
    ],
)
def test_eight_hours_of_daylight_are_not_taken_for_a_day(language: str, hours: str, days: str) -> None:
    text = re.split(r"(?<=\D\.) (?=[A-Z])", sentence(answered((tuple(range(8, 16)),) * 3), language))
    assert len(text) == 3
    assert days in text[0]
    for statement in text:
        assert hours in statement, statement
        assert "Canal Street" in statement
        assert "Mill Lane" in statement
    assert all("Ring" in value for value in text[1:])


def test_hours_that_differ_between_streets_or_leave_a_hole_are_said() -> None:
    assert hours_text((7, 8, 16, 17), "en") == "7 to 9 and 16 to 18 o'clock"
    assert hours_text(tuple(range(24)), "nl") == "alle 24 uren van de dag"
    assert hours_text((), "fr") == ""
    assert "6 to 9 a day" in sentence(answered((tuple(range(8, 14)), tuple(range(8, 17)), tuple(range(8, 16)))), "en")


@pytest.fixture(scope="module")
def drifting() -> Evaluation:
    """A street that lost half of its cars against its controls in the weeks before; one control is not in the counts."""
    frame = town(61, ("a", "b", "c"), before=112, after=28)
    week = (pd.Timestamp(MEASURE, tz=ZONE) - frame["start"]).dt.days / 7
    falling = np.exp(-0.7 * (12 - week.clip(0, 12)) / 12)
    frame["car"] = frame["car"].where(frame["segment"] != "a", (frame["car"] * falling).round())
    measure = Measure("Scheme", MEASURE, ("a",), ("b", "c", "ghost"), timezone=ZONE, after_days=28)
    return evaluate(frame, measure, Question("car", hours=tuple(range(8, 16))))


def test_a_street_that_drifted_far_does_not_pass_for_parallel(drifting: Evaluation) -> None:
    results = {item.name: item for item in drifting.checks.get("a", ())}
    assert results, drifting.refused
    assert float(results["parallel_before"].figures["drift"]) < -0.3
    assert results["parallel_before"].verdict != Verdict.PASSED


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_street_that_is_not_in_the_counts_is_no_control(drifting: Evaluation, language: str) -> None:
    facts = {row[0]: row[1] for row in evaluation_content([drifting], language).facts}
    listed = facts[word("fact.controls", language)]
    assert listed.startswith("b, c (")
    assert "ghost" in listed.split("(")[1]
    assert drifting.to_dict()["not_counted"] == ["ghost"]


def test_a_day_of_few_hours_is_not_called_one_without_counts() -> None:
    for text in (*(word("kind.gap", language) for language in LANGUAGES), KINDS["gap"]):
        assert not re.search("no counts|geen tellingen|aucun comptage", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_of_a_plan_explains_both_numbers_of_a_cell(language: str) -> None:
    content = plan_content([plan("car", -0.3, sensors=(1,), weeks=(4,))], language)
    [table] = content.sections[0].tables
    assert "30" in table.note
    assert "(" not in table.rows[0][1]
    assert "−" in table.rows[0][1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_description_says_of_which_hours_and_days_its_numbers_are(language: str) -> None:
    frame = as_counts(town(62, ("a",), before=28, after=7))
    [section] = description_content(frame, ["a"], ZONE, language).sections
    assert hours_text(tuple(range(7, 20)), language) in section.sentence
    assert "2025" in section.sentence


def test_no_axis_has_more_labels_than_anybody_reads() -> None:
    frame = as_counts(town(63, ("a",), before=28, after=7))
    for spec in (profile_chart(working_day(frame, "a", ZONE), "en"), week_chart(typical_week(frame, "a", ZONE), "en")):
        labels = re.findall(r'<text[^>]*text-anchor="middle"[^>]*>(\d{1,2})</text>', svg(spec))
        assert 3 <= len(labels) <= 9, labels


@pytest.fixture(scope="module")
def area() -> Evaluation:
    """One street with the measure, one beside it, counted for ten of the 28 days after."""
    effects = {"a": {"car": -0.4}, "b": {"car": 0.3}}
    frame = town(62, ("a", "b", "c", "d"), before=112, after=10, effects=effects)
    week = (pd.Timestamp(MEASURE, tz=ZONE) - frame["start"]).dt.days / 7
    odd = (frame["segment"] == "a") & (week < 4) & (week > 0)
    frame["car"] = frame["car"].where(~odd, (frame["car"] * 1.4).round())
    measure = Measure("Scheme", MEASURE, ("a",), ("c", "d"), boundary=("b",), timezone=ZONE, after_days=28)
    return evaluate(frame, measure, Question("car", hours=tuple(range(8, 16))))


def test_a_time_that_was_not_counted_is_not_told_of(area: Evaluation) -> None:
    assert area.effect is not None
    last = {"en": "1 October 2025", "nl": "1 oktober 2025", "fr": "1 octobre 2025", "de": "1. Oktober 2025"}
    planned = {"en": "19 October", "nl": "19 oktober", "fr": "19 octobre", "de": "19. Oktober"}
    for language, day in last.items():
        assert day in sentence(area, language)
        assert planned[language] not in sentence(area, language)


def test_what_left_and_what_came_are_the_numbers_of_the_answers(area: Evaluation) -> None:
    net = area.network
    assert net is not None
    assert net.treated is not None
    assert net.boundary is not None
    assert net.balance is not None
    for street, flow in ((area.streets[0], net.treated), (area.boundary[0], net.boundary)):
        assert street.effect is not None
        assert flow.per_day == pytest.approx(street.effect.observed - street.effect.expected)
        assert flow.low <= flow.per_day <= flow.high
    assert net.balance.per_day == pytest.approx(net.treated.per_day + net.boundary.per_day)
    if net.moved_share is not None:
        assert net.moved_share[0] == pytest.approx(-net.boundary.per_day / net.treated.per_day)
