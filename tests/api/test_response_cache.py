"""Answers that everybody gets alike are computed once in a while, never served to whom they are not for, and fresh after a change."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from tests.api.conftest import served
from tests.api.streets import a_neighbourhood, add_segment
from tests.api.test_access import bearing, let_in

from telstraat_api.http.response_cache import ResponseCache
from telstraat_api.settings import ApiSettings
from telstraat_contract.quarters import quarter_start


class Counted:
    """Something that takes a moment to make, and how often it was made."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self) -> bytes:
        self.calls += 1
        await asyncio.sleep(0.01)
        return f"answer {self.calls}".encode()


def test_many_who_ask_at_once_wait_for_one_computation_and_a_later_one_gets_a_new_answer() -> None:
    async def ask() -> None:
        now_s = 100.0
        cache, counted = ResponseCache(5, clock=lambda: now_s), Counted()
        bodies = await asyncio.gather(*(cache.body("map", counted) for _ in range(20)))
        assert {body.content for body in bodies} == {b"answer 1"}
        now_s += 4.9
        assert (await cache.body("map", counted)).content == b"answer 1"
        now_s += 0.2
        assert (await cache.body("map", counted)).content == b"answer 2"

    asyncio.run(ask())


def test_what_was_being_made_during_a_change_is_not_kept() -> None:
    async def ask() -> None:
        cache, counted = ResponseCache(5), Counted()
        task = asyncio.create_task(cache.body("map", counted))
        await asyncio.sleep(0)
        cache.forget()
        assert (await task).content == b"answer 1"
        assert (await cache.body("map", counted)).content == b"answer 2"

    asyncio.run(ask())


def test_a_reader_who_goes_away_does_not_take_the_answer_from_the_others_and_a_failure_is_not_kept() -> None:
    async def ask() -> None:
        cache, counted = ResponseCache(5), Counted()
        first = asyncio.create_task(cache.body("map", counted))
        second = asyncio.create_task(cache.body("map", counted))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).content == b"answer 1"

        async def fail() -> bytes:
            raise OSError("away")

        for _ in range(2):
            with pytest.raises(OSError, match="away"):
                await cache.body("other", fail)

    asyncio.run(ask())


def test_the_map_of_the_public_is_not_that_of_professionals_and_both_say_not_modified(
    database: str, connection: psycopg.Connection
) -> None:
    a_neighbourhood(connection, quarter_start(datetime.now(UTC)), days=2)
    professional = bearing(let_in(connection, "professional"))
    settings = ApiSettings(dsn=database, keep_s=300)
    with served(settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        for headers in ({}, professional):
            first = client.get("/", headers=headers)
            assert first.headers["cache-control"] == ("private, no-cache" if headers else "no-cache")
            same = client.get("/", headers={**headers, "if-none-match": first.headers["etag"]})
            assert (same.status_code, same.content) == (304, b"")
        plain = client.get("/", headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.text == client.get("/", headers={"accept-encoding": "gzip"}).text
        for address_of_all in ("/v1/reports/traffic_snapshot_live", "/v1/segments/all", "/v1/cameras", "/v1/segments"):
            answers = [client.get(address_of_all, headers=headers) for headers in ({}, professional, {})]
            assert answers[0].content == answers[2].content
        dutch = client.get("/?lang=nl")
        assert dutch.headers["content-language"] == "nl"
        assert "set-cookie" in dutch.headers
        assert client.get("/").headers["content-language"] == "nl"


def test_what_was_changed_through_the_api_is_read_at_once(database: str, connection: psycopg.Connection) -> None:
    operator = bearing(let_in(connection, "operator"))
    with (
        served(ApiSettings(dsn=database, keep_s=300)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        assert client.get("/api/v1/segments").json()["features"] == []
        add_segment(connection, "Behind its back")
        assert client.get("/api/v1/segments").json()["features"] == []
        new = {"name": "Kerkplein", "geometry": {"type": "LineString", "coordinates": [[4.7, 50.8], [4.71, 50.8]]}}
        assert client.post("/api/v1/segments", json=new, headers=operator).status_code == 201
        names = [feature["properties"]["name"] for feature in client.get("/api/v1/segments").json()["features"]]
        assert names == ["Behind its back", "Kerkplein"]
