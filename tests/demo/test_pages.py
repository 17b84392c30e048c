"""The demo's own entry point lets visitors in with one click; the product's cannot be made to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.harness.serving import serving

from telstraat_api.additions import NOTHING, Additions
from telstraat_api.app import create_app
from telstraat_api.service import server_for
from telstraat_api.settings import READER, ApiSettings
from telstraat_demo.errors import StackError
from telstraat_demo.pages import server
from telstraat_demo.pages.visit import additions_of
from telstraat_demo.town.fill import FillProgress, write_fill_progress
from telstraat_demo.town.people import VISITORS, settle_in

TRIES = (
    "TELSTRAAT_DEMO",
    "TELSTRAAT_API_DEMO",
    "TELSTRAAT_API_ADDITIONS",
    "TELSTRAAT_ADDITIONS",
    "TELSTRAAT_DEMO_TOWN_DSN",
)


@contextlib.contextmanager
def served(settings: ApiSettings, additions: Additions = NOTHING) -> Iterator[httpx.Client]:
    with serving(server_for(settings, additions)) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture
def settings(database: str) -> ApiSettings:
    with psycopg.connect(database) as connection:
        settle_in(connection)
    return ApiSettings(dsn=database, quarter_min=0, keep_s=0)


@pytest.fixture
def visitor(settings: ApiSettings, tmp_path: Path) -> Iterator[httpx.Client]:
    write_fill_progress(tmp_path, FillProgress(0.434, 100))
    with served(settings, additions_of(tmp_path)) as client:
        yield client


def play(client: httpx.Client, part: str, **headers: str) -> httpx.Response:
    return client.post(
        "/demo/sign-in", data={"part": part}, headers={"Origin": str(client.base_url).rstrip("/"), **headers}
    )


@pytest.mark.parametrize("person", VISITORS, ids=lambda person: person.part)
def test_one_click_signs_in_as_somebody_of_the_town(visitor: httpx.Client, person: object) -> None:
    part, email = person.part, person.email  # type: ignore[attr-defined]
    assert f'value="{part}"' in visitor.get("/sign-in").text
    answer = play(visitor, part)
    assert answer.status_code == 303
    assert email in visitor.get("/sign-in").text


def test_the_way_back_after_one_click_is_the_page_that_was_wanted(visitor: httpx.Client) -> None:
    visitor.get("/sign-in?next=/measures")
    assert play(visitor, "officer").headers["location"] == "/measures"


def test_a_part_that_nobody_plays_lets_nobody_in(visitor: httpx.Client) -> None:
    for part in ("", "mayor", "tom@overbeke.example", "operator\u200b"):
        assert play(visitor, part).status_code == 422
    assert "telstraat_session" not in visitor.cookies


def test_another_site_cannot_sign_a_visitor_in(visitor: httpx.Client) -> None:
    assert play(visitor, "operator", Origin="https://elsewhere.example").status_code == 403
    assert visitor.post("/demo/sign-in", data={"part": "operator"}).status_code == 403
    assert "telstraat_session" not in visitor.cookies


def test_another_name_for_this_computer_is_refused(visitor: httpx.Client) -> None:
    answer = play(visitor, "operator", Host="town.example", Origin="http://town.example")
    assert answer.status_code == 403


def test_somebody_behind_a_proxy_is_not_on_this_computer(visitor: httpx.Client) -> None:
    assert play(visitor, "operator", **{"X-Forwarded-For": "203.0.113.9"}).status_code == 403


def test_every_page_says_that_the_town_is_made_up_and_how_full_it_is(visitor: httpx.Client) -> None:
    for path in ("/", "/measures", "/docs", "/nothing-here"):
        assert "43%" in visitor.get(path, headers={"Accept": "text/html"}).text, path
    assert visitor.get("/demo/progress").json() == {"percent": 43, "full": False, "stories": False}
    german = visitor.get("/?lang=de").text
    assert "erfunden" in german
    for name in ("visit.css", "visit.js"):
        assert visitor.get(f"/demo/static/{name}").status_code == 200
    assert visitor.get("/demo/static/..%2Fvisit.py").status_code == 404


def test_the_products_own_application_has_no_such_route(settings: ApiSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TRIES:
        monkeypatch.setenv(name, "1")
    app = create_app(settings)
    assert not [path for path in map(str, getattr(app, "routes", ())) if "/demo" in path]
    with served(settings) as client:
        assert play(client, "operator").status_code == 404
        assert client.get("/demo/progress").status_code == 404
        assert "one click" not in client.get("/sign-in").text


def test_no_setting_and_no_variable_adds_anything() -> None:
    assert Additions() == NOTHING
    words = READER.as_toml().lower()
    assert "demo" not in words
    assert "addition" not in words
    sources = Path(create_app.__code__.co_filename).parent.rglob("*.py")
    reading = [
        path.name for path in sources if "os.environ" in path.read_text() and "additions" in path.read_text().lower()
    ]
    assert reading == []


def test_the_demos_entry_point_listens_on_this_computer_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(os.environ, "TELSTRAAT_API_HOST", "0.0.0.0")
    with pytest.raises(StackError, match="does not listen"):
        server.main([str(tmp_path)])
