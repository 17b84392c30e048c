"""The answers of our own API: streets, sensors, health, errors, headers and what OpenAPI says of them."""

from __future__ import annotations

import httpx
import psycopg
import pytest
from tests.api.conftest import served
from tests.api.streets import add_segment, add_sensor

from telstraat_api.settings import ApiSettings

ZOMBIE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
def client(module_client: httpx.Client) -> httpx.Client:
    return module_client


@pytest.fixture
def connection(module_connection: psycopg.Connection) -> psycopg.Connection:
    return module_connection


def test_segments_are_geojson_and_go_on_at_next(client: httpx.Client, connection: psycopg.Connection) -> None:
    ids = [add_segment(connection, name) for name in ("A", "B", "C")]
    first = client.get("/api/v1/segments", params={"limit": 2, "after": ids[0] - 1})
    assert first.headers["content-type"] == "application/geo+json"
    rest = client.get(first.json()["next"]).json()
    features = first.json()["features"] + rest["features"]
    assert [feature["id"] for feature in features] == ids
    assert features[0]["geometry"]["type"] == "LineString"
    assert rest["next"] is None


def test_sensors_tell_their_street_and_nothing_of_the_home(
    client: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int
) -> None:
    other = add_sensor(connection, "linden-30", segment)
    first = client.get("/api/v1/sensors", params={"limit": 1}).json()
    rest = client.get(first["next"]).json()
    assert [row["sensor_id"] for row in first["sensors"] + rest["sensors"]] == [sensor, other]
    keys = {"sensor_id", "name", "segment_id", "since", "online", "heard_at", "retired", "links"}
    assert set(first["sensors"][0]) == keys
    assert first["sensors"][0]["name"] is None
    pages = [
        f"/api/v1/segments/{segment}/sensors",
        "/",
        f"/street/{segment}",
        "/v1/cameras",
        f"/v1/segments/id/{segment}",
    ]
    assert not [path for path in pages if "linden-" in client.get(path).text]


def test_an_answer_that_has_not_changed_is_not_sent_again(client: httpx.Client, segment: int) -> None:
    url = f"/api/v1/segments/{segment}"
    first = client.get(url)
    again = client.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/api/v1/segments/9", 404, "there is no segment 9"),
        ("/api/v1/segments/0", 422, "segment_id"),
        ("/api/v1/segments/99999999999999999999", 422, "segment_id"),
        ("/api/v1/segments/x", 422, "segment_id"),
        ("/api/v1/nothing", 404, "Not Found"),
        ("/api/v1/segments?limit=0", 422, "limit"),
    ],
)
def test_an_error_is_a_problem_document(client: httpx.Client, path: str, status: int, says: str) -> None:
    answer = client.get(path)
    text = answer.json()
    assert answer.status_code == text["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in text["detail"]
    assert text["instance"] == path.partition("?")[0]


def test_a_method_that_is_not_there_names_those_that_are(client: httpx.Client, segment: int) -> None:
    for path, methods in (("/api/v1/segments", "GET, POST"), (f"/api/v1/segments/{segment}", "GET, PATCH")):
        answer = client.delete(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"from": "yesterday"}, "from: String should match"),
        ({"to": "2026-13-01"}, "to='2026-13-01' is not a time"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "must lie before"),
        ({"bucket": "fortnight"}, "bucket"),
        ({"from": "1999-01-01"}, "outside of the years"),
        ({"from": "0001-01-01"}, "is not a time"),
    ],
)
def test_a_bad_window_is_told_with_its_value(
    client: httpx.Client, segment: int, query: dict[str, str], says: str
) -> None:
    answer = client.get(f"/api/v1/segments/{segment}/reports", params=query)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]


def test_health_tells_the_schema_and_the_newest_report(client: httpx.Client, segment: int) -> None:
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.json()["schema"].startswith("00")
    assert response.json()["newest_report"] is None


def test_without_a_database_the_service_says_so_and_stays() -> None:
    settings = ApiSettings(dsn=ZOMBIE, pool_wait_s=0.3)
    with served(settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        health = client.get("/healthz")
        streets = client.get("/api/v1/segments")
        page = client.get("/", headers={"accept": "text/html"})
    assert (health.status_code, health.json()["status"]) == (503, "failing")
    assert (streets.status_code, streets.json()["type"]) == (503, "/problems/database")
    assert page.status_code == 503
    assert "nobody" not in health.text + streets.text + page.text


def test_a_database_without_a_schema_is_told_what_to_run(empty_database: str) -> None:
    with served(ApiSettings(dsn=empty_database)) as address, httpx.Client(base_url=address, timeout=60) as client:
        for path in ("/healthz", "/api/v1/segments"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert "telstraat db migrate" in answer.text


@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", "/api/v1/segments", "/nothing", "/static/telstraat.css"])
def test_every_answer_is_hardened(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "server" not in headers


def test_every_operation_has_a_summary_and_an_example(client: httpx.Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    lacking = [
        f"{method} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if not operation.get("summary")
        or not any(
            "example" in body
            for status in ("200", "201")
            for body in operation["responses"].get(status, {}).get("content", {}).values()
        )
    ]
    assert lacking == []
