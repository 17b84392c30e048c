from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from tests.analytics.streets import ZONE, town

from telstraat_analytics import Calendar, as_counts
from telstraat_analytics.describe import (
    compare_periods,
    compare_streets,
    modal_split,
    monthly_marks,
    rush_hours,
    school_run,
    speeding,
    through_traffic,
    typical_week,
)
from telstraat_analytics.report.description import description_content
from telstraat_analytics.values import quantile_kmh, share_above


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return as_counts(town(61, ("a",), before=70, after=35))


def test_the_typical_week_has_every_hour_that_was_seen(frame: pd.DataFrame) -> None:
    week = typical_week(frame, "a", ZONE)
    assert len(week) == 7 * 13
    assert week["car"].notna().all()


def test_the_split_adds_up_and_lies_in_its_interval(frame: pd.DataFrame) -> None:
    split = modal_split(frame, "a", ZONE)
    assert split["share"].sum() == pytest.approx(1.0)
    assert ((split["low"] <= split["share"]) & (split["share"] <= split["high"])).all()


def test_the_evening_peak_is_where_the_profile_has_it(frame: pd.DataFrame) -> None:
    assert abs(rush_hours(frame, "a", ZONE)["evening"].hour - 17) <= 1


def test_the_school_run_is_what_school_days_have_more(frame: pd.DataFrame) -> None:
    calendar = Calendar("BE", None, ((dt.date(2025, 8, 1), dt.date(2025, 8, 31)),))
    local = frame["start"].dt.tz_convert(ZONE)
    busy = frame.copy()
    busy.loc[(local.dt.hour == 8) & (local.dt.month >= 9), "car"] *= 2
    week = school_run(busy, "a", ZONE, calendar, hours=(8,))
    assert week["extra"] > 0.5


@pytest.mark.parametrize(
    ("school", "ends"),
    [((dt.date(2024, 7, 1), dt.date(2024, 8, 31)), True), ((dt.date(2025, 7, 1), dt.date(2025, 8, 31)), False)],
)
def test_a_table_of_holidays_that_has_ended_is_told(
    frame: pd.DataFrame, school: tuple[dt.date, dt.date], ends: bool
) -> None:
    answers = {
        "en": "holidays ends on",
        "nl": "schoolvakanties eindigt op",
        "fr": "s'arrête au",
        "de": "Schulferien endet am",
    }
    for language, phrase in answers.items():
        content = description_content(frame, ["a"], ZONE, language, calendar=Calendar("BE", school=(school,)))
        assert any(phrase in line for line in content.method) == ends


def test_two_periods_are_compared_with_what_is_not_comparable_said(frame: pd.DataFrame) -> None:
    first = (pd.Timestamp("2025-07-20"), pd.Timestamp("2025-08-16"))
    second = (pd.Timestamp("2025-09-01"), pd.Timestamp("2025-09-28"))
    comparison = compare_periods(frame, "a", ZONE, "car", first, second)
    assert comparison is not None
    assert any("school holidays" in str(warning) for warning in comparison.warnings)


def test_a_month_with_holes_earns_a_lower_mark(frame: pd.DataFrame) -> None:
    whole = monthly_marks(frame, "a", ZONE)
    holed = monthly_marks(frame[frame["start"].dt.day % 3 == 0], "a", ZONE)
    assert whole.loc["2025-08-01", "mark"] == "A"
    assert holed.loc["2025-08-01", "mark"] == "D"


def test_speeds_are_read_inside_their_bins() -> None:
    histogram = np.zeros(25)
    histogram[8] = 100  # 40 to 45
    assert quantile_kmh(histogram) == pytest.approx(44.25)
    assert share_above(histogram, 42.5) == pytest.approx(0.5)
    start = pd.date_range("2025-09-01T08:00Z", periods=4, freq="h")
    frame = pd.DataFrame(
        {"segment": "a", "start": start, "uptime": 1.0, "car": 100.0, "car_speed": [histogram.tolist()] * 4}
    )
    assert speeding(as_counts(frame, "raw"), "a", ZONE, 30).loc["all", "above"] == pytest.approx(1.0)


def test_traffic_that_passes_two_sensors_is_hinted_at_and_traffic_that_does_not_is_not() -> None:
    rng = np.random.default_rng(5)
    first = as_counts(town(62, ("a",), before=42, after=0))
    second = first.assign(segment="b")
    for frame in (first, second):
        frame["car_lft"], frame["car_rgt"] = (rng.poisson(60.0, len(frame)).astype(float) for _ in range(2))
    second["car_rgt"] = rng.poisson(30.0, len(second)) + rng.binomial(first["car_lft"].astype(int), 0.5)
    traffic = through_traffic(pd.concat([first, second]), "a", "b", ZONE)
    best = traffic[0]
    assert (best.first_side, best.second_side) == ("lft", "rgt")
    assert best.low < 0.5 < best.high
    assert [item.hint for item in traffic].count(True) == 1


def test_streets_are_compared_in_the_hours_that_all_saw_and_a_bad_sensor_is_told() -> None:
    frame = as_counts(town(63, ("a", "b"), before=70, after=0))
    rows = frame["segment"] == "b"
    noon = frame["start"].dt.tz_convert(ZONE).dt.hour < 12
    whole = compare_streets(frame, ["a", "b"], ZONE)
    assert whole is not None
    assert whole.warnings == ()
    comparison = compare_streets(
        frame[~(rows & ~noon)].assign(uptime=np.where(rows, 0.7, 1.0)[~(rows & ~noon)]), ["a", "b"], ZONE
    )
    assert comparison is not None
    assert comparison.hours == int((rows & noon).sum())
    assert "uptime" in {warning.key for warning in comparison.warnings}
    silent = frame.copy()
    late = rows & (frame["start"] > frame["start"].max() - pd.Timedelta(days=14))
    silent.loc[late, ["pedestrian", "bike", "car", "heavy"]] = 0.0
    comparison = compare_streets(silent, ["a", "b"], ZONE)
    assert comparison is not None
    assert any("counted nothing" in str(warning) for warning in comparison.warnings)
