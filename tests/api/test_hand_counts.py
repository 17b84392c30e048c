"""Counting by hand: nothing tapped is lost or doubled, and the comparison shows nobody what they may not see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser
from tests.api.conftest import served
from tests.api.people import signed_in
from tests.api.streets import add_reports, add_sensor
from tests.harness.databases import one_row
from tests.harness.pages import wait_for

from telstraat_api.http.access import COOKIE
from telstraat_api.settings import ApiSettings
from telstraat_contract.quarters import QUARTER, quarter_start


@pytest.fixture
def start() -> datetime:
    """The beginning of an hour that is over since long enough."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)


@pytest.fixture
def home(database: str) -> Iterator[str]:
    """A server that withholds quarters from the public, as servers do."""
    with served(ApiSettings(dsn=database, pool_max=4, keep_s=0)) as address:
        yield address


@pytest.fixture
def citizen(connection: psycopg.Connection, home: str) -> Iterator[httpx.Client]:
    with signed_in(connection, home, "citizen") as browser:
        yield browser


def tally(start: datetime, quarters: int = 1, **counts: int) -> str:
    parts = [
        {
            "from_at": (start + n * QUARTER).isoformat(),
            "until_at": (start + (n + 1) * QUARTER).isoformat(),
            "counts": counts,
        }
        for n in range(quarters)
    ]
    return json.dumps(parts)


def send(browser: httpx.Client, segment: int, quarters: str, number: str = "") -> httpx.Response:
    return browser.post(f"/count/{segment}", data={"number": number or str(uuid4()), "quarters": quarters})


def test_a_count_sent_again_is_the_same_count(
    citizen: httpx.Client, connection: psycopg.Connection, segment: int, start: datetime
) -> None:
    number = str(uuid4())
    answers = [send(citizen, segment, tally(start, car_lft=3), number) for _ in range(3)]
    assert {(a.status_code, a.headers["location"]) for a in answers} == {(303, f"/count/results/{number}")}
    assert one_row(connection, "select count(*) from hand_count") == (1,)
    assert "Counted by hand" in citizen.get(f"/count/results/{number}").text
    assert citizen.get("/count").text.count(f"/count/results/{number}") == 1
    citizen.post(f"/count/results/{number}/delete")
    assert one_row(connection, "select count(*) from hand_count") == (0,)


def test_nobody_sees_or_overwrites_the_count_of_another(
    citizen: httpx.Client, connection: psycopg.Connection, segment: int, start: datetime, home: str
) -> None:
    number = str(uuid4())
    send(citizen, segment, tally(start, car_lft=3), number)
    connection.execute("update account set email = 'first@example.org'")
    with signed_in(connection, home, "citizen") as other:
        assert other.get(f"/count/results/{number}").status_code == 404
        assert send(other, segment, tally(start, car_lft=9), number).status_code == 409
        other.post(f"/count/results/{number}/delete")
    assert (
        httpx.post(f"{home}/count/{segment}", headers={"origin": home}, data={"number": number}, timeout=60).status_code
        == 303
    )
    assert one_row(connection, "select quarters -> 0 -> 'counts' from hand_count") == ({"car_lft": 3},)


@pytest.mark.parametrize(
    "quarters",
    [
        "", "[]", "nothing", '[{"from_at": "2026-03-01T08:00:00Z"}]', tally(datetime(2020, 1, 1, tzinfo=UTC), car_lft=1),
        tally(datetime(2190, 1, 1, tzinfo=UTC), car_lft=1), "[" * 10_000,
        '[{"from_at": "9999-12-31T23:59:00Z", "until_at": "9999-12-31T23:59:59Z", "counts": {}}]',
        '[{"from_at": "0001-01-01T00:00:00+14:00", "until_at": "0001-01-01T00:05:00+14:00", "counts": {}}]',
    ],
)  # fmt: skip
def test_what_cannot_be_a_count_is_refused_in_words(
    citizen: httpx.Client, connection: psycopg.Connection, segment: int, quarters: str
) -> None:
    answer = send(citizen, segment, quarters)
    assert answer.status_code == 422
    assert "quarters:" in answer.text
    assert one_row(connection, "select count(*) from hand_count") == (0,)


