"""`GET /api/v1/ground`: small, as fine as the box is small, with an ETag, and never more than an answer holds."""

from __future__ import annotations

import httpx
import psycopg
import pytest

from telstraat_cli.main import main
from telstraat_firmware_sim.town import map_of_overbeke
from telstraat_firmware_sim.town.extract import write_extract
from telstraat_store.maps.ground import GroundRow, replace_ground

TOWN = "4.905,50.955,4.955,50.985"
ADDRESS = "/api/v1/ground"


@pytest.fixture(scope="module")
def town(module_client: httpx.Client, module_database: str, tmp_path_factory: pytest.TempPathFactory) -> httpx.Client:
    path = tmp_path_factory.mktemp("town") / "overbeke.osm"
    write_extract(map_of_overbeke(1), path)
    assert (
        main(["segments", "--dsn", module_database, "import", str(path), "--ground-only", "--credit", "Made <up>"]) == 0
    )
    return module_client


def thing(number: int, west: float, south: float) -> GroundRow:
    line = f'{{"type":"LineString","coordinates":[[{west},{south}],[{west + 0.001},{south + 0.001}]]}}'
    bounds = (west, south, west + 0.001, south + 0.001)
    return GroundRow(f"w{number}", "path", "", bounds, 100.0 + number % 7, line, None, None)


def test_a_town_is_drawn_finely_and_weighs_little(town: httpx.Client) -> None:
    answer = town.get(ADDRESS, params={"bbox": TOWN})
    body = answer.json()
    assert answer.headers["content-type"] == "application/geo+json"
    assert (body["detail"], body["is_whole"], body["credit"]) == ("fine", True, ["Made <up>"])
    kinds = {feature["properties"]["kind"] for feature in body["features"]}
    assert {"water", "green", "wood", "square", "school", "rail", "road", "street", "path"} <= kinds
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 25_000
    numbers = [
        str(n)
        for f in body["features"]
        if f["geometry"]["type"] == "LineString"
        for p in f["geometry"]["coordinates"]
        for n in p
    ]
    assert max(len(number.partition(".")[2]) for number in numbers) <= 6


def test_what_a_reader_has_is_not_sent_again(town: httpx.Client) -> None:
    first = town.get(ADDRESS, params={"bbox": TOWN})
    again = town.get(ADDRESS, params={"bbox": TOWN}, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"] == "public, max-age=300"


def test_a_larger_box_is_drawn_more_coarsely(town: httpx.Client) -> None:
    town_wide = town.get(ADDRESS, params={"bbox": "4.85,50.9,5.0,51.02"}).json()
    region = town.get(ADDRESS, params={"bbox": "4,50,6,52"}).json()
    assert (town_wide["detail"], region["detail"]) == ("middle", "coarse")
    many = [
        len(town.get(ADDRESS, params={"bbox": TOWN}).json()["features"]),
        len(town_wide["features"]),
        len(region["features"]),
    ]
    assert many == sorted(many, reverse=True)
    assert {"path", "street"} & {feature["properties"]["kind"] for feature in region["features"]} == set()
    assert town.get(ADDRESS, params={"bbox": "1,1,1.01,1.01"}).json()["features"] == []


@pytest.mark.parametrize(
    "bbox",
    ["", "1,2,3", "a,b,c,d", "1,2,1,3", "1,3,2,2", "1,2,200,3", "nan,1,2,3", "1e999,1,2,3", "4,50,5,91", "4,50,5,51,6", "--1,2,3,4"],
)  # fmt: skip
def test_a_box_that_is_none_is_refused_with_a_sentence(bbox: str, town: httpx.Client) -> None:
    answer = town.get(ADDRESS, params={"bbox": bbox})
    assert answer.status_code == 422
    assert "bbox" in answer.text


def test_a_box_across_180_degrees_sees_both_sides(client: httpx.Client, database: str) -> None:
    with psycopg.connect(database) as connection:
        replace_ground(connection, [thing(1, 179.99, -17.0), thing(2, -179.99, -17.0), thing(3, 0.0, -17.0)], None)
    body = client.get(ADDRESS, params={"bbox": "179.98,-17.01,-179.97,-16.98"}).json()
    assert sorted(feature["geometry"]["coordinates"][0][0] for feature in body["features"]) == [-179.99, 179.99]
    assert body["detail"] == "fine"


def test_an_answer_has_an_end_and_says_that_it_is_not_whole(client: httpx.Client, database: str) -> None:
    rows = [thing(number, 4.7 + number * 1e-6, 50.88) for number in range(10_100)]
    with psycopg.connect(database) as connection:
        replace_ground(connection, rows, (4.0, 50.0, 5.0, 51.0))
    body = client.get(ADDRESS, params={"bbox": "4.69,50.87,4.72,50.89"}).json()
    assert (len(body["features"]), body["is_whole"]) == (10_000, False)


def test_hostile_names_arrive_as_text(client: httpx.Client, database: str) -> None:
    row = thing(1, 4.7, 50.88)
    name = '</script><script>alert("1")</script>'
    with psycopg.connect(database) as connection:
        replace_ground(
            connection, [GroundRow(row.source, "street", name, row.bounds, 9.0, row.fine, None, None)], None, "<b>x"
        )
    body = client.get(ADDRESS, params={"bbox": "4.69,50.87,4.72,50.89"}).json()
    assert body["features"][0]["properties"]["name"] == name
    assert body["credit"] == ["<b>x"]
