"""E4: report and page show one number. Sentence, table, HTML, PDF and JSON come from one object."""

from __future__ import annotations

import json
import re

import pytest
from tests.analytics.streets import MEASURE, ZONE, town

from telstraat_analytics import Evaluation, Measure, Question, evaluate
from telstraat_analytics.report.content import evaluation_content
from telstraat_analytics.report.sentence import percent, size
from telstraat_analytics.report.write import as_json, html, pdf
from telstraat_analytics.words import LANGUAGES


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    frame = town(21, ("a", "b", "c", "d", "e"), effects={"a": {"car": -0.4}, "b": {"car": -0.35}, "c": {"car": 0.1}})
    measure = Measure("Scheme <b>&", MEASURE, ("a", "b"), ("d", "e"), ("c",), timezone=ZONE, after_days=28)
    return evaluate(frame, measure, Question("car", hours=tuple(range(8, 19))))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_numbers_of_the_sentence_stand_in_table_page_and_content(evaluation: Evaluation, language: str) -> None:
    effect = evaluation.effect
    assert effect is not None
    text = evaluation.sentence(language)
    assert percent(effect.estimate, language) in text
    row = evaluation.table().set_index("street").loc["area"]
    assert row["change"] == effect.estimate
    content = evaluation_content([evaluation], language)
    cells = content.sections[0].tables[0].rows[-1]
    assert size(effect.estimate, effect.unit, language, signed=True) in cells
    page = html(content)
    assert text.replace("'", "&#39;") in page
    assert cells[3] in page
    assert "<b>&" not in page


def test_the_pdf_is_set_from_the_same_content(evaluation: Evaluation) -> None:
    document = pdf(evaluation_content([evaluation], "nl"))
    assert document.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", document)) >= 1


def test_the_json_holds_the_very_numbers(evaluation: Evaluation) -> None:
    plain = json.loads(as_json(evaluation.to_dict()))
    assert evaluation.effect is not None
    assert plain["effect"]["estimate"] == evaluation.effect.estimate
    assert plain["sentence"]["fr"] == evaluation.sentence("fr")
    assert plain["network"]["balance"]["per_day"] == pytest.approx(
        plain["network"]["treated"]["per_day"] + plain["network"]["boundary"]["per_day"], rel=0.2, abs=30
    )
