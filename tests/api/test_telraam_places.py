"""Golden answers of the Telraam-compatible part beside its reports: places, instances, snapshots, old surfaces, ways to ask."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

import httpx
import psycopg
import pytest
from tests.api.telraam_streets import (
    MARCH_2,
    REPORT_STAMP,
    a_street,
    a_street_of_two_sensors,
    ask,
)


@pytest.fixture(scope="module")
def street(module_connection: psycopg.Connection) -> int:
    return a_street(module_connection)


@pytest.fixture(scope="module")
def neighbour(module_connection: psycopg.Connection, street: int) -> int:
    return a_street_of_two_sensors(module_connection)


@pytest.mark.parametrize("path", ["/v1", "/v1/"])
def test_the_welcome_has_msg_and_no_message(module_client: httpx.Client, path: str) -> None:
    answer = module_client.get(path, headers={"x-api-key": "anything"})
    assert answer.status_code == 200
    assert set(answer.json()) == {"msg", "env"}


def test_segments_carry_one_line_each_and_their_number(
    module_client: httpx.Client, street: int, neighbour: int
) -> None:
    answer = module_client.get("/v1/segments").json()
    assert (answer["status_code"], answer["message"], answer["type"]) == (200, "ok", "FeatureCollection")
    assert [feature["properties"] for feature in answer["features"]] == [
        {"segment_id": street},
        {"segment_id": neighbour},
    ]
    assert answer["features"][0]["geometry"]["type"] == "MultiLineString"
    assert len(answer["features"][0]["geometry"]["coordinates"]) == 1
    for path in ("/v1/segments/active_minimal", "/v1/segments/active", "/v0/segments/active"):
        assert module_client.get(path).json()["features"][0]["properties"] == {"id": street}


def test_the_legacy_list_is_in_belgian_lambert_and_transforms_back(module_client: httpx.Client, street: int) -> None:
    from pyproj import Transformer

    feature = module_client.get("/v1/segments/all").json()["features"][0]
    assert feature["properties"] == {"oidn": street}
    x, y = feature["geometry"]["coordinates"][0][0]
    assert Transformer.from_crs(31370, 4326, always_xy=True).transform(x, y) == pytest.approx(
        (4.7005, 50.8779), abs=1e-6
    )


@pytest.mark.parametrize(
    ("area", "results"),
    [
        ({"area": "full"}, [0, 1]),
        ({"area": "4.7019,50.8781,0.05"}, [0]),
        ({"area": "4.7036,50.8790,0.05"}, [1]),
        ({"area": "4.7030,50.8780,4.7045,50.8800"}, [0, 1]),
        ({"area": "4.7045,50.8790,4.7035,50.8800"}, [1]),  # corners in any order
        ({"polygon": {"type": "Polygon", "coordinates": [[[4.70, 50.877], [4.7015, 50.877], [4.7, 50.879]]]}}, [0]),
        ({"polygon": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}}, []),
    ],
)
def test_segments_are_found_in_circles_boxes_and_polygons(
    module_client: httpx.Client, street: int, neighbour: int, area: dict[str, Any], results: list[int]
) -> None:
    features = ask(module_client, "/v1/segments/area", **area)["features"]
    assert [feature["properties"]["segment_id"] for feature in features] == [(street, neighbour)[n] for n in results]


@pytest.mark.parametrize("area", ["x", "1,2", "1,2,3,4,5", "nan,1,2", "400,100,1"])
def test_an_area_that_is_none_is_400(module_client: httpx.Client, area: str) -> None:
    assert module_client.post("/v1/segments/area", json={"area": area}).status_code == 400


def test_one_segment_tells_its_instances_by_number(module_client: httpx.Client, street: int) -> None:
    [feature] = module_client.get(f"/v1/segments/id/{street}").json()["features"]
    properties = feature["properties"]
    assert list(properties) == ["oidn", "first_data_package", "last_data_package", "timezone", "instance_ids"]
    assert re.fullmatch(REPORT_STAMP, properties["first_data_package"])
    [(number, instance)] = properties["instance_ids"].items()
    assert number.isdigit()
    assert not {"instance_id", "segment_id"} & set(instance)
    assert instance["time_added"] == "2020-01-01T00:00:00+00:00"
    assert len(feature["geometry"]["coordinates"][0]) >= 2


INSTANCE_KEYS = [
    "instance_id",
    "mac",
    "user_id",
    "segment_id",
    "direction",
    "status",
    "manual",
    "time_added",
    "time_end",
    "last_data_package",
    "first_data_package",
    "pedestrians_left",
    "pedestrians_right",
    "bikes_left",
    "bikes_right",
    "cars_left",
    "cars_right",
    "is_calibration_done",
    "hardware_version",
    "status_detailed",
    "private",
]


def test_instances_have_every_field_and_say_nothing_of_their_owner(
    module_client: httpx.Client, street: int, neighbour: int
) -> None:
    answer = module_client.get("/v1/cameras").json()
    assert answer["message"] == "ok"
    assert module_client.get("/v1/instances").json() == answer
    assert all(list(camera) == INSTANCE_KEYS for camera in answer["cameras"])
    assert {camera["user_id"] for camera in answer["cameras"]} == {0}
    assert all(re.fullmatch(REPORT_STAMP, camera[name]) for camera in answer["cameras"]
               for name in ("time_added", "first_data_package", "last_data_package"))  # fmt: skip
    statuses = {camera["segment_id"]: camera["status"] for camera in answer["cameras"]}
    assert statuses[street] == "active"
    assert [camera["status"] for camera in answer["cameras"] if camera["time_end"]] == ["stopped"]
    assert all(len(str(camera["mac"])) == 15 for camera in answer["cameras"])


def test_an_instance_is_found_by_its_number_its_segment_and_its_device(
    module_client: httpx.Client, street: int
) -> None:
    [camera] = module_client.get(f"/v1/cameras/segment/{street}").json()["camera"]
    number, mac = camera["instance_id"], camera["mac"]
    for path in (f"/v1/instances/id/{number}", f"/v1/instances/segment/{street}", f"/v1/instances/mac/{mac}",
                 f"/v1/cameras/{mac}", f"/advanced/instances/id/{number}"):  # fmt: skip
        assert module_client.get(path).json()["camera"] == [camera]
    assert module_client.get("/v1/instances/id/99999999999").status_code == 404


def test_a_snapshot_shows_one_hour_rounded_in_its_own_words(
    module_client: httpx.Client, street: int, neighbour: int
) -> None:
    requests = {"time": "2026-03-02 11:00:00Z", "contents": "full", "area": "full"}
    answer = ask(module_client, "/v1/reports/traffic_snapshot", **requests)
    properties = answer["features"][0]["properties"]
    assert list(properties) == [
        "segment_id",
        "timezone",
        "date",
        "period",
        "uptime",
        "heavy",
        "car",
        "bike",
        "pedestrian",
        "night",
        "v85",
    ]
    assert (properties["date"], properties["period"], properties["car"]) == (
        "2026-03-02 11:00:00+00:00",
        "hourly",
        24.0,
    )
    minimal = ask(module_client, "/v1/reports/traffic_snapshot", **{**requests, "contents": "minimal"})
    assert "v85" not in minimal["features"][0]["properties"]
    inside = ask(module_client, "/v1/reports/traffic_snapshot", **{**requests, "area": "4.7036,50.8790,0.05"})
    assert [feature["properties"]["segment_id"] for feature in inside["features"]] == [neighbour]


def test_the_live_snapshot_leaves_what_is_missing_empty_and_keeps_every_key(
    module_client: httpx.Client, street: int, neighbour: int
) -> None:
    answer = module_client.get("/v1/reports/traffic_snapshot_live").json()
    keys = [
        "segment_id",
        "last_data_package",
        "timezone",
        "date",
        "period",
        "uptime",
        "heavy",
        "car",
        "bike",
        "pedestrian",
        "night",
        "v85",
    ]
    by_segment = {feature["properties"]["segment_id"]: feature["properties"] for feature in answer["features"]}
    assert all(list(properties) == keys for properties in by_segment.values())
    assert {by_segment[street][name] for name in keys[3:]} == {""}
    assert (by_segment[neighbour]["car"], by_segment[neighbour]["period"]) == (8.0, "hourly")
    assert ask(module_client, "/v1/reports/traffic_snapshot", time="live") == answer


def test_advanced_reports_give_quarters_of_several_ids_and_chosen_columns(
    module_client: httpx.Client, street: int, neighbour: int
) -> None:
    body = {"level": "segments", "format": "per-quarter", "id": f"{street},{neighbour}", **MARCH_2}
    rows = ask(module_client, "/advanced/reports/traffic", **body)["report"]
    assert {row["segment_id"] for row in rows} == {street, neighbour}
    assert {row["interval"] for row in rows} == {"quarterly"}
    columns = "segment_id,date,mode_bicycle_lft,mode_motorcycle_lft,mode_bus_lft,mode_stroller_rgt,period_duration"
    first = ask(module_client, "/advanced/reports/traffic", **body, columns=columns)["report"][0]
    assert first == {
        "segment_id": street, "date": "2026-03-02T11:00:00.000Z", "mode_bicycle_lft": 1.0, "mode_motorcycle_lft": 1.0,
        "mode_bus_lft": None, "mode_stroller_rgt": None, "period_duration": 900,
    }  # fmt: skip


def test_a_device_is_asked_for_by_its_serial_number(module_client: httpx.Client, street: int) -> None:
    mac = module_client.get(f"/v1/cameras/segment/{street}").json()["camera"][0]["mac"]
    body = {"level": "devices", "format": "per-hour", "id": str(mac), "columns": "device_id,car", **MARCH_2}
    rows = ask(module_client, "/advanced/reports/traffic", **body)["report"]
    assert rows[1] == {"device_id": mac, "car": 4.0}


def test_the_oldest_surface_answers_without_a_key_or_an_id(module_client: httpx.Client, street: int) -> None:
    body = {"format": "per-day", "level": "segments", "time_start": "2026-03-01", "time_end": "2026-03-03"}
    [row] = ask(module_client, f"/v0/reports/{street}", **body)["report"]
    assert (row["interval"], row["date"], row["car"]) == (
        "daily",
        "2026-03-02T00:00:00.000Z",
        pytest.approx(28, abs=0.1),
    )


def test_the_websites_chart_has_one_entry_a_local_day_and_every_key(module_client: httpx.Client, street: int) -> None:
    path = f"/api/measurements-day-barchart/segments/{street}"
    answer = module_client.get(f"{path}/2026-03-01/2026-03-03").json()
    assert answer["labels"] == answer["dates"] == ["2026-03-02"]
    hours = ask(module_client, "/v1/reports/traffic", level="segments", format="per-hour", id=street,
                time_start="2026-03-01T23:00:00Z", time_end="2026-03-02T23:00:00Z")["report"]  # fmt: skip
    for kind in ("car", "bike", "night"):
        assert answer["data"][kind] == [pytest.approx(sum(hour[kind] for hour in hours), abs=0.01)]
    assert answer["data"]["speedFourty"] == [4]
    assert {len(values) for values in answer["data"].values()} == {1}
    modes = [
        "bicycle",
        "bus",
        "car",
        "lighttruck",
        "motorcycle",
        "pedestrian",
        "stroller",
        "tractor",
        "trailer",
        "truck",
    ]
    speeds = [f"speed{name}" for name in ["Zero", "Ten", "Twenty", "Thirty", "Fourty", "Fifty", "Sixty", "Seventy"]]
    typical = [
        f"{kind}{what}" for kind in ("pedestrian", "bike", "car", "heavy") for what in ("", "Avg", "PctOfTypical")
    ]
    assert set(answer["data"]) == {"night", *(f"mode_{mode}" for mode in modes), *typical, *speeds,
                                 *(f"{name}Delta" for name in speeds)}  # fmt: skip
    assert module_client.get(f"{path}/2020-01-01/2020-01-01").json() == {"labels": [], "dates": [], "data": []}


def test_browsers_may_call_from_anywhere_and_answers_are_squeezed(module_client: httpx.Client, street: int) -> None:
    origin = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    allowed = module_client.options(
        "/v1/reports/traffic", headers={**origin, "Access-Control-Request-Headers": "x-api-key,content-type"}
    )
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "*"
    answer = module_client.post(
        "/v1/reports/traffic",
        json={"level": "segments", "id": street, **MARCH_2},
        headers={"Origin": "https://a.example"},
    )
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-encoding"] == "gzip"


def test_days_are_those_of_utc_and_the_sum_of_their_hours(module_client: httpx.Client, street: int) -> None:
    body = {"level": "segments", "id": street, "time_start": "2026-03-02", "time_end": "2026-03-03"}
    hours = ask(module_client, "/v1/reports/traffic", **body, format="per-hour")["report"]
    [day] = ask(module_client, "/v1/reports/traffic", **body, format="per-day")["report"]
    assert list(day) == list(hours[0])
    for name in ("car", "bike_lft", "night"):
        assert day[name] == pytest.approx(sum(hour[name] for hour in hours))
    assert day["uptime"] == pytest.approx(sum(hour["uptime"] for hour in hours) / 24)
    assert day["v85"] is not None


@pytest.mark.parametrize("form", ["a mark in front", "written out twice", "a form", "a number of R"])
def test_bodies_of_careless_programs_are_read_too(module_client: httpx.Client, street: int, form: str) -> None:
    body = {"level": "segments", "format": "per-hour", "id": street, **MARCH_2}
    content = {
        "a mark in front": b"\xef\xbb\xbf" + json.dumps(body).encode(),
        "written out twice": json.dumps(json.dumps(body)).encode(),
        "a form": urlencode(body).encode(),
        "a number of R": json.dumps({**body, "id": float(street)}).encode(),
    }[form]
    answer = module_client.post("/v1/reports/traffic", content=content)
    assert answer.status_code == 200, answer.text
    assert answer.json() == ask(module_client, "/v1/reports/traffic", **body)


@pytest.mark.parametrize("path", ["/v1", "/v1/segments/all", "/v1/cameras/", "/", "/healthz", "/api/v1/segments"])
def test_head_is_get_without_the_body(module_client: httpx.Client, street: int, path: str) -> None:
    head = module_client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == module_client.get(path).headers["content-type"]


def test_head_of_what_never_ends_is_refused(module_client: httpx.Client, street: int) -> None:
    assert module_client.head(f"/api/v1/segments/{street}/live").status_code == 405
    assert module_client.head("/api/v1/reports/file.csv?segments=all").status_code == 405
