"""Signing in: by a link from a real mail server, by a real OpenID Connect provider; sessions, their cookies and their end."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from joserfc.jwk import RSAKey
from tests.api.conftest import served
from tests.api.mail_and_identities import Identities, Letters, identity_provider, mail_server
from tests.api.test_access import let_in

from telstraat_api.http.access import COOKIE
from telstraat_api.settings import ApiSettings, read_settings
from telstraat_contract.errors import SettingsError

ADDRESS = "citizen@example.org"


@pytest.fixture(scope="module")
def letters_and_port() -> Iterator[tuple[int, Letters]]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def provider() -> Iterator[Identities]:
    with identity_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def home(
    module_database: str,
    module_connection: psycopg.Connection,
    letters_and_port: tuple[int, Letters],
    provider: Identities,
) -> Iterator[str]:
    """The address of a site that signs in both ways."""
    let_in(module_connection, "citizen")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        public = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = ApiSettings(
        dsn=module_database, pool_max=4, public_url=public, mail_host="127.0.0.1", mail_port=letters_and_port[0],
        mail_tls="none", mail_from="counts@example.org", oidc_issuer=provider.issuer, oidc_client_id="telstraat",
        oidc_name="the town", sign_in_per_minute=6000,
    )  # fmt: skip
    with served(settings, port=int(public.rpartition(":")[2])) as address:
        assert address == public
        yield address


@pytest.fixture
def letters(letters_and_port: tuple[int, Letters], module_connection: psycopg.Connection) -> Letters:
    module_connection.execute("delete from sign_in_link")
    letters_and_port[1].came.clear()
    return letters_and_port[1]


@pytest.fixture
def browser(home: str) -> Iterator[httpx.Client]:
    """Something that keeps cookies and comes from our own pages."""
    with httpx.Client(base_url=home, timeout=20, headers={"Origin": home, "Accept": "text/html"}) as client:
        yield client


@pytest.fixture(autouse=True)
def _usual_claims(provider: Identities) -> None:
    provider.claims = {"email": ADDRESS, "email_verified": True}
    provider.signs_with = provider.key


def token_in(letter: Any) -> str:
    match = re.search(r"token=([A-Za-z0-9_-]+)", letter.get_content())
    assert match
    return match[1]


def who(browser: httpx.Client) -> str | None:
    answer = browser.get("/api/v1/me")
    return answer.json()["email"] if answer.status_code == 200 else None


def sign_in(browser: httpx.Client, letters: Letters, number: int = 1) -> httpx.Response:
    assert browser.post("/sign-in", data={"email": ADDRESS}).status_code == 200
    return browser.post("/sign-in/link", data={"token": token_in(letters.wait(number))})


def test_a_link_from_a_letter_signs_in_once(browser: httpx.Client, letters: Letters, home: str) -> None:
    sent = browser.post("/sign-in", data={"email": " Citizen@Example.org "}, headers={"accept-language": "nl"})
    assert "Kijk in je mailbox" in sent.text
    letter = letters.wait(1)
    assert (letter["to"], letter["from"], letter["subject"]) == (
        ADDRESS,
        "counts@example.org",
        "Aanmelden bij Telstraat",
    )
    link = re.search(r"https?://\S+", letter.get_content())
    assert link
    assert link[0].startswith(f"{home}/sign-in/link?")
    for _ in range(2):  # programs that look at mails do not spend the link
        assert browser.get(link[0]).status_code == 200
    assert who(browser) is None
    done = browser.post("/sign-in/link", data={"token": token_in(letter)})
    assert (done.status_code, done.headers["location"]) == (303, "/my")
    assert who(browser) == ADDRESS
    assert ADDRESS in browser.get("/sign-in").text
    again = browser.post("/sign-in/link", data={"token": token_in(letter)})
    assert again.status_code == 400
    assert "Deze link is al gebruikt, of is ouder" in again.text, "in the language of the letter"


def test_whoever_signs_in_comes_back_to_the_page_that_they_wanted(browser: httpx.Client, letters: Letters) -> None:
    away = browser.get("/my?tab=sensors")
    assert (away.status_code, away.headers["location"]) == (303, "/sign-in?next=%2Fmy%3Ftab%3Dsensors")
    assert browser.get(away.headers["location"]).status_code == 200
    browser.post("/sign-in", data={"email": ADDRESS})
    back = browser.post("/sign-in/link", data={"token": token_in(letters.wait(1))})
    assert back.headers["location"] == "/my?tab=sensors"
    assert ADDRESS in browser.get("/my").text
    assert ADDRESS in browser.get("/measures").text
    assert browser.post("/sign-out", data={}).headers["location"] == "/"
    assert ADDRESS not in browser.get("/").text


def test_the_answer_is_the_same_whether_or_not_the_address_is_known(browser: httpx.Client, letters: Letters) -> None:
    known, unknown = (browser.post("/sign-in", data={"email": email}) for email in (ADDRESS, "nobody@example.org"))
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    assert {name: value for name, value in known.headers.items() if name != "date"} == {
        name: value for name, value in unknown.headers.items() if name != "date"
    }
    letters.wait(1)
    time.sleep(0.3)
    assert [letter["to"] for letter in letters.came] == [ADDRESS]


def test_an_old_link_and_a_made_up_one_do_nothing(
    browser: httpx.Client, letters: Letters, module_connection: psycopg.Connection
) -> None:
    browser.post("/sign-in", data={"email": ADDRESS})
    token = token_in(letters.wait(1))
    module_connection.execute("update sign_in_link set expires_at = now()")
    for attempt in (token, "x" * 43, ""):
        assert browser.post("/sign-in/link", data={"token": attempt}).status_code == 400
    assert who(browser) is None


def test_a_link_lives_a_quarter_of_an_hour_and_only_its_hash_is_stored(
    browser: httpx.Client, letters: Letters, module_connection: psycopg.Connection
) -> None:
    browser.post("/sign-in", data={"email": ADDRESS})
    token = token_in(letters.wait(1))
    row = module_connection.execute("select expires_at - created_at, l::text from sign_in_link l").fetchone()
    assert row
    assert row[0].total_seconds() == 900
    assert token not in row[1]


def test_somebody_who_was_locked_out_gets_no_letter_and_no_session(
    browser: httpx.Client, letters: Letters, module_connection: psycopg.Connection
) -> None:
    browser.post("/sign-in", data={"email": ADDRESS})
    token = token_in(letters.wait(1))
    module_connection.execute("update account set disabled_at = now() where email = %s", (ADDRESS,))
    try:
        assert browser.post("/sign-in/link", data={"token": token}).status_code == 400
        browser.post("/sign-in", data={"email": ADDRESS})
        time.sleep(0.3)
        assert len(letters.came) == 1
    finally:
        module_connection.execute("update account set disabled_at = null where email = %s", (ADDRESS,))


def test_an_address_gets_three_letters_and_the_answer_does_not_tell(browser: httpx.Client, letters: Letters) -> None:
    answers = [browser.post("/sign-in", data={"email": ADDRESS}) for _ in range(4)]
    letters.wait(3)
    time.sleep(0.3)
    assert len(letters.came) == 3
    assert len({answer.text for answer in answers}) == 1


def test_the_cookie_is_for_the_server_only_and_changes_at_every_sign_in(
    browser: httpx.Client, letters: Letters, home: str, module_connection: psycopg.Connection
) -> None:
    fixed = "a-cookie-that-somebody-else-knows"
    browser.cookies.set(COOKIE, fixed, domain="127.0.0.1", path="/")
    first = SimpleCookie(sign_in(browser, letters).headers["set-cookie"])[COOKIE]
    assert first.value != fixed
    assert (first["httponly"], first["samesite"], first["path"], first["secure"]) == (True, "lax", "/", "")
    assert int(first["max-age"]) == 14 * 86_400
    stored = module_connection.execute("select b::text from browser_session b").fetchall()
    assert not [row for (row,) in stored if first.value in row]
    browser.cookies.clear()
    browser.cookies.set(COOKIE, first.value, domain="127.0.0.1", path="/")
    second = SimpleCookie(sign_in(browser, letters, 2).headers["set-cookie"])[COOKIE]
    assert second.value != first.value
    with httpx.Client(base_url=home, cookies={COOKIE: first.value}, timeout=60) as old:
        assert old.get("/api/v1/me").status_code == 401
    # Elsewhere than on this machine, a cookie travels encrypted only.
    browser.post("/sign-in", data={"email": ADDRESS})
    elsewhere = browser.post(
        "/sign-in/link", data={"token": token_in(letters.wait(3))},
        headers={"Host": "counts.example.org", "Origin": "https://counts.example.org"},
    )  # fmt: skip
    assert SimpleCookie(elsewhere.headers["set-cookie"])[COOKIE]["secure"] is True


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", ""])
@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/link", "/sign-out"])
def test_forms_come_from_our_own_pages(browser: httpx.Client, letters: Letters, path: str, origin: str) -> None:
    answer = browser.post(path, data={"email": ADDRESS, "token": "x" * 43}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert letters.came == []


def test_signing_out_ends_the_session_here_or_everywhere(browser: httpx.Client, letters: Letters, home: str) -> None:
    sign_in(browser, letters)
    cookie = browser.cookies[COOKIE]
    out = browser.post("/sign-out")
    assert out.status_code == 303
    assert COOKIE not in browser.cookies
    with httpx.Client(base_url=home, cookies={COOKIE: cookie}, timeout=60) as old:
        assert old.get("/api/v1/me").status_code == 401
    sign_in(browser, letters, 2)
    elsewhere = httpx.Client(base_url=home, cookies={COOKIE: browser.cookies[COOKIE]}, timeout=60)
    browser.cookies.clear()
    sign_in(browser, letters, 3)
    assert elsewhere.get("/api/v1/me").status_code == 200
    browser.post("/sign-out", data={"everywhere": "yes"})
    assert elsewhere.get("/api/v1/me").status_code == 401
    elsewhere.close()


def test_a_session_ends_by_itself(
    browser: httpx.Client, letters: Letters, module_connection: psycopg.Connection
) -> None:
    sign_in(browser, letters)
    assert who(browser) == ADDRESS
    module_connection.execute("update browser_session set expires_at = now()")
    assert who(browser) is None


def test_what_is_no_address_is_told_and_a_long_form_refused(browser: httpx.Client, letters: Letters) -> None:
    odd = browser.post("/sign-in", data={"email": "no address\r\nBcc: all@example.org"})
    assert (odd.status_code, "This is not a mail address" in odd.text) == (422, True)
    assert browser.post("/sign-in", data={"email": "x" * 5000}).status_code == 413
    assert letters.came == []


def test_who_asks_for_many_links_waits(module_database: str, letters_and_port: tuple[int, Letters]) -> None:
    settings = ApiSettings(
        dsn=module_database, public_url="http://127.0.0.1", mail_host="127.0.0.1", mail_port=letters_and_port[0],
        mail_tls="none", mail_from="counts@example.org",
    )  # fmt: skip
    with (
        served(settings) as address,
        httpx.Client(base_url=address, headers={"Origin": address}, timeout=60) as browser,
    ):
        requests = [browser.post("/sign-in", data={"email": f"nobody-{n}@example.org"}) for n in range(11)]
    assert [answer.status_code for answer in requests] == [200] * 10 + [429]
    assert 1 <= int(requests[-1].headers["retry-after"]) <= 60


def by_provider(browser: httpx.Client) -> httpx.Response:
    """Go to the provider and come back as a browser does."""
    away = browser.get("/sign-in/provider")
    assert away.status_code == 303, away.text
    back = httpx.get(away.headers["location"], follow_redirects=False, timeout=60)
    return browser.get(back.headers["location"])


def test_the_provider_vouches_for_an_address_that_is_known(browser: httpx.Client, provider: Identities) -> None:
    done = by_provider(browser)
    assert (done.status_code, done.headers["location"]) == (303, "/my")
    assert who(browser) == ADDRESS
    request = provider.authorisations[-1]
    assert {"openid", "email"} <= set(request["scope"].split())
    assert len(request["state"]) >= 40
    assert len(request["nonce"]) >= 30
    provider.claims = {"email": "renamed@example.org", "email_verified": True}  # known by its subject from now on
    browser.cookies.clear()
    by_provider(browser)
    assert who(browser) == ADDRESS


OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"nonce": "of another sign-in"}, "could not be trusted"),
        ({"aud": "another-client"}, "could not be trusted"),
        ({"aud": ["telstraat", "another"], "azp": "another"}, "could not be trusted"),
        ({"iss": "https://elsewhere.example"}, "could not be trusted"),
        ({"exp": 1_700_000_000}, "could not be trusted"),
        ({"sub": "p2", "email": "stranger@example.org", "email_verified": True}, "may sign in here yet"),
        ({"sub": "p2", "email": ADDRESS, "email_verified": False}, "has not verified"),
        ({"sub": "p2", "email": ADDRESS, "email_verified": "true"}, "has not verified"),
        ({"sub": "p2", "email": None}, "has not verified"),
    ],
)
def test_an_answer_that_does_not_fit_lets_nobody_in(
    browser: httpx.Client, provider: Identities, claims: dict[str, Any], says: str
) -> None:
    provider.claims |= claims
    answer = by_provider(browser)
    assert answer.status_code == 400
    assert says in answer.text
    assert who(browser) is None


def test_a_token_signed_by_somebody_else_lets_nobody_in(browser: httpx.Client, provider: Identities) -> None:
    provider.signs_with = OTHER_KEY
    assert by_provider(browser).status_code == 400
    assert who(browser) is None


def test_a_way_back_is_for_the_browser_that_left_and_for_once(browser: httpx.Client, home: str) -> None:
    away = browser.get("/sign-in/provider")
    cookie = SimpleCookie(away.headers["set-cookie"])["telstraat_sign_in"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "lax", "/sign-in")
    back = httpx.get(away.headers["location"], timeout=60).headers["location"]
    with httpx.Client(base_url=home, timeout=60) as victim:  # somebody else follows the link that was prepared for them
        assert victim.get(back).status_code == 400
    state = dict(browser.cookies)["telstraat_sign_in"]
    assert browser.get(back).status_code == 303
    browser.cookies.set("telstraat_sign_in", state, domain="127.0.0.1", path="/sign-in")
    assert browser.get(back).status_code == 400
    path = urlsplit(back).path
    assert browser.get(f"{path}?error=access_denied&state={state}").status_code == 400


def test_people_of_the_provider_are_let_in_where_the_operator_says_so(
    module_database: str, provider: Identities
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = ApiSettings(
        dsn=module_database, public_url=f"http://127.0.0.1:{port}", oidc_issuer=provider.issuer,
        oidc_client_id="telstraat", oidc_new_role="citizen",
    )  # fmt: skip
    provider.claims = {"sub": "p9", "email": "New@example.org", "email_verified": True, "name": "New"}
    with (
        served(settings, port=port) as address,
        httpx.Client(base_url=address, headers={"Origin": address}, timeout=60) as browser,
    ):
        assert by_provider(browser).status_code == 303
        assert browser.get("/api/v1/me").json()["email"] == "new@example.org"
        assert browser.get("/api/v1/me").json()["role"] == "citizen"
        assert browser.post("/sign-in", data={"email": ADDRESS}).status_code == 404  # no mail server here


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"mail_host": "mail.example.org", "mail_from": "a@example.org"}, "public_url"),
        ({"mail_host": "mail.example.org", "public_url": "https://c.example.org"}, "mail_from"),
        (
            {"mail_host": "mail.example.org", "public_url": "https://c.example.org", "mail_from": "a@example.org", "mail_tls": "none"},
            "readable to everybody",
        ),
        ({"oidc_issuer": "https://id.example.org", "public_url": "https://c.example.org"}, "oidc_client_id"),
        ({"oidc_issuer": "http://id.example.org"}, "oidc_issuer"),
        ({"oidc_new_role": "operator"}, "oidc_new_role"),
    ],
)  # fmt: skip
def test_half_a_way_to_sign_in_stops_the_start(given: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read_settings(arguments=given, environment={})
