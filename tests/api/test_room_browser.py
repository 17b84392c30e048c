"""A workshop in real browsers: somebody who leads, three phones, the wall; phones that lose the network lose nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from tests.api.people import browser as plain_browser
from tests.api.people import session_of
from tests.api.rooms import code_of, join, lead, make_workshop, state_of, write
from tests.api.streets import a_neighbourhood
from tests.harness.pages import axe_core

from telstraat_contract.quarters import QUARTER, quarter_start

pytestmark = pytest.mark.browser
PHONE = {"width": 360, "height": 740}


class Hall:
    """Browsers of a room, each with a context of its own."""

    def __init__(self, chromium: Browser, address: str, session: str) -> None:
        self.chromium = chromium
        self.address = address
        self.session = session
        self.complaints: list[str] = []
        self.contexts: list[BrowserContext] = []

    def page(self, size: dict[str, int], *, leads: bool = False, language: str = "en", script: bool = True) -> Page:
        """Return a new browser's page."""
        context = self.chromium.new_context(
            base_url=self.address,
            viewport={"width": size["width"], "height": size["height"]},
            locale=language,
            java_script_enabled=script,
        )
        self.contexts.append(context)
        if leads:
            context.add_cookies([{"name": "telstraat_session", "value": self.session, "url": self.address}])
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((self.address, "data:")) else self.complaints.append(request.url)
            ),
        )
        return page

    def phone(self, code: str, name: str = "", **more: object) -> Page:
        """Return a phone that takes part."""
        page = self.page(PHONE, **more)  # type: ignore[arg-type]
        page.goto(f"/join/{code}")
        page.fill("#first_name", name)
        page.click(".join button[type=submit]")
        page.wait_for_url("**/room")
        return page


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> list[int]:
    return a_neighbourhood(module_connection, quarter_start(datetime.now(UTC)) - QUARTER, days=3)


@pytest.fixture
def hall(chromium: Browser, module_client: httpx.Client, module_connection: psycopg.Connection) -> Iterator[Hall]:
    session = session_of(module_connection, "professional", "leader@example.org")
    hall = Hall(chromium, str(module_client.base_url).rstrip("/"), session)
    yield hall
    for context in hall.contexts:
        context.close()
    assert hall.complaints == []


@pytest.fixture
def leader(hall: Hall) -> Iterator[httpx.Client]:
    with plain_browser(hall.address, hall.session) as leader:
        yield leader


@pytest.fixture
def room(leader: httpx.Client, streets: list[int]) -> int:
    room = make_workshop(leader, streets[:2])
    lead(leader, room, "phase", phase="collect")
    return room


