"""A sensor becomes somebody's by its code: also of somebody new, once, and without telling strangers who is known here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
from tests.api.conftest import served
from tests.api.mail_and_identities import Letters, free_port, mail_server
from tests.api.my_people import add_person, browser_of, code_of

from telstraat_api.settings import ApiSettings
from telstraat_store.places.sensors import retire_sensor

ANNA, NEW = "anna@example.org", "new@example.org"


@pytest.fixture
def letters_and_home(database: str) -> Iterator[tuple[Letters, str]]:
    with mail_server() as (mail_port, letters):
        port = free_port()
        settings = ApiSettings(
            dsn=database, pool_max=4, keep_s=0, public_url=f"http://127.0.0.1:{port}", mail_host="127.0.0.1",
            mail_port=mail_port, mail_tls="none", mail_from="counts@example.org",
        )  # fmt: skip
        with served(settings, port) as home:
            yield letters, home


@pytest.fixture
def letters(letters_and_home: tuple[Letters, str]) -> Letters:
    return letters_and_home[0]


@pytest.fixture
def home(letters_and_home: tuple[Letters, str]) -> str:
    return letters_and_home[1]


@pytest.fixture
def stranger(home: str) -> Iterator[httpx.Client]:
    with browser_of(home, None) as client:
        yield client


def link_in(letters: Letters, number: int) -> str:
    match = re.search(r"https?://\S+", letters.wait(number).get_content())
    assert match
    return match[0]


def follow(browser: httpx.Client, link: str) -> httpx.Response:
    """Open the link of a letter and press its button."""
    page = browser.get(link).text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    return browser.post("/sign-in/link", data=fields)


@pytest.mark.parametrize(
    "write", [str.lower, lambda c: c.replace("-", ""), lambda c: c.replace("-", " "), lambda c: c.replace("0", "O")]
)
def test_a_code_is_read_however_it_is_written(
    stranger: httpx.Client, connection: psycopg.Connection, sensor: int, write: object
) -> None:
    code = code_of(connection, sensor)
    typed = stranger.post("/claim", data={"code": f" {write(code)} "})  # type: ignore[operator]
    assert (typed.status_code, typed.headers["location"]) == (303, f"/claim/{code}")
    assert "linden-12" in stranger.get(typed.headers["location"]).text


def test_somebody_new_claims_a_sensor_by_mail_in_another_browser(
    stranger: httpx.Client, home: str, letters: Letters, connection: psycopg.Connection, sensor: int
) -> None:
    code = code_of(connection, sensor)
    assert "Look into your mail" in stranger.post(f"/claim/{code}", data={"email": NEW.upper()}).text
    assert connection.execute("select count(*) from account").fetchone() == (0,)  # not before the link is used
    with browser_of(home, None) as phone:
        arrived = follow(phone, link_in(letters, 1))
        assert (arrived.status_code, arrived.headers["location"]) == (303, f"/claim/{code}")
        assert connection.execute("select email, role from account").fetchone() == (NEW, "citizen")
        assert "This is my sensor" in phone.get(f"/claim/{code}").text
        claimed = phone.post(f"/claim/{code}", data={})
        assert claimed.headers["location"] == f"/my/sensors/{sensor}/place?new=yes"
        assert phone.get(claimed.headers["location"]).status_code == 200
        assert "linden-12" in phone.get("/my").text
        again = phone.post(f"/claim/{code}", data={})
        assert (again.status_code, "No sensor can be claimed" in again.text) == (404, True)
    assert "has been used" in follow(stranger, link_in(letters, 1)).text


def test_the_answer_tells_nobody_which_addresses_are_known(
    stranger: httpx.Client, letters: Letters, connection: psycopg.Connection, sensor: int
) -> None:
    add_person(connection, ANNA)
    locked = add_person(connection, "locked@example.org")
    connection.execute("update account set disabled_at = now() where account_id = %s", (locked,))
    code = code_of(connection, sensor)
    answers = [stranger.post(f"/claim/{code}", data={"email": email}) for email in (ANNA, NEW, "locked@example.org")]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    letters.wait(2)
    assert sorted(letter["to"] for letter in letters.came) == [ANNA, NEW]
    letter = next(letter for letter in letters.came if letter["to"] == ANNA)
    known = re.search(r"https?://\S+", letter.get_content())
    assert known
    follow(stranger, known[0])
    assert stranger.get("/api/v1/me").json()["email"] == ANNA
    assert connection.execute("select count(*) from account").fetchone() == (2,)


def test_a_used_an_ended_and_a_retired_code_are_answered_like_a_wrong_one(
    stranger: httpx.Client, letters: Letters, connection: psycopg.Connection, sensor: int
) -> None:
    code = code_of(connection, sensor)
    fits = stranger.get(f"/claim/{code}")
    assert fits.status_code == 200
    wrong = stranger.get("/claim/0000-0000-0000")

    def answer() -> str:
        return stranger.get(f"/claim/{code}").text.replace(code, "0000-0000-0000")

    connection.execute("update sensor_claim set claimed_at = now()")
    assert answer() == wrong.text
    connection.execute("update sensor_claim set claimed_at = null, expires_at = now() - interval '1 second'")
    assert answer() == wrong.text
    connection.execute("update sensor_claim set expires_at = now() + interval '1 day'")
    retire_sensor(connection, "linden-12")
    assert answer() == wrong.text
    assert stranger.post(f"/claim/{code}", data={"email": NEW}).status_code == 404
    assert letters.came == []


def test_a_link_makes_no_account_when_the_sensor_was_claimed_meanwhile(
    stranger: httpx.Client, letters: Letters, connection: psycopg.Connection, sensor: int
) -> None:
    code = code_of(connection, sensor)
    stranger.post(f"/claim/{code}", data={"email": NEW})
    link = link_in(letters, 1)
    connection.execute("update sensor_claim set claimed_at = now()")
    assert follow(stranger, link).status_code == 400
    assert connection.execute("select count(*) from account").fetchone() == (0,)


def test_of_two_who_claim_at_once_one_becomes_the_owner(home: str, connection: psycopg.Connection, sensor: int) -> None:
    people = [f"p{n}@example.org" for n in range(6)]
    for email in people:
        add_person(connection, email)
    code = code_of(connection, sensor)

    def claim(email: str) -> int:
        with browser_of(home, email) as browser:
            return browser.post(f"/claim/{code}", data={}).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(claim, people))
    assert sorted(answers) == [303, 404, 404, 404, 404, 404]
    owner = connection.execute("select email from sensor join account using (account_id)").fetchone()
    assert owner == (people[answers.index(303)],)


def test_codes_cannot_be_guessed_for_long(stranger: httpx.Client) -> None:
    answers = [stranger.get(f"/claim/{n:012}").status_code for n in range(20)]
    assert answers[:15] == [404] * 15
    assert set(answers[15:]) == {429}


@pytest.mark.parametrize(
    "code", ["%00", "x" * 60, "<script>alert(1)</script>", "\u202e123", "' or 1=1 --", "-", "%F0%9F%9A%B2"]
)
def test_an_odd_code_is_only_a_code_that_does_not_fit(stranger: httpx.Client, code: str) -> None:
    answer = stranger.post("/claim", data={"code": code})
    assert answer.status_code in {303, 422}
    if answer.status_code == 303:
        answer = stranger.get(answer.headers["location"])
        assert answer.status_code == 404
    assert "<script>alert" not in answer.text


def test_a_sensor_is_handed_over_by_a_letter_and_stays_until_it_is_used(
    home: str, letters: Letters, connection: psycopg.Connection, sensor: int
) -> None:
    anna = add_person(connection, ANNA)
    connection.execute("update sensor set account_id = %s", (anna,))
    connection.execute("update installation set to_b = 'to our house'")
    with browser_of(home, ANNA) as browser, browser_of(home, None) as other:
        assert browser.post(f"/my/sensors/{sensor}/hand-over", data={"email": "nobody"}).status_code == 422
        assert browser.post(f"/my/sensors/{sensor}/hand-over", data={"email": NEW}).status_code == 303
        letter = letters.wait(1)
        assert letter["to"] == NEW
        assert ANNA not in letter.as_string()
        assert "Lindenstraat" not in letter.get_content()
        assert browser.get(f"/my/sensors/{sensor}").status_code == 200
        code = re.search(r"/claim/([0-9A-Z-]+)", letter.get_content())
        assert code
        other.post(f"/claim/{code[1]}", data={"email": NEW})
        follow(other, link_in(letters, 2))
        assert other.post(f"/claim/{code[1]}", data={}).status_code == 303
        assert browser.get(f"/my/sensors/{sensor}").status_code == 404
        assert "our house" not in other.get(f"/my/sensors/{sensor}").text


def test_an_operator_prints_a_label_whose_code_works(home: str, connection: psycopg.Connection, sensor: int) -> None:
    add_person(connection, "op@example.org", "operator")
    add_person(connection, ANNA)
    with browser_of(home, "op@example.org") as operator, browser_of(home, ANNA) as citizen:
        assert citizen.get(f"/claim/label/{sensor}").status_code == 403
        assert citizen.post(f"/claim/label/{sensor}", data={}).status_code == 403
        assert "Make the label" in operator.get(f"/claim/label/{sensor}").text
        page = operator.post(f"/claim/label/{sensor}", data={}).text
        assert "http://linden-12.local" in page
        assert page.count("<svg") >= 2
        assert 'class="qr"' in page
        code = re.search(r"<code>([0-9A-Z-]{14})</code>", page)
        assert code
        assert citizen.post(f"/claim/{code[1]}", data={}).status_code == 303
