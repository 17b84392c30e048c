"""An operator's way: from the home page to streets and counts from files, an officer who is let in, a silent sensor mended."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, expect
from tests.api.my_people import add_person
from tests.api.streets import add_reports
from tests.journeys.conftest import Town
from tests.journeys.town import SILENT

from telstraat_contract.quarters import QUARTER, quarter_start

OPERATOR = "operator@example.org"
OFFICER = "officer@example.org"
WORKED_MS = 60_000


def files(folder: Path) -> tuple[Path, Path]:
    """Write a file of streets and one of their counts."""
    lines = {
        "Beekstraat": [[4.7040, 50.8760], [4.7060, 50.8770]],
        "Lindenstraat": [[4.70050, 50.87790], [4.70190, 50.87815], [4.70320, 50.87860]],
    }
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": {"type": "LineString", "coordinates": line}}
        for name, line in lines.items()
    ]
    streets, counts = folder / "streets.geojson", folder / "tubes.csv"
    streets.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    rows = "".join(f"Beekstraat,2026-03-02T{hour:02d}:00:00Z,1,{hour},3\n" for hour in range(24))
    counts.write_text("street,date,uptime,car_lft,car_rgt\n" + rows, encoding="utf-8")
    return streets, counts


def import_it(page: Page) -> None:
    page.get_by_role("button", name="Import it").click(timeout=WORKED_MS)
    page.get_by_role("heading", name="This was imported").wait_for(timeout=WORKED_MS)


def test_an_operator_imports_invites_and_mends(town: Town, tmp_path: Path) -> None:
    streets, counts = files(tmp_path)
    add_person(town.connection, OPERATOR, "operator")
    page = town.sit_down()
    town.sign_in(page, OPERATOR)
    page.get_by_role("link", name="Operate", exact=True).click()
    page.get_by_role("link", name="Uploads").click()
    page.get_by_label("Streets", exact=True).check()
    page.get_by_role("button", name="File").set_input_files(streets)
    page.get_by_label("Time zone of these streets").fill("Europe/Brussels")
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("main")).to_contain_text("1 new street", timeout=WORKED_MS)
    import_it(page)
    page.get_by_role("link", name="Uploads").first.click()
    page.get_by_label("Counts", exact=True).check()
    page.get_by_role("button", name="File").set_input_files(counts)
    page.get_by_label("Where the counts come from").fill("City, tubes 2026")
    page.get_by_role("button", name="Look at it").click()
    page.get_by_text("choose it below").wait_for(timeout=WORKED_MS)
    expect(page.locator("[role=alert]")).not_to_contain_text("/upload")
    page.get_by_label("Counts have been divided by the uptime").select_option(label="yes")
    page.get_by_role("button", name="Look again").click()
    expect(page.locator("main")).to_contain_text("at no street yet", timeout=WORKED_MS)
    expect(page.get_by_label("Beekstraat", exact=True).locator("option:checked")).to_contain_text("Beekstraat (")
    page.get_by_role("button", name="Look again").click()
    expect(page.locator("main")).to_contain_text("24 new periods", timeout=WORKED_MS)
    import_it(page)
    page.get_by_role("link", name="See them on the map").click()
    page.get_by_label("Search a street").fill("beek")
    page.keyboard.press("Enter")
    page.locator(".town-table").get_by_role("link", name="Beekstraat").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Beekstraat")

    page.get_by_role("link", name="Operate", exact=True).click()
    page.get_by_role("link", name="People").click()
    page.get_by_label("Mail address").fill(OFFICER)
    page.get_by_label("Role", exact=True).select_option(label="Mobility officer")
    page.get_by_label("Send them a link to sign in now").check()
    page.get_by_role("button", name="Let in", exact=True).click()
    page.get_by_text(f"Saved: {OFFICER}").wait_for()
    officer = town.browser()
    officer.goto(town.link_in_the_next_letter())
    officer.locator("main").get_by_role("button", name="Sign in").click()
    officer.get_by_role("link", name="Measures", exact=True).first.click()
    officer.get_by_role("link", name="A new measure").wait_for()

    page.locator("nav.tabs").get_by_role("link").first.click()
    silent = page.locator("section", has_text="What needs somebody").get_by_role("listitem").filter(has_text=SILENT)
    expect(silent).to_contain_text("silent")
    silent.get_by_role("link").click()
    page.get_by_role("button", name="Make a password").click()
    assert re.search(r"\S{8,}", page.locator("dl.secrets code").inner_text())
    start = quarter_start(datetime.now(UTC)) - QUARTER  # it is plugged in again
    add_reports(town.connection, [{"sensor_id": 4, "period_start": start, "car_lft": 4, "seq": 20_000}])
    town.connection.execute("update stream set last_at = now() where sensor_id = 4")
    town.connection.execute("update sensor_health set online = true where sensor_id = 4")
    page.locator("nav.tabs").get_by_role("link").first.click()
    expect(page.locator("main")).to_contain_text("No sensor needs anybody now.")