def test_an_evening_from_the_first_click_to_the_minutes(hall: Hall, streets: list[int]) -> None:
    desk = hall.page({"width": 1280, "height": 2400}, leads=True)
    desk.goto("/")
    desk.click("nav.places a[href='/workshops']")
    desk.click("a[href='/workshops/new']")
    desk.fill("#title", "An evening")
    desk.fill("#question", "Where do the cars come from?")
    desk.check(f"input[name=street][value='{streets[0]}']")
    desk.click("form.card button[type=submit]")
    desk.wait_for_url("**/lead")
    wall = hall.page({"width": 1920, "height": 1080}, leads=True)
    wall.goto(desk.url.replace("/lead", "/screen"))
    code = wall.inner_text("[data-code]").replace(" ", "")
    phones = [hall.phone(code, name) for name in ("Ann", "Bea", "Cem")]
    expect(wall.locator("[data-people]")).to_have_text("Here: 3")
    desk.click(".phases button[value=collect]")
    expect(phones[0].locator("#add")).to_be_visible()
    phones[0].click(".canvas", position={"x": 200, "y": 60})  # the chart that everybody looks at
    expect(phones[0].locator("[data-pin-text]")).to_contain_text("On the chart")
    phones[0].fill("#body", "Full at eight")
    phones[0].click("#add button[type=submit]")
    expect(wall.locator(".wall-notes")).to_contain_text("Full at eight")
    expect(wall.locator(".plot .room-pin")).to_have_count(1)
    expect(phones[1].locator(".plot .room-pin")).to_have_count(1)
    phones[1].click("text=Proposal")
    phones[1].fill("#body", "Close it")
    phones[1].click("#add button[type=submit]")
    desk.click(".phases button[value=group]")
    desk.fill("#title", "Rat run")
    desk.click("form:has(input[value=add-group]) button")
    column = desk.locator("section[data-group]:not([data-group=''])")
    expect(column).to_contain_text("Rat run")
    desk.locator("li[data-note]", has_text="Full at eight").drag_to(column)
    expect(column).to_contain_text("Full at eight")
    alone = desk.locator("li[data-note]", has_text="Close it")
    alone.locator("select").focus()
    alone.locator("select").select_option(label="Rat run")  # the same by keyboard
    alone.locator("button", has_text="Move").press("Enter")
    expect(column).to_contain_text("Close it")
    desk.click(".phases button[value=vote]")
    for phone in phones:
        phone.locator(".vote-choice input").first.check()
    expect(wall.locator(".wall-bars b").first).to_have_text("3")
    phones[2].locator(".vote-choice input").first.uncheck()
    expect(wall.locator(".wall-bars b").first).to_have_text("2")
    desk.click(".phases button[value=agree]")
    desk.fill("#agree-body", "Close it for ten weeks")
    desk.click("form:has(#agree-body) button")
    expect(wall.locator(".agreed")).to_contain_text("Close it for ten weeks")
    desk.goto(desk.url.replace("/lead", ""))
    expect(desk.locator("main")).to_contain_text("3 people took part.")
    expect(desk.locator(".minutes-group")).to_contain_text("2 votes")
    expect(desk.locator(".figure .pin")).to_have_count(1)


def test_a_phone_without_network_keeps_what_was_typed_and_sends_it_once(
    hall: Hall, leader: httpx.Client, room: int
) -> None:
    phone = hall.phone(code_of(leader, room), "Ann")
    context = phone.context
    context.set_offline(True)
    phone.fill("#body", "Written in a cellar")
    phone.click("#add button[type=submit]")
    expect(phone.locator("[data-outbox]")).to_contain_text("not sent yet")
    phone.fill("#body", "Half a sentence")
    context.set_offline(False)
    expect(phone.locator("[data-notes]")).to_contain_text("Written in a cellar")
    expect(phone.locator("[data-outbox] li")).to_have_count(0)
    phone.reload()
    expect(phone.locator("#body")).to_have_value("Half a sentence")
    assert [note["body"] for note in state_of(leader, room)["notes"]] == ["Written in a cellar"]


