"""Streets as Telraam's clients read them, and how they ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
from tests.api.conftest import NOON
from tests.api.streets import QUARTER, add_reports, add_segment, add_sensor

HOUR = timedelta(hours=1)
MARCH_2 = {"time_start": "2026-03-02 10:00:00Z", "time_end": "2026-03-02 15:00:00Z"}
REPORT_STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def speeds(**bins: int) -> list[int]:
    histogram = [0] * 25
    for name, cars in bins.items():
        histogram[int(name.removeprefix("from_")) // 5] = cars
    return histogram


def a_street(connection: psycopg.Connection) -> int:
    """11 h: whole. 12 h: three of four quarters. 13 h: alive but blind. 14 h: nothing came."""
    segment = add_segment(connection)
    sensor = add_sensor(connection, "linden-12", segment)
    whole = [
        {
            "sensor_id": sensor, "period_start": NOON + n * QUARTER, "observed_s": (900, 899, 900, 899)[n],
            "car_lft": 5, "car_rgt": 1, "bike_lft": 2, "motorcycle_lft": 1, "heavy_rgt": 1, "pedestrian_lft": 3,
            "car_speed": speeds(from_25=2, from_30=3, from_45=1),
        }
        for n in range(4)
    ]  # fmt: skip
    partly = [{"sensor_id": sensor, "period_start": NOON + HOUR + n * QUARTER, "car_lft": 1} for n in range(3)]
    blind = [{"sensor_id": sensor, "period_start": NOON + 2 * HOUR + n * QUARTER, "observed_s": 0} for n in range(4)]
    dark = [{"sensor_id": sensor, "period_start": NOON + 9 * HOUR, "night_lft": 7, "light": "n"}]
    add_reports(connection, [*whole, *partly, *blind, *dark])
    return segment


def a_street_of_two_sensors(connection: psycopg.Connection) -> int:
    """A street with two sensors, one of which has moved away, reporting until now."""
    segment = add_segment(connection, "Kerkplein", [[4.7032, 50.8786], [4.7039, 50.8793]], timezone="Europe/Amsterdam")
    gone = add_sensor(connection, "gone", segment, until_at=NOON + HOUR, online=False)
    stays = add_sensor(connection, "stays", segment)
    add_reports(connection, [{"sensor_id": gone, "period_start": NOON, "observed_s": 300, "car_lft": 4}])
    recent = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - HOUR
    rows = [{"sensor_id": stays, "period_start": recent + n * QUARTER, "car_rgt": 2} for n in range(4)]
    add_reports(connection, [{"sensor_id": stays, "period_start": NOON, "observed_s": 900, "car_lft": 6}, *rows])
    return segment


def ask(client: httpx.Client, path: str, **body: Any) -> Any:
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def report(client: httpx.Client, segment: int, **more: Any) -> list[dict[str, Any]]:
    body = {"level": "segments", "format": "per-hour", "id": str(segment), **MARCH_2, **more}
    answer = ask(client, "/v1/reports/traffic", **body)
    assert (answer["status_code"], answer["message"]) == (200, "ok")
    rows: list[dict[str, Any]] = answer["report"]
    return rows
