"""What programs of Telraam's oldest surface send and read, and the answers around it: keys, columns, minimal snapshots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from tests.api.conftest import served
from tests.api.streets import QUARTER, add_reports, add_segment, add_sensor
from tests.api.test_access import bearing, let_in

from telstraat_api.settings import ApiSettings

HOUR = timedelta(hours=1)


@pytest.fixture
def street(connection: psycopg.Connection) -> int:
    """A street with three whole hours that have just passed: 4, 8 and 12 cars a quarter."""
    segment = add_segment(connection)
    sensor = add_sensor(connection, "old-1", segment)
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 3 * HOUR
    add_reports(connection, [
        {"sensor_id": sensor, "period_start": first + n * QUARTER, "seq": n + 1, "car_lft": 4 * (n // 4 + 1), "heavy_rgt": 1,
         "pedestrian_lft": 2, "bike_rgt": 3, "car_speed": [0] * 6 + [3] + [0] * 18, "received_at": first + n * QUARTER + QUARTER}
        for n in range(12)
    ])  # fmt: skip
    return segment


def body(**more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"time_start": f"{now - timedelta(days=1):%Y-%m-%d %H:%M:%SZ}",
            "time_end": f"{now:%Y-%m-%d %H:%M:%SZ}", **more}  # fmt: skip


def test_all_cameras_are_listed_and_one_is_found_by_its_serial_number(client: httpx.Client, street: int) -> None:
    cameras = client.get("/v0/cameras").json()["cameras"]
    assert [camera["segment_id"] for camera in cameras] == [street]
    by_mac = client.get(f"/v0/cameras/{cameras[0]['mac']}").json()
    assert by_mac["cameras"] == by_mac["camera"] == cameras
    assert client.get(f"/v0/cameras/segment/{street}").json()["cameras"] == cameras
    assert client.get("/v0/cameras/1").json()["message"] == "ok"


def test_one_segment_has_its_limit_and_the_counts_of_its_latest_hour(client: httpx.Client, street: int) -> None:
    [feature] = client.get(f"/v0/segments/id/{street}").json()["features"]
    properties = feature["properties"]
    assert len(feature["geometry"]["coordinates"][0][0]) == 2
    assert (properties["oidn"], properties["speed"]) == (street, 30)
    assert [properties[name] for name in ("pedestrian", "bike", "car", "lorry")] == [8, 12, 48, 4]
    assert properties["speed_histogram"] == [0, 0, 0, 100, 0, 0, 0, 0]
    assert properties["last_data_package"][:4].isdigit()
    assert client.get("/v0/segments/id/77").json()["message"]


def test_a_segment_without_counts_has_no_numbers_but_every_name(
    client: httpx.Client, connection: psycopg.Connection
) -> None:
    [feature] = client.get(f"/v0/segments/id/{add_segment(connection)}").json()["features"]
    assert feature["properties"]["car"] is None
    assert feature["properties"]["speed_histogram"] == [0] * 8


def test_all_segments_are_listed_as_then(client: httpx.Client, street: int) -> None:
    [feature] = client.get("/v0/segments/all").json()["features"]
    assert feature["properties"] == {"oidn": street}


def test_rows_have_the_names_of_then_and_windows_of_years_are_taken(client: httpx.Client, street: int) -> None:
    request = body(time_start="2024-06-01 00:00", level="segments", format="per-hour")
    rows = client.post(f"/v0/reports/{street}", json=request).json()["report"]
    assert [row["lorry"] for row in rows] == [4, 4, 4]
    assert rows[0]["pct_up"] == rows[0]["uptime"] == 1
    assert rows[0]["car_speed_bucket"] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert rows[0]["car_speed_histogram"] == rows[0]["car_speed_hist_0to70plus"]
    assert client.post("/v1/reports/traffic", json={**request, "id": street}).status_code == 400  # three months there


@pytest.mark.parametrize(
    ("level", "name"), [("segments", "segment_id"), ("instances", "instance_id"), ("devices", "device_id")]
)
def test_chosen_columns_keep_whose_they_are(client: httpx.Client, street: int, level: str, name: str) -> None:
    camera = client.get("/v1/cameras").json()["cameras"][0]
    number = {"segments": street, "instances": camera["instance_id"], "devices": camera["mac"]}[level]
    rows = client.post("/advanced/reports/traffic", json=body(level=level, id=number, columns="v85")).json()["report"]
    assert [list(row) for row in rows] == [[name, "v85"]] * 3
    assert {row[name] for row in rows} == {number}
    request = body(level=level, id=number, columns=f"v85,{name}")
    assert list(client.post("/advanced/reports/traffic", json=request).json()["report"][0]) == ["v85", name]


@pytest.mark.parametrize("time", ["live", None])
def test_a_minimal_live_snapshot_has_no_v85(client: httpx.Client, street: int, time: str | None) -> None:
    requests = {} if time is None else {"time": time}
    path = "/v1/reports/traffic_snapshot"
    [full] = client.post(path, json=requests).json()["features"]
    [minimal] = client.post(path, json={**requests, "contents": "minimal"}).json()["features"]
    assert full["properties"]["segment_id"] == street
    assert set(full["properties"]) - set(minimal["properties"]) == {"v85"}
    assert client.post(path, json={**requests, "contents": "some"}).status_code == 400


@pytest.mark.parametrize("path", ["/v1", "/v1/cameras", "/v1/segments", "/advanced", "/v0/cameras"])
def test_a_wrong_key_is_forbidden_in_the_words_of_the_service(
    client: httpx.Client, connection: psycopg.Connection, path: str
) -> None:
    for headers in ({"X-Api-Key": "tst_wrong"}, {"Authorization": "Bearer tst_wrong"}):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})
    assert client.get(path).status_code == 200
    assert client.get(path, headers={"X-Api-Key": "a-key-of-another-platform"}).status_code == 200
    assert client.get(path, headers=bearing(let_in(connection, "citizen"))).status_code == 200


def test_the_public_is_not_told_a_latest_hour_that_was_not_watched_whole(
    database: str, connection: psycopg.Connection, street: int
) -> None:
    connection.execute(
        "delete from report where period_start = (select max(period_start) from report)"
    )  # three quarters of the latest hour are left
    professional = bearing(let_in(connection, "professional"))
    with served(ApiSettings(dsn=database, keep_s=0)) as address:
        cars = [
            httpx.get(f"{address}/v0/segments/id/{street}", headers=headers, timeout=60).json()["features"][0][
                "properties"
            ]["car"]
            for headers in ({}, professional)
        ]
    assert cars == [32, 48], "the hour before, watched whole; and three quarters of the latest, corrected"
