"""E4: report and page show one number. Sentence, table, HTML, PDF and JSON come from one object."""

from __future__ import annotations

import io
import json
import re

import pytest
from pypdf import PdfReader
from tests.analytics.streets import MEASURE, ZONE, town

from telstraat_analytics import Evaluation, Measure, Question, evaluate
from telstraat_analytics.report.charts import svg
from telstraat_analytics.report.content import evaluation_content
from telstraat_analytics.report.maps import COLOURS
from telstraat_analytics.report.sentence import percent, size
from telstraat_analytics.report.write import as_json, html, pdf
from telstraat_contract.languages import LANGUAGES

LINES = {
    name: ((4.70 + 0.01 * place, 50.87), (4.70 + 0.01 * place, 50.88))
    for place, name in enumerate(("a", "b", "c", "d"))
}


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
    assert percent(abs(effect.estimate), language) in text
    row = evaluation.table().set_index("street").loc["area"]
    assert row["change"] == effect.estimate
    content = evaluation_content([evaluation], language)
    cells = content.sections[0].tables[0].rows[-1]
    assert size(effect.estimate, effect.unit, language, signed=True) in cells
    page = html(content)
    assert text.replace("'", "&#39;") in page
    assert cells[3] in page
    assert "<b>&" not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_says_the_very_words_of_page_and_sentence(evaluation: Evaluation, language: str) -> None:
    content = evaluation_content([evaluation], language, lines=LINES, source="Town, CC0")
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf(content))).pages]
    text = re.sub(r"\s+", "", "".join(pages))
    section = content.sections[0]
    texts = [section.sentence, *content.foot, *(cell for row in section.tables[0].rows for cell in row)]
    for statement in texts:
        assert re.sub(r"\s+", "", statement) in text, statement


def test_the_map_writes_the_numbers_of_the_table_and_pales_what_cannot_be_told(evaluation: Evaluation) -> None:
    content = evaluation_content([evaluation], "en", lines=LINES)
    drawn = svg(content.sections[0].pictures[0].spec)
    for row in content.sections[0].tables[0].rows[:3]:
        assert f"{row[3]} ({row[4]})" in drawn.replace("&nbsp;", " ")
    effects = {street.segment: street.effect for street in (*evaluation.streets, *evaluation.boundary)}
    for segment, colour in (("a", COLOURS["fell"]), ("c", COLOURS["unclear"])):
        effect = effects[segment]
        assert effect is not None
        assert effect.claimed == (segment == "a")
        assert colour in drawn
    page = html(content)
    assert "http" not in re.sub(r'xmlns(:xlink)?="[^"]+"', "", page)


@pytest.mark.parametrize("what", ["bike_share", "car"])
def test_a_sentence_about_several_streets_gives_the_number_of_all_of_them(what: str) -> None:
    frame = town(22, ("a", "b", "d"), effects={"a": {"car": -0.5}, "b": {"car": 0.3}})
    measure = Measure("Scheme", MEASURE, ("a", "b"), ("d",), timezone=ZONE, after_days=28)
    answer = evaluate(frame, measure, Question(what, hours=tuple(range(8, 19))))
    table = answer.table().set_index("street")
    assert answer.effect is not None
    assert answer.effect.estimate == table.loc["area", "change"]
    changes = table.loc[["a", "b"], "change"]
    assert changes.min() < answer.effect.estimate < changes.max()
    assert size(abs(answer.effect.estimate), answer.effect.unit, "en").split(" ")[0] in answer.sentence("en")


def test_the_json_holds_the_very_numbers(evaluation: Evaluation) -> None:
    plain = json.loads(as_json(evaluation.to_dict()))
    assert evaluation.effect is not None
    assert plain["effect"]["estimate"] == evaluation.effect.estimate
    assert plain["sentence"]["fr"] == evaluation.sentence("fr")
    assert plain["network"]["balance"]["per_day"] == pytest.approx(
        plain["network"]["treated"]["per_day"] + plain["network"]["boundary"]["per_day"], rel=0.2, abs=30
    )
