"""E5: reproducible. Same data, same answer to the last digit, and the hash of the inputs stands in the report."""

from __future__ import annotations

import dataclasses

from tests.analytics.streets import MEASURE, ZONE, town

from telstraat_analytics import Measure, Question, evaluate
from telstraat_analytics.report.content import evaluation_content
from telstraat_analytics.report.write import as_json, html

ASKED = Question("bike", hours=tuple(range(8, 19)))
MEASURED = Measure("m", MEASURE, ("a",), ("c",), timezone=ZONE, after_days=28)


def test_the_same_rows_in_any_order_give_the_same_text() -> None:
    frame = town(31, ("a", "b", "c"), before=56, after=35)
    first = evaluate(frame, MEASURED, ASKED)
    second = evaluate(frame.sample(frac=1.0, random_state=5), MEASURED, ASKED)
    assert as_json(first.to_dict()) == as_json(second.to_dict())
    assert first.inputs_hash in html(evaluation_content([first]))


def test_another_count_or_another_question_is_another_hash() -> None:
    frame = town(31, ("a", "b", "c"), before=56, after=35)
    base = evaluate(frame, MEASURED, ASKED).inputs_hash
    changed = frame.assign(bike=frame["bike"] + (frame.index == 3))
    assert evaluate(changed, MEASURED, ASKED).inputs_hash != base
    assert evaluate(frame, MEASURED, dataclasses.replace(ASKED, days="workdays")).inputs_hash != base
    assert evaluate(frame, dataclasses.replace(MEASURED, after_days=35), ASKED).inputs_hash != base


def test_the_frame_handed_in_is_left_alone() -> None:
    frame = town(31, ("a", "b", "c"), before=56, after=35)
    stored = frame.copy(deep=True)
    evaluate(frame, MEASURED, ASKED)
    assert frame.equals(stored)