def test_a_note_whose_confirmation_is_lost_on_the_way_is_sent_again_and_there_once(
    hall: Hall, leader: httpx.Client, room: int
) -> None:
    phone = hall.phone(code_of(leader, room))
    lost: list[str] = []

    def lose_the_answer(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(str(route.fetch().status))  # the server has it, the phone does not know
        route.abort()

    phone.route("**/notes", lose_the_answer)
    phone.fill("#body", "Once is enough")
    phone.click("#add button[type=submit]")
    expect(phone.locator("[data-outbox] li")).to_have_count(0)
    assert lost == ["201"]
    assert [note["body"] for note in state_of(leader, room)["notes"]] == ["Once is enough"]


def test_a_note_that_comes_after_collecting_waits_on_the_phone_until_it_goes_on(
    hall: Hall, leader: httpx.Client, room: int
) -> None:
    phone = hall.phone(code_of(leader, room))
    phone.context.set_offline(True)
    phone.fill("#body", "Late")
    phone.click("#add button[type=submit]")
    lead(leader, room, "phase", phase="vote")
    phone.context.set_offline(False)
    expect(phone.locator("[data-outbox]")).to_contain_text("No notes are taken now")
    expect(phone.locator("[data-outbox]")).to_contain_text("Late")
    lead(leader, room, "phase", phase="collect")
    expect(phone.locator("[data-notes]")).to_contain_text("Late")


def test_two_windows_of_whoever_leads_show_one_state(hall: Hall, leader: httpx.Client, room: int) -> None:
    windows = [hall.page({"width": 1280, "height": 1600}, leads=True) for _ in range(2)]
    for window in windows:
        window.goto(f"/workshops/{room}/lead")
    windows[0].click(".phases button[value=vote]")
    expect(windows[1].locator(".phases button[value=vote]")).to_have_attribute("aria-pressed", "true")
    windows[1].fill("#title", "Made in the other window")
    windows[1].click("form:has(input[value=add-group]) button")
    expect(windows[0].locator("[data-board]")).to_contain_text("Made in the other window")
    group = windows[0].locator("section[data-group]:not([data-group=''])")
    group.get_by_text("Change the group").click()
    group.get_by_label("Name", exact=True).fill("Rat run")
    group.get_by_role("button", name="Rename").click()
    expect(windows[1].locator("[data-board] h3", has_text="Rat run")).to_be_visible()
    expect(group.get_by_role("button", name="Take apart")).to_be_visible()


def test_a_timer_runs_by_the_servers_clock_on_a_phone_whose_own_is_wrong(
    hall: Hall, leader: httpx.Client, room: int
) -> None:
    code = code_of(leader, room)
    phone = hall.page(PHONE)
    phone.add_init_script("const now = Date.now.bind(Date); Date.now = () => now() + 3 * 3600 * 1000;")
    phone.goto(f"/join/{code}")
    phone.click(".join button[type=submit]")
    phone.wait_for_url("**/room")
    lead(leader, room, "timer", minutes="60")
    expect(phone.locator("[data-timer]").first).to_have_text(re.compile(r"^(60:00|59:\d\d)$"))


def test_a_map_takes_pins_and_everybody_looks_at_it_when_it_is_chosen(
    hall: Hall, leader: httpx.Client, room: int
) -> None:
    phone = hall.phone(code_of(leader, room))
    lead(leader, room, "look", look="map")
    expect(phone.locator(".room-map")).to_be_visible()
    phone.locator(".room-map").click(position={"x": 120, "y": 80})
    phone.fill("#body", "Here children cross")
    phone.click("#add button[type=submit]")
    expect(phone.locator(".room-map .room-pin")).to_have_count(1)
    pin = state_of(leader, room)["notes"][0]["pin"]
    assert set(pin) >= {"lat", "lon"}


def test_a_phone_without_script_reads_and_adds(hall: Hall, leader: httpx.Client, room: int) -> None:
    phone = hall.phone(code_of(leader, room), script=False)
    phone.fill("#body", "By form alone")
    phone.click("#add button[type=submit]")
    expect(phone.locator(".room-notes")).to_contain_text("By form alone")


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_screen_of_a_room_has_a_serious_fault_or_is_too_wide_for_a_phone(
    hall: Hall, leader: httpx.Client, room: int, language: str
) -> None:
    code = code_of(leader, room)
    phone = hall.phone(code, "Ann", language=language)
    hostile = "<script>alert(1)</script>" + "W" * 200 + "\u202eabc"
    with plain_browser(hall.address) as other:
        join(other, code, "Z" * 30)
        assert write(other, room, hostile).status_code == 201
    desk = hall.page(PHONE, leads=True, language=language)
    wall = hall.page({"width": 1920, "height": 1080}, leads=True, language=language)
    desk.goto(f"/workshops/{room}/lead")
    wall.goto(f"/workshops/{room}/screen")
    minutes = hall.page(PHONE, leads=True, language=language)
    minutes.goto(f"/workshops/{room}")
    for page in (phone, desk, wall, minutes):
        expect(page.locator("body")).to_contain_text("<script>alert(1)</script>")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        page.evaluate(axe_core())
        faults = page.evaluate("axe.run()")["violations"]
        assert [fault["id"] for fault in faults if fault["impact"] in {"serious", "critical"}] == []


def test_the_screens_of_a_room_weigh_little(hall: Hall, leader: httpx.Client, room: int) -> None:
    static = Path(__file__).parents[2] / "api" / "telstraat_api" / "web" / "static" / "workshops"
    assert sum(path.stat().st_size for path in static.iterdir()) < 60_000
    assert len(leader.get(f"/workshops/{room}/screen").content) < 80_000