@pytest.mark.parametrize("counts", [{"car_lft": -1}, {"car_lft": 6000}, {"elephant_lft": 1}, {"night_lft": 1}])
def test_counts_that_cannot_be_are_refused(
    citizen: httpx.Client, segment: int, start: datetime, counts: dict[str, int]
) -> None:
    assert send(citizen, segment, tally(start, **counts)).status_code == 422
    overlapping = json.loads(tally(start, 2, car_lft=1))
    overlapping[1]["from_at"] = overlapping[0]["from_at"]
    assert send(citizen, segment, json.dumps(overlapping)).status_code == 422


def result(browser: httpx.Client, segment: int, quarters: str) -> str:
    return browser.get(send(browser, segment, quarters).headers["location"]).text


def test_an_owner_compares_quarters_and_others_whole_hours(
    citizen: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int, start: datetime
) -> None:
    seen = {"sensor_id": sensor, "car_lft": 20, "car_rgt": 5, "bike_lft": 2}
    add_reports(connection, [{**seen, "period_start": start + n * QUARTER} for n in range(4)])
    quarter = tally(start, car_lft=22, car_rgt=5, bike_lft=2)
    assert "shown to the sensor" in result(citizen, segment, quarter)
    hour = result(citizen, segment, tally(start, 4, car_lft=24, car_rgt=6, bike_lft=2))
    assert "You 120, the sensor 100." in hour
    assert "Compared over 60 minutes" in hour
    own_since(connection, start)
    own = result(citizen, segment, quarter)
    assert "You 27, the sensor 25." in own
    assert "no fault can be told from this" in own
    assert "You 2, the sensor 2." in own
    assert "So few tell nothing" in own


def own_since(connection: psycopg.Connection, at: datetime) -> None:
    """Let every sensor be the only account's since some time."""
    connection.execute("update sensor set account_id = (select account_id from account), owned_since = %s", (at,))


def test_an_owner_reads_no_quarters_of_before_nor_of_a_sensor_that_stood_there(
    citizen: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int, start: datetime
) -> None:
    seen = {"sensor_id": sensor, "car_lft": 7}
    add_reports(connection, [{**seen, "period_start": start + n * QUARTER} for n in range(4)])
    quarter = tally(start, car_lft=1)
    own_since(connection, start + QUARTER)  # claimed within the hour
    assert "shown to the sensor" in result(citizen, segment, quarter)
    own_since(connection, start)
    assert "the sensor 7." in result(citizen, segment, quarter)
    connection.execute("update sensor set account_id = null")
    connection.execute("update installation set until_at = %s", (start + 4 * QUARTER,))
    add_sensor(connection, "moved-here", segment, start + 5 * QUARTER)
    connection.execute("update sensor set account_id = (select account_id from account) where name = 'moved-here'")
    connection.execute("update sensor set owned_since = '2020-01-01' where name = 'moved-here'")
    assert "shown to the sensor" in result(citizen, segment, quarter)


def test_a_count_without_a_whole_quarter_or_before_its_report_says_so(
    citizen: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int, start: datetime
) -> None:
    own_since(connection, start)
    half = json.dumps(
        [{"from_at": start.isoformat(), "until_at": (start + QUARTER / 2).isoformat(), "counts": {"car_lft": 1}}]
    )
    assert "No whole quarter of an hour was counted" in result(citizen, segment, half)
    assert "did not watch this street well enough" in result(citizen, segment, tally(start, car_lft=1))
    now = quarter_start(datetime.now(UTC)) - QUARTER
    assert "have not come yet" in result(citizen, segment, tally(now, car_lft=1))


