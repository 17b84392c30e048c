from __future__ import annotations

import pytest

from telstraat_analytics import plan
from telstraat_analytics.errors import QuestionError
from telstraat_analytics.report.content import plan_content
from telstraat_analytics.report.write import html, pdf


def test_more_streets_more_weeks_and_larger_effects_are_seen_more_often() -> None:
    table = plan("car", -0.2, 800.0, sensors=(1, 3), weeks=(2, 8)).table.set_index(["sensors", "weeks"])["power"]
    assert table[1, 2] <= table[1, 8] <= table[3, 8]
    assert plan("car", -0.4, sensors=(1,), weeks=(4,)).table["power"].iloc[0] > table[1, 8]


def test_the_smallest_visible_change_is_seen_four_times_out_of_five() -> None:
    found = float(plan("bike", -0.2, 300.0, sensors=(1,), weeks=(8,)).table["detectable"].iloc[0])
    assert plan("bike", found, 300.0, sensors=(1,), weeks=(8,)).table["power"].iloc[0] == pytest.approx(0.8, abs=0.01)


def test_what_cannot_be_seen_is_said_in_every_language() -> None:
    poor = plan("heavy", -0.05, 40.0, sensors=(1,), weeks=(2, 4))
    assert poor.weeks_needed() is None
    assert "5 %" in poor.sentence("en")
    assert poor.sentence("nl") != poor.sentence("fr")


@pytest.mark.parametrize(("what", "wanted"), [("v85", -0.2), ("car", 0.0), ("car", -1.0)])
def test_a_plan_for_nothing_is_refused(what: str, wanted: float) -> None:
    with pytest.raises(QuestionError):
        plan(what, wanted)


def test_a_plan_is_written_as_page_and_paper() -> None:
    content = plan_content([plan("car", -0.3, sensors=(1, 2), weeks=(4, 8))], "fr")
    assert content.sections[0].sentence in html(content).replace("&#39;", "'")
    assert pdf(content).startswith(b"%PDF")
