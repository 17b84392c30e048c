"""The operator's pages: who may see them, and that each button does what it says and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb
from tests.api.people import signed_in
from tests.api.streets import add_sensor
from tests.api.test_jobs import defer
from tests.harness.databases import one_row

from telstraat_store.places.claims import issue_code

PAGES = [
    "/operate",
    "/operate/people",
    "/operate/sensors",
    "/operate/published",
    "/operate/quarantine",
    "/operate/jobs",
]
HOSTILE = "<script>alert(1)</script>&\u202e"


@pytest.fixture
def operator(connection: psycopg.Connection, address: str) -> Iterator[httpx.Client]:
    with signed_in(connection, address, "operator") as browser:
        yield browser


@pytest.mark.parametrize("path", [*PAGES, "/operate/sensors/1", "/operate/quarantine/1"])
def test_only_operators_see_the_pages_of_operators(
    connection: psycopg.Connection, client: httpx.Client, address: str, path: str
) -> None:
    away = client.get(path, headers={"accept": "text/html"})
    assert (away.status_code, away.headers["location"][:9]) == (303, "/sign-in?")
    with signed_in(connection, address, "professional") as officer:
        assert officer.get(path).status_code == 403
        assert officer.post(path.replace("/1", "/1/retire"), data={"sure": "yes"}).status_code in {403, 404, 405}


def test_every_page_opens_on_an_empty_site(operator: httpx.Client) -> None:
    for path in PAGES:
        for language in ("en", "nl", "fr", "de"):
            page = operator.get(path, params={"lang": language})
            assert page.status_code == 200
            assert "no-store" in page.headers["cache-control"]
    assert operator.get("/operate/sensors/77").status_code == 404


def test_somebody_is_let_in_given_another_role_and_locked_out(
    operator: httpx.Client, connection: psycopg.Connection
) -> None:
    new = {"email": "New.Officer@Example.org", "name": HOSTILE, "role": "professional"}
    assert operator.post("/operate/people", data=new).status_code == 303
    account_id, role = one_row(
        connection, "select account_id, role from account where email = 'new.officer@example.org'"
    )
    assert role == "professional"
    page = operator.get("/operate/people", params={"search": "new.off"}).text
    assert "new.officer@example.org" in page
    assert HOSTILE not in page
    operator.post(f"/operate/people/{account_id}", data={"role": "citizen"})
    operator.post(f"/operate/people/{account_id}", data={"access": "lock"})
    row = one_row(connection, "select role, disabled_at is not null from account where account_id = %s", account_id)
    assert row == ("citizen", True)
    operator.post(f"/operate/people/{account_id}", data={"access": "unlock"})
    assert one_row(connection, "select disabled_at from account where account_id = %s", account_id) == (None,)


def test_what_cannot_be_used_is_said_and_nothing_is_made(
    operator: httpx.Client, connection: psycopg.Connection
) -> None:
    again = operator.post("/operate/people", data={"email": "operator@example.org", "role": "citizen"})
    assert (again.status_code, "There is an account of this address already." in again.text) == (422, True)
    odd = operator.post("/operate/people", data={"email": "no address", "role": "emperor"})
    assert (odd.status_code, odd.text.count('class="wrong"')) == (422, 2)
    (own,) = one_row(connection, "select account_id from account")
    assert operator.post(f"/operate/people/{own}", data={"access": "lock"}).status_code == 403
    assert operator.post(f"/operate/people/{own}", data={"role": "citizen"}).status_code == 403
    assert one_row(connection, "select count(*), max(role) from account") == (1, "operator")


def test_a_form_of_another_site_does_nothing(operator: httpx.Client, connection: psycopg.Connection) -> None:
    new = {"email": "x@example.org", "role": "operator"}
    assert operator.post("/operate/people", data=new, headers={"origin": "https://evil.example"}).status_code == 403
    assert one_row(connection, "select count(*) from account") == (1,)


def test_a_sensor_is_added_moved_handed_over_and_retired(
    operator: httpx.Client, connection: psycopg.Connection, segment: int
) -> None:
    page = operator.post("/operate/sensors", data={"name": "linden-1", "street": ""})
    assert page.status_code == 201
    assert "Password for the broker" not in operator.get("/operate/sensors").text  # it is shown once
    (sensor,) = one_row(connection, "select sensor_id from sensor where name = 'linden-1'")
    home = f"/operate/sensors/{sensor}"
    assert "stands nowhere" in operator.get(home).text
    assert operator.post(f"{home}/street", data={"street": "No Street", "from": ""}).status_code == 422
    assert operator.post(f"{home}/street", data={"street": "lindenstraat", "from": "2026-03-01"}).status_code == 303
    assert one_row(connection, "select segment_id from installation where sensor_id = %s", sensor) == (segment,)
    earlier = operator.post(f"{home}/street", data={"street": str(segment), "from": "2026-02-01"})
    assert (earlier.status_code, "is not rewritten" in earlier.text) == (422, True)
    assert operator.post(f"{home}/owner", data={"email": "nobody@example.org"}).status_code == 422
    operator.post(f"{home}/owner", data={"email": "operator@example.org"})
    assert "operator@example.org" in operator.get("/operate/sensors", params={"search": "linden"}).text
    assert operator.post(f"{home}/retire", data={}).status_code == 422
    assert operator.post(f"{home}/retire", data={"sure": "yes"}).status_code == 303
    assert operator.get("/operate/sensors", params={"state": "retired"}).text.count("linden-1</a>") == 1
    assert operator.post("/operate/sensors", data={"name": "linden-1", "street": ""}).status_code == 422


def test_a_new_code_and_a_new_password_are_shown_once(
    operator: httpx.Client, connection: psycopg.Connection, sensor: int
) -> None:
    issue_code(connection, sensor, "linden-12")
    (before,) = one_row(connection, "select hash from sensor_claim")
    assert "Code for its owner" in operator.post(f"/operate/sensors/{sensor}/code").text
    assert one_row(connection, "select hash from sensor_claim") != (before,)
    assert "Password for the broker" in operator.post(f"/operate/sensors/{sensor}/password").text
    assert "Password for the broker" not in operator.get(f"/operate/sensors/{sensor}").text


def test_sensors_that_need_somebody_come_first(
    operator: httpx.Client, connection: psycopg.Connection, segment: int
) -> None:
    numbers = {name: add_sensor(connection, name, segment) for name in ("a-well", "b-silent", "c-late", "d-new")}
    for name, age, missing in (
        ("a-well", "1 minute", "{}"),
        ("b-silent", "3 hours", "{}"),
        ("c-late", "1 minute", "{[3,5)}"),
    ):
        connection.execute(
            "insert into stream (sensor_id, epoch_no, epoch, seen, last_at, missing, gap_since)"
            " values (%s, 1, 1, 9, now() - %s::interval, %s::int4multirange, now() - interval '2 hours')",
            (numbers[name], age, missing),
        )
    page = operator.get("/operate/sensors").text
    order = [page.index(f"{name}</a>") for name in ("b-silent", "c-late", "d-new", "a-well")]
    assert order == sorted(order)
    home = operator.get("/operate").text
    assert "3 sensors need somebody." in home
    assert "a-well" not in home


def test_a_refused_message_is_shown_as_it_came_and_dropped_with_its_kind(
    operator: httpx.Client, connection: psycopg.Connection
) -> None:
    connection.execute(
        "insert into quarantine (topic, reason, detail, payload, payload_bytes, payload_sha256, stored)"
        " values ('telstraat/v1/x/report', 'malformed', %s, %s, 4, '\\x00', '{\"car_lft\": 3}')",
        (HOSTILE, HOSTILE.encode() + b"\xff"),
    )
    (number,) = one_row(connection, "select quarantine_id from quarantine")
    message = operator.get(f"/operate/quarantine/{number}").text
    assert "&lt;script&gt;alert(1)" in message
    assert "\\xff" in message
    page = operator.get("/operate/quarantine", params={"reason": "malformed"}).text
    read_at = page.split('name="read_at" value="')[1].split('"')[0]
    connection.execute("update quarantine set last_at = now() + interval '1 minute'")
    operator.post("/operate/quarantine", data={"reason": "malformed", "read_at": read_at})
    assert one_row(connection, "select count(*) from quarantine") == (1,)  # it came again after the list was read
    connection.execute("update quarantine set last_at = now() - interval '1 hour'")
    operator.post("/operate/quarantine", data={"reason": "malformed", "read_at": read_at})
    assert one_row(connection, "select count(*) from quarantine") == (0,)
    assert operator.post("/operate/quarantine", data={"reason": "malformed", "read_at": "now"}).status_code == 422


def test_what_is_taken_off_stays_with_its_maker(
    operator: httpx.Client, connection: psycopg.Connection, segment: int, client: httpx.Client
) -> None:
    connection.execute(
        "insert into street_event (account_id, segment_id, kind, title, from_at, until_at, published)"
        " select account_id, %s, 'roadworks', %s, now() - interval '2 days', now(), true from account",
        (segment, HOSTILE),
    )
    (event,) = one_row(connection, "select event_id from street_event")
    assert "&lt;script&gt;" in operator.get("/operate/published", params={"kind": "event"}).text
    assert operator.post(f"/operate/published/event/{event}").status_code == 303
    assert operator.post("/operate/published/account/1").status_code == 404
    assert one_row(connection, "select published, revision from street_event") == (False, 2)
    assert client.get(f"/api/v1/events/{event}").status_code == 404


def test_a_job_is_cancelled_and_tried_again(operator: httpx.Client, connection: psycopg.Connection) -> None:
    number = defer(connection.info.dsn, arguments={"seconds": 1})
    page = operator.get("/operate/jobs", params={"state": "waiting"}).text
    assert f"/operate/jobs/{number}/cancel" in page
    operator.post(f"/operate/jobs/{number}/cancel")
    assert one_row(connection, "select state from job") == ("cancelled",)
    operator.post(f"/operate/jobs/{number}/retry")
    assert one_row(connection, "select state from job") == ("waiting",)
    operator.post("/operate/jobs/999/cancel")
    assert operator.get("/operate/jobs", params={"state": "nonsense"}).status_code == 200


def test_who_is_at_work_is_told_whatever_is_listed_and_every_job_can_be_reached(
    operator: httpx.Client, connection: psycopg.Connection
) -> None:
    number = defer(connection.info.dsn, arguments={"seconds": 1})
    connection.execute("update job set state = 'running', worker = 'cellar-7', begun_at = now(), heard_at = now()")
    connection.execute(
        "insert into job (kind, arguments, expires_at) select 'trial', '{}', now() + interval '1 day' from generate_series(1, 60)"
    )
    for query in ({}, {"state": "failed"}, {"page": "2"}, {"state": "running"}):
        assert "At work now: cellar-7" in operator.get("/operate/jobs", params=query).text
    assert f"/operate/jobs/{number}/cancel" not in operator.get("/operate/jobs").text
    assert f"/operate/jobs/{number}/cancel" in operator.get("/operate/jobs", params={"page": "2"}).text


@pytest.mark.parametrize("page", ["0", "-3", "99999999999999999999", "x", "2"])
def test_a_page_that_is_not_there_is_an_empty_list_or_the_first(operator: httpx.Client, page: str) -> None:
    for path in ("/operate/people", "/operate/sensors", "/operate/quarantine", "/operate/published", "/operate/jobs"):
        assert operator.get(path, params={"page": page, "search": "%_\\"}).status_code == 200


def test_times_are_the_town_s_own_and_the_zone_is_said_once(
    operator: httpx.Client, connection: psycopg.Connection, segment: int
) -> None:
    connection.execute("update segment set timezone = 'Atlantic/Azores'")
    sensor = add_sensor(connection, "linden-1", segment)
    connection.execute(
        "insert into stream (sensor_id, epoch_no, epoch, last_at) values (%s, 1, 1, '2026-03-02T12:30:00Z')",
        (sensor,),
    )
    for path in ("/operate", "/operate/sensors", f"/operate/sensors/{sensor}"):
        page = operator.get(path).text
        assert page.count("Atlantic/Azores") == 1
        assert "2 Mar 2026, 11:30" in page
        assert "UTC" not in page


def test_an_error_is_told_in_the_reader_s_language(operator: httpx.Client) -> None:
    german = operator.get("/operate/sensors/77", params={"lang": "de"}).text
    assert "Was Sie suchen, ist nicht hier" in german
    assert "there is no sensor" not in german
    assert "there is no sensor 77" in operator.get("/operate/sensors/77", params={"lang": "en"}).text


def test_an_operator_sends_settings_and_reads_what_the_sensor_makes_of_them(
    operator: httpx.Client, connection: psycopg.Connection, sensor: int
) -> None:
    home = f"/operate/sensors/{sensor}"
    for wrong in ({"line": "0,0,5,5"}, {"line": "x"}, {"limit": "999"}, {}):
        assert operator.post(f"{home}/settings", data=wrong).status_code == 422
    sent = operator.post(f"{home}/settings", data={"line": "0.1, 0.6, 0.9, 0.6", "flip": "yes", "limit": "30"})
    assert sent.status_code == 303
    (settings,) = one_row(connection, "select settings from sensor_config")
    assert settings == {
        "v": 1, "version": 1, "line": [0.1, 0.6, 0.9, 0.6], "flip": True, "speed_limit_kmh": 30,
    }  # fmt: skip
    assert "are on their way" in operator.get(home).text
    health = {"config": 0, "refused": 1, "refused_why": "the line <b>lies</b> outside"}
    connection.execute("update sensor_health set health = %s", (Jsonb(health),))
    page = operator.get(home).text
    assert "It refuses the settings of" in page
    assert "the line &lt;b&gt;lies" in page
    connection.execute("update sensor_health set health = %s", (Jsonb({"config": 1}),))
    assert "It counts with the settings of" in operator.get(home).text
