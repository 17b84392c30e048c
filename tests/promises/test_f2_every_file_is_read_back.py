"""F2: every file that the product writes is read back by its own reader with the same numbers, and can be imported again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pandas as pd
import psycopg
import pytest
from tests.api.conftest import NOON, served
from tests.api.streets import add_reports, add_segment, add_sensor, plausible_days

from telstraat_api.settings import ApiSettings
from telstraat_contract.road_users import COUNT_COLUMNS
from telstraat_store import read_counts
from telstraat_store.counts.rollup import refresh_all
from telstraat_store.export.view_dump import DumpRequest, export
from telstraat_store.imports.writing import Source, import_file

WINDOW = {"from": "2026-02-26", "to": "2026-03-03"}
STEPS = {"quarter": 900, "hour": 3600, "day": 86_400}
CSV_OPTIONS = [
    {"separator": separator, "decimal": decimal}
    for separator in ("comma", "semicolon", "tab")
    for decimal in ("point", "comma")
]


@pytest.fixture(scope="module")
def module_connection(module_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(module_database, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def module_client(module_database: str) -> Iterator[httpx.Client]:
    settings = ApiSettings(dsn=module_database, quarter_min=0, pool_max=4, keep_s=0)
    with served(settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def street(module_connection: psycopg.Connection) -> int:
    segment = add_segment(module_connection, "Lindenstraat")
    add_reports(
        module_connection,
        plausible_days(add_sensor(module_connection, "back-1", segment), NOON - timedelta(days=4), NOON, seed=3),
    )
    refresh_all(module_connection)
    module_connection.commit()
    return segment


def expected(client: httpx.Client, street: int, bucket: str) -> pd.DataFrame:
    """Return what the API answers, as its arrays: the numbers that every file must give again."""
    answer = client.get("/api/v1/reports/columns", params={"segments": str(street), "bucket": bucket, **WINDOW})
    table = pd.DataFrame(answer.json()["columns"])
    table["start"] = pd.to_datetime(table["start"], utc=True)
    return (
        table[table["observed_s"] > 0].set_index("start")[list(COUNT_COLUMNS)].dropna(axis=1, how="all").astype(float)
    )


def assert_same(read: pd.DataFrame, published: pd.DataFrame, bucket: str) -> None:
    read = read[read["uptime"] > 0].set_index("start").sort_index()
    assert set(read["period_s"]) == {STEPS[bucket]}
    same = [name for name in published if name in read]
    assert same == list(published.columns)
    pd.testing.assert_frame_equal(read[same], published.sort_index(), check_names=False, check_freq=False, atol=1e-4, rtol=1e-6,
                                  check_index_type=False)  # fmt: skip


@pytest.mark.parametrize("bucket", STEPS)
@pytest.mark.parametrize("form", ["csv", "parquet", "arrow"])
def test_files_of_the_api_give_the_same_numbers_again(
    module_client: httpx.Client, street: int, tmp_path: Path, bucket: str, form: str
) -> None:
    published = expected(module_client, street, bucket)
    assert len(published) > 3
    for number, options in enumerate(CSV_OPTIONS if form == "csv" else [{}]):
        query = {"segments": str(street), "bucket": bucket, **WINDOW, **options}
        path = tmp_path / f"{number}.{form}"
        path.write_bytes(module_client.get(f"/api/v1/reports/file.{form}", params=query).content)
        assert_same(read_counts([path]), published, bucket)


@pytest.mark.parametrize("bucket", STEPS)
@pytest.mark.parametrize("route", ["/api/v1/reports", "/api/v1/reports/columns", "/api/v1/segments/{street}/reports"])
def test_answers_of_the_api_give_the_same_numbers_again(
    module_client: httpx.Client, street: int, tmp_path: Path, bucket: str, route: str
) -> None:
    path = tmp_path / "answer.json"
    query = {"segments": str(street), "bucket": bucket, **WINDOW}
    path.write_bytes(module_client.get(route.format(street=street), params=query).content)
    assert_same(read_counts([path]), expected(module_client, street, bucket), bucket)


def test_an_answer_in_the_form_of_telraam_gives_the_same_numbers_again(
    module_client: httpx.Client, street: int, tmp_path: Path
) -> None:
    path = tmp_path / "traffic.json"
    times = {"time_start": "2026-02-26 00:00:00Z", "time_end": "2026-03-03 00:00:00Z"}
    body = {"level": "segments", "id": str(street), "format": "per-hour", **times}
    path.write_bytes(module_client.post("/v1/reports/traffic", json=body).content)
    published = expected(module_client, street, "hour")
    read = read_counts([path])
    names = [name for name in COUNT_COLUMNS if name in published and name in read and not name.startswith("motorcycle")]
    assert {"car_lft", "bike_rgt", "heavy_lft", "pedestrian_lft"} <= set(names)
    assert_same(
        read[read["start"].isin(published.index)], published.loc[published.index.isin(read["start"]), names], "hour"
    )


@pytest.mark.parametrize("step", ["quarter", "hour", "day"])
def test_exports_of_the_database_give_the_same_numbers_again_and_are_imported(
    module_client: httpx.Client, module_connection: psycopg.Connection, street: int, tmp_path: Path, step: str
) -> None:
    path = tmp_path / f"{step}.csv"
    export(module_connection, DumpRequest(step, (street,)), path)  # type: ignore[arg-type]
    published = expected(module_client, street, step)
    read = read_counts([path])
    assert_same(read[read["start"].isin(published.index)], published, step)
    other = add_segment(module_connection, f"Copy of {step}s")
    module_connection.commit()
    result = import_file(module_connection, path, Source(f"copy {step}"), {str(street): other})
    if step == "day":
        assert result.new == 0
        assert "whole day" in next(iter(result.refused))
        return
    assert result.refused == {}
    total = "select sum(car_lft), count(*) from {} where segment_id = %s and car_lft is not null"
    copied = module_connection.execute(total.format("imported"), (other,)).fetchone()
    own = module_connection.execute(total.format(f"segment_{step}"), (street,)).fetchone()
    assert copied is not None
    assert own is not None
    assert copied == pytest.approx(own, rel=1e-5)
