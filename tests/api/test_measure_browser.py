"""Picking the streets of a measure in a real browser: the map is another hand on the form, and everybody can use both."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.analytics.streets import town
from tests.api.streets import add_imported_town
from tests.api.test_making_measures import browser
from tests.harness.pages import SERIOUS, axe_core, write_down

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> list[int]:
    numbers = add_imported_town(module_connection, town(71, ("a", "b", "c"), before=112, after=7))
    for place, number in enumerate(numbers):
        line = {"type": "LineString", "coordinates": [[4.7 + place / 200, 50.87], [4.702 + place / 200, 50.871]]}
        module_connection.execute("update segment set geometry = %s where segment_id = %s", (json.dumps(line), number))
    return numbers


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(
    chromium: Browser,
    module_client: httpx.Client,
    module_connection: psycopg.Connection,
    complaints: list[str],
    streets: list[int],
) -> Iterator[Page]:
    """A signed-in officer's page that writes down every error and every request to elsewhere."""
    home = str(module_client.base_url).rstrip("/")
    name, _, secret = browser(module_client, module_connection, "professional")["Cookie"].partition("=")
    context = chromium.new_context(base_url=home, locale="en-GB", bypass_csp=True)
    context.add_cookies([{"name": name, "value": secret, "url": home}])
    page = context.new_page()
    write_down(complaints, page, home)
    yield page
    context.close()


def test_a_click_on_the_map_a_search_and_the_list_say_the_same(
    page: Page, complaints: list[str], streets: list[int]
) -> None:
    page.goto("/measures/new")
    lines = page.locator(".pick-line")
    expect(lines).to_have_count(3)
    lines.first.dispatch_event("click")
    first = page.locator(f'select[name="street-{streets[0]}"]')
    expect(page.locator("#chosen tr")).to_have_count(1)
    expect(first).to_have_value("treated")
    page.get_by_label("Compared with", exact=True).check()
    lines.nth(1).dispatch_event("click")
    expect(page.locator(f'#chosen select[name="street-{streets[1]}"]')).to_have_value("controls")
    page.get_by_placeholder("A part of its name").fill("street c")
    expect(page.locator("#listed tr")).to_have_count(1)
    page.locator("#listed select").select_option("boundary")
    expect(lines.nth(2)).to_have_class("pick-line leaflet-interactive is-boundary")
    lines.first.dispatch_event("click")
    expect(first).to_have_value("controls")
    page.get_by_label("What people call it").fill("Clicked")
    first.select_option("treated")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clicked")
    assert complaints == []


def test_everybody_can_use_the_form_and_the_measure(page: Page, streets: list[int]) -> None:
    for path in (f"/measures/new?treated={streets[0]}", "/measures"):
        page.goto(path)
        page.evaluate(axe_core())
        answer = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [broken["id"] for broken in answer["violations"] if broken["impact"] in SERIOUS] == []
