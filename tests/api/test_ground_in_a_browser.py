"""The ground of a map in a real browser: drawn from our own host, with names that do not collide, in every town and none."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page
from tests.harness.pages import wait_for, write_down

from telstraat_cli.main import main
from telstraat_firmware_sim.town import map_of_overbeke, overbeke
from telstraat_firmware_sim.town.extract import write_extract
from telstraat_store.maps.ground import GroundRow, replace_ground

pytestmark = pytest.mark.browser
STREETS = ("Brugstraat", "Noordring", "Parklaan", "Schoolstraat", "Kerkstraat")
# How many different colours a canvas holds: an empty one has a single one, which is none.
COLOURS = """canvas => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let at = 0; at < data.length; at += 4 * 97) seen.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]);
    return seen.size;
}"""


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(chromium: Browser, module_client: httpx.Client, complaints: list[str]) -> Iterator[Page]:
    home = str(module_client.base_url)
    context = chromium.new_context(base_url=home, locale="en-GB")
    page = context.new_page()
    write_down(complaints, page, home)
    yield page
    context.close()


@pytest.fixture(scope="module")
def streets(
    module_client: httpx.Client,
    module_database: str,
    module_connection: psycopg.Connection,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, int]:
    path = tmp_path_factory.mktemp("town") / "overbeke.osm.pbf"
    write_extract(map_of_overbeke(1), path)
    assert set(STREETS) <= {street.name for street in overbeke(1).streets}
    words = ["--streets", ",".join(STREETS), "--credit", "<img src=x onerror=alert(1)>"]
    assert main(["segments", "--dsn", module_database, "import", str(path), *words]) == 0
    return dict(module_connection.execute("select name, segment_id from segment").fetchall())


def look_at(page: Page, name: str) -> None:
    """Open the map of the town where only streets of that name are."""
    page.goto("/?" + urlencode({"q": name}))


def names_on(page: Page) -> list[str]:
    wait_for(page, "document.querySelector('.leaflet-ground-names-pane canvas')?.dataset.names")
    return str(page.get_attribute(".leaflet-ground-names-pane canvas", "data-names")).split("|")


def test_a_street_lies_on_its_own_town_and_its_name_is_the_first(
    page: Page, streets: dict[str, int], complaints: list[str]
) -> None:
    look_at(page, "Schoolstraat")
    wait_for(page, "document.querySelector('.leaflet-ground-names-pane canvas')?.dataset.names?.includes('Wende')")
    names = names_on(page)
    assert names[0] == "Schoolstraat"
    assert {"Wende", "De Klaproos"} <= set(names)
    assert len(names) == len(set(names))
    canvas = page.locator(".leaflet-ground-pane canvas")
    wait_for(page, f"({COLOURS})(document.querySelector('.leaflet-ground-pane canvas')) > 5")
    assert canvas.get_attribute("aria-hidden") == "true"
    assert complaints == []


def test_the_source_of_the_ground_is_named_as_text(page: Page, streets: dict[str, int], complaints: list[str]) -> None:
    look_at(page, "Noordring")
    wait_for(page, "document.querySelector('.leaflet-control-attribution')?.textContent.includes('<img')")
    assert page.locator(".leaflet-control-attribution img").count() == 0
    assert complaints == []


def test_the_ground_is_drawn_in_the_colours_of_the_theme(page: Page, streets: dict[str, int]) -> None:
    look_at(page, "Brugstraat")
    wait_for(page, f"({COLOURS})(document.querySelector('.leaflet-ground-pane canvas')) > 5")
    colour = "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).filter((_, n) => n % 4 < 3).reduce((a, b) => a + b)"
    light = page.locator(".leaflet-ground-pane canvas").evaluate(colour)
    page.click("[data-theme-switch]")
    wait_for(page, f"({colour})(document.querySelector('.leaflet-ground-pane canvas')) < {0.6 * light}")


def test_a_town_without_an_extract_has_a_grid(
    page: Page, module_connection: psycopg.Connection, complaints: list[str], streets: dict[str, int]
) -> None:
    line = '{"type": "LineString", "coordinates": [[10.0, 10.0], [10.002, 10.001]]}'
    row = module_connection.execute(
        "insert into segment (name, geometry, timezone) values ('Alone', %s, 'UTC') returning segment_id", (line,)
    ).fetchone()
    assert row
    look_at(page, "Alone")
    page.locator(".grid-tile").first.wait_for()
    assert names_on(page) == ["Alone"]
    assert complaints == []


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "\u05e8\u05d7\u05d5\u05d1 \u05d4\u05e8\u05e6\u05dc", "W" * 80, "\U0001f6b2" * 12],
)
def test_hostile_names_are_drawn_or_left_out(
    name: str, page: Page, module_connection: psycopg.Connection, complaints: list[str], streets: dict[str, int]
) -> None:
    line = '{"type": "LineString", "coordinates": [[12.0, 10.0], [12.001, 10.0005], [12.002, 10.001]]}'
    row = module_connection.execute(
        "insert into segment (name, geometry, timezone) values (%s, %s, 'UTC') returning segment_id", (name, line)
    ).fetchone()
    assert row
    beside = line.replace("10.0]", "10.0004]").replace("10.0005", "10.0009").replace("10.001]", "10.0014]")
    bounds = (12.0, 10.0, 12.002, 10.0014)
    replace_ground(
        module_connection, [GroundRow("w1", "street", name + "!", bounds, 200.0, beside, beside, None)], bounds
    )
    look_at(page, name)
    wait_for(page, "document.querySelector('.leaflet-ground-pane canvas')?.width > 0")
    page.wait_for_load_state("networkidle")
    wait_for(page, f"({COLOURS})(document.querySelector('.leaflet-ground-pane canvas')) > 1")
    assert complaints == []
