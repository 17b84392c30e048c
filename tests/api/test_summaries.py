"""Streets in one line, over the API: made in the background, sorted and searched, the same for every reader."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

import httpx
import msgspec
import psycopg
import pytest
from tests.api.conftest import served
from tests.api.streets import a_neighbourhood, add_segment

from telstraat_api.settings import ApiSettings
from telstraat_api.summaries.day_kinds import kinds_of_days
from telstraat_store.counts.rollup import refresh_all as add_up
from telstraat_store.summaries.refreshing import refresh_all
from telstraat_store.summaries.street_summary import DayKind


@pytest.fixture
def streets(connection: psycopg.Connection) -> list[int]:
    """Four streets with nine days of counts, added up and summarised."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    ids = a_neighbourhood(connection, now)
    add_up(connection)
    refresh_all(connection, kinds_of_days, now)
    return ids


def test_summaries_are_listed_in_the_order_that_is_asked_for(client: httpx.Client, streets: list[int]) -> None:
    body = client.get("/api/v1/summaries", params={"limit": 3}).json()
    assert [row["name"] for row in body["summaries"]] == ["Kerkplein", "Lindenstraat", "Molenweg"]
    assert body["streets"] == 4
    rest = client.get(body["next"]).json()
    assert [row["name"] for row in rest["summaries"]] == ["Stationslaan"]
    assert rest["next"] is None
    v85 = client.get("/api/v1/summaries", params={"sort": "v85", "descending": True}).json()["summaries"]
    speeds = [row["summary"]["speed"]["v85_kmh"] for row in v85]
    assert speeds == sorted(speeds, reverse=True)
    silent = client.get("/api/v1/summaries", params={"state": ["silent", "late"]}).json()["summaries"]
    assert [row["name"] for row in silent] == ["Molenweg"]
    assert client.get("/api/v1/summaries", params={"sort": "shoe size"}).status_code == 422


def test_nine_days_are_too_few_for_a_usual_week_and_the_answer_says_so(
    client: httpx.Client, streets: list[int]
) -> None:
    body = client.get(f"/api/v1/segments/{streets[0]}/summary").json()
    figures = body["summary"]
    assert figures["day"] is None
    assert figures["why"] == "too_few_days"
    assert figures["last_year"]["why"] == "no_last_year"
    assert figures["speed"]["cars"] > 100
    assert body["place"] is None
    assert client.get("/api/v1/segments/999999/summary").status_code == 404


def test_a_running_service_makes_what_is_due(settings: ApiSettings, connection: psycopg.Connection) -> None:
    segment = add_segment(connection)
    with served(msgspec.structs.replace(settings, summaries_every_s=0.1)) as address:
        for _ in range(200):
            row = httpx.get(f"{address}/api/v1/segments/{segment}/summary", timeout=60).json()
            if row["summary"] is not None:
                break
            time.sleep(0.05)
    assert row["summary"]["why"] == "nothing_counted"
    assert row["state"] == "nothing"


def test_a_service_whose_database_is_away_starts_and_stops(settings: ApiSettings) -> None:
    away = "postgresql://nobody@127.0.0.1:1/nothing"
    with served(msgspec.structs.replace(settings, dsn=away, summaries_every_s=0.05)) as address:
        time.sleep(0.3)
        assert httpx.get(f"{address}/api/v1/summaries", timeout=60).status_code == 503


def test_public_and_school_holidays_are_told_apart() -> None:
    days = [date(2026, 5, 1) + timedelta(days=nth) for nth in (0, 4, 90)]
    assert kinds_of_days("Europe/Brussels", days) == [
        DayKind.PUBLIC_HOLIDAY, DayKind.TERM, DayKind.SCHOOL_HOLIDAY,
    ]  # fmt: skip
