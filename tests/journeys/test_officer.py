"""An officer's way: from the home page to the worst street, a measure in it, its plan, its evaluation, and what is shared."""

from __future__ import annotations

from playwright.sync_api import expect
from tests.api.my_people import add_person
from tests.journeys.acting import NAME, evaluate, register
from tests.journeys.conftest import Town

OFFICER = "officer@example.org"


def test_an_officer_finds_the_worst_street_registers_plans_evaluates_and_shares(town: Town) -> None:
    add_person(town.connection, OFFICER, "professional")
    page = town.sit_down()
    town.sign_in(page, OFFICER)
    page.get_by_role("link", name="Streets", exact=True).click()
    page.get_by_role("link", name="Above the limit").click()
    worst = page.locator(".town-table tbody tr").first
    expect(worst).to_contain_text("Schoolstraat")
    worst.get_by_role("link", name="Schoolstraat").click()
    expect(page.locator(".answer")).to_contain_text("30 km/h")
    page.get_by_role("link", name="A measure here").click()
    register(page)
    page.get_by_role("link", name="How long must we count?").click()
    expect(page.locator("main")).to_contain_text("weeks", timeout=60_000)  # it says that it is computed, then opens
    page.get_by_role("link", name=NAME).click()
    evaluate(page)
    page.get_by_role("link", name="Share").click()
    text = page.get_by_label("The same as a text, to copy").input_value()
    assert "%" in text
    assert NAME in text
    with page.expect_download() as download:
        page.get_by_role("link", name="Picture (PNG)").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")

    passer_by = town.sit_down()
    passer_by.get_by_role("link", name=NAME).click()
    expect(passer_by.locator(".headline")).to_contain_text("95% interval")
