"""A facilitator's way: a workshop with three phones and a wall, from the question to what is agreed, and again after the measure."""

from __future__ import annotations

from playwright.sync_api import Page, ViewportSize, expect
from tests.api.my_people import add_person
from tests.journeys.acting import NAME, evaluate, register
from tests.journeys.conftest import PHONE, WALL, Town

FACILITATOR = "facilitator@example.org"


def take_part(town: Town, code: str, name: str) -> Page:
    """Take part on a phone, with the code from the wall."""
    phone = town.sit_down(PHONE, has_touch=True)
    phone.get_by_role("link", name="Workshops").click()
    phone.get_by_role("link", name="Take part", exact=True).click()
    phone.get_by_label("Code").fill(code)
    phone.get_by_role("button", name="Go in").click()
    phone.get_by_label("Your first name").fill(name)
    phone.get_by_role("button", name="Take part").click()
    phone.wait_for_url("**/room")
    return phone


def test_a_facilitator_leads_three_phones_and_a_wall_and_comes_back_after_the_measure(town: Town) -> None:
    add_person(town.connection, FACILITATOR, "professional")
    desk = town.sit_down(ViewportSize(width=1280, height=2400))
    town.sign_in(desk, FACILITATOR)
    desk.get_by_role("link", name="Streets", exact=True).click()
    desk.locator(".town-table").get_by_role("link", name="Schoolstraat").click()
    desk.get_by_role("link", name="A measure here").click()
    register(desk)

    desk.get_by_role("link", name="Workshops", exact=True).click()
    desk.get_by_role("link", name="New workshop").click()
    desk.get_by_label("Title").fill("An evening at school")
    desk.get_by_label("The question").fill("What will the filter change?")
    desk.get_by_label("About a measure").select_option(label=NAME)
    desk.get_by_label("Schoolstraat").check()
    desk.get_by_role("button", name="Make the workshop").click()
    with desk.context.expect_page() as opened:
        desk.get_by_role("link", name="Show on the wall").click()
    wall = opened.value
    wall.set_viewport_size(WALL)
    code = wall.locator("[data-code]").inner_text()
    phones = [take_part(town, code, name) for name in ("Ann", "Bea", "Cem")]
    expect(wall.locator("[data-people]")).to_have_text("Here: 3")

    desk.get_by_role("button", name="2 Collect").click()
    first, second, third = phones
    expect(first.get_by_label("Your note")).to_be_visible()
    first.locator(".canvas").click(position={"x": 200, "y": 60})
    expect(first.locator("[data-pin-text]")).to_contain_text("On the chart")
    first.get_by_label("Your note").fill("Full at eight")
    first.get_by_role("button", name="Add", exact=True).click()
    expect(wall.locator(".wall-notes")).to_contain_text("Full at eight")
    expect(wall.locator(".plot .room-pin")).to_have_count(1)
    second.get_by_text("Proposal").click()
    second.get_by_label("Your note").fill("Close it to cars")
    second.get_by_text("Where, when, what you expect").click()
    second.get_by_label("Street", exact=True).select_option(label="Schoolstraat")
    second.get_by_label("Percent").fill("30")
    second.get_by_label("Of what").select_option("car")
    second.get_by_role("button", name="Add", exact=True).click()
    expect(third.locator("[data-notes]")).to_contain_text("Close it to cars")

    desk.get_by_role("button", name="3 Group").click()
    desk.get_by_label("New group").fill("Rat run")
    desk.get_by_role("button", name="Make", exact=True).click()
    column = desk.locator("section[data-group]:not([data-group=''])")
    desk.locator("li[data-note]", has_text="Full at eight").drag_to(column)
    expect(column).to_contain_text("Full at eight")
    desk.get_by_role("button", name="4 Vote").click()
    for phone in phones:
        phone.get_by_label("Close it to cars").check()
    expect(wall.locator(".wall-bars b").first).to_have_text("3")
    desk.get_by_role("button", name="5 Agree").click()
    desk.get_by_label("Write down what is agreed").fill("The filter stays ten weeks")
    desk.get_by_role("button", name="Write it down").click()
    expect(wall.locator(".agreed")).to_contain_text("ten weeks")
    for phone in phones:  # are put away: the room that is closed would answer them that it is gone
        phone.context.close()
    desk.locator("summary", has_text="Close the room").click()
    desk.get_by_role("button", name="Close the room").click()
    desk.get_by_role("link", name="Minutes").first.click()
    expect(desk.locator("main")).to_contain_text("3 people took part.")

    desk.get_by_role("link", name=NAME).click()
    evaluate(desk)
    desk.get_by_role("link", name="Workshops", exact=True).click()
    desk.get_by_role("link", name="An evening at school").click()
    desk.get_by_role("button", name="Open again").click()
    again = take_part(town, wall_code(desk), "Ann")
    expect(again.get_by_role("heading", level=1)).to_contain_text("An evening at school")
    desk.get_by_role("link", name="Minutes").first.click()
    outcome = desk.locator("section", has=desk.get_by_role("heading", name="Expected, and what happened"))
    expect(outcome).to_contain_text("30")
    expect(outcome).to_contain_text("%")


def wall_code(desk: Page) -> str:
    """Show the room on the wall again and return its code."""
    with desk.context.expect_page() as opened:
        desk.get_by_role("link", name="Show on the wall").click()
    return opened.value.locator("[data-code]").inner_text()
