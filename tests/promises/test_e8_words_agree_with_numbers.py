"""E8: words agree with numbers. What is said to have fallen fell, what is open stays open, and no minus is lost."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass

import pandas as pd
import pytest
from tests.analytics.streets import MEASURE, town

from telstraat_analytics import Evaluation, Measure, Question, monitor, plan
from telstraat_analytics.designs.monitoring import Monitoring
from telstraat_analytics.designs.network import Flow, Network
from telstraat_analytics.designs.one_street import StreetAnswer
from telstraat_analytics.effect import Effect, Unit
from telstraat_analytics.report.content import effect_cells
from telstraat_analytics.report.description import school_sentence
from telstraat_analytics.report.following import week_sentences
from telstraat_analytics.report.sentence import flow_cells, sentence

INF = math.inf
POINTS = (-INF, -0.73, -0.3, -0.004, -1e-7, -0.0, 0.0, 1e-7, 0.004, 0.3, 5.0, INF, math.nan)
INTERVALS = (
    (-0.9, -0.1), (-0.9, -0.003), (-0.9, -0.0002), (-0.9, -1e-7), (-0.9, -0.0), (-0.9, 0.0), (-0.9, 0.2), (0.0, 0.0),
    (-0.003, 0.003), (-1e-7, 1e-7), (0.0, 0.9), (1e-7, 0.9), (0.0002, 0.9), (0.003, 0.9), (0.1, 0.9), (2.0, 40.0),
    (-INF, -0.1), (-INF, 0.1), (0.1, INF), (-0.1, INF), (-INF, INF), (math.nan, math.nan),
)  # fmt: skip
TABLE = [(point, *ends) for point, ends in itertools.product(POINTS, INTERVALS)]
"""Every combination of a point with an interval, also those that no model should give."""

OPEN = {
    "en": ("told from chance",),
    "nl": ("van toeval te onderscheiden",),
    "fr": ("se distingue du hasard", "distinguer du hasard"),
    "de": ("vom Zufall unterscheidbar", "vom Zufall zu unterscheiden"),
}
DOWN = {
    "en": (" fell by ", " less than ", " fewer ", " missing ", "a fall of"),
    "nl": (" daalde ", " minder ", " ontbreken ", "een daling van"),
    "fr": (" a baissé ", " de moins ", " il manque ", "une baisse de"),
    "de": (" zurück; ", " weniger ", " fehlen ", "einen Rückgang von", " schwächer "),
}
UP = {
    "en": (" rose by ", " more than ", " more crossings ", " are found on ", "a rise of"),
    "nl": (" steeg ", " meer dan ", " teruggevonden (", "een stijging van"),
    "fr": (" a augmenté ", " de plus ", " se retrouvent en ", "une hausse de"),
    "de": (" zu; ", " mehr als ", " mehr Verkehrsbewegungen ", " finden sich ", "eine Zunahme von", " stärker "),
}
NUMBER = re.compile(r"[+−]?(?:\d[\d.,\u202f\u00a0]*\d|\d|∞|–(?=[ \u00a0\u202f%;,.)]|$))")


@dataclass(frozen=True)
class Printed:
    """A number as it is written: its sign (``+``, ``−`` or none) and its size."""

    sign: str
    size: float

    @property
    def value(self) -> float:
        return -self.size if self.sign == "−" else self.size


SCOPE = {"street": "Canal Street", "hours": "in the morning", "first": "March", "last": "April"}
DATES = re.compile(r"\d{1,2}\.? \S+ 20\d\d")


def numbers_in(text: str, language: str) -> list[Printed]:
    """Read the numbers of a text, with their signs, in the writing of a language."""
    out = []
    for result in NUMBER.findall(DATES.sub("", text)):
        sign, digits = (result[0], result[1:]) if result[0] in "+−" else ("", result)
        plain = re.sub(r"[\u202f\u00a0]", "", digits)
        plain = plain.replace(",", "") if language == "en" else plain.replace(".", "").replace(",", ".")
        out.append(Printed(sign, INF if plain == "∞" else math.nan if plain == "–" else float(plain)))
    return out


def said_direction(text: str, language: str) -> int:
    """Read which way a sentence says that something went; exactly one way, or that it is open."""
    if any(phrase in text for phrase in OPEN[language]):
        return 0
    down, up = (any(phrase in text for phrase in table[language]) for table in (DOWN, UP))
    assert down != up, f"says neither or both: {text}"
    return 1 if up else -1


def sentences_of(text: str) -> list[str]:
    return re.split(r"(?<=\D\.) (?=[A-ZÀÉ])", text)


def agrees(text: str, language: str, values: tuple[float, float, float], scale: float, skip: int = 0) -> None:
    """Hold a sentence against its numbers: direction, signs, sizes and order."""
    point, low, high = values
    truth = 1 if all(number > 0 for number in values) else -1 if all(number < 0 for number in values) else 0
    if math.isinf(point):
        truth = 0
    direction = said_direction(text, language)
    printed = numbers_in(text, language)[skip : skip + 3]
    assert len(printed) == 3, text
    if direction:
        assert direction == truth, text
        assert all(number.sign == "" and number.size > 0 for number in printed), text
        assert printed[1].size <= printed[2].size, text
        ends = sorted(map(abs, (low, high)))
        for number, value in zip(printed, (abs(point), *ends), strict=True):
            assert number.size == pytest.approx(scale * value, abs=0.51), text
        return
    negligible = min(map(abs, values)) * min(scale, 1 if skip else scale) < 0.0101
    assert truth == 0 or negligible, text
    for number, value in zip(printed, values, strict=True):
        if math.isnan(value):
            assert math.isnan(number.size), text
            continue
        assert number.value == pytest.approx(scale * value, abs=0.51), text
        assert number.sign == ("" if number.size == 0 else "−" if value < 0 else "+"), text


def evaluation_of(effect: Effect, network: Network | None = None) -> Evaluation:
    measure = Measure("Scheme", MEASURE, ("a",), boundary=("b",), names={"a": "Canal Street"})
    street = StreetAnswer("a", effect, hours=())
    return Evaluation(measure, Question("car"), (street,), (), network, (), {}, "", "")


def effect_of(values: tuple[float, float, float], unit: Unit) -> Effect:
    return Effect(*values, unit, 100.0, 120.0, 0.02, -0.1)


@pytest.mark.parametrize("unit", ["relative", "km/h", "points"])
@pytest.mark.parametrize("language", OPEN)
def test_the_answer_says_what_its_numbers_say(language: str, unit: Unit) -> None:
    scale = 1 if unit == "km/h" else 100
    for values in TABLE:
        effect = effect_of(values, unit)
        agrees(sentence(evaluation_of(effect), language), language, values, scale)
        cells = " ".join(effect_cells(effect, language)[2:4])
        printed = numbers_in(cells, language)
        for number, value in zip(printed, values, strict=True):
            assert math.isnan(value) or number.value == pytest.approx(scale * value, abs=0.51), cells
            assert not effect.claimed or number.size > 0, cells


@pytest.mark.parametrize("language", OPEN)
def test_where_the_traffic_went_says_what_its_numbers_say(language: str) -> None:
    effect = effect_of((-0.3, -0.4, -0.2), "relative")
    left = Flow(-500.0, -700.0, -300.0)
    for values in TABLE:
        net = Network(effect, left, Flow(*values), Flow(*values), values)
        answer, moved, balance = sentences_of(sentence(evaluation_of(effect, net), language))
        assert said_direction(answer, language) == -1
        share = 1.0 if said_direction(moved, language) < 0 else 100.0
        agrees(moved, language, values, share, skip=1)
        agrees(balance, language, values, 1.0)
        printed = numbers_in(" ".join(flow_cells(Flow(*values), language)), language)
        for number, value in zip(printed, values, strict=True):
            assert math.isnan(value) or number.value == pytest.approx(value, abs=0.51)


@pytest.mark.parametrize("language", OPEN)
def test_a_boundary_that_fell_too_took_up_nothing(language: str) -> None:
    effect = effect_of((-0.3, -0.4, -0.2), "relative")
    share, edge = (-0.013, -0.05, 0.02), Flow(-7.0, -25.0, 11.0)
    net = Network(effect, Flow(-500.0, -700.0, -300.0), edge, Flow(-507.0, -720.0, -290.0), share)
    _, moved, balance = sentences_of(sentence(evaluation_of(effect, net), language))
    agrees(moved, language, share, 100.0, skip=1)
    assert said_direction(moved, language) == 0
    assert "−1" in moved
    assert said_direction(balance, language) == -1


@pytest.mark.parametrize("language", OPEN)
def test_no_word_is_said_of_streets_on_which_nothing_can_be_told(language: str) -> None:
    effect = effect_of((-0.3, -0.4, -0.2), "relative")
    flow = Flow(-5.0, -7.0, -3.0)
    for net in (Network(effect, flow, None, None, None), Network(effect, flow, flow, flow, None)):
        assert len(sentences_of(sentence(evaluation_of(effect, net), language))) == 1


@pytest.mark.parametrize("language", OPEN)
def test_the_letter_of_a_week_says_what_its_numbers_say(language: str) -> None:
    measure = Measure("Scheme", MEASURE, ("a",), boundary=("b",), names={"a": "Canal Street", "b": "Ring"})
    for values in TABLE:
        looks = pd.DataFrame([(6, *values)], columns=["weeks", "estimate", "low", "high"])
        monitoring = Monitoring("a", looks, "steady", {"b": values})
        lines = week_sentences(monitoring, measure, Question("car"), language)
        for line in (lines[0], sentences_of(lines[1])[0]):
            agrees(line, language, values, 100.0)


@pytest.mark.parametrize("language", OPEN)
def test_a_letter_without_an_answer_gives_its_reasons_in_its_own_language(language: str) -> None:
    measure = Measure("Scheme", MEASURE, ("a",), names={"a": "Canal Street"})
    monitoring = monitor(town(1, ("a",), before=3), measure, weeks=[4])[0]
    [line] = week_sentences(monitoring, measure, Question("car"), language)
    reason = {
        "en": "comparable days",
        "nl": "vergelijkbare dagen",
        "fr": "jours comparables",
        "de": "vergleichbare Tage",
    }
    assert [code for code, phrase in reason.items() if phrase in line] == [language]
    assert line.count("Canal Street") == 2, "the street by its name, in the reason as well"


@pytest.mark.parametrize("language", OPEN)
@pytest.mark.parametrize("expected", [-0.5, -0.2, -0.004, 0.004, 0.2, 1.5])
def test_a_plan_says_which_way_and_how_much(language: str, expected: float) -> None:
    planned = plan("car", expected, 500.0, sensors=(1, 2), weeks=(2, 8))
    text = planned.sentence(language)
    assert said_direction(text, language) == (1 if expected > 0 else -1)
    assert numbers_in(text, language)[0].value == pytest.approx(100 * abs(expected), abs=0.51)
    assert numbers_in(text, language)[0].size > 0
    assert (planned.table["detectable"] * expected > 0).all()


@pytest.mark.parametrize("language", OPEN)
@pytest.mark.parametrize("extra", [-0.4, -0.006, 0.006, 0.4])
def test_the_school_run_says_which_way_and_how_much(language: str, extra: float) -> None:
    text = school_sentence(extra, SCOPE, language)
    assert said_direction(text, language) == (1 if extra > 0 else -1)
    assert numbers_in(text, language)[-1].value == pytest.approx(100 * abs(extra), abs=0.51)
    assert numbers_in(school_sentence(-0.001, SCOPE, language), language) == []
