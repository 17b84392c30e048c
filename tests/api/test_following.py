"""Measures that are followed: weekly looks, letters through a real mail server, none twice, none lost, and the way out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from tests.analytics.streets import MEASURE, town
from tests.api.conftest import served
from tests.api.evaluated import evaluation_of
from tests.api.mail_and_identities import Letters, free_port, mail_server
from tests.api.streets import add_imported_town
from tests.api.test_access import bearing, let_in

from telstraat_analytics import Measure
from telstraat_api.evaluations.evaluating import lines_around
from telstraat_api.following.weekly import Round, go_round
from telstraat_api.following.weeks import WEEKS_MAX, weeks_over
from telstraat_api.settings import ApiSettings

WEEKS = 6


def noon_after(weeks: int) -> datetime:
    """A day and a half after the week has ended: what comes late has come."""
    day = MEASURE + timedelta(days=7 * weeks + 1)
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> list[int]:
    """Three streets as imported hours; on the date, cars fall by half in the first."""
    frame = town(71, ("a", "b", "c"), before=70, after=49, effects={"a": {"car": -0.5}})
    return add_imported_town(module_connection, frame)


@pytest.fixture(scope="module")
def mail() -> Iterator[tuple[int, Letters]]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def settings(module_database: str, mail: tuple[int, Letters]) -> ApiSettings:
    return ApiSettings(
        dsn=module_database, pool_max=4, public_url="http://127.0.0.1:8080", mail_host="127.0.0.1", mail_port=mail[0],
        mail_tls="none", mail_from="counts@example.org",
    )  # fmt: skip


@pytest.fixture(scope="module")
def site(settings: ApiSettings) -> Iterator[httpx.Client]:
    with served(settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def measure(site: httpx.Client, module_connection: psycopg.Connection, streets: list[int]) -> dict[str, Any]:
    body = {"name": "Filter in Street a", "first_day": MEASURE.isoformat(), "treated": streets[:1],
            "controls": streets[1:], "published": True}  # fmt: skip
    created = site.post("/api/v1/measures", headers=bearing(let_in(module_connection, "professional")), json=body)
    assert created.status_code == 201, created.text
    answer: dict[str, Any] = created.json()
    return answer


@pytest.fixture
def citizen(module_connection: psycopg.Connection) -> dict[str, str]:
    return bearing(let_in(module_connection, "citizen"))


@pytest.fixture(autouse=True)
def afresh(module_connection: psycopg.Connection, mail: tuple[int, Letters]) -> None:
    module_connection.execute("delete from measure_follower")
    module_connection.execute("delete from measure_look")
    mail[1].came.clear()


def round_of(settings: ApiSettings, weeks: int = WEEKS) -> Round:
    return asyncio.run(go_round(settings, noon_after(weeks)))


def path(measure: dict[str, Any]) -> str:
    return f"{measure['links']['self']}/following"


def follow(site: httpx.Client, citizen: dict[str, str], measure: dict[str, Any], language: str = "nl") -> None:
    answer = site.put(path(measure), headers=citizen, json={"what": "car", "language": language})
    assert answer.status_code == 200, answer.text
    assert answer.json()["following"] is True


def test_news_is_written_once_and_the_next_round_has_none(
    site: httpx.Client,
    citizen: dict[str, str],
    measure: dict[str, Any],
    settings: ApiSettings,
    mail: tuple[int, Letters],
) -> None:
    follow(site, citizen, measure)
    first = round_of(settings)
    assert (first.looked, first.news, first.written, first.sent, first.waiting) == (1, 1, 1, 1, 0)
    letter = mail[1].wait(1)
    assert letter["Subject"] == "Filter in Street a: nieuws na 6 weken"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text = letter.get_content()
    assert "Het autoverkeer in Street a, " in text
    again, later = round_of(settings), round_of(settings, WEEKS + 1)
    assert (again.looked, again.sent) == (0, 0)
    assert (later.looked, later.news, later.sent) == (1, 0, 0), "a week in which nothing changes is no news"
    answer = site.get(path(measure)).json()
    assert [look["weeks"] for look in answer["looks"]] == [7, 6]
    look = answer["looks"][1]["streets"][str(measure["treated"][0])]
    assert look["state"]["claim"] == "fell"
    assert look["sentences"]["nl"][0] in text, "letter and page say the same"


def test_a_mail_server_that_is_down_loses_no_letter(
    site: httpx.Client, citizen: dict[str, str], measure: dict[str, Any], settings: ApiSettings,
    mail: tuple[int, Letters], module_connection: psycopg.Connection,
) -> None:  # fmt: skip
    follow(site, citizen, measure, "fr")
    down = msgspec.structs.replace(settings, mail_port=free_port())
    first = round_of(down)
    assert (first.written, first.sent, first.waiting) == (1, 0, 1)
    assert round_of(settings).sent == 0, "it waits a while before it tries again"
    module_connection.execute("update measure_letter set next_try_at = now()")
    assert (round_of(settings).sent, round_of(settings).sent) == (1, 0)
    assert mail[1].wait(1)["Subject"].startswith("Filter in Street a : du nouveau")
    rows = module_connection.execute("select body, stop_link from measure_letter").fetchall()
    assert rows == [("", "")], "what has gone is not kept"


def test_one_click_in_a_letter_ends_the_letters_and_looking_at_the_link_does_not(
    site: httpx.Client,
    citizen: dict[str, str],
    measure: dict[str, Any],
    settings: ApiSettings,
    mail: tuple[int, Letters],
) -> None:
    follow(site, citizen, measure)
    round_of(settings)
    match = re.search(r"/following/stop\S+", mail[1].wait(1).get_content())
    assert match
    link = match[0]
    assert "Geen brieven meer" in site.get(link).text
    assert site.get(path(measure), headers=citizen).json()["following"] is True
    done = site.post(link, data={"List-Unsubscribe": "One-Click"})
    assert "U krijgt geen brieven meer" in done.text
    assert site.get(path(measure), headers=citizen).json()["following"] is False
    assert "zijn werk gedaan" in site.post(link).text
    assert site.post("/following/stop", params={"token": "x" * 43}).status_code == 200


def test_who_stops_following_gets_nothing_that_was_still_waiting(
    site: httpx.Client, citizen: dict[str, str], measure: dict[str, Any], settings: ApiSettings,
    module_connection: psycopg.Connection,
) -> None:  # fmt: skip
    follow(site, citizen, measure)
    assert round_of(msgspec.structs.replace(settings, mail_port=free_port())).waiting == 1
    assert site.delete(path(measure), headers=citizen).json()["following"] is False
    left = module_connection.execute("select count(*) from measure_letter").fetchone()
    assert left == (0,)


def test_the_weekly_looks_end_with_a_letter_and_every_letter_says_when(
    site: httpx.Client,
    citizen: dict[str, str],
    measure: dict[str, Any],
    settings: ApiSettings,
    mail: tuple[int, Letters],
) -> None:
    until = MEASURE + timedelta(weeks=WEEKS_MAX)
    follow(site, citizen, measure, "en")
    assert site.get(path(measure)).json()["until"] == until.isoformat()
    round_of(settings)
    assert "looked at every week until 21 September 2026, 52 weeks" in mail[1].wait(1).get_content()
    late = round_of(settings, WEEKS_MAX + 30)  # nobody ran it in the week itself
    assert (late.looked, late.written, late.sent) == (1, 1, 1)
    assert "This is the last letter" in mail[1].wait(2).get_content()
    after = round_of(settings, WEEKS_MAX + 31)
    assert (after.looked, after.written) == (0, 0)


def test_only_people_who_signed_in_follow_and_only_what_they_may_see(
    site: httpx.Client, citizen: dict[str, str], measure: dict[str, Any]
) -> None:
    assert site.put(path(measure), json={}).status_code == 401
    assert site.put("/api/v1/measures/999999/following", headers=citizen, json={}).status_code == 404
    assert site.put(path(measure), headers=citizen, json={"what": "v85"}).status_code == 422


def test_two_rounds_at_once_are_one(settings: ApiSettings) -> None:
    with psycopg.connect(settings.dsn, autocommit=True) as other:
        other.execute("select pg_advisory_lock(hashtext('telstraat follow'))")
        assert round_of(settings).already_running


def test_a_week_is_over_a_day_after_its_end_on_the_streets_clock() -> None:
    plain = {"first_day": "2026-03-02", "transition_days": 7, "timezone": "Europe/Brussels"}
    begin = date(2026, 3, 9)
    for hours, weeks in ((24, 0), (24 * 7 + 22, 0), (24 * 8, 1)):
        now = datetime(begin.year, begin.month, begin.day, tzinfo=UTC) - timedelta(hours=1) + timedelta(hours=hours)
        assert weeks_over(plain, now) == weeks


def test_the_map_of_a_report_comes_from_the_streets_of_the_database(settings: ApiSettings, streets: list[int]) -> None:
    first, *others = map(str, streets)
    result = lines_around(settings.dsn, Measure("m", MEASURE, (first,), tuple(others)))
    assert set(result) == {first, *others}
    assert all(len(line) > 1 for line in result.values())
    assert lines_around(settings.dsn, Measure("m", MEASURE, ("999999",))) == {}


def test_an_evaluation_is_answered_hour_by_hour_where_that_is_asked(
    site: httpx.Client, module_connection: psycopg.Connection, measure: dict[str, Any]
) -> None:
    key = bearing(let_in(module_connection, "professional"))
    requests = {"what": "car", "hours": [8, 9]}
    body = {"measure_id": measure["measure_id"], "questions": [requests], "by": ["hour"]}
    created = evaluation_of(site, key, body)
    [parts] = created["result"]["evaluations"][0]["parts"]
    assert [part["key"] for part in parts["parts"]] == [8, 9]
    assert all(part["effect"]["high"] < 0 for part in parts["parts"])
    page = site.get(created["links"]["html"], headers=key, timeout=60).text
    assert "8 to 9 h" in page
    assert "CC0-1.0" in page, "the licence of the counts"
    assert site.post("/api/v1/evaluations", headers=key, json={**body, "by": ["minute"]}).status_code == 422
