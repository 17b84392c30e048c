"""Live counts: from the database's notifications to the browsers that watch."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from tests.api.conftest import NOON, served
from tests.api.people import browser, session_of
from tests.api.streets import add_reports

from telstraat_api.settings import ApiSettings
from telstraat_contract.messages import Counts, Directed, Live, encode

OPEN = Live(sensor="linden-12", at=NOON, period_start=NOON, observed_s=312, counts=Counts(car=Directed(8, 5)))


@contextmanager
def events(client: httpx.Client, segment: int) -> Iterator[Iterator[tuple[str, Any]]]:
    """Yield the events of a stream as (name, data)."""
    with client.stream("GET", f"/api/v1/segments/{segment}/live") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")

        def read() -> Iterator[tuple[str, Any]]:
            name = ""
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield name, json.loads(line.removeprefix("data: "))

        yield read()


def first(result: Iterator[tuple[str, Any]], name: str) -> Any:
    return next(data for answer, data in result if answer == name)


def watched_name(database: str) -> str:
    with psycopg.connect(database, autocommit=True) as listener:
        listener.execute("listen telstraat_watch")
        return next(listener.notifies(timeout=10)).payload


def test_two_browsers_see_the_open_quarter_of_the_street_they_watch(
    client: httpx.Client, connection: psycopg.Connection, database: str, segment: int, sensor: int
) -> None:
    with (
        events(client, segment) as first_stream,
        httpx.Client(base_url=client.base_url, timeout=60) as another,
        events(another, segment) as two,
    ):
        assert watched_name(database) == "linden-12"
        connection.execute("select pg_notify('telstraat_live', %s)", (encode(OPEN).decode(),))
        for answer in (first(first_stream, "live"), first(two, "live")):
            assert answer["observed_s"] == 312
            assert answer["counts"]["car"] == {"lft": 8, "rgt": 5}


def test_a_browser_is_told_when_a_report_has_come_in(
    client: httpx.Client, connection: psycopg.Connection, database: str, segment: int, sensor: int
) -> None:
    [row] = connection.execute("select date_trunc('hour', now()), now()").fetchall()
    with events(client, segment) as result:
        watched_name(database)
        add_reports(connection, [{"sensor_id": sensor, "period_start": row[0], "received_at": row[1]}])
        answer = first(result, "report")
    assert answer["received_at"].startswith(row[1].strftime("%Y-%m-%dT%H:%M:%S"))


def test_a_live_message_of_a_sensor_elsewhere_reaches_nobody(
    client: httpx.Client, connection: psycopg.Connection, database: str, segment: int, sensor: int
) -> None:
    elsewhere = Live(sensor="elsewhere", at=NOON, period_start=NOON, observed_s=1)
    with events(client, segment) as result:
        watched_name(database)
        for payload in ("no json", encode(elsewhere).decode(), encode(OPEN).decode()):
            connection.execute("select pg_notify('telstraat_live', %s)", (payload,))
        assert first(result, "live")["sensor_id"] == sensor


def test_open_streams_hear_goodbye_when_the_server_stops(settings: ApiSettings, segment: int, sensor: int) -> None:
    answers: list[str] = []
    ready = threading.Event()

    def watch(address: str) -> None:
        with httpx.Client(base_url=address, timeout=60) as client, events(client, segment) as result:
            ready.set()
            answers.extend(name for name, _ in result)

    with served(settings) as address:
        browser = threading.Thread(target=watch, args=(address,))
        browser.start()
        assert ready.wait(10)
    browser.join(10)
    assert answers[-1] == "closing"


def test_no_more_browsers_watch_than_there_are_places(settings: ApiSettings, segment: int, sensor: int) -> None:
    with (
        served(msgspec.structs.replace(settings, live_streams_max=1)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
        events(client, segment) as result,
    ):
        # The first stream has its place once it has said something; without reports it says nothing by itself.
        with psycopg.connect(settings.dsn, autocommit=True) as connection:
            watched_name(settings.dsn)
            connection.execute("select pg_notify('telstraat_live', %s)", (encode(OPEN).decode(),))
        assert first(result, "live")["sensor_id"] == sensor
        refused = httpx.get(f"{address}/api/v1/segments/{segment}/live", timeout=60)
    assert refused.status_code == 503
    assert refused.json()["type"] == "/problems/too-many-streams"


def test_there_is_no_stream_of_a_street_that_does_not_exist(client: httpx.Client) -> None:
    assert client.get("/api/v1/segments/404/live").status_code == 404


def test_a_stream_of_quarters_ends_with_the_session_that_opened_it(
    settings: ApiSettings, connection: psycopg.Connection, segment: int, sensor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telstraat_api.v1.streams.ASKED_AGAIN_S", 0.0)
    monkeypatch.setattr("telstraat_api.v1.streams.KEEP_ALIVE_S", 0.2)
    with (
        served(msgspec.structs.replace(settings, quarter_min=5)) as address,
        browser(address, session_of(connection, "professional", "officer@example.org")) as officer,
        officer.stream("GET", f"/api/v1/segments/{segment}/live") as answer,
    ):
        lines = answer.iter_lines()
        assert ": still here" in (next(lines), next(lines), next(lines))
        officer.post("/sign-out")
        connection.execute("select pg_notify('telstraat_live', %s)", (encode(OPEN).decode(),))
        rest = list(lines)  # ends by itself, long before the server does
        assert not any("closing" in line for line in rest)
        assert officer.get(f"/api/v1/segments/{segment}/live").status_code == 403


def test_streams_outlive_a_database_that_is_away_for_a_moment_and_end_with_the_right_to_them(
    settings: ApiSettings, connection: psycopg.Connection, segment: int, sensor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("v1.streams", "web.my.own_live"):
        monkeypatch.setattr(f"telstraat_api.{place}.ASKED_AGAIN_S", 0.0)
        monkeypatch.setattr(f"telstraat_api.{place}.KEEP_ALIVE_S", 0.2)
    session = session_of(connection, "professional", "officer@example.org")
    connection.execute("update sensor set account_id = (select account_id from account), owned_since = now()")
    name = connection.info.dbname
    with (
        served(msgspec.structs.replace(settings, quarter_min=5, pool_wait_s=0.2)) as address,
        browser(address, session) as officer,
        officer.stream("GET", f"/api/v1/segments/{segment}/live") as of_street,
        officer.stream("GET", f"/my/sensors/{sensor}/live") as of_sensor,
        psycopg.connect(
            connection.info.dsn, dbname="postgres", password=connection.info.password, autocommit=True
        ) as elsewhere,
    ):
        streams = [of_street.iter_lines(), of_sensor.iter_lines()]
        elsewhere.execute(f'alter database "{name}" allow_connections false')
        elsewhere.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and pid <> %s",
            (name, connection.info.backend_pid),
        )
        for lines in streams:
            beats = (line for line in lines if line.startswith(": still here"))
            assert [next(beats) for _ in range(4)]  # longer than it waits for a connection
        elsewhere.execute(f'alter database "{name}" allow_connections true')
        connection.execute("delete from browser_session")
        for lines in streams:
            assert not any(
                line.startswith(("event: live", "event: closing")) for line in lines
            )  # both end by themselves
