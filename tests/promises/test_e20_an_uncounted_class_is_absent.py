"""E20: a class that was not counted is absent in every answer, never 0."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.api.conftest import served

from telstraat_api.settings import ApiSettings
from telstraat_cli.main import main
from telstraat_store import places
from telstraat_store.imports.writing import Source, import_file

STREET = 9_000_001_234
"""As large as the numbers of real streets are."""

BIKES = """segment,period_start,period_s,uptime,corrected,bike_lft,bike_rgt
9000001234,2025-06-01T10:00:00+02:00,900,1,yes,3,4
9000001234,2025-06-01T10:15:00+02:00,900,1,yes,5,6
9000001234,2025-06-01T11:00:00+02:00,900,0,yes,0,0
"""
SIDES = ("bike_lft", "bike_rgt")
UNCOUNTED = tuple(f"{kind}_{way}" for kind in ("pedestrian", "car", "heavy", "night") for way in ("lft", "rgt"))
WINDOW = {"time_start": "2025-06-01 00:00:00Z", "time_end": "2025-06-02 00:00:00Z"}


@pytest.fixture(scope="module")
def client(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    path = tmp_path_factory.mktemp("counts") / "bikes.csv"
    path.write_text(BIKES)
    with psycopg.connect(module_database) as connection:
        places.draw_segment(connection, "Elm", [(4.0, 50.0), (4.1, 50.0)], segment_id=STREET)
        connection.commit()
        assert import_file(connection, path, Source("a counter of bicycles")).new == 3
    settings = ApiSettings(dsn=module_database, quarter_min=0, pool_max=4, keep_s=0)
    with served(settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def periods(client: httpx.Client, bucket: str) -> list[dict[str, Any]]:
    values: dict[str, str | int] = {"bucket": bucket, "from": "2025-06-01", "to": "2025-06-02"}
    answer = client.get(f"/api/v1/segments/{STREET}/reports", params=values)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["periods"]
    return results


@pytest.mark.parametrize(
    ("bucket", "bikes"),
    [
        ("quarter", (3.0, 4.0)),
        ("hour", (16.0, 20.0)),
        ("day", (16.0, 20.0)),
        ("week", (16.0, 20.0)),
        ("year", (16.0, 20.0)),
    ],
)
def test_periods_have_null_for_what_was_not_counted(
    client: httpx.Client, bucket: str, bikes: tuple[float, float]
) -> None:
    counts = periods(client, bucket)[0]["corrected"]
    assert (counts["bike"]["lft"], counts["bike"]["rgt"]) == bikes
    for kind in ("pedestrian", "motorcycle", "car", "heavy", "night"):
        assert counts[kind] == {"lft": None, "rgt": None}, kind


@pytest.mark.parametrize("bucket", ["quarter", "hour"])
def test_a_period_in_which_nobody_watched_has_no_counts_at_all(client: httpx.Client, bucket: str) -> None:
    blind = periods(client, bucket)[-1]
    assert (blind["observed_s"], blind["uptime"], blind["corrected"], blind["raw"]) == (0, 0, None, None)


def test_files_and_columns_leave_it_empty(client: httpx.Client) -> None:
    values: dict[str, str | int] = {"segments": STREET, "bucket": "hour", "from": "2025-06-01", "to": "2025-06-02"}
    columns = client.get("/api/v1/reports/columns", params=values).json()["columns"]
    text = client.get("/api/v1/reports/file.csv", params=values).text.lstrip("\ufeff")
    tables = (
        pq.read_table(BytesIO(client.get("/api/v1/reports/file.parquet", params=values).content)),
        pa.ipc.open_stream(client.get("/api/v1/reports/file.arrow", params=values).content).read_all(),
    )
    row, table, stream = (
        next(row for row in rows if row["state"] == "counted")
        for rows in (csv.DictReader(StringIO(text)), *(table.to_pylist() for table in tables))
    )
    assert [float(row[name]) for name in SIDES] == [16, 20]
    for name in UNCOUNTED:
        assert (columns[name][0], row[name], table[name], stream[name]) == (None, "", None, None), name
    for source in (table, stream):
        assert [source[name] for name in SIDES] == [16, 20]


@pytest.mark.parametrize(("form", "bikes"), [("per-quarter", 3), ("per-hour", 16), ("per-day", 16)])
def test_the_routes_of_telraam_have_null(client: httpx.Client, form: str, bikes: int) -> None:
    requests = {"level": "segments", "format": form, "id": STREET, **WINDOW}
    rows = client.post("/advanced/reports/traffic", json=requests).json()["report"]
    assert rows[0]["bike_lft"] == bikes
    for row in rows:  # in all rows or in none, so that clients find the type of a column
        assert all(row[name] is None for name in UNCOUNTED)
        assert (row["car"], row["v85"], row["car_speed_hist_0to70plus"], row["car_speed_hist_0to120plus"]) == (
            None,
        ) * 4


def test_sums_months_and_snapshots_do_not_make_zeros_of_it(client: httpx.Client) -> None:
    [summary] = client.post("/advanced/reports/traffic_summary", json={"id": STREET, **WINDOW}).json()["report"]
    assert (summary["sum_bike"], summary["sum_car"], summary["sum_mode_night"]) == (36, None, None)
    month = client.post("/advanced/reports/monthly_report", json={"id": STREET, "month": "2025-06"}).json()["report"]
    assert (month["bike_this_month"], month["car_this_month"], month["total_this_month"]) == (36, None, 36)
    assert month["modal_share_heavy_car_bike_pedestrian_this_month"] == [None, None, 100, None]
    assert (month["bike_daily_totals"][0], month["bike_daily_totals"][1]) == (36, None), (
        "a day without counts is no zero"
    )
    requests = {"time": "2025-06-01 08:00:00Z", "contents": "full", "area": "full"}
    [feature] = client.post("/v1/reports/traffic_snapshot", json=requests).json()["features"]
    properties = feature["properties"]
    assert (properties["bike"], properties["car"], properties["pedestrian"], properties["v85"]) == (36, "", "", "")
    chart = client.get(f"/api/measurements-day-barchart/segments/{STREET}/2025-06-01/2025-06-01").json()["data"]
    assert (chart["bike"], chart["car"]) == ([36], [None])


@pytest.mark.parametrize("language", ["en", "nl", "fr", "de"])
def test_a_page_has_a_dash_and_no_share(client: httpx.Client, language: str) -> None:
    page = client.get(f"/street/{STREET}", params={"day": "2025-06-01", "lang": language}).text
    tiles = dict(re.findall(r'<li class="number is-(\w+)">.*?<span class="value">(.*?)</span>', page, re.DOTALL))
    assert tiles == {"pedestrian": "–", "bike": "36", "car": "–", "heavy": "–", "night": "–"}
    assert page.count('<rect class="fill-') == 1, "only bicycles have a share"
    assert set(re.findall(r'<path class="bars is-(\w+)', page)) == {"bike"}, "only bicycles have bars"


def test_the_database_and_its_export_have_null(client: httpx.Client, module_database: str, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    assert main(["db", "--dsn", module_database, "export", str(path), "--step", "day"]) == 0
    rows = list(csv.DictReader(StringIO(path.read_text(encoding="utf-8"))))
    [row] = [row for row in rows if row["state"] == "counted"]
    assert [float(row[name]) for name in SIDES] == [16, 20]
    assert all(row[name] == "" for name in UNCOUNTED)
    with psycopg.connect(module_database) as connection:
        for view in ("segment_quarter", "segment_hour", "segment_day"):
            result = connection.execute(f"select {', '.join(UNCOUNTED)} from {view} order by period_start").fetchone()
            assert result == (None,) * len(UNCOUNTED), view