@pytest.mark.browser
def test_a_phone_counts_without_network_and_sends_later(
    chromium: Browser, connection: psycopg.Connection, home: str, segment: int, sensor: int
) -> None:
    with (
        signed_in(connection, home, "citizen") as client,
        chromium.new_context(viewport={"width": 360, "height": 740}, has_touch=True) as context,
    ):
        context.add_cookies([{"name": COOKIE, "value": client.cookies[COOKIE], "url": home}])
        page = context.new_page()
        page.goto(f"{home}/count/{segment}")
        wait_for(page, "navigator.serviceWorker.controller !== null")
        page.reload()
        page.wait_for_load_state("networkidle")
        context.set_offline(True)
        page.reload()  # the phone has the page
        page.click("#begin-now")
        for column in ("car_lft", "car_lft", "bike_rgt", "pedestrian_lft"):
            page.click(f"#tap-{column}")
        page.click("#undo")
        page.reload()  # the phone slept
        assert page.inner_text("#tap-car_lft .value") == "2"
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        page.wait_for_timeout(1100)
        page.click("#finish")
        wait_for(page, "document.getElementById('waiting-note').textContent.startsWith('No network now')")
        assert one_row(connection, "select count(*) from hand_count") == (0,)
        context.set_offline(False)
        page.evaluate("dispatchEvent(new Event('online'))")
        page.wait_for_url("**/count/results/*")
    (parts,) = one_row(connection, "select quarters from hand_count")
    assert isinstance(parts, list)
    assert summed(parts) == {"car_lft": 2, "bike_rgt": 1}


def test_a_count_that_is_refused_stays_on_the_phone_and_holds_up_no_other(
    citizen: httpx.Client, chromium: Browser, connection: psycopg.Connection, segment: int, start: datetime, home: str
) -> None:
    tallies = [json.loads(tally(datetime(2020, 1, 1, tzinfo=UTC), car_lft=1)), json.loads(tally(start, car_lft=2))]
    waiting = [{"number": str(uuid4()), "street": str(segment), "quarters": quarters} for quarters in tallies]
    with chromium.new_context(service_workers="block") as context:
        page = context.new_page()
        page.goto(f"{home}/count/{segment}")
        page.evaluate("text => localStorage.setItem('telstraat-counts-waiting', text)", json.dumps(waiting))
        page.reload()
        wait_for(page, "!document.getElementById('sign-in').hidden")  # the session has ended: both stay
        context.add_cookies([{"name": COOKIE, "value": citizen.cookies[COOKIE], "url": home}])
        page.reload()
        wait_for(page, "document.getElementById('waiting-note').textContent.startsWith('The server does not take')")
        left = json.loads(page.evaluate("localStorage.getItem('telstraat-counts-waiting')"))
        assert [count["number"] for count in left] == [waiting[0]["number"]]
    assert one_row(connection, "select count(*), min(quarters -> 0 -> 'counts' ->> 'car_lft') from hand_count") == (
        1,
        "2",
    )


def test_two_tabs_add_to_one_count_and_a_phone_without_room_still_sends_it(
    citizen: httpx.Client, chromium: Browser, connection: psycopg.Connection, segment: int, home: str
) -> None:
    with chromium.new_context(service_workers="block") as context:
        context.add_cookies([{"name": COOKIE, "value": citizen.cookies[COOKIE], "url": home}])
        page, other = context.new_page(), context.new_page()
        for tab in (page, other):
            tab.goto(f"{home}/count/{segment}")
        page.click("#begin-now")
        for tab in (other, page, other):
            tab.click("#tap-car_lft")
        assert page.inner_text("#tap-car_lft .value") == other.inner_text("#tap-car_lft .value") == "3"
        page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full') } }")
        page.click("#tap-bike_rgt")
        assert page.is_visible("#full")
        page.wait_for_timeout(1100)
        page.click("#finish")
        page.wait_for_url("**/count/results/*")
    (parts,) = one_row(connection, "select quarters from hand_count")
    assert isinstance(parts, list)
    assert summed(parts) == {"car_lft": 3, "bike_rgt": 1}


def summed(parts: list[dict[str, Any]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for part in parts:
        for column, n in part["counts"].items():
            sums[column] = sums.get(column, 0) + n
    return sums
