"""Streets to compare with are judged by the weeks before a measure, and what counting would show grows with them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from tests.analytics.streets import MEASURE, town

from telstraat_analytics import Measure, Question, as_counts
from telstraat_analytics.designs.candidates import Candidate, distance_m, judged, looked_at
from telstraat_analytics.designs.outlook import outlooks

LINE = ((4.7000, 50.8750), (4.7010, 50.8750))
NEAR = ((4.7012, 50.8750), (4.7020, 50.8755))
FAR = ((4.7200, 50.8750), (4.7210, 50.8750))
LINES = {"a": LINE, "near": NEAR, "b": FAR, "taken": FAR, "odd": FAR, "empty": FAR}


@pytest.fixture(scope="module")
def candidates() -> dict[str, Candidate]:
    frame = town(3, ("a", "near", "b", "taken", "odd"), before=112, after=28)
    rng = np.random.default_rng(1)
    odd = frame["segment"] == "odd"
    frame.loc[odd, "car"] = rng.permutation(frame.loc[odd, "car"].to_numpy())
    looked = looked_at(
        Measure("scheme", MEASURE, ("a",)), ("near", "b", "taken", "odd", "empty"), MEASURE + dt.timedelta(days=400)
    )
    own, others = judged(
        as_counts(frame, timezone=looked.timezone), looked, Question("car"), lines=LINES, treated_elsewhere=("taken",)
    )
    assert [street.segment for street in own] == ["a"]
    return {street.segment: street for street in others}


def test_every_street_has_the_reason_for_which_it_would_not_serve(candidates: dict[str, Candidate]) -> None:
    obstacles = {name: candidate.obstacle for name, candidate in candidates.items()}
    assert obstacles == {"b": "", "near": "near", "taken": "treated", "odd": "unlike", "empty": "no_counts"}
    assert next(iter(candidates)) == "b", "the best one comes first"


def test_a_street_that_moves_by_itself_is_less_alike(candidates: dict[str, Candidate]) -> None:
    alike = {name: candidates[name].likeness or 0.0 for name in ("b", "odd")}
    assert alike["odd"] < 0.1 < alike["b"]
    assert (candidates["b"].pattern or 0) > 0.8 > (candidates["odd"].pattern or 0)


def test_nothing_after_the_measure_is_looked_at() -> None:
    calm = town(3, ("a", "b"), before=112, after=56)
    wild = town(3, ("a", "b"), before=112, after=56, effects={"b": {"car": 3.0}})
    looked = looked_at(Measure("scheme", MEASURE, ("a",)), ("b",), MEASURE + dt.timedelta(days=56))
    answers = [
        judged(as_counts(frame, timezone=looked.timezone), looked, Question("car"), lines={}) for frame in (calm, wild)
    ]
    assert answers[0] == answers[1]


def test_a_street_that_is_not_counted_any_more_is_no_control() -> None:
    frame = town(3, ("a", "b", "c"), before=112, after=0)
    without = frame[(frame["segment"] != "b") | (frame["start"] < frame["start"].max() - np.timedelta64(9, "D"))]
    looked = looked_at(Measure("scheme", MEASURE, ("a",)), ("b", "c"), MEASURE)
    _, others = judged(as_counts(without, timezone=looked.timezone), looked, Question("car"), lines={})
    obstacles = {street.segment: street.obstacle for street in others}
    assert obstacles["b"] == "silent"
    assert obstacles["c"] != "silent"


def test_distances_are_those_between_the_nearest_points() -> None:
    assert distance_m(LINE, NEAR) == pytest.approx(14, abs=3)
    assert distance_m(LINE, FAR) == pytest.approx(1334, abs=20)


def test_more_weeks_and_more_streets_show_smaller_changes() -> None:
    (cars,) = outlooks({"car": 900.0}, treated=1, controls=3)
    assert list(cars.smallest) == sorted(cars.smallest, reverse=True)
    by_controls = [smallest for _, smallest in cars.by_controls]
    assert by_controls == sorted(by_controls, reverse=True)
    (quiet,) = outlooks({"car": 9.0}, treated=1, controls=3)
    assert quiet.smallest[-1] > cars.smallest[-1]
