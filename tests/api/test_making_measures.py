"""A measure is made, changed and deleted on a page, by plain forms: nothing twice, nothing lost, nothing by strangers."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import httpx
import psycopg
import pytest
from tests.analytics.streets import MEASURE, town
from tests.api.people import session_of
from tests.api.streets import add_imported_town, add_segment

from telstraat_api.http.access import COOKIE

HOSTILE = "<script>alert(1)</script> \u202e & 'x'"
Headers = dict[str, str]


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> list[int]:
    numbers = add_imported_town(module_connection, town(71, ("a", "b", "c", "d"), before=112, after=35))
    for place, number in enumerate(numbers):
        line = (
            f'{{"type": "LineString", "coordinates": [[{4.7 + place / 100}, 50.87], [{4.701 + place / 100}, 50.87]]}}'
        )
        module_connection.execute("update segment set geometry = %s where segment_id = %s", (line, number))
    return numbers


def browser(client: httpx.Client, connection: psycopg.Connection, role: str, email: str = "") -> Headers:
    """Return the headers of a browser that has signed in."""
    secret = session_of(connection, role, email or f"{role}@example.org")
    origin = str(client.base_url).rstrip("/")
    return {"Cookie": f"{COOKIE}={secret}", "Origin": origin, "Accept": "text/html"}


@pytest.fixture(scope="module")
def officer(module_client: httpx.Client, module_connection: psycopg.Connection) -> Headers:
    return browser(module_client, module_connection, "professional")


@pytest.fixture(scope="module")
def colleague(module_client: httpx.Client, module_connection: psycopg.Connection) -> Headers:
    return browser(module_client, module_connection, "professional", "colleague@example.org")


def typed(streets: list[int], **changes: Any) -> dict[str, Any]:
    """Return the fields of a form as a browser sends them."""
    fields = {
        "name": "Scheme", "kind": "closure", "first_day": MEASURE.isoformat(), "transition_days": "0",
        "speed_limit_kmh": "30", "chosen_for": "plan", "before_days": "56", "after_days": "28", "description": "",
        "what": ["car", "bike"], "against": "before", "days": "all", "direction": "", "hour_from": "", "hour_until": "",
        f"street-{streets[0]}": "treated", "form": "", "revision": "", "action": "draft",
    }  # fmt: skip
    return {**fields, **changes}


def text_of(response: httpx.Response) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.text)))


def test_a_form_sent_twice_makes_one_measure(module_client: httpx.Client, officer: Headers, streets: list[int]) -> None:
    page = module_client.get("/measures/new", headers=officer).text
    form = re.search(r'name="form" value="([^"]+)"', page)
    assert form
    fields = typed(streets, form=form[1], name=HOSTILE)
    answers = [module_client.post("/measures/new", headers=officer, data=fields) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    page_after = module_client.get(answers[0].headers["Location"], headers=officer)
    assert HOSTILE in unescape(page_after.text)
    assert "<script>alert" not in page_after.text


def test_streets_to_compare_with_are_suggested_with_their_reasons(
    module_client: httpx.Client, officer: Headers, streets: list[int]
) -> None:
    response = module_client.post(
        "/measures/new", headers=officer, data=typed(streets, action="suggest", name=""), timeout=60
    )
    assert response.status_code == 200
    text = text_of(response)
    assert "would serve to compare with" in text
    assert re.search(r"a fall of \d+% would be seen after 6 weeks", text)
    chosen = re.findall(r'<select name="street-(\d+)"[^>]*>.*?</select>', response.text, re.DOTALL)
    assert {str(number) for number in streets} <= set(chosen)
    assert re.search(rf'name="street-{streets[1]}".*?value="controls" selected', response.text, re.DOTALL)


def test_a_street_without_counts_is_told_without_an_error(
    module_client: httpx.Client, module_connection: psycopg.Connection, officer: Headers, streets: list[int]
) -> None:
    silent = add_segment(module_connection, "Silent street")
    fields = typed([silent], action="review", first_day="2056-01-01")
    response = module_client.post("/measures/new", headers=officer, data=fields, timeout=60)
    assert response.status_code == 200
    text = text_of(response)
    assert "How long one must count cannot be said yet" in text
    assert "more than two years away" in text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": " "}, "Please fill this in."),
        ({"first_day": "2026-02-30"}, "This is not a date."),
        ({"transition_days": "-1"}, "not a number that can be used"),
        ({"what": []}, "Tick at least one thing"),
        ({"what": ["v85"], "against": "last year"}, "Only counts can be compared with last year"),
        ({"hour_from": "9", "hour_until": "8"}, "must come after the first"),
        ({"kind": "<b>"}, "This cannot be used here."),
        ({"name": "a\x07b"}, "This cannot be used here."),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_saved(
    module_client: httpx.Client, officer: Headers, streets: list[int], change: dict[str, Any], says: str
) -> None:
    before = len(module_client.get("/api/v1/measures", headers=officer).json()["measures"])
    response = module_client.post("/measures/new", headers=officer, data=typed(streets, **change))
    assert response.status_code == 422
    assert says in text_of(response)
    assert len(module_client.get("/api/v1/measures", headers=officer).json()["measures"]) == before


def test_a_measure_needs_a_street(module_client: httpx.Client, officer: Headers, streets: list[int]) -> None:
    for fields in (
        typed(streets, **{f"street-{streets[0]}": ""}),
        typed(streets, **{f"street-{streets[0]}": "boundary"}),
    ):
        response = module_client.post("/measures/new", headers=officer, data=fields)
        assert response.status_code == 422
        assert "Choose at least one street" in text_of(response)


def test_two_officers_at_once_do_not_overwrite_each_other(
    module_client: httpx.Client, module_connection: psycopg.Connection, officer: Headers, streets: list[int]
) -> None:
    operator = browser(module_client, module_connection, "operator")
    address = module_client.post("/measures/new", headers=officer, data=typed(streets)).headers["Location"]
    pages = [module_client.get(f"{address}/edit", headers=who).text for who in (officer, operator)]
    revisions = [re.findall(r'name="revision" value="(\d+)"', page)[0] for page in pages]
    first = typed(streets, name="First", revision=revisions[0], action="save")
    assert module_client.post(f"{address}/edit", headers=officer, data=first).status_code == 303
    second = typed(streets, name="Second", revision=revisions[1], action="save")
    refused = module_client.post(f"{address}/edit", headers=operator, data=second)
    assert refused.status_code == 409
    assert "Somebody has changed this measure" in text_of(refused)
    assert 'value="Second"' in refused.text
    second["revision"] = re.findall(r'name="revision" value="(\d+)"', refused.text)[0]
    assert module_client.post(f"{address}/edit", headers=operator, data=second).status_code == 303
    assert "Second" in module_client.get(address, headers=officer).text


def test_strangers_and_citizens_make_and_change_nothing(
    module_client: httpx.Client,
    module_connection: psycopg.Connection,
    officer: Headers,
    colleague: Headers,
    streets: list[int],
) -> None:
    address = module_client.post("/measures/new", headers=officer, data=typed(streets)).headers["Location"]
    citizen = browser(module_client, module_connection, "citizen")
    html = {"Accept": "text/html"}
    for path in ("/measures/new", f"{address}/edit"):
        answer = module_client.get(path, headers=html)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/sign-in")
        assert module_client.get(path, headers=citizen).status_code == 403
    for path in (f"{address}/edit", f"{address}/delete", f"{address}/publish"):
        data = typed(streets, sure="yes", published="yes", action="save")
        assert module_client.post(path, headers=citizen, data=data).status_code == 403
        assert module_client.post(path, headers=colleague, data=data).status_code == 403
        foreign = officer | {"Origin": "https://elsewhere.example"}
        assert module_client.post(path, headers=foreign, data=data).status_code == 403
    assert module_client.get(address, headers=html).status_code == 404, "a citizen who guesses the address"


def test_a_measure_is_published_taken_back_and_deleted_when_one_is_sure(
    module_client: httpx.Client, officer: Headers, streets: list[int]
) -> None:
    address = module_client.post("/measures/new", headers=officer, data=typed(streets)).headers["Location"]
    html = {"Accept": "text/html"}
    for published, status in (("yes", 200), ("no", 404)):
        answer = module_client.post(f"{address}/publish", headers=officer, data={"published": published})
        assert answer.status_code == 303
        assert module_client.get(address, headers=html).status_code == status
    unsure = module_client.post(f"{address}/delete", headers=officer, data={})
    assert "sure=no" in unsure.headers["Location"]
    assert module_client.get(address, headers=officer).status_code == 200
    module_client.post(f"{address}/delete", headers=officer, data={"sure": "yes"})
    assert module_client.get(address, headers=officer).status_code == 404
