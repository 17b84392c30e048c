"""The pages: what a citizen reads, in every language, with nothing from elsewhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
from tests.api.streets import BRUSSELS, QUARTER, a_neighbourhood, add_reports, add_segment

from telstraat_contract.languages import LANGUAGES
from telstraat_contract.quarters import quarter_start


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> list[int]:
    return a_neighbourhood(module_connection, quarter_start(datetime.now(UTC)), days=2)


@pytest.fixture
def client(module_client: httpx.Client) -> httpx.Client:
    module_client.cookies.clear()
    return module_client


@pytest.fixture
def connection(module_connection: psycopg.Connection) -> psycopg.Connection:
    return module_connection


@pytest.mark.parametrize("by", ["quarter", "hour"])
def test_a_street_shows_its_day_with_a_table_for_its_chart(client: httpx.Client, streets: list[int], by: str) -> None:
    yesterday = (datetime.now(BRUSSELS) - timedelta(days=1)).date().isoformat()  # today has no cars just after midnight
    page = client.get(f"/street/{streets[0]}", params={"by": by, "day": yesterday}).text
    charts = set(re.findall(r'<figure id="([\w-]+)"', page))
    assert {"counts", "speed-bins"} <= charts
    assert {f"{name}-table" for name in charts} <= set(re.findall(r'<details class="as-table" id="([\w-]+)"', page))


def test_a_day_in_the_past_and_one_without_counts_are_told_as_such(client: httpx.Client, streets: list[int]) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    assert "This day is over" in client.get(f"/street/{streets[0]}", params={"day": yesterday}).text
    assert "nobody was watching" in client.get(f"/street/{streets[0]}", params={"day": "2020-01-01"}).text


@pytest.mark.parametrize("day", ["nonsense", "0001-01-01", "9999-12-31", "2026-02-30"])
def test_a_day_that_cannot_be_is_refused_with_a_page(client: httpx.Client, streets: list[int], day: str) -> None:
    answer = client.get(f"/street/{streets[0]}", params={"day": day}, headers={"accept": "text/html"})
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert day in answer.text


def test_a_gap_is_named_and_not_drawn_as_zero(
    client: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int
) -> None:
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    rows = [{"sensor_id": sensor, "period_start": start + n * QUARTER, "car_lft": 1} for n in (0, 1, 2, 5, 6)]
    add_reports(connection, rows)
    page = client.get(f"/street/{segment}", params={"day": "2026-03-02"}).text
    assert "10:45–11:15" in page


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_language_is_asked_for_remembered_or_preferred(client: httpx.Client, code: str) -> None:
    response = client.get("/", params={"lang": code})
    assert response.headers["content-language"] == code
    assert f'<html lang="{code}">' in response.text
    assert client.get("/").headers["content-language"] == code  # remembered in a cookie
    client.cookies.clear()
    preferred = client.get("/", headers={"accept-language": f"xx,{code}-BE;q=0.9"})
    assert preferred.headers["content-language"] == code


def test_a_streets_name_is_text_and_never_markup(client: httpx.Client, connection: psycopg.Connection) -> None:
    name = '"><script>alert(1)</script>'
    segment = add_segment(connection, name)
    for path in ("/", f"/street/{segment}"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(client: httpx.Client, streets: list[int]) -> None:
    for path in ("/", f"/street/{streets[0]}", "/docs", "/nothing"):
        page = client.get(path, headers={"accept": "text/html"}).text
        loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', page)
        assert loaded
        assert all(address.startswith("/static/") for address in loaded), loaded
        assert not re.search(r"<script(?![^>]*(?:src=|application/json))", page)
        assert not re.search(r"\son\w+=|style=", page)


@pytest.mark.parametrize(
    "name", ["telstraat.css", "street/street.js", "leaflet/leaflet.js", "leaflet/images/layers.png", "charts/chart.js"]
)
def test_assets_come_from_our_own_paths_and_stay_in_the_cache(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/static/{name}", params={"v": "1"})
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    again = client.get(f"/static/{name}", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "leaflet/../../x", "nothing.js", ".hidden", "leaflet/"])
def test_nothing_but_assets_is_served(client: httpx.Client, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_a_file_of_any_name_is_not_there_rather_than_a_fault_of_ours(client: httpx.Client) -> None:
    for name in ("x" * 5000, "leaflet/" + "x" * 300, "a/" * 400, "%00", "..%2f..%2fapp.py"):
        assert client.get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/street/abc", "/street/0", "/street/9223372036854775808", "/street/1/month/2026-13", "/count/results/1", "/measures/x/plan", "/join/" + "A" * 60]
)  # fmt: skip
def test_an_address_that_cannot_be_is_not_there_in_our_own_words(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "No page has this address" in answer.text
    assert "Input should" not in answer.text
    assert "Geen pagina" in client.get(f"{path}?lang=nl", headers={"accept": "text/html"}).text


def test_a_value_in_an_address_that_cannot_be_used_is_named(client: httpx.Client) -> None:
    answer = client.get("/sign-in/link?token=1", headers={"accept": "text/html"})
    assert answer.status_code == 422
    assert "What this address says of token cannot be used here." in answer.text
    assert "String" not in answer.text
    assert "String should" in client.get("/sign-in/link?token=1").text  # programs read what is wrong
