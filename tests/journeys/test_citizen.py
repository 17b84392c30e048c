"""A citizen's way: from the home page to the street, a sensor of one's own, its first crossing, a bad time, a count by hand."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import psycopg
from playwright.sync_api import Page, expect
from tests.api.my_people import code_of
from tests.harness.pages import wait_for
from tests.journeys.conftest import PHONE, Town

from telstraat_contract.messages import Counts, Directed, Live, encode
from telstraat_contract.quarters import quarter_start

ANNA = "anna@example.org"


def watched_quarter(connection: psycopg.Connection) -> datetime:
    """Return the start of the last quarter, more than an hour ago, in which the sensor saw all: some it has seen in part."""
    row = connection.execute(
        "select max(period_start) from report where sensor_id = 1 and observed_s = 900 and period_start < %s",
        (datetime.now(UTC) - timedelta(minutes=75),),
    ).fetchone()
    assert row is not None
    start: datetime = row[0]
    return start


def passing(connection: psycopg.Connection, stop: threading.Event) -> None:
    """Let somebody walk past again and again, as the sensor would tell it."""
    start = quarter_start(datetime.now(UTC))
    number = 0
    while not stop.wait(0.3):
        number += 1
        counts = Counts(pedestrian=Directed(number, 0))
        live = Live(sensor="sensor-01", at=start, period_start=start, observed_s=60, counts=counts)
        connection.execute("select pg_notify('telstraat_live', %s)", (encode(live).decode(),))


def drag_over(page: Page, chart: str) -> None:
    wait_for(page, f"document.querySelector('{chart} .canvas').tabIndex === 0")
    canvas = page.locator(f"{chart} .canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 80, steps=6)
    page.mouse.up()


def test_a_citizen_finds_the_street_claims_a_sensor_sees_a_crossing_marks_a_time_and_counts(town: Town) -> None:
    code = code_of(town.connection, 1)
    page = town.sit_down(PHONE, has_touch=True)
    page.get_by_label("Search a street").fill("linden")
    page.keyboard.press("Enter")
    page.locator(".town-table").get_by_role("link", name="Lindenstraat").click()
    expect(page.locator(".answer")).to_contain_text("A usual")

    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Make it yours").click()
    page.get_by_label("The code").fill(code.lower().replace("-", " "))
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Your mail address").fill(ANNA)
    page.get_by_role("button", name="Send me the link").click()
    page.get_by_text("Look into your mail").wait_for()
    page.goto(town.link_in_the_next_letter())
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="This is my sensor").click()
    page.get_by_label("What do you call the way from A to B?").fill("to the school")
    page.get_by_role("button", name="It stands here").click()
    stop = threading.Event()
    sensor = threading.Thread(target=passing, args=(town.connection, stop))
    sensor.start()
    try:
        page.get_by_text("✓ Pedestrians: to the school").wait_for()
    finally:
        stop.set()
        sensor.join()
    page.get_by_role("link", name="To the page of my sensor").click()
    page.get_by_role("heading", name="Mark a bad time").wait_for()

    three_days = timedelta(days=3)  # go by
    town.connection.execute("update sensor set owned_since = owned_since - %s where sensor_id = 1", (three_days,))
    page.get_by_role("link", name="The day before").click()
    page.wait_for_url("**day=**")  # the page it leaves has a chart of the same name
    drag_over(page, "#own-day")
    assert page.get_by_label("From", exact=True).input_value() < page.get_by_label("Until", exact=True).input_value()
    page.get_by_label("In your words").fill("scaffolding")
    page.get_by_role("button", name="Mark this time").click()
    page.get_by_text("This time is marked").wait_for()
    page.get_by_role("link", name="The street for everybody").click()
    expect(page.locator("body")).to_contain_text("Lindenstraat")

    page.get_by_role("link", name="My page").first.click()
    page.get_by_role("link", name="Count by hand").click()
    page.clock.install(time=watched_quarter(town.connection) - timedelta(seconds=5))
    page.get_by_role("link", name="Lindenstraat your sensor").click()
    page.get_by_role("button", name="Start with the next quarter").click()
    page.clock.fast_forward(10_000)
    for column, times in (("car_lft", 24), ("bike_rgt", 12), ("pedestrian_lft", 3)):
        for _ in range(times):
            page.locator(f"#tap-{column}").click()
    page.clock.fast_forward(15 * 60_000)
    page.get_by_role("button", name="Finish").click()
    page.get_by_role("heading", name="You and the sensor").wait_for()
    expect(page.locator("main")).to_contain_text("You 24, the sensor")
    expect(page.locator("main")).to_contain_text("error lies between")
    page.get_by_role("link", name="Lindenstraat").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lindenstraat")
