"""Golden answers of the Telraam-compatible part, row by row of what known clients need."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from tests.api.telraam_streets import (
    HOUR,
    MARCH_2,
    a_street,
    a_street_of_two_sensors,
    report,
)


@pytest.fixture(scope="module")
def street(module_connection: psycopg.Connection) -> int:
    return a_street(module_connection)


@pytest.fixture(scope="module")
def neighbour(module_connection: psycopg.Connection, street: int) -> int:
    return a_street_of_two_sensors(module_connection)


KEYS_IN_ORDER = [
    "instance_id",
    "segment_id",
    "date",
    "interval",
    "uptime",
    "heavy",
    "car",
    "bike",
    "pedestrian",
    "night",
    "heavy_lft",
    "heavy_rgt",
    "car_lft",
    "car_rgt",
    "bike_lft",
    "bike_rgt",
    "pedestrian_lft",
    "pedestrian_rgt",
    "night_lft",
    "night_rgt",
    "direction",
    "car_speed_hist_0to70plus",
    "car_speed_hist_0to120plus",
    "timezone",
    "v85",
]


def test_an_hour_has_every_key_in_the_order_that_clients_build_columns_from(
    module_client: httpx.Client, street: int
) -> None:
    assert list(report(module_client, street)[0]) == KEYS_IN_ORDER


def test_a_whole_hour_reads_as_it_was_counted(module_client: httpx.Client, street: int) -> None:
    row = report(module_client, street)[0]
    assert (row["instance_id"], row["segment_id"], row["direction"]) == (-1, street, 1)
    assert (row["date"], row["interval"], row["timezone"]) == ("2026-03-02T11:00:00.000Z", "hourly", "Europe/Brussels")
    assert row["uptime"] == round(3598 / 3600, 10)
    assert row["car_lft"] == round(5 + 5 * 900 / 899 + 5 + 5 * 900 / 899, 10)
    assert row["car"] == pytest.approx(row["car_lft"] + row["car_rgt"], abs=1e-6)
    assert (row["night"], row["night_lft"]) == (0.0, 0.0)  # numbers, or a Home Assistant integration falls over
    assert sum(row["car_speed_hist_0to120plus"]) == pytest.approx(100)
    assert row["car_speed_hist_0to70plus"] == pytest.approx([0, 0, 100 / 3, 50, 100 / 6, 0, 0, 0])
    assert row["v85"] == 45.5  # 20 of 24 cars went below 35, so 85 % is reached a tenth into 45-50


def test_an_hour_of_three_quarters_is_scaled_by_four_thirds(module_client: httpx.Client, street: int) -> None:
    row = report(module_client, street)[1]
    assert (row["car"], row["uptime"], row["v85"]) == (4.0, 0.75, None)
    assert row["car_speed_hist_0to70plus"] == [0] * 8


def test_a_blind_hour_is_a_row_of_zeros_and_an_absent_one_no_row(module_client: httpx.Client, street: int) -> None:
    rows = report(module_client, street)
    assert [row["date"][11:13] for row in rows] == ["11", "12", "13"]
    assert (rows[2]["uptime"], rows[2]["car"], rows[2]["night"], rows[2]["v85"]) == (0.0, 0.0, 0.0, None)


def test_what_passes_in_the_dark_is_night_only(module_client: httpx.Client, street: int) -> None:
    [row] = report(module_client, street, time_start="2026-03-02 20:00:00Z", time_end="2026-03-02 21:00:00Z")
    assert (row["night"], row["night_lft"], row["car"]) == (28.0, 28.0, 0.0)


def test_no_data_is_an_empty_report_and_so_is_an_unknown_segment(module_client: httpx.Client, street: int) -> None:
    assert report(module_client, street, time_start="2020-01-01", time_end="2020-01-02") == []
    assert report(module_client, 987654) == []


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-02 11:00:00Z", "2026-03-02 12:00:00Z", ["11"]),
        ("2026-03-02 11:00:00Z", "2026-03-02 11:15:00Z", ["11"]),  # the row's start counts
        ("2026-03-02 11:00:00.001Z", "2026-03-02 13:00:00Z", ["12"]),
        ("2026-03-02 11:00:00Z", "2026-03-02 11:00:00Z", []),
    ],
)
def test_the_window_is_half_open_by_the_start_of_the_rows(
    module_client: httpx.Client, street: int, start: str, end: str, hours: list[str]
) -> None:
    rows = report(module_client, street, time_start=start, time_end=end)
    assert [row["date"][11:13] for row in rows] == hours


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-02 11:00:00Z",
        "2026-03-02T11:00:00Z",
        "2026-03-02T11:00:00.000Z",
        "2026-03-02T12:00:00.000000+01:00",
        "2026-03-02T11:00:00.000000+00:00",
        "2026-03-02 11:00:00+00:00",
        "2026-03-02 11:00:00",
        "2026-03-02",
    ],
)
def test_a_time_is_read_however_it_is_written(module_client: httpx.Client, street: int, written: str) -> None:
    rows = report(module_client, street, time_start=written, time_end="2026-03-02 12:00:00Z")
    assert [row["date"] for row in rows] == ["2026-03-02T11:00:00.000Z"]


def test_a_python_literal_without_a_content_type_is_read_like_json(module_client: httpx.Client, street: int) -> None:
    body = {"level": "segments", "format": "per-hour", "id": street, **MARCH_2}
    for content in (str(body), json.dumps(body), "\r\n" + json.dumps(body, indent=2).replace("\n", "\r\n") + " \r\n"):
        answer = module_client.post("/v1/reports/traffic/", content=content.encode())  # with a slash, without redirect
        assert answer.status_code == 200
        assert len(answer.json()["report"]) == 3


def test_an_identifier_is_text_or_a_number(module_client: httpx.Client, street: int) -> None:
    assert report(module_client, street, id=street) == report(module_client, street, id=f" {street} ")


def test_an_instance_is_asked_for_in_singular_and_plural(module_client: httpx.Client, street: int) -> None:
    [instance] = module_client.get(f"/v1/instances/segment/{street}").json()["camera"]
    for level in ("instance", "instances"):
        rows = report(module_client, instance["instance_id"], level=level)
        assert (rows[0]["instance_id"], rows[0]["segment_id"]) == (instance["instance_id"], -1)
        assert rows[0]["direction"] >= 0
        assert len(rows) == 3


def test_two_instances_on_a_segment_are_averaged_by_uptime(module_client: httpx.Client, neighbour: int) -> None:
    [row] = report(module_client, neighbour, time_end="2026-03-02 12:00:00Z")
    gone, stays = 4 * 900 / 300 * 4, 6 * 4
    assert row["car_lft"] == round((gone * 300 + stays * 900) / 1200, 10)


def test_an_unfinished_hour_is_not_served(module_client: httpx.Client, neighbour: int) -> None:
    now = datetime.now(UTC)
    rows = report(
        module_client, neighbour, time_start=(now - timedelta(hours=6)).isoformat(), time_end=(now + HOUR).isoformat()
    )
    assert [row["car_rgt"] for row in rows] == [8.0]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"time_start": "soon"}, "time_start='soon'"),
        ({"id": "main street"}, "id='main street'"),
        ({"id": None}, "id=None"),
        ({"id": True}, "id=True"),
        ({"level": "towns"}, "level='towns'"),
        ({"format": "per-quarter"}, "format='per-quarter'"),  # advanced only
        ({"time_start": "2025-01-01", "time_end": "2026-01-01"}, "93 days"),
        ({"time_start": "2026-03-03", "time_end": "2026-03-02"}, "after"),
    ],
)
def test_a_field_that_cannot_be_used_is_400_with_a_message(
    module_client: httpx.Client, street: int, body: dict[str, Any], says: str
) -> None:
    answer = module_client.post("/v1/reports/traffic", json={"level": "segments", "id": street, **MARCH_2, **body})
    assert answer.status_code == answer.json()["status_code"] == 400
    assert says in answer.json()["message"]


@pytest.mark.parametrize(
    "content", [b"[1]", b"nonsense", b"{'a': __import__('os')}", b"(" * 5000, b"\xff\xfe", b"1e400"]
)
def test_a_body_that_cannot_be_read_is_400_and_never_runs(module_client: httpx.Client, content: bytes) -> None:
    answer = module_client.post("/v1/reports/traffic", content=content)
    assert answer.status_code == answer.json()["status_code"] == 400


def test_three_months_are_accepted(module_client: httpx.Client, street: int) -> None:
    assert len(report(module_client, street, time_start="2026-01-01", time_end="2026-04-03")) == 4


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nowhere", 404), ("DELETE", "/v1/cameras", 405), ("GET", "/v1/reports/traffic", 405),
     ("GET", "/advanced/nowhere", 404), ("GET", "/v1/segments/id/77", 404), ("GET", "/v1/segments/id/x", 400)],
)  # fmt: skip
def test_every_error_is_json_with_a_message(module_client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = module_client.request(method, path, headers={"accept": "text/html"})
    assert (answer.status_code, answer.json()["status_code"]) == (status, status)
    assert answer.json()["message"]
