from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from telstraat_analytics import plan
from telstraat_analytics.errors import QuestionError
from telstraat_analytics.planning import power_of
from telstraat_analytics.report.plans import plan_content
from telstraat_analytics.report.write import html, pdf

DOCS = Path(__file__).resolve().parents[2] / "docs" / "analysis.md"


def test_more_streets_more_weeks_and_larger_effects_are_seen_more_often() -> None:
    table = plan("car", -0.2, 800.0, sensors=(1, 3), weeks=(2, 8)).table.set_index(["sensors", "weeks"])["power"]
    assert table[1, 2] <= table[1, 8] <= table[3, 8]
    assert plan("car", -0.4, sensors=(1,), weeks=(4,)).table["power"].iloc[0] > table[1, 8]


def test_the_smallest_visible_change_is_seen_four_times_out_of_five() -> None:
    value = float(plan("bike", -0.2, 300.0, sensors=(1,), weeks=(8,)).table["detectable"].iloc[0])
    assert plan("bike", value, 300.0, sensors=(1,), weeks=(8,)).table["power"].iloc[0] == pytest.approx(0.8, abs=0.01)


def test_what_cannot_be_seen_is_said_in_every_language() -> None:
    poor = plan("heavy", -0.05, 40.0, sensors=(1,), weeks=(2, 4))
    assert poor.weeks_needed() is None
    assert "5%" in poor.sentence("en")
    assert poor.sentence("nl") != poor.sentence("fr")


@pytest.mark.parametrize(("what", "expected"), [("v85", -0.2), ("car", 0.0), ("car", -1.0)])
def test_a_plan_for_nothing_is_refused(what: str, expected: float) -> None:
    with pytest.raises(QuestionError):
        plan(what, expected)


def test_a_plan_is_written_as_page_and_paper() -> None:
    content = plan_content([plan("car", -0.3, sensors=(1, 2), weeks=(4, 8))], "fr")
    assert content.sections[0].sentence in html(content).replace("&#39;", "'")
    assert pdf(content).startswith(b"%PDF")


def test_the_example_of_the_documentation_runs_and_its_table_is_what_comes_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = DOCS.read_text(encoding="utf-8")
    section = text[text.index("## Planning") :]
    code = section.split("```python\n")[1].split("```")[0]
    scope: dict[str, Any] = {}
    exec(compile(code, str(DOCS), "exec"), scope)
    printed = scope["planned"].table.set_index(["sensors", "weeks"])
    assert "bicycle" in capsys.readouterr().out.lower()
    for sensors, line in ((1, "| 1 street"), (3, "| 3 streets")):
        cells = next(row for row in section.splitlines() if row.startswith(line)).split("|")[2:5]
        rows = [printed.loc[(sensors, weeks)] for weeks in (4, 8, 16)]
        assert [cell.strip() for cell in cells] == [
            f"{value['power']:.0%}, {value['detectable']:.0%}".replace("%", " %") for value in rows
        ]


def test_power_is_the_mean_over_streets_that_differ() -> None:
    assert power_of(-0.3, np.array([0.05, 10.0])) == pytest.approx(0.5, abs=0.02), "one street sees it, the other never"
    assert power_of(-0.3, np.array([0.1])) == power_of(0.3, np.array([0.1]))
