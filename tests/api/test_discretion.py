"""A single passer-by is not published: no quarter below the smallest number, not directly and not by subtraction."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from tests.api.conftest import NOON, served
from tests.api.streets import QUARTER, add_reports, add_segment, add_sensor
from tests.api.test_access import bearing, let_in

from telstraat_api.counts import KINDS
from telstraat_api.settings import ApiSettings
from telstraat_ingest.rollup import refresh_all

SMALLEST = 5
HOUR = timedelta(hours=1)
THIS_HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


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
    rows += [
        {"sensor_id": sensor, "period_start": THIS_HOUR + n * QUARTER, "car_lft": 1, "received_at": THIS_HOUR}
        for n in range(-4, 4)
    ]
    add_reports(module_connection, rows)
    refresh_all(module_connection)
    return segment


@pytest.fixture(scope="module")
def client(module_database: str) -> Iterator[httpx.Client]:
    settings = ApiSettings(dsn=module_database)  # as it comes: discreet
    with served(settings) as address, httpx.Client(base_url=address, timeout=15) as client:
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
    shown = [
        period[form][kind][way]
        for period in read(client, street, "quarter")
        for form in ("raw", "corrected")
        for kind in KINDS
        for way in ("lft", "rgt")
    ]
    numbers = [n for n in shown if n is not None]
    assert None in shown
    assert all(n == 0 or n >= SMALLEST for n in numbers)
    assert any(n >= SMALLEST for n in numbers)


@pytest.mark.parametrize("offset", [0, 1, 2, 3])
def test_a_hidden_quarter_cannot_be_had_by_subtraction(client: httpx.Client, street: int, offset: int) -> None:
    # Of each hour's quarters, a class is shown in all or in none, whatever window is asked for.
    window = {"from": (NOON + offset * QUARTER).isoformat(), "to": (NOON + 20 * HOUR + offset * QUARTER).isoformat()}
    shown: dict[tuple[str, str], set[bool]] = defaultdict(set)
    for period in read(client, street, "quarter", window=window):
        for kind in KINDS:
            for way in ("lft", "rgt"):
                shown[period["start"][:13], kind].add(period["raw"][kind][way] is not None)
    assert all(len(seen) == 1 for seen in shown.values())
    hours = read(client, street, "hour", window=window)
    whole = {period["start"]: period for period in read(client, street, "hour")}
    assert all(period == whole[period["start"]] for period in hours if period["start"] in whole)


@pytest.mark.parametrize("bucket", ["quarter", "hour", "day", "week", "month", "year"])
def test_what_is_not_over_is_not_shown(client: httpx.Client, street: int, bucket: str) -> None:
    window = {"from": (THIS_HOUR - HOUR).isoformat(), "to": (THIS_HOUR + 2 * HOUR).isoformat()}
    periods = read(client, street, bucket, window=window)
    assert all(datetime.fromisoformat(period["start"]) < THIS_HOUR for period in periods)
    seen = sum(period["raw"]["car"]["lft"] or 0 for period in periods)
    expected = {"quarter": 0, "hour": 4}  # quarters of one car each are withheld; the hour before is over
    if bucket in expected:
        assert seen == expected[bucket]


def test_professionals_see_all(client: httpx.Client, street: int, professional: dict[str, str]) -> None:
    told = read(client, street, "quarter", professional)
    assert not [period for period in told if None in (period["raw"]["car"]["lft"], period["raw"]["heavy"]["rgt"])]


def test_quarters_in_other_forms_are_refused_to_the_public(
    client: httpx.Client, street: int, professional: dict[str, str]
) -> None:
    quarters = {"level": "segments", "format": "per-quarter", "id": street,
                "time_start": "2026-03-02", "time_end": "2026-03-03"}  # fmt: skip
    asked: list[tuple[str, str, Any]] = [
        ("GET", f"/api/v1/reports/file.csv?segments={street}&bucket=quarter&from=2026-03-02&to=2026-03-03", None),
        ("POST", "/advanced/reports/traffic", quarters),
        ("POST", "/advanced/reports/traffic", {**quarters, "level": "instances", "id": 101}),
        ("POST", "/advanced/reports/traffic_snapshot", {"time": "2026-03-02 12:00:00Z"}),
        ("GET", "/advanced/reports/traffic_snapshot_live", None),
        ("POST", "/advanced/reports/typical_traffic", quarters),
        ("GET", "/advanced/reports/typical_traffic_snapshot_quarterly_live", None),
    ]
    for method, path, body in asked:
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
