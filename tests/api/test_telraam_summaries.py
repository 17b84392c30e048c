"""The advanced reports that add up, on two Mondays counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from tests.api.streets import QUARTER, add_reports, add_segment, add_sensor

HOUR = timedelta(hours=1)


def last_monday() -> datetime:
    """Noon UTC of the last Monday but one: its month and weekday are complete enough for every report."""
    now = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return now - timedelta(days=now.weekday() + 7)


@pytest.fixture(scope="module")
def street(module_connection: psycopg.Connection) -> int:
    """Two Mondays at noon UTC: 10 and 30 cars, the second hour only half observed; and a dark hour."""
    segment = add_segment(module_connection, timezone="UTC")
    sensor = add_sensor(module_connection, "linden-12", segment)
    speeds = [0] * 25
    speeds[6] = 10
    monday = last_monday()
    add_reports(
        module_connection,
        [
            *({"sensor_id": sensor, "period_start": monday - timedelta(days=7) + n * QUARTER,
               "car_lft": 10 if n == 0 else 0, "motorcycle_lft": int(n == 1), "bike_lft": int(n == 1),
               "car_speed": speeds if n == 0 else None} for n in range(4)),
            *({"sensor_id": sensor, "period_start": monday + n * QUARTER, "observed_s": 450, "car_lft": 15 * (n == 0)}
              for n in range(4)),
            *({"sensor_id": sensor, "period_start": monday + 8 * HOUR + n * QUARTER, "night_lft": 2, "light": "n"}
              for n in range(4)),
        ],
    )  # fmt: skip
    return segment


def ask(client: httpx.Client, name: str, **body: Any) -> Any:
    answer = client.post(f"/advanced/reports/{name}", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["message"] == "ok"
    return answer.json()["report"]


def test_a_summary_tells_what_its_sums_rest_on(module_client: httpx.Client, street: int) -> None:
    monday = last_monday()
    window = {
        "time_start": (monday - timedelta(days=8)).isoformat(),
        "time_end": (monday + timedelta(days=2)).isoformat(),
    }
    [row] = ask(module_client, "traffic_summary", level="segments", id=[street], **window)
    assert (row["segment_id"], row["sum_car"], row["sum_bike"]) == (street, 40.0, 1.0)
    assert (row["sum_mode_motorcycle"], row["sum_mode_bicycle"], row["sum_mode_bus"]) == (1.0, 0.0, None)
    assert (row["samplesize"], row["samplesize_night"]) == (3, 1)
    assert row["uptime"] == pytest.approx((1 + 0.5 + 1) / 3)
    assert row["coverage"] == pytest.approx(3 / 240)
    assert row["v85"] == 34.0
    assert ask(module_client, "traffic_summary", id=[9], **window) == []


def test_speeds_are_told_by_local_hour(module_client: httpx.Client, street: int) -> None:
    monday = last_monday()
    window = {
        "time_start": (monday - timedelta(days=8)).isoformat(),
        "time_end": (monday + timedelta(days=2)).isoformat(),
    }
    rows = ask(module_client, "hourly_speeds", level="segments", id=street, **window)
    assert [(row["time"], row["v85"]) for row in rows] == [("12:00", 34.0), ("20:00", None)]
    assert sum(rows[0]["sum_car_speed_hist_0to120plus"]) == 10


def test_typical_traffic_is_weighted_by_uptime(module_client: httpx.Client, street: int) -> None:
    rows = ask(module_client, "typical_traffic", level="segments", id=street, duration="month")
    noon = {row["day_of_week"]: row for row in rows if row["time"] == "12:00:00"}
    assert set(noon) == {"mon", "wday"}
    row = noon["mon"]
    assert (row["samplesize"], row["interval"], row["duration"], row["flag"]) == (2, "hour", "month", "obs")
    assert row["avg_car"] == pytest.approx((10 * 1 + 30 * 0.5) / 1.5)
    assert row["std_car"] == pytest.approx((((10 - 50 / 3) ** 2 + 0.5 * (30 - 50 / 3) ** 2) / 1.5) ** 0.5)
    assert (row["avg_heavy"], row["avg_v85"]) == (None, 34.0)


@pytest.mark.parametrize("name", ["typical_traffic_snapshot_live", "typical_traffic_snapshot_quarterly_live"])
def test_a_typical_snapshot_has_every_segment(module_client: httpx.Client, street: int, name: str) -> None:
    answer = module_client.get(f"/advanced/reports/{name}").json()
    assert [feature["properties"]["segment_id"] for feature in answer["features"]] == [street]


def test_a_month_is_told_against_the_one_before(module_client: httpx.Client, street: int) -> None:
    monday = last_monday()
    answer = ask(module_client, "monthly_report", level="segments", id=street, month=monday.strftime("%Y-%m"))
    day = monday.day - 1
    assert answer["quality_chart"][day][12] == 2
    assert answer["quality_chart"][day][20] == -3
    assert answer["car_daily_totals"][day] == 30.0
    past = answer["car_past_month"]  # null, unless the week began in the month before: nobody watched then
    assert answer["car_this_month"] + (past or 0) == 40.0
    assert answer["car_change_abs"] == (None if past is None else answer["car_this_month"] - past)
    assert len(answer["car_hourly_avg_this_month"]) == 24
    assert sum(answer["modal_share_heavy_car_bike_pedestrian_this_month"]) == pytest.approx(100)


@pytest.mark.parametrize("month", ["2026", "2026-13", "soon", None])
def test_a_month_that_is_none_is_400(module_client: httpx.Client, street: int, month: object) -> None:
    body = {"level": "segments", "id": street, "month": month}
    assert module_client.post("/advanced/reports/monthly_report", json=body).status_code == 400
