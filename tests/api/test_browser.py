"""The pages in a real browser: live counts arrive, nothing is loaded from elsewhere, everybody can use them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import product

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page
from tests.api.streets import BRUSSELS, a_neighbourhood, add_reports, add_segment, add_sensor
from tests.harness.pages import SERIOUS, axe_core, wait_for, write_down

from telstraat_contract.messages import Counts, Directed, Live, encode
from telstraat_contract.quarters import QUARTER, quarter_start

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> list[int]:
    return a_neighbourhood(module_connection, quarter_start(datetime.now(UTC)) - QUARTER, days=2)


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(chromium: Browser, module_client: httpx.Client, complaints: list[str]) -> Iterator[Page]:
    """A page that writes down every error of a script or a policy, and every request to elsewhere."""
    home = str(module_client.base_url)
    context = chromium.new_context(base_url=home, locale="en-GB", timezone_id="America/New_York")
    page = context.new_page()
    write_down(complaints, page, home)
    yield page
    context.close()


def ready(page: Page) -> None:
    wait_for(
        page, "[...document.querySelectorAll('figure[data-chart] .canvas')].every((canvas) => canvas.tabIndex === 0)"
    )


def test_the_open_quarter_fills_while_somebody_looks(
    page: Page, module_connection: psycopg.Connection, streets: list[int], complaints: list[str]
) -> None:
    page.goto(f"/street/{streets[0]}")
    ready(page)
    start = quarter_start(datetime.now(UTC))
    live = Live(sensor="sensor-01", at=start, period_start=start, observed_s=312, counts=Counts(car=Directed(8, 5)))
    for _ in range(40):  # until the stream is open and the hub knows whom the street's sensor is
        module_connection.execute("select pg_notify('telstraat_live', %s)", (encode(live).decode(),))
        page.wait_for_timeout(250)
        if page.get_attribute("#live", "data-state") == "live":
            break
    tile = page.locator("#live [data-kind=car]")
    assert tile.locator("[data-total]").inner_text() == "13"
    assert tile.locator("[data-lft]").inner_text() == "8"
    assert "5.2 of 15 minutes" in page.inner_text("#live-note")
    local = start.astimezone(BRUSSELS).strftime("%H:%M")
    assert page.inner_text("#live-note").startswith(local)  # the street's clock, not the browser's
    assert complaints == []


def test_a_street_where_nobody_has_passed_yet_today_is_shown_without_complaint(
    page: Page, module_connection: psycopg.Connection, complaints: list[str]
) -> None:
    place = add_segment(module_connection, "Stille Steeg")
    sensor_id = add_sensor(module_connection, "sensor-quiet", place)
    add_reports(
        module_connection, [{"sensor_id": sensor_id, "period_start": quarter_start(datetime.now(UTC)) - QUARTER}]
    )
    page.goto(f"/street/{place}")
    ready(page)
    assert complaints == []


def test_a_new_report_brings_the_page_up_to_date(
    page: Page, module_connection: psycopg.Connection, streets: list[int], complaints: list[str]
) -> None:
    page.goto(f"/street/{streets[1]}")
    ready(page)
    page.locator("#latest").wait_for()
    before = page.inner_text("#latest tbody tr >> nth=0")
    row = module_connection.execute("select sensor_id from sensor where name = 'sensor-02'").fetchone()
    assert row
    start = quarter_start(datetime.now(UTC)) - QUARTER
    add_reports(
        module_connection,
        [{"sensor_id": row[0], "period_start": start, "car_lft": 321, "received_at": datetime.now(UTC)}],
    )
    wait_for(page, "text => document.querySelector('#latest tbody tr').innerText !== text", arg=before)
    assert "321" in page.inner_text("#latest tbody tr >> nth=0")
    ready(page)
    assert complaints == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/street/{}",
        "/street/{}?by=hour",
        "/docs",
        "/data",
        "/compare",
        "/sign-in",
        "/?lang=de",
        "/street/{}?lang=de",
    ],
)
def test_every_page_works_at_320_pixels(page: Page, streets: list[int], path: str, complaints: list[str]) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(path.format(streets[0]))
    ready(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert complaints == []


@pytest.mark.parametrize(
    ("path", "scheme", "language"),
    [(path, scheme, "en") for path, scheme in product(("/", "/street/{}", "/docs"), ("light", "dark"))]
    + [
        ("/street/{}", "light", "nl"),
        ("/street/{}", "dark", "fr"),
        ("/", "light", "de"),
        ("/data", "light", "de"),
        ("/compare", "dark", "fr"),
        ("/street/{}", "light", "de"),
        ("/sign-in", "light", "en"),
    ],
)
def test_everybody_can_use_every_page(page: Page, streets: list[int], path: str, scheme: str, language: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    page.set_viewport_size({"width": 1100, "height": 900})
    page.goto(path.format(streets[0]) + f"?lang={language}")
    ready(page)
    for table in page.locator("details").all():
        table.evaluate("element => element.setAttribute('open', '')")
    page.evaluate(axe_core())
    answer = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [
        (violation["id"], node["html"][:160], node.get("failureSummary", "")[:200])
        for violation in answer["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]
    assert serious == []


def test_the_axes_of_charts_write_numbers_as_the_page_does(page: Page, streets: list[int]) -> None:
    for language, marked in (("en", "1,000"), ("de", "1.000")):
        page.goto(f"/street/{streets[0]}?lang={language}&period=week&by=day")
        ready(page)
        assert marked in (page.locator("#counts .plot").text_content() or "")


def test_a_chart_is_read_by_keys_and_aloud(page: Page, streets: list[int], complaints: list[str]) -> None:
    yesterday = (datetime.now(BRUSSELS) - timedelta(days=1)).date().isoformat()
    page.goto(f"/street/{streets[0]}?day={yesterday}&by=hour")
    ready(page)
    page.focus("#counts .canvas")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    row = page.locator("#counts tbody tr >> nth=1").evaluate("row => [...row.cells].map(cell => cell.textContent)")
    aloud = page.text_content("#counts .aloud") or ""
    assert aloud.startswith(f"{row[0]}: Pedestrians {row[1]}, ")
    assert page.locator("#counts .says b").inner_text() == row[0]
    page.keyboard.press("Escape")
    assert page.locator("#counts .says").count() == 0
    assert complaints == []


def test_a_stretch_that_is_selected_is_told_and_can_be_shown_alone(page: Page, streets: list[int]) -> None:
    yesterday = (datetime.now(BRUSSELS) - timedelta(days=1)).date()
    page.goto(f"/street/{streets[0]}?day={yesterday.isoformat()}&by=hour")
    ready(page)
    page.evaluate("addEventListener('chart:select', (event) => { window.selected = event.detail; })")
    page.focus("#counts .canvas")
    page.keyboard.press("Home")
    gap = datetime.now(UTC) - timedelta(days=2) * 0.38  # when nobody watched, for two hours and a half
    for _ in range(16 if gap.astimezone(BRUSSELS).hour < 12 else 5):
        page.keyboard.press("ArrowRight")
    begins = int(page.locator("#counts .says b").inner_text()[:2])  # the first hour is not watched at every time of day
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("window.selected") == {
        name: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for name, at in (
            ("from", datetime.combine(yesterday, time(begins), BRUSSELS)),
            ("until", datetime.combine(yesterday, time(begins + 2), BRUSSELS)),
        )
    }
    page.click("#counts .chosen a")
    page.wait_for_url("**from=*")
    assert page.locator("#counts tbody tr").count() == 8, "two hours in quarters"


def test_a_class_that_is_switched_off_stays_so_in_the_address_and_leaves_the_focus(
    page: Page, streets: list[int], complaints: list[str]
) -> None:
    page.goto(f"/street/{streets[0]}?period=week&by=hour")
    ready(page)
    page.focus("#counts .legend [data-key=car] a")
    page.keyboard.press("Enter")
    page.wait_for_url("**hide=car*")
    page.locator("#counts path.is-car").wait_for(state="detached")
    assert page.locator("#counts thead th[data-key=car]").count() == 0
    assert page.evaluate("document.activeElement.closest('li').dataset.key") == "car"
    page.go_back()
    page.locator("#counts path.is-car").first.wait_for(state="attached")
    assert complaints == []


def test_the_keyboard_reaches_a_street_from_the_table_and_lights_it_on_the_map(page: Page, streets: list[int]) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.wait_for_selector("#map .leaflet-container path.street, #map.leaflet-container path.street, #map path.street")
    page.wait_for_selector("#map .map")
    page.focus(f'tr[data-street="{streets[0]}"] a')
    assert page.locator("#map path.street.is-lit").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/street/{streets[0]}")


def test_a_choice_on_the_town_applies_at_once_and_is_in_the_address(
    page: Page, streets: list[int], complaints: list[str]
) -> None:
    page.goto("/")
    page.wait_for_selector("#map .map")
    page.select_option("#show", "speed")
    page.wait_for_url("**/?show=speed")
    page.fill("#q", "kerk")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=kerk**")
    assert page.locator("tbody tr").count() == 1
    page.go_back()
    page.wait_for_selector("tbody tr >> nth=3")
    assert complaints == []


def test_a_click_on_the_map_chooses_the_row_and_leads_to_the_street(page: Page, streets: list[int]) -> None:
    page.goto("/")
    page.wait_for_selector("#map .map")
    page.locator("#map path.street").first.dispatch_event("click", {"bubbles": True, "clientX": 300, "clientY": 300})
    assert page.locator("tr.is-chosen").count() == 1
    assert page.locator(".street-popup .street-card > *").count() >= 3  # name, figure and its words stand apart
    page.keyboard.press("Escape")
    page.wait_for_selector(".street-popup", state="detached")
    assert page.locator("tr.is-chosen").count() == 0
    page.locator("#map path.street").first.dispatch_event("click", {"bubbles": True, "clientX": 300, "clientY": 300})
    page.click(".street-popup a")
    page.wait_for_url("**/street/**")


def test_an_address_of_the_api_is_tried_out_in_its_page(page: Page, streets: list[int], complaints: list[str]) -> None:
    page.goto("/data")
    page.click('a[href="/docs"]')
    tried = page.locator('[data-path="/api/v1/segments/{segment_id}"][data-method="GET"]')
    tried.locator("xpath=..").evaluate("details => { details.open = true; }")
    tried.locator("input[name=segment_id]").fill(str(streets[0]))
    tried.locator("button").click()
    tried.locator("output pre >> nth=1").wait_for()
    assert '"name": "Lindenstraat"' in tried.locator("output").inner_text()
    assert "curl" in tried.locator("output pre").first.inner_text()
    assert complaints == []


def test_the_theme_is_chosen_and_remembered(page: Page, streets: list[int]) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/")
    page.click("[data-theme-switch]")
    page.goto(f"/street/{streets[0]}")
    assert page.get_attribute("html", "data-theme") == "dark"


def test_days_before_and_after_are_a_click_away(page: Page, streets: list[int]) -> None:
    page.goto(f"/street/{streets[0]}")
    page.click("nav.days a >> nth=0")
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    assert yesterday[:7] in page.url
    assert page.locator("#live").count() == 0
