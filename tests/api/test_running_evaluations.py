"""Evaluations begun on the measure's page: watched while they run, first answers before all, cancelled, tried again, found finished."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from tests.analytics.streets import town
from tests.api.conftest import served
from tests.api.streets import add_imported_town, add_segment
from tests.api.test_making_measures import browser, text_of, typed

from telstraat_api.settings import ApiSettings
from telstraat_api.web.measures.running import OTHERWISE, REASONS, reason_of

Headers = dict[str, str]
LONGEST_S = 240


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> list[int]:
    return add_imported_town(
        module_connection, town(71, ("a", "b", "c"), before=70, after=35, effects={"a": {"car": -0.5}})
    )


@pytest.fixture(scope="module")
def officer(module_client: httpx.Client, module_connection: psycopg.Connection) -> Headers:
    return browser(module_client, module_connection, "professional")


@pytest.fixture(scope="module")
def address(module_client: httpx.Client, officer: Headers, streets: list[int]) -> str:
    """A published measure of the streets that asks for cars only."""
    fields = typed(streets, what=["car"], action="publish", **{f"street-{streets[1]}": "controls"})
    response = module_client.post("/measures/new", headers=officer, data=fields)
    assert response.status_code == 303
    return str(response.headers["Location"])


@pytest.fixture
def worker(module_database: str, officer: Headers) -> Iterator[httpx.Client]:
    """A server of the same database that computes what waits."""
    settings = ApiSettings(dsn=module_database, quarter_min=0, pool_max=4, keep_s=0, jobs_at_once=1)
    with served(settings) as home, httpx.Client(base_url=home, timeout=60) as client:
        yield client


def jobs_of(connection: psycopg.Connection, address: str) -> list[tuple[Any, ...]]:
    number = int(address.rpartition("/")[2])
    return connection.execute(
        "select job_id, state from job where measure_id = %s order by job_id", (number,)
    ).fetchall()


def test_the_button_pressed_twice_is_one_job_that_can_be_cancelled_and_tried_again(
    module_client: httpx.Client, module_connection: psycopg.Connection, officer: Headers, address: str
) -> None:
    for _ in range(2):
        assert module_client.post(f"{address}/evaluate", headers=officer, data={}).status_code == 303
    ((job_id, state),) = jobs_of(module_connection, address)
    assert state == "waiting"
    page = module_client.get(address, headers=officer)
    assert "The evaluation waits for its turn" in text_of(page)
    assert '<noscript><meta http-equiv="refresh"' in page.text
    run = f"{address}/run/{job_id}"
    assert module_client.post(run, headers=officer, data={"action": "cancel"}).status_code == 303
    assert "The evaluation was cancelled" in text_of(module_client.get(address, headers=officer))
    module_client.post(run, headers=officer, data={"action": "retry"})
    assert jobs_of(module_connection, address) == [(job_id, "waiting")]


def test_strangers_see_that_it_runs_and_begin_and_cancel_nothing(
    module_client: httpx.Client, module_connection: psycopg.Connection, address: str
) -> None:
    citizen = browser(module_client, module_connection, "citizen")
    colleague = browser(module_client, module_connection, "professional", "third@example.org")
    ((job_id, _),) = jobs_of(module_connection, address)
    assert module_client.post(f"{address}/evaluate", headers=citizen, data={}).status_code == 403
    for public in (citizen, {"Accept": "text/html"}):
        for path in (address, f"{address}/run"):
            page = module_client.get(path, headers=public)
            assert "The evaluation waits" in text_of(page)
            assert f"{address}/run/" not in page.text, "no button changes it"
    assert module_client.post(f"{address}/run/{job_id}", headers=citizen, data={"action": "cancel"}).status_code == 403
    module_client.post(f"{address}/run/{job_id}", headers=colleague, data={"action": "cancel"})
    assert jobs_of(module_connection, address) == [(job_id, "waiting")], "only whoever asked for it cancels it"


def test_what_was_waiting_is_computed_shown_and_published(
    worker: httpx.Client, module_connection: psycopg.Connection, officer: Headers, address: str
) -> None:
    until = time.monotonic() + LONGEST_S
    while jobs_of(module_connection, address)[-1][1] in {"waiting", "running"} and time.monotonic() < until:
        part = worker.get(f"{address}/run", headers=officer)
        assert part.status_code == 200
        time.sleep(0.5)
    assert jobs_of(module_connection, address)[-1][1] == "done"
    text = text_of(worker.get(address, headers=officer))
    assert re.search(r"fell by \d+%", text)
    html = {"Accept": "text/html"}
    assert "fell by" not in text_of(worker.get(address, headers=html)), "not published yet"
    ours = str(worker.base_url).rstrip("/")
    form = re.findall(rf'action="({address}/evaluations/\d+)"', worker.get(address, headers=officer).text)
    assert worker.post(form[0], headers=officer | {"Origin": ours}, data={"action": "publish"}).status_code == 303
    assert "fell by" in text_of(worker.get(address, headers=html))


def test_other_counts_than_then_are_told(
    module_client: httpx.Client,
    module_connection: psycopg.Connection,
    officer: Headers,
    address: str,
    streets: list[int],
) -> None:
    assert "other counts than there are now" not in text_of(module_client.get(address, headers=officer))
    module_connection.execute(
        "update imported_hour set car_lft = car_lft + 1 where segment_id = %s and hour_start = "
        "(select max(hour_start) from imported_hour where segment_id = %s and hour_start < '2025-10-01')",
        (streets[0], streets[0]),
    )
    assert "Computed on other counts than there are now." in text_of(module_client.get(address, headers=officer))


def test_streets_without_any_count_are_told_at_once(
    module_client: httpx.Client, module_connection: psycopg.Connection, officer: Headers
) -> None:
    silent = add_segment(module_connection, "Silent street")
    address = module_client.post("/measures/new", headers=officer, data=typed([silent])).headers["Location"]
    answer = module_client.post(f"{address}/evaluate", headers=officer, data={})
    text = text_of(module_client.get(answer.headers["Location"], headers=officer))
    assert "there is nothing to evaluate" in text
    assert jobs_of(module_connection, address) == []


def test_an_error_is_told_in_human_words() -> None:
    assert (
        reason_of({"error": "the database has no hours of segments 1, 2", "why": "no-counts"}) == REASONS["no-counts"]
    )
    assert reason_of({"error": "KeyError 'x'", "why": ""}) == OTHERWISE
    assert reason_of({"error": "", "why": ""}) == ""
