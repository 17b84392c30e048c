from __future__ import annotations

import pandas as pd
import pytest
from tests.analytics.streets import town

from telstraat_analytics import as_counts
from telstraat_analytics.errors import FrameError
from telstraat_analytics.frames import frame_hash


def rows(**columns: object) -> pd.DataFrame:
    base = {
        "segment": ["a", "a"],
        "start": pd.to_datetime(["2025-01-01T10:00Z", "2025-01-01T11:00Z"]),
        "car": [10.0, 20.0],
    }
    return pd.DataFrame(base | columns)


def test_corrected_counts_become_raw_and_raw_ones_stay() -> None:
    frame = rows(uptime=[0.5, 1.0])
    assert as_counts(frame, "corrected")["car"].tolist() == [5.0, 20.0]
    assert as_counts(frame, "raw")["car"].tolist() == [10.0, 20.0]


def test_quarters_become_hours_with_the_mean_uptime() -> None:
    start = pd.to_datetime([f"2025-01-01T10:{minute:02d}Z" for minute in (0, 15, 30)])
    frame = pd.DataFrame({"segment": "a", "start": start, "uptime": [1.0, 1.0, 0.5], "car": [4.0, 4.0, 2.0]})
    hour = as_counts(frame, "raw").iloc[0]
    assert (hour["car"], hour["uptime"]) == (10.0, 0.625)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (rows().drop(columns="segment"), "lacks segment"),
        (rows().drop(columns="car"), "none of pedestrian"),
        (rows(car=[-1.0, 2.0]), "never negative"),
        (rows(uptime=[1.2, 1.0]), "a share"),
        (rows(start=pd.to_datetime(["2025-01-01T10:00", "2025-01-01T11:00"])), "no time zone"),
        (rows(start=pd.to_datetime(["2025-01-01T10:00Z"] * 2)), "there twice"),
        (rows().iloc[:0], "no rows"),
    ],
)
def test_what_is_wrong_with_a_frame_is_said(frame: pd.DataFrame, says: str) -> None:
    with pytest.raises(FrameError, match=says):
        as_counts(frame)


def test_the_hash_does_not_hang_on_the_order_of_rows() -> None:
    frame = as_counts(town(1, ("a", "b"), before=7, after=7))
    assert frame_hash(frame) == frame_hash(frame.sample(frac=1.0, random_state=1))


def in_parts(frame: pd.DataFrame, parts: int) -> pd.DataFrame:
    """Return the same counts in quarters or half hours."""
    out = frame.loc[frame.index.repeat(parts)].reset_index(drop=True)
    minutes = [60 // parts * part for part in range(parts)] * len(frame)
    out["start"] += pd.to_timedelta(minutes, unit="min")
    return out.assign(car=out["car"] / parts)


@pytest.mark.parametrize("parts", [2, 4])
@pytest.mark.parametrize("later_only", [True, False])
def test_the_step_belongs_to_a_stretch_of_a_street_and_not_to_the_frame(parts: int, later_only: bool) -> None:
    whole = town(5, ("a", "b"), before=14, after=14)[["segment", "start", "car"]]
    cut = whole["start"] >= whole["start"].min() + pd.Timedelta(days=14)
    chosen = (whole["segment"] == "a") & (cut if later_only else True)
    mixed = pd.concat([whole[~chosen], in_parts(whole[chosen], parts)]).sample(frac=1, random_state=1)
    hours = as_counts(mixed)
    assert hours["car"].tolist() == pytest.approx(as_counts(whole)["car"].tolist())
    assert set(hours.loc[hours["segment"] == "b", "step_s"]) == {3600}
    assert 3600 // parts in set(hours.loc[hours["segment"] == "a", "step_s"])


def test_quarters_of_a_half_hour_zone_fill_its_own_hours() -> None:
    start = pd.date_range("2025-06-30T18:30Z", periods=96, freq="15min")  # midnight in Kolkata
    frame = pd.DataFrame({"segment": "a", "start": start, "car": 1.0})
    hours = as_counts(frame, timezone="Asia/Kolkata")
    assert hours["car"].tolist() == [4.0] * 24
    assert set(hours["start"].dt.minute) == {30}


def test_an_hour_that_was_given_goes_before_its_quarters() -> None:
    hour = pd.DataFrame(
        {"segment": "a", "start": pd.to_datetime(["2025-01-01T10:00Z"]), "car": [21.0], "period_s": 3600}
    )
    both = pd.concat([hour, in_parts(hour.assign(car=20.0), 4).assign(period_s=900)])
    assert as_counts(both)["car"].tolist() == [21.0]
