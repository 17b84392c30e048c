"""What an officer does with a measure, by clicking and typing: register it, have it evaluated, publish what was found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect
from tests.journeys.town import MEASURE_AGO

NAME = "Filter at the school"
COMPUTED_MS = 240_000


def register(page: Page) -> None:
    """Fill in the form of a new measure in which the School street is already, and publish it."""
    first_day = (datetime.now(UTC) - timedelta(days=MEASURE_AGO)).date()
    page.get_by_label("What people call it").fill(NAME)
    page.get_by_label("First day", exact=True).fill(first_day.isoformat())
    page.get_by_label("Days before that are compared").fill("56")
    page.get_by_label("Days after that are compared").fill("35")
    page.get_by_role("region", name="What to ask").get_by_label("Bicycles", exact=True).uncheck()
    for name in ("Dorpsplein", "Lindenstraat"):
        page.locator("#listed").get_by_label(f"What {name} is in this measure").select_option(label="Compared with")
    page.get_by_role("button", name="Look it over", exact=True).last.click()
    expect(page.locator(".review")).to_contain_text("Dorpsplein")
    page.get_by_role("button", name="Save and publish").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)


def evaluate(page: Page) -> None:
    """On the page of the measure: compute what it changed, look at it, and publish it."""
    page.get_by_role("button", name="Evaluate now").click()
    page.locator(".sure").wait_for(timeout=COMPUTED_MS)  # the page shows by itself what was found
    page.locator(".evaluations").get_by_role("button", name="Publish").click()
    page.get_by_role("link", name="Share").wait_for()
