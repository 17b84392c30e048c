"""Counts of others as the API serves them: speeds as published, hours in which nobody watched, and since when there are any."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import psycopg
import pytest
from tests.api.conftest import served

from telstraat_api.settings import ApiSettings
from telstraat_contract.speeds import v85_kmh
from telstraat_store import places
from telstraat_store.imports.writing import Source, import_file

STREET, COARSE, NEW = 9_000_001_234, 2**31, 9_000_001_236
WINDOW = {"time_start": "2025-06-02 00:00:00Z", "time_end": "2025-06-03 00:00:00Z"}


def api_row(street: int, hour: int, **other: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"segment_id": street, "date": f"2025-06-02T{hour:02}:00:00.000Z", "interval": "hourly"}
    for kind in ("pedestrian", "bike", "car", "heavy", "night"):
        row |= {f"{kind}_lft": 6.0, f"{kind}_rgt": 4.0}
    return row | {"uptime": 0.5} | other


@pytest.fixture(scope="module")
def client(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    fine, coarse = [0.0] * 25, [0.0] * 8
    fine[6], coarse[3] = 100.0, 100.0
    rows = [
        api_row(STREET, 8, car_speed_hist_0to120plus=fine, v85=38.5),
        api_row(STREET, 9, v85=41.5),
        api_row(STREET, 10, uptime=0.0, **dict.fromkeys(("car_lft", "car_rgt"), 0.0)),
        api_row(COARSE, 8, car_speed_hist_0to70plus=coarse),
    ]
    path = tmp_path_factory.mktemp("counts") / "rows.json"
    path.write_bytes(orjson.dumps(rows))
    with psycopg.connect(module_database) as connection:
        for street in (STREET, COARSE, NEW):
            places.draw_segment(connection, "Elm", [(4.0, 50.0), (4.1, 50.0)], segment_id=street)
        connection.commit()
        assert import_file(connection, path, Source("the town")).new == 4
    settings = ApiSettings(dsn=module_database, quarter_min=0, pool_max=4, keep_s=0)
    with served(settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def hours(client: httpx.Client, street: int) -> list[dict[str, Any]]:
    values: dict[str, str | bool] = {"bucket": "hour", "from": "2025-06-02", "to": "2025-06-03", "speed": True}
    periods: list[dict[str, Any]] = client.get(f"/api/v1/segments/{street}/reports", params=values).json()["periods"]
    return periods


def rows_of(client: httpx.Client, street: int) -> list[dict[str, Any]]:
    answer = client.post(
        "/v1/reports/traffic", json={"level": "segments", "format": "per-hour", "id": street, **WINDOW}
    )
    report: list[dict[str, Any]] = answer.json()["report"]
    return report


def test_imported_speeds_are_served_as_they_were_published(client: httpx.Client) -> None:
    both, only_v85, blind = hours(client, STREET)
    assert (both["speed"]["bin_kmh"], both["speed"]["cars"][6], both["speed"]["v85_kmh"]) == (5, 5.0, 38.5)
    assert only_v85["speed"] == {"bin_kmh": 5, "cars": None, "v85_kmh": 41.5}
    assert blind["speed"] is None
    [coarse] = hours(client, COARSE)
    assert (coarse["speed"]["bin_kmh"], coarse["speed"]["cars"]) == (10, [0, 0, 0, 5, 0, 0, 0, 0])


def test_imported_speeds_are_in_the_routes_of_telraam(client: httpx.Client) -> None:
    rows = rows_of(client, STREET)
    assert [row["v85"] for row in rows] == [38.5, 41.5, None]
    assert (rows[0]["car_speed_hist_0to120plus"][6], rows[0]["car_speed_hist_0to70plus"][3]) == (100, 100)
    [coarse] = rows_of(client, COARSE)
    assert (coarse["car_speed_hist_0to70plus"][3], coarse["car_speed_hist_0to120plus"]) == (100, None)
    requests = {"time": "2025-06-02 08:00:00Z", "contents": "full", "area": "full"}
    features = client.post("/v1/reports/traffic_snapshot", json=requests).json()["features"]
    v85s = {feature["properties"]["segment_id"]: feature["properties"]["v85"] for feature in features}
    assert v85s == {STREET: 38.5, COARSE: v85_kmh([0, 0, 0, 5, 0, 0, 0, 0])}


def test_imported_speeds_are_drawn_on_the_page(client: httpx.Client) -> None:
    for street in (STREET, COARSE):
        page = client.get(f"/street/{street}", params={"day": "2025-06-02"}).text
        assert "From 5 cars that were timed." in page
        assert "30–35" in page if street == STREET else "30–40" in page


def test_an_imported_hour_in_which_nobody_watched_is_a_row_of_its_own(client: httpx.Client) -> None:
    blind = hours(client, STREET)[-1]
    assert (blind["observed_s"], blind["quarters"], blind["corrected"]) == (0, 0, None)
    assert [row["uptime"] for row in rows_of(client, STREET)] == [0.5, 0.5, 0]


def test_a_street_with_imported_counts_only_says_since_when(client: httpx.Client) -> None:
    properties = client.get(f"/v1/segments/id/{STREET}").json()["features"][0]["properties"]
    assert properties["first_data_package"] == "2025-06-02T08:00:00.000Z"
    assert properties["last_data_package"] == "2025-06-02T11:00:00.000Z"
    own = client.get(f"/api/v1/segments/{STREET}").json()["properties"]
    assert (own["first_report"], own["last_report"]) == ("2025-06-02T08:00:00Z", "2025-06-02T10:00:00Z")
    assert "Counted since" in client.get(f"/street/{STREET}").text
    assert "Nothing has been counted here yet" in client.get(f"/street/{NEW}").text


def test_every_report_knows_the_numbers_that_real_streets_have(client: httpx.Client) -> None:
    month = client.post("/advanced/reports/monthly_report", json={"id": STREET, "month": "2025-06"}).json()["report"]
    assert (month["segment_id"], month["car_this_month"]) == (STREET, 20)
    for path in ("traffic_summary", "hourly_speeds"):
        assert client.post(f"/advanced/reports/{path}", json={"id": STREET, **WINDOW}).json()["report"], path
    for number in (2**31, 2**63 - 1):
        for level in ("instances", "devices"):
            for path in ("traffic_summary", "traffic", "typical_traffic", "hourly_speeds", "monthly_report"):
                body = {"level": level, "id": number, "month": "2025-06", **WINDOW}
                answer = client.post(f"/advanced/reports/{path}", json=body)
                assert (answer.status_code, not answer.json()["report"]) == (200, True), (path, level, number)


@pytest.mark.parametrize(
    ("bins", "v85"),
    [([0, 0, 0, 5, 0, 0, 0, 0], 38.5), ([0, 0, 0, 0, 0, 0, 0, 5], None), ([9, 0, 0, 0, 0, 0, 0, 1], 9.5)],
)
def test_nothing_is_said_above_what_coarse_bins_tell(bins: list[float], v85: float | None) -> None:
    assert v85_kmh(bins) == v85


def quarters_of(street: int, **other: Any) -> list[dict[str, Any]]:
    """Return an hour of one quarter, an hour of four, and an hour in one of whose quarters cars were counted."""
    rows = [api_row(street, 8, interval="quarterly", uptime=1.0)]
    four = [{**rows[0], "date": f"2025-06-02T09:{minute:02}:00.000Z"} for minute in (0, 15, 30, 45)]
    nothing = dict.fromkeys(("car_lft", "car_rgt"))
    mixed = [{**row, "date": row["date"].replace("T09", "T10"), **(nothing if n else {})} for n, row in enumerate(four)]
    return rows + four + mixed


def test_an_hour_of_one_imported_quarter_is_not_public(database: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_bytes(orjson.dumps(quarters_of(STREET)))
    with psycopg.connect(database) as connection:
        places.draw_segment(connection, "Elm", [(4.0, 50.0), (4.1, 50.0)], segment_id=STREET)
        connection.commit()
        assert import_file(connection, path, Source("the town")).new == 9
    starts: dict[int, list[str]] = {}
    for smallest in (0, 5):
        settings = ApiSettings(dsn=database, quarter_min=smallest, keep_s=0)
        with served(settings) as address, httpx.Client(base_url=address, timeout=60) as client:
            starts[smallest] = [hour["start"][11:13] for hour in hours(client, STREET) if hour["corrected"]]
            query = {"bucket": "day", "from": "2025-06-02", "to": "2025-06-03", "segments": str(STREET)}
            [day] = client.get(f"/api/v1/segments/{STREET}/reports", params=query).json()["periods"]
            sums = sum(hour["corrected"]["car"]["lft"] for hour in hours(client, STREET))
            assert day["corrected"]["car"]["lft"] == pytest.approx(sums)
            rows = list(csv.DictReader(io.StringIO(client.get("/api/v1/reports/file.csv", params=query).text)))
            assert sum(float(row["car_lft"]) for row in rows) == pytest.approx(sums)
            quarters = client.get(f"/api/v1/segments/{STREET}/reports", params={**query, "bucket": "quarter"}).json()[
                "periods"
            ]
            assert len(quarters) == (9 if smallest == 0 else 4)
    assert starts == {0: ["10", "11", "12"], 5: ["11"]}
