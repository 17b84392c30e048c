"""Our own client: typed, through all pages, patient when told to wait, and its documentation runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pyarrow.parquet as pq
import pytest
from tests.api.conftest import NOON, served
from tests.api.streets import QUARTER, a_neighbourhood, add_reports
from tests.api.test_access import let_in

from telstraat_api.client import Client, problem_in, waiting_s
from telstraat_api.errors import AnswerError
from telstraat_api.settings import ApiSettings
from telstraat_store.counts.rollup import refresh_all

PAGE = Path(__file__).resolve().parents[2] / "docs" / "client.md"


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> list[int]:
    neighbourhood = a_neighbourhood(module_connection, datetime(2026, 3, 10, tzinfo=UTC), days=9)
    refresh_all(module_connection)
    return neighbourhood


@pytest.fixture(scope="module")
def counts(module_client: httpx.Client, streets: list[int]) -> Iterator[Client]:
    with Client(str(module_client.base_url)) as client:
        yield client


def test_the_example_of_the_documentation_runs_as_it_stands(
    module_client: httpx.Client, streets: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(code.replace("http://localhost:8080", str(module_client.base_url)), {})
    printed = capsys.readouterr().out
    assert "Lindenstraat" in printed
    assert "2026-03-02" in printed


def test_lists_follow_every_page(counts: Client, streets: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    requests = []
    get = counts._get

    def small(path: str, query: object = None) -> object:
        requests.append(path)
        return get(path, {"limit": 1} if path == "/api/v1/segments" else None)

    monkeypatch.setattr(counts, "_get", small)
    assert [segment.id for segment in counts.segments()] == streets
    assert len(requests) > len(streets)


def test_columns_become_frames_with_the_counts_of_the_reports(counts: Client, streets: list[int]) -> None:
    reports = counts.reports(streets[:2], "2026-03-02", "2026-03-03")
    columns = counts.counts(streets[:2], "2026-03-02", "2026-03-03")
    frame, table = columns.to_pandas(), columns.to_arrow()
    assert len(columns) == len(frame) == table.num_rows == len(reports.periods)
    assert str(frame["start"].dtype).endswith("UTC]")
    assert str(table.schema.field("start").type) == "timestamp[us, tz=UTC]"
    first = reports.periods[0]
    assert first.raw is not None
    assert frame["car_lft_seen"].iloc[0] == table["car_lft_seen"][0].as_py() == first.raw.car.lft
    empty = counts.counts(streets[0], "2020-01-01", "2020-01-02").to_pandas()
    assert len(empty) == 0


def test_files_and_tables_hold_the_same_rows(counts: Client, streets: list[int], tmp_path: Path) -> None:
    window = (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))
    table = counts.table("all", *window)
    path = counts.download(tmp_path / "counts.parquet", "all", *window)
    assert pq.read_table(path).num_rows == table.num_rows > 100
    with pytest.raises(AnswerError, match="422"):
        counts.download(tmp_path / "counts.xls", "all", *window)


def test_a_refusal_is_told_with_its_kind(counts: Client) -> None:
    with pytest.raises(AnswerError, match="there is no segment 999999") as refused:
        counts.segment(999_999)
    assert (refused.value.status, refused.value.kind) == (404, "not-found")
    with pytest.raises(AnswerError, match="401"):
        counts.add_measure(name="x", first_day="2026-03-02", treated=[1001])
    assert problem_in(httpx.Response(502, text="<html>gateway")).kind == "no-problem-document"


def test_it_waits_as_long_as_it_is_told_and_no_longer_than_its_patience(database: str) -> None:
    slept: list[float] = []
    settings = ApiSettings(dsn=database, rate_per_minute=600, rate_burst=1)
    with served(settings) as address, Client(address, sleep=slept.append, tries=3) as client:
        for _ in range(4):
            with pytest.raises(AnswerError):
                client.segment(1)
    assert slept
    assert all(0 < wait <= 1 for wait in slept)
    later = (datetime.now(UTC) + timedelta(seconds=30)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert 25 < (waiting_s(httpx.Response(429, headers={"retry-after": later})) or 0) <= 30
    assert waiting_s(httpx.Response(429, headers={"retry-after": "soon"})) is None
    assert waiting_s(httpx.Response(200, headers={"retry-after": "3"})) is None


def test_professionals_note_down_measures(
    module_client: httpx.Client, module_connection: psycopg.Connection, streets: list[int]
) -> None:
    key = let_in(module_connection, "professional")
    with Client(str(module_client.base_url), key) as client:
        created = client.add_measure(name="School street", first_day="2026-03-02", treated=streets[:1], published=True)
        assert [measure.name for measure in client.measures(segment=streets[0])] == ["School street"]
        assert list(client.evaluations(measure=created.measure_id)) == []
        assert list(client.events(segment=streets[3])) == []
        assert list(client.workshops()) == []
        assert {instance.segment_id for instance in client.instances(segment=streets[1])} == {streets[1]}
        assert len(list(client.sensors())) >= 4


def test_it_needs_nothing_of_the_server() -> None:
    blocked = ("fastapi", "starlette", "psycopg", "uvicorn", "orjson", "jinja2", "altair", "shapely")
    code = f"import sys\nfor name in {blocked!r}: sys.modules[name] = None\nimport telstraat_api.client"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_quarters_of_a_street_come_as_counted(
    counts: Client, module_connection: psycopg.Connection, streets: list[int]
) -> None:
    row = module_connection.execute("select sensor_id from sensor where name = 'sensor-01'").fetchone()
    assert row
    at = NOON + timedelta(days=60)
    add_reports(module_connection, [{"sensor_id": row[0], "period_start": at, "car_lft": 7, "observed_s": 450}])
    frame = counts.counts(streets[0], at, at + QUARTER, bucket="quarter").to_pandas()
    assert frame[["car_lft", "car_lft_seen"]].to_numpy().tolist() == [[14.0, 7]]
