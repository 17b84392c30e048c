"""Counts of people we never met: other names, gaps, silent streets, few controls or none. An answer or a reason, always."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.analytics.streets import MEASURE, ZONE, town

from telstraat_analytics import Evaluation, Measure, Question, evaluate, read_counts

HOURS = tuple(range(8, 19))


def answer(frame: pd.DataFrame, *controls: str, what: str = "car") -> Evaluation:
    measure = Measure("m", MEASURE, ("a",), controls, timezone=ZONE, before_days=28, after_days=28)
    return evaluate(frame, measure, Question(what, hours=HOURS))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return town(91, ("a", "b", "c"), before=42, after=28)


def test_other_names_of_columns_and_uptime_in_percent_are_understood(tmp_path: Path, frame: pd.DataFrame) -> None:
    one = frame[frame["segment"] == "a"]
    other = one.rename(columns={"start": "Timestamp", "car": "Cars", "bike": "Bicycles", "pedestrian": "Pedestrians"})
    other.assign(uptime=100.0).drop(columns="segment").to_csv(tmp_path / "a.csv", index=False)
    read = read_counts([tmp_path / "a.csv"], ZONE)
    assert set(read["segment"]) == {"a"}
    assert set(read["uptime"]) == {1.0}
    assert read["car"].sum() == one["car"].sum()


def test_an_empty_cell_is_a_gap_and_no_zero(tmp_path: Path, frame: pd.DataFrame) -> None:
    holes = frame.copy()
    rng = np.random.default_rng(3)
    holes.loc[rng.random(len(holes)) < 0.1, "car"] = np.nan
    holes.to_csv(tmp_path / "holes.csv", index=False)
    whole, holed = answer(frame, "b", "c").effect, answer(read_counts([tmp_path / "holes.csv"], ZONE), "b", "c").effect
    assert whole is not None
    assert holed is not None
    assert holed.observed == pytest.approx(whole.observed, rel=0.1), (
        "a tenth of empty cells is not a tenth less traffic"
    )


@pytest.mark.parametrize("controls", [(), ("b",), ("b", "unknown")])
def test_few_controls_or_none_widen_and_never_fail(frame: pd.DataFrame, controls: tuple[str, ...]) -> None:
    effect = answer(frame, *controls).effect
    assert effect is not None
    assert effect.low < effect.estimate < effect.high


def test_a_street_on_which_nothing_was_counted_is_refused(frame: pd.DataFrame) -> None:
    silent = frame.copy()
    silent.loc[silent["segment"] == "a", ["pedestrian", "bike", "car", "heavy"]] = 0.0
    found = answer(silent, "b")
    assert found.effect is None
    assert "nothing was counted" in found.refused[0]


def test_a_control_that_is_silent_is_left_aside(frame: pd.DataFrame) -> None:
    silent = frame.copy()
    silent.loc[silent["segment"] == "b", ["pedestrian", "bike", "car", "heavy"]] = 0.0
    effect = answer(silent, "b", "c").effect
    assert effect is not None
    assert np.isfinite([effect.low, effect.high]).all()


def test_a_street_with_a_single_week_before_is_refused_only_below_seven_days(frame: pd.DataFrame) -> None:
    date = pd.Timestamp(MEASURE, tz=ZONE)
    short = frame[(frame["segment"] != "a") | (frame["start"] >= date - pd.Timedelta(days=6))]
    assert "at least 7" in answer(short, "b").refused[0]
    enough = frame[(frame["segment"] != "a") | (frame["start"] >= date - pd.Timedelta(days=9))]
    effect = answer(enough, "b").effect
    assert effect is not None
    assert effect.high - effect.low > 0.1
