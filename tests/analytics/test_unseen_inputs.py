"""Counts of people we never met: other names, gaps, silent streets, few controls or none. An answer or a reason, always."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bench.evaluation.ours import Answer, effect_of
from tests.analytics.streets import MEASURE, ZONE, town

from telstraat_analytics import Evaluation, Measure, Question, evaluate
from telstraat_store import read_counts

HOURS = tuple(range(8, 19))


def answer(frame: pd.DataFrame, *controls: str, what: str = "car") -> Evaluation:
    measure = Measure("m", MEASURE, ("a",), controls, timezone=ZONE, before_days=28, after_days=28)
    return evaluate(frame, measure, Question(what, hours=HOURS))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return town(91, ("a", "b", "c"), before=42, after=28)


def test_other_names_of_columns_and_uptime_in_percent_are_understood(tmp_path: Path, frame: pd.DataFrame) -> None:
    street = frame[frame["segment"] == "a"]
    other = street.rename(
        columns={"start": "Timestamp", "car": "Cars", "bike": "Bicycles", "pedestrian": "Pedestrians"}
    )
    other.assign(uptime=100.0).drop(columns="segment").to_csv(tmp_path / "a.csv", index=False)
    read = read_counts([tmp_path / "a.csv"], ZONE)
    assert set(read["segment"]) == {"a"}
    assert set(read["uptime"]) == {1.0}
    assert read["car"].sum() == street["car"].sum()


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
    result = answer(silent, "b")
    assert result.effect is None
    assert "nothing was counted" in result.refused[0]


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


def effect_in(frame: object, **how: object) -> Answer:
    known: dict[str, object] = {"controls": ["b", "c"], "timezone": ZONE, "hours": HOURS, "before_days": 28}
    return effect_of(frame, "a", MEASURE, **(known | how))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda frame: frame.drop(columns="segment"), "lacks a column of streets"),
        (lambda frame: frame.drop(columns="start"), "lacks a column of starts"),
        (lambda frame: frame[["segment", "start", "uptime"]], "lacks a class"),
        (lambda frame: frame[["segment", "start", "bike"]], "no car"),
        (lambda frame: frame[frame["segment"] != "a"], "no street 'a'"),
        (lambda frame: pd.concat([frame, frame[["car"]]], axis=1), "columns of different names"),
        (lambda frame: pd.concat([frame, frame.head(1).assign(car=7.5)]), "is there twice"),
        (lambda frame: frame.assign(start="soon"), "cannot be read"),
        (lambda frame: frame.to_numpy(), "is a ndarray"),
    ],
)
def test_what_is_no_frame_of_counts_is_refused_with_what_it_lacks(
    frame: pd.DataFrame, broken: Callable[[pd.DataFrame], object], message: str
) -> None:
    result = effect_in(broken(frame))
    assert result.effect is None
    assert message in result.refused[0]


def test_a_date_that_is_none_is_refused_and_one_in_words_is_read(frame: pd.DataFrame) -> None:
    effect = effect_of(frame, "a", "soon", timezone=ZONE)  # type: ignore[arg-type]
    assert "write a day" in effect.refused[0]
    written = effect_of(frame, "a", str(MEASURE), timezone=ZONE, before_days=28)  # type: ignore[arg-type]
    assert written == effect_of(frame, "a", MEASURE, timezone=ZONE, before_days=28)


@pytest.fixture(scope="module")
def plain(frame: pd.DataFrame) -> Answer:
    return effect_in(frame)


@pytest.mark.parametrize(
    "same",
    [
        lambda frame: frame.sample(frac=1, random_state=1)[["heavy", "car", "start", "uptime", "segment"]],
        lambda frame: frame.assign(start=frame["start"].dt.tz_convert(ZONE).astype(str), car=frame["car"].astype(str)),
        lambda frame: frame.assign(car=frame["car"].astype(int), uptime=100),
        lambda frame: pd.concat([frame, frame.head(50)]),
    ],
    ids=["order", "text", "integers", "copies"],
)
def test_the_same_counts_in_another_form_give_the_same_answer(
    frame: pd.DataFrame, plain: Answer, same: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    whole = frame.round({"car": 0})
    assert effect_in(same(whole)) == effect_in(whole)
    assert plain.effect is not None


def test_streets_called_by_numbers_are_found(frame: pd.DataFrame, plain: Answer) -> None:
    numbered = frame.assign(segment=frame["segment"].map({"a": 9000001.0, "b": 2.0, "c": 3.0}))
    effect = effect_of(numbered, "9000001", MEASURE, controls=["2", "3"], timezone=ZONE, hours=HOURS, before_days=28)
    assert effect == plain


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Australia/Adelaide", "America/St_Johns", "Asia/Kathmandu"])
def test_hours_of_zones_half_an_hour_off_are_no_quarters(frame: pd.DataFrame, zone: str) -> None:
    bare = frame["start"].dt.tz_convert(ZONE).dt.tz_localize(None)
    there = frame.assign(start=bare.dt.tz_localize(zone).dt.tz_convert("UTC"))
    result = effect_in(there, timezone=zone)
    assert result.low is not None
    assert result.high is not None
    assert np.isfinite([result.low, result.high]).all()


def test_quarters_are_hours_and_a_quarter_that_is_missing_makes_no_quiet_hour(
    frame: pd.DataFrame, plain: Answer
) -> None:
    quarters = frame.loc[frame.index.repeat(4)].reset_index(drop=True)
    quarters["start"] += pd.to_timedelta(np.tile([0, 15, 30, 45], len(frame)), unit="min")
    quarters["car"] /= 4
    whole = effect_in(quarters)
    assert whole.effect == pytest.approx(plain.effect)
    first = (quarters["start"].dt.minute == 0) & (quarters["start"] >= pd.Timestamp(MEASURE, tz=ZONE))
    hour = quarters["start"].dt.tz_convert(ZONE).dt.hour == HOURS[0]
    quarters.loc[first & hour, "car"] = np.nan
    holed = effect_in(quarters, hours=())
    assert holed.effect == pytest.approx(effect_in(frame, hours=()).effect, abs=0.02)
