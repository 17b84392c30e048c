"""S11: setting up safely is the easy path: a person with a phone and the card comes through the five screens.

The pages, the counting core, the town's server and its database are the real ones; a simulated street is the camera.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Page
from tests.api.conftest import served
from tests.api.my_people import code_of
from tests.api.streets import LINES, add_segment, add_sensor
from tests.device.setup.sensors import NAME, NotedService, SmallNetwork, StreetCamera, served_site, setup_settings
from tests.harness.pages import SERIOUS, axe_core, write_down

from telstraat_api.settings import ApiSettings
from telstraat_contract.secret_files import read_secret
from telstraat_device.settings import read_settings
from telstraat_device.setup.site import SetupSite
from telstraat_store.places.passwords import check_password

pytestmark = pytest.mark.browser


@pytest.fixture
def town(database: str) -> Iterator[str]:
    settings = ApiSettings(
        dsn=database, pool_max=4, keep_s=0, jobs_at_once=0, broker_host="127.0.0.1", broker_tls=False, broker_port=2883
    )
    with psycopg.connect(database, autocommit=True) as connection:
        segments = [add_segment(connection, name, line) for name, line, _ in LINES]
        add_sensor(connection, NAME, segments[0])
    with served(settings) as home:
        yield home


@pytest.fixture
def code(database: str, town: str) -> str:
    with psycopg.connect(database, autocommit=True) as connection:
        row = connection.execute("select sensor_id from sensor where name = %s", (NAME,)).fetchone()
        assert row
        return code_of(connection, row[0])


def phone_of(chromium: Browser, home: str, complaints: list[str]) -> Page:
    context = chromium.new_context(
        base_url=home, viewport={"width": 360, "height": 740}, locale="en-GB", has_touch=True, is_mobile=True
    )
    page = context.new_page()
    write_down(complaints, page, home)
    return page


def nothing_is_wrong_with(page: Page) -> None:
    """Refuse a page that is wider than the phone, or that somebody without eyes or hands cannot use."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, page.url
    page.add_init_script(axe_core())
    page.reload()
    result = page.evaluate("axe.run()")
    assert [each for each in result["violations"] if each["impact"] in SERIOUS] == [], page.url


def test_a_phone_comes_from_the_card_to_the_first_crossing(
    chromium: Browser, database: str, town: str, code: str, tmp_path: Path
) -> None:
    settings = setup_settings(tmp_path, town={"address": town})
    (tmp_path / "code").write_text(code)
    (tmp_path / "code").chmod(0o600)
    service, complaints = NotedService(), list[str]()
    site = SetupSite(settings, partial(StreetCamera, paced=True), service, SmallNetwork("internet"))
    with served_site(site) as home:
        page = phone_of(chromium, home, complaints)
        page.goto(f"/#{code}")  # the QR of the card
        page.get_by_role("button", name="Go on with this network").click()
        draw_the_line(page)
        choose_the_street(page)
        page.get_by_role("button", name="Exchange the code").click()
        page.get_by_text("The town knows this sensor").wait_for()
        page.get_by_role("link", name="Go on to the test").click()
        page.get_by_text("The first crossing: it works.").wait_for()
        page.get_by_role("button", name="It counts: done").click()
        page.get_by_role("heading", name="Today").wait_for()
        for path in ("/network", "/aim", "/street?q=e", "/account", "/test", "/status"):
            page.goto(path)
            nothing_is_wrong_with(page)
        page.context.close()  # the status page asks every ten seconds, and would find nobody
    assert service.calls[-1] == "start"
    assert complaints == []
    what_was_written_is_what_the_service_reads(tmp_path, database)


def draw_the_line(page: Page) -> None:
    """Open the picture and draw the line with a finger."""
    page.get_by_role("button", name="Open the picture").click()
    page.locator("#left:not(:empty)").wait_for()
    box = page.locator("#picture").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.95)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.2, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="The line is right").click()


def choose_the_street(page: Page) -> None:
    """Find the street in the town's list and name its directions."""
    page.get_by_label("Name of the street").fill("linden")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Lindenstraat").click()
    assert page.locator("svg.map").is_visible()
    assert page.get_by_label("And the direction to B?").input_value() == "Kerkplein"
    page.get_by_label("What do people call the direction to A?").fill("the station")
    page.get_by_role("button", name="Go on").click()


def what_was_written_is_what_the_service_reads(folder: Path, database: str) -> None:
    settings = read_settings(folder / "device.toml", environment={})
    assert settings.sensor.name == NAME
    assert (settings.broker.host, settings.broker.port, settings.broker.tls) == ("127.0.0.1", 2883, False)
    assert settings.camera.line is not None
    assert settings.camera.line[:2] == pytest.approx((0.4, 0.95), abs=0.02)
    password = read_secret(Path(settings.sensor.password_file))
    for name in ("password", "enrolment.json", "code", "api-token", "setup.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name
    with psycopg.connect(database) as connection:
        row = connection.execute("select secret from sensor where name = %s", (NAME,)).fetchone()
        standing = connection.execute("select to_b, to_a from installation").fetchone()
    assert row
    assert check_password(password, row[0])
    assert standing == ("Kerkplein", "the station")
