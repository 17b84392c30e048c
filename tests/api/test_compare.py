"""Streets and periods side by side: what is in the address, what is said not to be comparable, and odd questions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import psycopg
import pytest
from tests.api.conftest import served
from tests.api.streets import LINES, add_hours, add_segment

from telstraat_api.settings import ApiSettings


@pytest.fixture
def client(settings: ApiSettings) -> Iterator[httpx.Client]:
    with (
        served(msgspec.structs.replace(settings, summaries_every_s=0)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


@pytest.fixture
def streets(connection: psycopg.Connection) -> list[int]:
    """Two streets with eight weeks of hours: 10 and 20 cars each way in every hour."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    numbers = [add_segment(connection, name, line, limit_kmh=limit) for name, line, limit in LINES[:2]]
    for number, cars in zip(numbers, (10, 20), strict=True):
        add_hours(connection, number, 60, cars, end)
    return numbers


def day(back: int) -> str:
    return (datetime.now(UTC).date() - timedelta(days=back)).isoformat()


def lead(page: str) -> str:
    return re.sub(r"\s+", " ", re.findall(r'<p class="lead">(.*?)</p>', page, re.DOTALL)[0])


def test_streets_are_compared_in_the_hours_they_have_in_common(client: httpx.Client, streets: list[int]) -> None:
    page = client.get("/compare", params={"a": streets[0], "b": streets[1], "what": "car"}).text
    assert "Kerkplein had 2.0 times as many cars as Lindenstraat." in lead(page)
    assert page.count('data-chart="') == 2
    assert "20.0" in page
    assert "40.0" in page
    by_name = client.get("/compare", params={"a": "lindenstraat", "b": f"Kerkplein ({streets[1]})"}).text
    assert lead(by_name) == lead(page)


def test_periods_are_compared_on_comparable_days(client: httpx.Client, streets: list[int]) -> None:
    query: dict[str, str | int] = {
        "a": streets[0],
        "from": day(20),
        "until": day(2),
        "from2": day(45),
        "until2": day(25),
    }
    page = client.get("/compare", params=query).text
    assert "Lindenstraat: 0% cars on a comparable day, 480 before and 480 after." in lead(page)
    assert "to know what a measure did, evaluate it" in page


def test_periods_that_overlap_or_have_nothing_are_told_as_such(client: httpx.Client, streets: list[int]) -> None:
    same: dict[str, str | int] = {"a": streets[0], "from": day(20), "until": day(2), "from2": day(20), "until2": day(2)}
    assert "nothing in common" in lead(client.get("/compare", params=same).text)
    never: dict[str, str | int] = {
        "a": streets[0],
        "from": "2010-01-01",
        "until": "2010-02-01",
        "from2": "2011-01-01",
        "until2": "2011-02-01",
    }
    page = client.get("/compare", params=never).text
    assert "nothing in common" in lead(page)
    assert "nobody watched in that time" in page


def test_two_sensors_in_two_periods_are_said_not_to_be_comparable(
    client: httpx.Client, connection: psycopg.Connection
) -> None:
    segment = add_segment(connection)
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    old = add_hours(connection, segment, 30, 10, end - timedelta(days=30))
    connection.execute(
        "update installation set until_at = %s where installation_id = %s", (end - timedelta(days=30), old)
    )
    connection.execute("update sensor set name = 'gone' where name = %s", (f"hours-{segment}",))
    new = add_hours(connection, segment, 29, 10, end)
    connection.execute(
        "update installation set from_at = %s where installation_id = %s", (end - timedelta(days=30), new)
    )
    query: dict[str, str | int] = {"a": segment, "from": day(25), "until": day(2), "from2": day(55), "until2": day(35)}
    assert "Another sensor counted in one of the periods" in client.get("/compare", params=query).text


@pytest.mark.parametrize(
    "query",
    [
        {}, {"by": "periods"}, {"a": "999999"}, {"a": "<script>alert(1)</script>"}, {"a": "x" * 5000, "b": "y"},
        {"a": "1001", "b": "1001"}, {"from": "0001-01-01", "until": "9999-12-31", "a": "1001", "b": "1002"},
        {"from": "2026-05-05", "until": "2020-01-01"}, {"what": "night"}, {"a": "1" * 18}, {"a": "٣"}, {"a": "\x00"},
    ],
)  # fmt: skip
def test_an_odd_question_is_answered_with_a_page(
    client: httpx.Client, streets: list[int], query: dict[str, str]
) -> None:
    answer = client.get("/compare", params=query)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


def test_the_files_hold_the_hours_that_are_compared(client: httpx.Client, streets: list[int]) -> None:
    page = client.get("/compare", params={"a": streets[0], "b": streets[1], "from": day(5), "until": day(3)}).text
    address = re.findall(r'href="(/api/v1/reports/file\.csv[^"]+)"', page)[0].replace("&amp;", "&")
    rows = client.get(address).text.splitlines()
    assert len(rows) == 1 + 2 * 3 * 24
