"""A single passer-by is not published: no quarter below the smallest number, not directly and not by subtraction."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from tests.api.conftest import NOON, served
from tests.api.streets import BRUSSELS, QUARTER, add_reports, add_segment, add_sensor
from tests.api.test_access import bearing, let_in

from telstraat_api.settings import ApiSettings
from telstraat_contract.road_users import COUNTED
from telstraat_store.counts.rollup import refresh_all

SMALLEST = 5
HOUR = timedelta(hours=1)


def test_the_usual_setting_is_the_safe_one() -> None:
    assert ApiSettings().quarter_min == SMALLEST


@pytest.fixture(scope="module")
def street(module_connection: psycopg.Connection) -> int:
    segment = add_segment(module_connection)
    sensor = add_sensor(module_connection, "linden-12", segment)
    rng = random.Random(7)
    rows: list[dict[str, Any]] = []
    for n in range(4 * 48):
        row: dict[str, Any] = {"sensor_id": sensor, "period_start": NOON + n * QUARTER, "car_speed": [0] * 24 + [1]}
        for kind in ("pedestrian", "bike", "car", "heavy"):
            for way in ("lft", "rgt"):
                row[f"{kind}_{way}"] = rng.choice([0, 0, 3, 7, 9, 12]) if rng.random() < 0.3 else rng.choice([6, 8, 20])
        row["motorcycle_lft"] = min(row["bike_lft"], 1)
        rows.append(row)
    add_reports(module_connection, rows)
    refresh_all(module_connection)
    return segment


@pytest.fixture(scope="module")
def client(module_database: str) -> Iterator[httpx.Client]:
    settings = ApiSettings(dsn=module_database)  # as it comes: discreet
    with served(settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def professional(module_connection: psycopg.Connection) -> dict[str, str]:
    return bearing(let_in(module_connection, "professional"))


def read(
    client: httpx.Client,
    street: int,
    bucket: str,
    headers: dict[str, str] | None = None,
    window: dict[str, str] | None = None,
) -> Any:
    query = {"bucket": bucket, "from": NOON.isoformat(), "to": (NOON + 48 * HOUR).isoformat(), **(window or {})}
    answer = client.get(f"/api/v1/segments/{street}/reports", params=query, headers=headers or {})
    assert answer.status_code == 200, answer.text
    return answer.json()["periods"]


def test_no_public_quarter_shows_a_small_number(client: httpx.Client, street: int) -> None:
    visible = [
        period[form][kind][way]
        for period in read(client, street, "quarter")
        for form in ("raw", "corrected")
        for kind in COUNTED
        for way in ("lft", "rgt")
    ]
    numbers = [n for n in visible if n is not None]
    assert None in visible
    assert all(n == 0 or n >= SMALLEST for n in numbers)
    assert any(n >= SMALLEST for n in numbers)


@pytest.mark.parametrize("offset", [0, 1, 2, 3])
def test_a_hidden_quarter_cannot_be_had_by_subtraction(client: httpx.Client, street: int, offset: int) -> None:
    # Of each hour's quarters, a class is shown in all or in none, whatever window is asked for.
    window = {"from": (NOON + offset * QUARTER).isoformat(), "to": (NOON + 20 * HOUR + offset * QUARTER).isoformat()}
    visible: dict[tuple[str, str], set[bool]] = defaultdict(set)
    for period in read(client, street, "quarter", window=window):
        for kind in COUNTED:
            for way in ("lft", "rgt"):
                visible[period["start"][:13], kind].add(period["raw"][kind][way] is not None)
    assert all(len(seen) == 1 for seen in visible.values())
    hours = read(client, street, "hour", window=window)
    whole = {period["start"]: period for period in read(client, street, "hour")}
    assert all(period == whole[period["start"]] for period in hours if period["start"] in whole)


@pytest.mark.parametrize("bucket", ["quarter", "hour", "day", "week", "month", "year"])
def test_what_is_not_over_is_not_shown(
    client: httpx.Client, module_connection: psycopg.Connection, this_hour: datetime, bucket: str
) -> None:
    street = add_segment(module_connection, "Busy just now")
    sensor = add_sensor(module_connection, f"now-{bucket}", street)
    add_reports(module_connection, [
        {"sensor_id": sensor, "period_start": this_hour + n * QUARTER, "car_lft": 1, "received_at": this_hour}
        for n in range(-4, 4)
    ])  # fmt: skip
    refresh_all(module_connection)
    window = {"from": (this_hour - HOUR).isoformat(), "to": (this_hour + 2 * HOUR).isoformat()}
    periods = read(client, street, bucket, window=window)
    assert all(datetime.fromisoformat(period["start"]) < this_hour for period in periods)
    seen = sum(period["raw"]["car"]["lft"] or 0 for period in periods)
    expected = {"quarter": 0, "hour": 4}  # quarters of one car each are withheld; the hour before is over
    if bucket in expected:
        assert seen == expected[bucket]


def test_professionals_see_all(client: httpx.Client, street: int, professional: dict[str, str]) -> None:
    answer = read(client, street, "quarter", professional)
    assert not [period for period in answer if None in (period["raw"]["car"]["lft"], period["raw"]["heavy"]["rgt"])]


def test_quarters_in_other_forms_are_refused_to_the_public(
    client: httpx.Client, street: int, professional: dict[str, str]
) -> None:
    quarters = {"level": "segments", "format": "per-quarter", "id": street,
                "time_start": "2026-03-02", "time_end": "2026-03-03"}  # fmt: skip
    requests: list[tuple[str, str, Any]] = [
        ("GET", f"/api/v1/reports/file.csv?segments={street}&bucket=quarter&from=2026-03-02&to=2026-03-03", None),
        ("POST", "/advanced/reports/traffic", quarters),
        ("POST", "/advanced/reports/traffic", {**quarters, "level": "instances", "id": 101}),
        ("POST", "/advanced/reports/traffic_snapshot", {"time": "2026-03-02 12:00:00Z"}),
        ("GET", "/advanced/reports/traffic_snapshot_live", None),
        ("POST", "/advanced/reports/typical_traffic", quarters),
        ("GET", "/advanced/reports/typical_traffic_snapshot_quarterly_live", None),
    ]
    for method, path, body in requests:
        assert client.request(method, path, json=body).status_code == 403, path
        assert client.request(method, path, json=body, headers=professional).status_code == 200, path
    assert client.get(f"/api/v1/segments/{street}/live").status_code == 403


def test_hours_stay_public_in_every_form(client: httpx.Client, street: int) -> None:
    hours = {"level": "segments", "id": street, "time_start": "2026-03-02", "time_end": "2026-03-03"}
    assert len(client.post("/v1/reports/traffic", json=hours).json()["report"]) == 13
    query = f"segments={street}&bucket=hour&from=2026-03-02T12:00&to=2026-03-03"
    assert len(client.get(f"/api/v1/reports/file.csv?{query}").text.splitlines()) == 13
    columns = client.get(f"/api/v1/reports/columns?{query}").json()["columns"]
    assert len(columns["start"]) == 12


def test_the_streets_page_shows_hours_and_nothing_live(
    client: httpx.Client, street: int, professional: dict[str, str]
) -> None:
    page = client.get(f"/street/{street}").text
    assert 'id="live"' not in page
    assert 'id="latest"' not in page
    assert "when the hour is over" in page
    assert 'id="live"' in client.get(f"/street/{street}", headers=professional).text


LATE = 2  # of the quarters of the second hour


def forms(client: httpx.Client, late: int, first: datetime) -> dict[str, Any]:
    """Everything that the public can ask about the hours of a street, in every form that there is."""
    window = {"from": first.isoformat(), "to": (first + 4 * HOUR).isoformat()}
    query = f"segments={late}&bucket=hour&from={first:%Y-%m-%dT%H:%MZ}&to={first + 4 * HOUR:%Y-%m-%dT%H:%MZ}"
    body = {"level": "segments", "id": late, "time_start": f"{first:%Y-%m-%d %H:%M:%SZ}",
            "time_end": f"{first + 4 * HOUR:%Y-%m-%d %H:%M:%SZ}"}  # fmt: skip
    at = {"time": f"{first + HOUR:%Y-%m-%d %H:%M:%SZ}"}

    def rows(answer: httpx.Response) -> list[Any]:
        assert answer.status_code == 200, answer.text
        return [row for row in answer.json()["report"] if row["uptime"]]

    snapshot = client.post("/v1/reports/traffic_snapshot", json=at).json()["features"]
    return {
        **{bucket: read(client, late, bucket, window=window) for bucket in ("quarter", "hour", "day", "week", "year")},
        "speeds": [p["speed"] for p in client.get(
            f"/api/v1/segments/{late}/reports", params={**window, "bucket": "hour", "speed": "true"}).json()["periods"]],
        "file": [
            line
            for line in client.get(f"/api/v1/reports/file.csv?{query}").text.splitlines()
            if line.endswith(",counted")
        ],
        "columns": client.get(f"/api/v1/reports/columns?{query}").json()["columns"],
        "telraam": rows(client.post("/v1/reports/traffic", json=body)),
        "snapshot": [f["properties"] for f in snapshot if f["properties"]["segment_id"] == late],
        "page": "321" in client.get(f"/street/{late}", params={"day": f"{first.astimezone(BRUSSELS):%Y-%m-%d}"}).text,
    }  # fmt: skip


def test_a_quarter_that_comes_late_is_no_difference_between_two_answers(
    client: httpx.Client, module_connection: psycopg.Connection, professional: dict[str, str], this_hour: datetime
) -> None:
    first = this_hour - 6 * HOUR  # young enough to be waited for
    late = add_segment(module_connection, "Late street")
    sensor = add_sensor(module_connection, "late-1", late)

    def commit(numbers: list[int], missing: str) -> None:
        add_reports(module_connection, [
            {"sensor_id": sensor, "period_start": first + n * QUARTER, "seq": n + 1, "car_lft": 321 if n == 4 + LATE else 40,
             "car_speed": [0] * 6 + [9] + [0] * 18}
            for n in numbers
        ])  # fmt: skip
        module_connection.execute("update stream set missing = %s where sensor_id = %s", (missing, sensor))
        refresh_all(module_connection)

    gap = 4 + LATE
    commit([n for n in range(16) if n != gap], f"{{[{gap + 1},{gap + 2})}}")
    before = forms(client, late, first)
    whole = [(first + n * HOUR).astimezone(BRUSSELS).isoformat() for n in (0, 2, 3)]
    assert [period["start"] for period in before["hour"]] == whole  # the hour with the gap waits, the others do not
    assert len(before["file"]) == len(before["telraam"]) == len(before["columns"]["start"]) == 3
    assert before["snapshot"] in ([], [row for row in before["snapshot"] if not row["uptime"]])
    window = {"from": first.isoformat(), "to": (first + 4 * HOUR).isoformat()}
    assert len(read(client, late, "hour", professional, window)) == 4  # who evaluates waits for nobody

    commit([gap], "{}")
    after = forms(client, late, first)
    assert [len(after[form]) for form in ("hour", "file", "telraam")] == [4, 4, 4]
    # What was shown has not changed, and what is new are whole hours: no answer minus another is a quarter.
    for form in ("hour", "file"):
        assert before[form] == [after[form][n] for n in (0, 2, 3)]
    assert {period["quarters"] for period in after["hour"]} == {4}
    whole_hours = {160 * others + 441 * late for others in range(4) for late in (0, 1)}  # midnight may lie among them
    for bucket in ("day", "week", "year"):
        totals = [sum(p["raw"]["car"]["lft"] for p in value[bucket]) for value in (before, after)]
        assert totals[1] - totals[0] in whole_hours, bucket


def test_the_last_part_of_an_hour_of_a_silent_sensor_is_never_shown(
    client: httpx.Client, module_connection: psycopg.Connection, this_hour: datetime
) -> None:
    street = add_segment(module_connection, "Silent street")
    for name, days in (("silent-young", 2), ("silent-old", 33)):
        sensor = add_sensor(module_connection, name, street)
        start = this_hour - timedelta(days=days)
        add_reports(module_connection, [
            {"sensor_id": sensor, "period_start": start + n * QUARTER, "seq": n + 1, "car_lft": 40} for n in range(6)
        ])  # fmt: skip
        module_connection.execute(
            "update installation set until_at = %s where sensor_id = %s", (start + 2 * HOUR, sensor)
        )
        answer = read(client, street, "hour", window={"from": start.isoformat(), "to": (start + 3 * HOUR).isoformat()})
        assert [period["quarters"] for period in answer] == [4]
