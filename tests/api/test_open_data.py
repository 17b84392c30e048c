"""Open data for people: a form that leads to the API's own files, and addresses that are tried out in the page."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from tests.api.streets import add_hours, add_segment

from telstraat_api.web.docs_page import operations


def test_the_form_leads_to_a_file_of_whole_local_days(client: httpx.Client, connection: psycopg.Connection) -> None:
    segment = add_segment(connection)
    add_hours(connection, segment, 10, 5, datetime(2026, 3, 12, 23, tzinfo=UTC))
    query = {
        "street": "lindenstraat",
        "from": "2026-03-10",
        "until": "2026-03-09",
        "step": "hour",
        "form": "csv",
        "spreadsheet": "1",
    }
    answer = client.get("/data/file", params=query)
    assert answer.status_code == 303
    rows = client.get(answer.headers["location"]).text.splitlines()
    assert len(rows) == 1 + 48
    assert ";2026-03-09 00:00;" in rows[1]


@pytest.mark.parametrize(
    "query",
    [
        {}, {"from": "x", "until": "y"}, {"from": "2026-01-01", "until": "2026-01-02", "form": "exe"},
        {"from": "2026-01-01", "until": "2026-01-02", "street": "nowhere"}, {"from": "0001-01-01", "until": "2026-01-01"},
    ],
)  # fmt: skip
def test_a_form_that_makes_no_sense_is_refused_with_a_reason(client: httpx.Client, query: dict[str, str]) -> None:
    answer = client.get("/data/file", params=query, headers={"accept": "text/html"})
    assert answer.status_code == 422
    assert "<h1>" in answer.text


def test_the_page_says_what_there_is_and_how_to_name_it(client: httpx.Client, connection: psycopg.Connection) -> None:
    assert client.get("/data").status_code == 200
    add_segment(connection, "<script>alert(1)</script>")
    page = client.get("/data").text
    assert "CC0-1.0" in page
    assert "<script>alert" not in page
    assert 'href="/docs"' in page


def test_who_has_the_page_as_it_is_gets_it_no_second_time(client: httpx.Client) -> None:
    tag = client.get("/data").headers["etag"]
    assert client.get("/data", headers={"if-none-match": tag}).status_code == 304
    german = client.get("/data", params={"lang": "de"})
    assert german.headers["content-language"] == "de"
    assert german.headers["etag"] != tag


def test_every_operation_that_ends_can_be_tried(client: httpx.Client) -> None:
    page = client.get("/docs").text
    listed = operations(client.get("/api/v1/openapi.json").json())
    assert page.count("data-try ") == sum(operation["is_tried"] for operation in listed)
    assert 0 < sum(not operation["is_tried"] for operation in listed) < 5
