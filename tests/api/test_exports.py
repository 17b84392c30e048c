"""Files: what a spreadsheet and a data frame make of them, and what happens when they break off."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.api.conftest import NOON
from tests.api.streets import QUARTER, add_reports, add_segment, add_sensor, plausible_days

from telstraat_contract.road_users import COUNT_COLUMNS
from telstraat_store.counts.rollup import refresh_all

KILL = """
select pg_terminate_backend(pid) from pg_stat_activity
where application_name = 'telstraat api' and datname = current_database() and query like 'copy%' and state = 'active'
"""
MARCH = {"from": "2026-02-26", "to": "2026-03-03"}


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> list[int]:
    results = []
    for number, name in enumerate(("Lindenstraat", '=HYPERLINK("http://x")')):
        segment = add_segment(module_connection, name, timezone=("Europe/Brussels", "Europe/London")[number])
        sensor = add_sensor(module_connection, f"sensor-{number}", segment)
        add_reports(module_connection, plausible_days(sensor, NOON - timedelta(days=4), NOON, seed=number))
        results.append(segment)
    refresh_all(module_connection)
    return results


@pytest.fixture
def rows(module_client: httpx.Client, streets: list[int]) -> Callable[..., list[dict[str, str]]]:
    def read(bucket: str, **more: str) -> list[dict[str, str]]:
        answer = module_client.get(
            "/api/v1/reports/file.csv", params={"segments": "all", "bucket": bucket, **MARCH, **more}
        )
        assert answer.status_code == 200
        assert answer.content.startswith(b"\xef\xbb\xbf")
        delimiter = {"semicolon": ";", "tab": "\t"}.get(more.get("separator", ""), ",")
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=delimiter))

    return read


@pytest.mark.parametrize("bucket", ["quarter", "hour", "day"])
def test_a_file_says_what_the_json_says(
    module_client: httpx.Client, streets: list[int], rows: Any, bucket: str
) -> None:
    periods = module_client.get(
        "/api/v1/reports", params={"segments": str(streets[0]), "bucket": bucket, **MARCH}
    ).json()["periods"]
    mine = [row for row in rows(bucket) if row["segment_id"] == str(streets[0]) and row["observed_s"]]
    assert len(mine) == len(periods)
    for row, period in zip(mine, periods, strict=True):
        assert row["start_local"] == period["start"][:16].replace("T", " ")
        assert int(row["observed_s"]) == period["observed_s"]
        assert float(row["uptime"]) == pytest.approx(period["uptime"], abs=1e-4)
        if period["corrected"]:
            assert float(row["car_lft"]) == pytest.approx(period["corrected"]["car"]["lft"], abs=1e-4)
        assert row["bike_rgt_seen"] == (str(period["raw"]["bike"]["rgt"]) if period["raw"] else "")
        assert row["state"] == period["state"]


def test_a_csv_file_is_written_as_the_spreadsheet_wants_it(rows: Any) -> None:
    row = next(row for row in rows("day", separator="semicolon", decimal="comma") if row["state"] == "counted")
    assert row["uptime"].count(",") == 1
    assert row["licence"] == "CC0-1.0"
    assert rows("day", separator="tab")[0]["street"] == "Lindenstraat"


def test_a_street_that_is_called_like_a_formula_is_text(rows: Any) -> None:
    assert {row["street"] for row in rows("day")} == {"Lindenstraat", '\'=HYPERLINK("http://x")'}


def test_parquet_and_arrow_hold_the_same_rows_and_name_the_licence(
    module_client: httpx.Client, streets: list[int], rows: Any
) -> None:
    query = {"segments": "all", "bucket": "hour", **MARCH}
    parquet = pq.read_table(io.BytesIO(module_client.get("/api/v1/reports/file.parquet", params=query).content))
    arrow = pa.ipc.open_stream(module_client.get("/api/v1/reports/file.arrow", params=query).content).read_all()
    assert parquet.equals(arrow)
    assert parquet.schema.metadata[b"licence"] == b"CC0-1.0"
    answer = rows("hour")
    assert parquet.num_rows == len(answer)
    for name in ("car_lft", "uptime"):
        expected = [float(row[name]) for row in answer if row["state"] == "counted"]
        assert parquet[name].drop_null().to_pylist() == pytest.approx(expected, abs=1e-4)
    assert parquet["state"].to_pylist() == [row["state"] for row in answer]
    assert parquet["start_local"].to_pylist() == [row["start_local"] for row in answer]


def test_columns_are_arrays_of_one_length(module_client: httpx.Client, streets: list[int]) -> None:
    query = {"segments": f"{streets[1]},{streets[0]}", "bucket": "day", **MARCH}
    columns = module_client.get("/api/v1/reports/columns", params=query).json()["columns"]
    assert set(columns) >= {*COUNT_COLUMNS, *(f"{name}_seen" for name in COUNT_COLUMNS), "start", "observed_s"}
    assert len({len(values) for values in columns.values()}) == 1
    assert set(columns["segment_id"]) == set(streets)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"segments": "9"}, 404),
        ({"segments": "1001;drop table"}, 422),
        ({"segments": ""}, 422),
        ({"segments": "all", "bucket": "year"}, 422),
        ({"segments": "all", "separator": "pipe"}, 422),
    ],
)
def test_a_wish_that_cannot_be_met_is_told(
    module_client: httpx.Client, streets: list[int], query: dict[str, str], status: int
) -> None:
    answer = module_client.get("/api/v1/reports/file.csv", params=query)
    assert answer.status_code == answer.json()["status"] == status


def test_a_file_that_breaks_off_says_so_in_its_last_line(
    client: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int
) -> None:
    start = NOON - timedelta(days=300)
    add_reports(connection, [{"sensor_id": sensor, "period_start": start + n * QUARTER} for n in range(96 * 300)])
    query = {"segments": "all", "bucket": "quarter", "from": "2025-01-01", "to": "2026-03-03"}
    received = b""
    killed = False
    broken = False
    with client.stream(
        "GET", "/api/v1/reports/file.csv", params=query, headers={"accept-encoding": "identity"}
    ) as answer:
        try:
            for block in answer.iter_raw():
                received += block
                killed = killed or bool(connection.execute(KILL).fetchall())
        except httpx.RemoteProtocolError:
            broken = True
    assert killed
    assert broken
    assert b"# INCOMPLETE" in received.splitlines()[-1]


@pytest.mark.parametrize("bucket", ["hour", "day"])
def test_a_file_holds_imported_counts_as_the_json_does_with_their_source_and_its_licence(
    module_client: httpx.Client, module_connection: psycopg.Connection, bucket: str
) -> None:
    segment = add_segment(module_connection, f"Bought in {bucket}", timezone="Europe/Brussels")
    sensor = add_sensor(module_connection, f"bought-{bucket}", segment)
    name = f"=the city, {bucket}"
    [source] = module_connection.execute(
        "insert into import_source (name, format, licence) values (%s, 'plain', 'CC BY-NC 4.0') returning source_id",
        (name,),
    ).fetchone() or [0]
    midnight = NOON - timedelta(hours=12)  # of Brussels, in UTC
    for table, start, steps, extra in (
        ("imported_hour (segment_id, hour_start, source_id, uptime, car_lft, quarters)", NOON, 3, "4"),
        (
            "imported_day (segment_id, day_start, source_id, uptime, car_lft, day, hours)",
            midnight,
            1,
            "'2026-03-02', 3",
        ),
    ):
        for step in range(steps):
            module_connection.execute(
                f"insert into {table} values (%s, %s, %s, 0.75, %s, {extra})",
                (segment, start + step * timedelta(hours=1), source, 40.12345 + step),
            )
    module_connection.execute(
        "insert into imported (segment_id, period_start, period_s, source_id, uptime, is_corrected, car_lft)"
        " values (%s, %s, 3600, %s, 0.75, true, 40.5)",
        (segment, NOON, source),
    )
    own = [{"sensor_id": sensor, "period_start": NOON + n * QUARTER, "car_lft": 10} for n in (4, 5, 100)]
    add_reports(module_connection, own)
    refresh_all(module_connection)
    query = {"segments": str(segment), "bucket": bucket, **MARCH, "to": "2026-03-05"}
    periods = module_client.get("/api/v1/reports", params=query).json()["periods"]
    assert {period["source"] for period in periods} == {None, source} if bucket == "hour" else {None}
    written = module_client.get("/api/v1/reports/file.csv", params=query).content.decode("utf-8-sig")
    lines = [line for line in csv.DictReader(io.StringIO(written)) if line["state"] == "counted"]
    expected = [
        (period["corrected"]["car"]["lft"], period["raw"] and period["raw"]["car"]["lft"], period["source"])
        for period in periods
    ]
    assert expected == [
        (float(line["car_lft"]), int(line["car_lft_seen"]) if line["car_lft_seen"] else None,
         source if line["source"] == f"'{name}" else None)
        for line in lines
    ]  # fmt: skip
    assert {line["licence"] for line in lines if line["source"]} <= {"CC BY-NC 4.0"}
    assert {line["licence"] for line in lines if not line["source"]} == {"CC0-1.0"}
    table = pq.read_table(io.BytesIO(module_client.get("/api/v1/reports/file.parquet", params=query).content))
    table = table.filter(pc.equal(table["state"], "counted"))
    assert [round(n, 4) for n in table["car_lft"].to_pylist()] == [count for count, _, _ in expected]
    assert table["source"].to_pylist() == [name if of else None for _, _, of in expected]
    assert json.loads(table.schema.metadata[b"sources"])[name]["licence"] == "CC BY-NC 4.0"
