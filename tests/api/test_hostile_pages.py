"""Strangers at the pages: addresses that are none, keys that may less, text that a program trips over."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from uuid import UUID

import httpx
import psycopg
import pytest
from tests.api.conftest import served
from tests.api.people import session_of
from tests.api.streets import add_segment, add_sensor
from tests.api.test_access import bearing, let_in

import telstraat_api.web
from telstraat_api.following.months import asking_letter
from telstraat_api.http.access import COOKIE
from telstraat_api.settings import ApiSettings
from telstraat_api.web.forms import local_path

PAGE = {"accept": "text/html"}
FORMS = sorted(
    route.path
    for module in pkgutil.walk_packages(telstraat_api.web.__path__, "telstraat_api.web.")
    if (router := getattr(importlib.import_module(module.name), "router", None)) is not None
    for route in router.routes
    if "POST" in route.methods
)


def filled(path: str) -> str:
    """Return the address of a form with numbers and words that it takes."""
    path = path.replace("{what}", "mute").replace("results/{number}", f"results/{UUID(int=1)}")
    return re.sub(r"\{\w+\}", "1", path)


@pytest.fixture(scope="module")
def address(module_database: str, module_connection: psycopg.Connection) -> Iterator[str]:
    add_sensor(module_connection, "linden-12", add_segment(module_connection))
    with served(ApiSettings(dsn=module_database, keep_s=0, jobs_at_once=0)) as address:
        yield address


@pytest.fixture(scope="module")
def operator(address: str, module_connection: psycopg.Connection) -> Iterator[httpx.Client]:
    cookies = {COOKIE: session_of(module_connection, "operator", "operator@example.org")}
    with httpx.Client(base_url=address, cookies=cookies, headers={**PAGE, "origin": address}, timeout=60) as client:
        yield client


@pytest.mark.parametrize("text", ["http://[", "//[", "http://[::1", "https://a]b", "null", "http://"])
@pytest.mark.parametrize("path", ["/my/name", "/operate/people", "/sign-out", "/api/v1/keys"])
def test_an_origin_that_is_no_address_is_another_site(operator: httpx.Client, path: str, text: str) -> None:
    for header in ("origin", "referer"):
        without = {"origin": ""} if header == "referer" else {}
        assert operator.post(path, headers={**without, header: text}, data={}).status_code == 403


@pytest.mark.parametrize("text", ["http://[", "//[", "http://[::1]x", "https://a]b/c", "//[::1"])
def test_a_way_back_that_is_no_address_leads_home(operator: httpx.Client, text: str) -> None:
    assert local_path(text) == "/my"
    assert operator.get("/sign-in", params={"next": text}).status_code == 200
    stranger = httpx.post(
        f"{operator.base_url}/operate/people",
        headers={**PAGE, "origin": str(operator.base_url), "referer": text},
        timeout=60,
    )
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/sign-in?next=%2Fmy")


@pytest.mark.parametrize("scopes", [("read",), ("read", "write"), ("read", "accounts")])
def test_a_key_that_may_less_than_its_owner_changes_nothing_by_the_forms_of_pages(
    address: str, module_connection: psycopg.Connection, scopes: tuple[str, ...]
) -> None:
    key = let_in(module_connection, "operator", scopes)
    assert len(FORMS) > 40
    with httpx.Client(base_url=address, headers={**bearing(key), **PAGE, "origin": address}, timeout=60) as client:
        answers = {path: client.post(filled(path), data={"email": "x@example.org"}) for path in FORMS}
    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code != 403} == {}


def test_a_key_to_read_counts_does_not_read_who_is_known_here(
    address: str, module_connection: psycopg.Connection
) -> None:
    key = let_in(module_connection, "operator", ("read",))
    with httpx.Client(base_url=address, headers={**bearing(key), **PAGE}, timeout=60) as client:
        assert client.get("/").status_code == client.get("/measures").status_code == 200
        for path in ("/operate/people", "/my", "/my/data.json", "/operate/sensors"):
            assert client.get(path).status_code == 403, path


@pytest.mark.parametrize(
    "path", ["/operate/people?search=", "/operate/sensors?search=", "/?q=", "/operate/quarantine?reason="]
)
def test_a_search_for_a_sign_that_no_text_holds_is_answered_with_a_sentence(operator: httpx.Client, path: str) -> None:
    for text in ("%00", "a%00b"):
        answer = operator.get(path + text)
        assert answer.status_code in {200, 422}
        assert answer.status_code == 200 or "such as NUL" in answer.text


def test_nul_in_a_form_is_left_out_of_every_field(operator: httpx.Client) -> None:
    answer = operator.post("/measures/new", data={"action": "find", "q": "Lin\x00den", "name": "a\x00b"})
    assert answer.status_code < 500
    assert "\x00" not in answer.text


def test_a_name_with_a_new_line_adds_nothing_to_the_head_of_a_letter() -> None:
    settings = ApiSettings(mail_from="counts@example.org", public_url="https://counts.example.org")
    letter = asking_letter(settings, "anna@example.org", 'a"\r\nBcc: everybody@example.org', "secret", "en")
    assert "Bcc" not in letter
    assert 'a" Bcc: everybody@example.org' in letter["Subject"]
