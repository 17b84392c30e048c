"""A citizen's way in a real browser: claim with a code, choose the street, see the first crossing, mark a bad time by dragging."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from playwright.sync_api import Browser, Page
from tests.api.conftest import served
from tests.api.mail_and_identities import Letters, free_port, mail_server
from tests.api.my_people import add_person, code_of, own
from tests.api.streets import a_neighbourhood
from tests.harness.pages import SERIOUS, axe_core, wait_for, write_down

from telstraat_api.settings import ApiSettings
from telstraat_contract.messages import Counts, Directed, Live, encode
from telstraat_contract.quarters import QUARTER, quarter_start

pytestmark = pytest.mark.browser
ANNA = "anna@example.org"


@pytest.fixture
def letters_and_home(database: str, connection: psycopg.Connection) -> Iterator[tuple[Letters, str]]:
    a_neighbourhood(connection, quarter_start(datetime.now(UTC)) - QUARTER, days=2)
    with mail_server() as (mail_port, letters):
        port = free_port()
        settings = ApiSettings(
            dsn=database, pool_max=4, keep_s=0, watch_every_s=1, public_url=f"http://127.0.0.1:{port}",
            mail_host="127.0.0.1", mail_port=mail_port, mail_tls="none", mail_from="counts@example.org",
        )  # fmt: skip
        with served(settings, port) as home:
            yield letters, home


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(chromium: Browser, letters_and_home: tuple[Letters, str], complaints: list[str]) -> Iterator[Page]:
    """A page that writes down every error of a script or a policy, and every request to elsewhere."""
    home = letters_and_home[1]
    context = chromium.new_context(base_url=home, locale="en-GB", timezone_id="America/New_York")
    page = context.new_page()
    write_down(complaints, page, home)
    yield page
    context.close()


def sign_in(page: Page, home: str, email: str) -> None:
    page.context.add_cookies([{"name": "telstraat_session", "value": f"cookie of {email}", "url": home}])


def serious(page: Page) -> list[tuple[str, str]]:
    page.evaluate(axe_core())
    answer = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (violation["id"], node["html"][:160])
        for violation in answer["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


def passing(connection: psycopg.Connection, stop: threading.Event) -> None:
    """Let somebody pass again and again, as the sensor would tell it."""
    start = quarter_start(datetime.now(UTC))
    number = 0
    while not stop.wait(0.3):
        number += 1
        counts = Counts(pedestrian=Directed(number, 0))
        live = Live(sensor="sensor-02", at=start, period_start=start, observed_s=60, counts=counts)
        connection.execute("select pg_notify('telstraat_live', %s)", (encode(live).decode(),))


def test_a_citizen_claims_a_sensor_and_sees_the_first_crossing(
    page: Page, letters_and_home: tuple[Letters, str], connection: psycopg.Connection, complaints: list[str]
) -> None:
    letters, _ = letters_and_home
    code = code_of(connection, 2)
    page.goto("/claim")
    page.get_by_label("The code").fill(code.lower().replace("-", " "))
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Your mail address").fill(ANNA)
    page.get_by_role("button", name="Send me the link").click()
    page.get_by_text("Look into your mail").wait_for()
    link = re.search(r"https?://\S+", letters.wait(1).get_content())
    assert link
    page.goto(link[0])
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="This is my sensor").click()
    page.get_by_label("What do you call the way from A to B?").fill("to the church")
    assert serious(page) == []
    page.get_by_role("button", name="It stands here").click()
    stop = threading.Event()
    sensor = threading.Thread(target=passing, args=(connection, stop))
    sensor.start()
    try:
        page.get_by_text("✓ Pedestrians: to the church").wait_for()
    finally:
        stop.set()
        sensor.join()
    page.get_by_role("link", name="To the page of my sensor").click()
    page.get_by_role("heading", name="Mark a bad time").wait_for()
    assert complaints == []


def test_a_bad_time_is_marked_by_dragging_over_the_chart(
    page: Page, letters_and_home: tuple[Letters, str], connection: psycopg.Connection, complaints: list[str]
) -> None:
    own(connection, 1, add_person(connection, ANNA), days=3)
    sign_in(page, letters_and_home[1], ANNA)
    day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    page.goto(f"/my/sensors/1?day={day}")
    canvas = page.locator("#own-day .canvas")
    wait_for(page, "document.querySelector('#own-day .canvas').tabIndex === 0")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 80, steps=6)
    page.mouse.up()
    begin, end = (
        page.get_by_label("From", exact=True).input_value(),
        page.get_by_label("Until", exact=True).input_value(),
    )
    assert begin[:10] == end[:10] == day  # in the time of the street, whatever the clock of the browser says
    assert "08:00" < begin[11:] < end[11:] < "16:00"
    page.get_by_label("In your words").fill("scaffolding")
    page.get_by_role("button", name="Mark this time").click()
    page.get_by_text("This time is marked").wait_for()
    assert page.locator("#own-day").get_by_text("scaffolding").count()
    page.get_by_role("button", name="Take back").click()
    page.get_by_text("The mark is gone").wait_for()
    assert connection.execute("select count(*) from street_event").fetchone() == (0,)
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_the_pages_of_a_sensor(
    page: Page, letters_and_home: tuple[Letters, str], connection: psycopg.Connection, scheme: str
) -> None:
    account = add_person(connection, ANNA, "operator")
    for sensor in (1, 4):
        own(connection, sensor, account, days=3)
    sign_in(page, letters_and_home[1], ANNA)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    for path in (
        "/my",
        "/my/delete",
        "/my/sensors/1",
        "/my/sensors/4?lang=de",
        "/my/sensors/1/place?q=+",
        "/my/sensors/1/hand-over",
        "/claim",
        "/claim/label/2",
    ):
        page.goto(path)
        for details in page.locator("details").all():
            details.evaluate("element => element.setAttribute('open', '')")
        assert (path, serious(page)) == (path, [])


def test_a_phone_shows_every_page_without_scrolling_sideways(
    page: Page, letters_and_home: tuple[Letters, str], connection: psycopg.Connection
) -> None:
    own(connection, 1, add_person(connection, ANNA), days=3)
    connection.execute("update account set name = %s", ("x" * 100,))
    sign_in(page, letters_and_home[1], ANNA)
    page.set_viewport_size({"width": 360, "height": 740})
    for path in (
        "/my?lang=de",
        "/my/sensors/1",
        "/my/sensors/1/place",
        "/my/sensors/1/place?q=+",
        "/my/sensors/1/first",
        "/my/sensors/1/retire",
        "/claim",
    ):
        page.goto(path)
        assert (path, page.evaluate("document.documentElement.scrollWidth")) == (path, 360)
