"""The ground of the maps: read from extracts of any kind, put in the place of the old, drawn as closely as is looked at it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import osmium
import psycopg
import pytest
import shapely
from osmium.osm.mutable import Node, Relation, Way

from telstraat_cli.main import main
from telstraat_firmware_sim.town import map_of_overbeke
from telstraat_firmware_sim.town.extract import write_extract
from telstraat_store.errors import StreetFileError
from telstraat_store.maps.ground_features import KINDS, clean, rows_of
from telstraat_store.maps.openstreetmap import Box, read_extract

PLACES = {
    1: (4.70, 50.88), 2: (4.71, 50.88), 3: (4.71, 50.89), 4: (4.70, 50.89),
    5: (4.703, 50.883), 6: (4.707, 50.883), 7: (4.707, 50.887), 8: (4.703, 50.887),
    9: (4.72, 50.88), 10: (4.73, 50.89),
}  # fmt: skip
LAKE: list[tuple[int, list[int], dict[str, str]]] = [(1, [1, 2, 3], {}), (2, [3, 4, 1], {}), (3, [5, 6, 7, 8, 5], {})]
LAKE_MEMBERS = [("w", 1, "outer"), ("w", 2, "outer"), ("w", 3, "inner")]


def write(
    path: Path,
    ways: list[tuple[int, list[int], dict[str, str]]],
    relations: list[tuple[int, list[tuple[str, int, str]], dict[str, str]]] | None = None,
    places: dict[int, tuple[float, float]] | None = None,
) -> Path:
    path.unlink(missing_ok=True)
    with osmium.SimpleWriter(str(path)) as writer:
        for number, place in (places or PLACES).items():
            writer.add_node(Node(id=number, location=place))
        for number, nodes, tags in ways:
            writer.add_way(Way(id=number, nodes=nodes, tags=tags))
        for number, members, tags in relations or []:
            writer.add_relation(Relation(id=number, members=members, tags={"type": "multipolygon", **tags}))
    return path


@pytest.fixture(scope="module")
def overbeke_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("town") / "overbeke.osm.pbf"
    write_extract(map_of_overbeke(1), path)
    return path


def run(dsn: str, path: Path, *words: str) -> int:
    return main(["segments", "--dsn", dsn, "import", str(path), "--anywhere", *words])


def ground(dsn: str) -> list[tuple[str, str, str]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("select source, kind, name from ground order by 1, 2").fetchall()


def test_the_made_up_town_has_its_river_pond_island_parks_and_streets(database: str, overbeke_file: Path) -> None:
    assert run(database, overbeke_file, "--credit", "A made-up town") == 0
    rows = ground(database)
    assert {kind for _, kind, _ in rows} <= set(KINDS)
    assert {("water", "Wende"), ("green", "Stadspark"), ("square", "Grote Markt"), ("road", "Noordring")} <= {
        r[1:] for r in rows
    }
    with psycopg.connect(database) as connection:
        [pond] = connection.execute("select fine from ground where name = 'Parkvijver'").fetchall()
        shape = shapely.from_geojson(json.dumps(pond[0]))
        assert len(shape.interiors) == 1
        many = connection.execute("select count(*) from segment").fetchone()
        assert connection.execute("select distinct credit from ground").fetchall() == [("A made-up town",)]
        [weight] = connection.execute("select sum(length(fine::text)) from ground").fetchone() or [0]
    assert many == (len({name for _, kind, name in rows if kind in {"road", "street"} and name}) + 1,)  # and Beekpad
    assert weight < 60_000
    assert run(database, overbeke_file, "--credit", "A made-up town") == 0
    assert ground(database) == rows


def test_an_area_of_several_ways_keeps_its_hole_and_a_torn_border_is_left_out(tmp_path: Path) -> None:
    lake = (7, LAKE_MEMBERS, {"natural": "water", "name": "Meer"})
    torn = (8, [("w", 1, "outer"), ("w", 99, "outer")], {"landuse": "forest"})
    extract = read_extract(write(tmp_path / "a.osm", LAKE, [lake, torn]))
    [water] = list(rows_of(extract.ground))
    assert (water.source, water.kind, water.name) == ("r7", "water", "Meer")
    assert len(shapely.from_geojson(water.fine).interiors) == 1


def test_points_that_the_file_lacks_break_a_line_and_not_the_import(tmp_path: Path) -> None:
    ways = [
        (1, [1, 2, 999, 3, 4], {"highway": "residential", "name": "Gebroken"}),
        (2, [998, 997], {"waterway": "river"}),
        (3, [1, 2, 996, 1], {"natural": "water"}),
    ]
    rows = list(rows_of(read_extract(write(tmp_path / "a.osm", ways)).ground))
    assert [(row.kind, row.name) for row in rows] == [("street", "Gebroken")] * 2


@pytest.mark.parametrize(
    "tags",
    [
        {"building": "yes"}, {"highway": "service", "service": "driveway"}, {"highway": "footway", "footway": "sidewalk"},
        {"railway": "rail", "tunnel": "yes"}, {"waterway": "stream", "tunnel": "culvert"}, {"highway": "construction"},
        {"railway": "abandoned"}, {"natural": "coastline"},
    ],
)  # fmt: skip
def test_what_a_quiet_map_does_not_show_is_no_ground(tags: dict[str, str], tmp_path: Path) -> None:
    assert read_extract(write(tmp_path / "a.osm", [(1, [1, 2, 3, 1], tags)])).ground == []


def test_a_street_around_a_block_is_no_square_and_a_square_is_no_street(tmp_path: Path) -> None:
    ring = (1, [1, 2, 3, 4, 1], {"highway": "pedestrian", "name": "Rond"})
    square = (2, [5, 6, 7, 8, 5], {"highway": "pedestrian", "area": "yes", "name": "Plein"})
    extract = read_extract(write(tmp_path / "a.osm", [ring, square]))
    assert sorted((thing.kind, thing.name) for thing in extract.ground) == [("square", "Plein"), ("street", "Rond")]
    assert [street.name for street in extract.streets] == ["Rond"]


def test_importing_a_part_again_replaces_that_part_and_leaves_the_rest_whole(database: str, tmp_path: Path) -> None:
    far = (3, [9, 10], {"highway": "path"})
    river = (4, [4, 10], {"waterway": "river", "name": "Lange"})
    assert (
        run(database, write(tmp_path / "a.osm", [(1, [5, 6], {"highway": "path"}), far, river]), "--ground-only") == 0
    )
    later = write(tmp_path / "b.osm", [(2, [6, 7], {"highway": "steps"}), far, river])
    assert run(database, later, "--ground-only", "--bbox", "4.699,50.879,4.711,50.891") == 0
    assert [source for source, _, _ in ground(database)] == ["w2", "w3", "w4"]
    with psycopg.connect(database) as connection:
        [line] = connection.execute("select fine from ground where source = 'w4'").fetchall()
    assert line[0]["coordinates"][-1] == [4.73, 50.89], "the river is not cut at the edge of the part"


def test_what_is_new_is_cut_a_little_beyond_the_box(tmp_path: Path) -> None:
    box = Box(4.70, 50.879, 4.72, 50.891)
    extract = read_extract(write(tmp_path / "a.osm", [(4, [4, 10], {"waterway": "river"})]), box=box)
    wide = box.wider()
    [row] = rows_of(extract.ground, (wide.west, wide.south, wide.east, wide.north))
    assert row.bounds[2] == pytest.approx(4.722)


def test_a_town_on_the_date_line_does_not_wipe_out_towns_of_its_latitude(database: str, tmp_path: Path) -> None:
    path = {"highway": "path"}
    assert (
        run(
            database,
            write(tmp_path / "a.osm", [(1, [1, 2], path)], places={1: (20.0, -16.8), 2: (20.001, -16.81)}),
            "--ground-only",
        )
        == 0
    )
    places = {1: (179.99, -16.7), 2: (180.0, -16.9), 3: (-180.0, -16.9), 4: (-179.99, -16.7)}
    assert (
        run(database, write(tmp_path / "b.osm", [(2, [1, 2], path), (3, [3, 4], path)], places=places), "--ground-only")
        == 0
    )
    assert [source for source, _, _ in ground(database)] == ["w1", "w2", "w3"]


def test_an_empty_file_adds_nothing_and_says_so(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(database, write(tmp_path / "a.osm", [])) == 0
    assert "0 segments added" in capsys.readouterr().out
    assert ground(database) == []


def test_a_file_of_another_place_wipes_nothing_out(database: str, tmp_path: Path) -> None:
    assert run(database, write(tmp_path / "a.osm", [(1, [5, 6], {"highway": "path"})]), "--ground-only") == 0
    far = write(tmp_path / "b.osm", [(2, [1, 2], {"highway": "path"})], places={1: (9.0, 45.0), 2: (9.1, 45.0)})
    assert run(database, far, "--ground-only", "--bbox", "4.699,50.879,4.711,50.891") == 0
    assert [source for source, _, _ in ground(database)] == ["w1"]


def test_two_imports_at_once_double_nothing(database: str, overbeke_file: Path) -> None:
    words = [sys.executable, "-m", "telstraat_cli", "segments", "--dsn", database, "import", str(overbeke_file)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    for process in both:
        process.communicate()
    rows = ground(database)
    assert len(rows) == len(set(rows)) > 100
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*), count(distinct name) from segment").fetchone() == (119, 119)


def test_places_of_points_may_lie_on_disk_meanwhile(overbeke_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_extract(overbeke_file)
    monkeypatch.setattr("telstraat_store.maps.openstreetmap.ON_DISK_FROM_BYTES", 0)
    after = read_extract(overbeke_file)
    assert (after.streets, after.met) == (before.streets, before.met)
    assert [thing.shape.wkt for thing in after.ground] == [thing.shape.wkt for thing in before.ground]


def test_a_name_is_one_line_that_cannot_turn_the_page_around() -> None:
    assert clean("Kerk\u202estraat\n\tA" + 200 * "x") == "Kerk straat A" + 67 * "x"


@pytest.mark.parametrize("is_before_its_points", [False, True])
def test_files_in_no_order_as_editors_save_them_are_read(is_before_its_points: bool, tmp_path: Path) -> None:
    path = tmp_path / "edited.osm"
    nodes = '<node id="9" lat="50.88" lon="4.7"/><node id="3" lat="50.881" lon="4.7"/>'
    ways = '<way id="{}"><nd ref="9"/><nd ref="3"/><tag k="highway" v="residential"/><tag k="name" v="{}"/></way>'
    parts = [nodes, ways.format(7, "B") + ways.format(2, "A")]
    path.write_text(f'<osm version="0.6">{"".join(reversed(parts) if is_before_its_points else parts)}</osm>')
    extract = read_extract(path)
    assert [street.name for street in extract.streets] == ["A", "B"]
    assert len(extract.ground) == 2


def test_a_file_without_any_point_of_its_ways_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(StreetFileError, match="it has the points of none of its ways"):
        read_extract(write(tmp_path / "a.osm", [(1, [77, 78], {"highway": "residential", "name": "Nergens"})]))


def test_ten_thousand_streets_stay_light(tmp_path: Path) -> None:
    places = {at + 1: (4.0 + 0.002 * (at % 200), 50.5 + 0.0012 * (at // 200)) for at in range(20_000)}
    ways = [
        (at + 1, [2 * at + 1, 2 * at + 2], {"highway": "residential", "name": f"Straat {at}"}) for at in range(10_000)
    ]
    rows = list(rows_of(read_extract(write(tmp_path / "a.osm.pbf", ways, places=places)).ground))
    assert len(rows) == 10_000
    assert sum(len(row.fine) for row in rows) < 1_000_000
    assert all(row.coarse is None for row in rows)
