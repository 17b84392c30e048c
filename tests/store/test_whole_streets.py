"""A street is one segment however it is drawn, keeps its number when others draw it anew, and long ones are cut evenly."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import osmium
import psycopg
import pytest
from osmium.osm.mutable import Node, Way
from tests.api.streets import add_sensor

from telstraat_cli.main import main
from telstraat_store.errors import StreetFileError
from telstraat_store.maps.openstreetmap import Box, StreetPiece, read_extract
from telstraat_store.maps.whole_streets import LONG_M, length_m, whole_streets

EAST = 0.001  # some 70 m


def extract(path: Path, ways: Sequence[tuple[int, str | None, Sequence[int]]], **tags: str) -> Path:
    """Write ways over nodes: node n lies n steps east, node 1000 + n as far and one step north."""
    nodes = sorted({node for _, _, refs in ways for node in refs})
    path.unlink(missing_ok=True)
    with osmium.SimpleWriter(str(path)) as writer:
        for node in nodes:
            row, column = divmod(node, 1000)
            if node < 90_000:  # those above are missing in the file
                writer.add_node(Node(id=node, location=(4.7 + EAST * column, 50.88 + EAST * row)))
        for number, name, refs in ways:
            about = {"highway": "residential", **tags} | ({"name": name} if name else {})
            writer.add_way(Way(id=number, nodes=list(refs), tags=about))
    return path


def streets_of(path: Path, box: Box | None = None) -> list[StreetPiece]:
    return list(whole_streets(read_extract(path, box=box)))


def test_ways_of_one_name_become_one_street_in_the_direction_of_the_lowest(tmp_path: Path) -> None:
    path = extract(
        tmp_path / "a.osm",
        [
            (30, "Kerkstraat", [2, 1]),
            (20, "Kerkstraat", [2, 3, 4]),
            (40, "Kerkstraat", [5, 4]),
            (50, "Dwars", [1003, 3]),
        ],
    )
    [kerk] = [street for street in streets_of(path) if street.name == "Kerkstraat"]
    assert (kerk.way, kerk.part, kerk.ways) == (20, 1, frozenset({20, 30, 40}))
    assert [round((lon - 4.7) / EAST) for lon, _ in kerk.points] == [1, 2, 3, 4, 5]


def test_two_streets_of_one_name_stay_two_and_the_nameless_stay_ground(tmp_path: Path) -> None:
    path = extract(tmp_path / "a.osm", [(1, "Molenweg", [1, 2]), (2, "Molenweg", [8, 9]), (3, None, [2, 8])])
    assert [(street.way, street.name) for street in streets_of(path)] == [(1, "Molenweg"), (2, "Molenweg")]
    assert len(read_extract(path).ground) == 3


def test_a_fork_ends_a_street_and_what_is_too_short_is_no_street(tmp_path: Path) -> None:
    ways = [(1, "Plein", [1, 2, 3]), (2, "Plein", [2, 1002]), (3, "Plein", [1002, 2002])]
    at_fork = streets_of(extract(tmp_path / "a.osm", ways))
    assert sorted((street.way, street.part, len(street.points)) for street in at_fork) == [
        (1, 1, 2), (1, 2, 2), (2, 1, 3),
    ]  # fmt: skip


def test_a_closed_street_and_a_street_that_is_a_point_do_no_harm(tmp_path: Path) -> None:
    ways = [(1, "Rond", [1, 2, 1002, 1001, 1]), (2, "Punt", [5, 5]), (3, "Half", [7, 90_001, 8, 9])]
    streets = {street.name: street for street in streets_of(extract(tmp_path / "a.osm", ways))}
    assert len(streets["Rond"].points) == 5
    assert "Punt" not in streets
    assert [round((lon - 4.7) / EAST) for lon, _ in streets["Half"].points] == [8, 9]


@pytest.mark.parametrize("ends_meet", [False, True])
def test_two_carriageways_are_one_street(ends_meet: bool, tmp_path: Path) -> None:
    path = tmp_path / "boulevard.osm"
    with osmium.SimpleWriter(str(path)) as writer:
        for number in range(1, 6):
            writer.add_node(Node(id=number, location=(4.7 + EAST * number, 50.88)))
            writer.add_node(Node(id=100 + number, location=(4.7 + EAST * number, 50.88015)))
        writer.add_way(
            Way(id=1, nodes=[1, 2, 3, 4, 5], tags={"highway": "secondary", "name": "Boulevard", "oneway": "yes"})
        )
        back = [5, 104, 103, 102, 1] if ends_meet else [105, 104, 103, 102, 101]
        writer.add_way(Way(id=2, nodes=back, tags={"highway": "secondary", "name": "Boulevard", "oneway": "yes"}))
    [street] = streets_of(path)
    assert street.ways == {1, 2}
    assert street.way == 1
    assert length_m(street.points) == pytest.approx(281, abs=6)


def test_a_one_way_street_around_a_block_stays_a_ring(tmp_path: Path) -> None:
    ring = extract(tmp_path / "a.osm", [(1, "Rond", [1, 2, 3, 1003, 1002, 1001, 1])], oneway="yes")
    [street] = streets_of(ring)
    assert street.points[0] == street.points[-1]
    assert len(street.points) == 7


def test_a_long_street_is_cut_at_junctions_into_like_parts(tmp_path: Path) -> None:
    long_way = [(1, "Steenweg", list(range(1, 80)))]
    crossings = [(100 + at, f"Zijstraat {at}", [at, 1000 + at]) for at in range(5, 80, 7)]
    parts = [s for s in streets_of(extract(tmp_path / "a.osm", [*long_way, *crossings])) if s.name == "Steenweg"]
    assert [part.part for part in parts] == [1, 2, 3]
    lengths = [length_m(part.points) for part in parts]
    assert max(lengths) < LONG_M
    assert max(lengths) < 1.4 * min(lengths)
    assert [a.points[-1] == b.points[0] for a, b in itertools.pairwise(parts)] == [True, True]


def test_a_box_takes_the_streets_that_reach_into_it(tmp_path: Path) -> None:
    path = extract(tmp_path / "a.osm", [(1, "Hier", [1, 2]), (2, "Daar", [50, 51]), (3, "Langs", [2, 50])])
    assert {street.name for street in streets_of(path, Box(4.7005, 50.87, 4.7025, 50.89))} == {"Hier", "Langs"}


def test_what_is_no_extract_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "broken.osm"
    path.write_text('<osm version="0.6"><node id="1" lat="95" lon="4"/><way id="1"><nd ref="1"/></way>')
    with pytest.raises(StreetFileError, match=r"broken\.osm cannot be read"):
        read_extract(path)


def run(dsn: str, path: Path, *words: str) -> int:
    return main(["segments", "--dsn", dsn, "import", str(path), "--anywhere", *words])


def segments(dsn: str) -> dict[int, tuple[str, int, int, int]]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select segment_id, name, osm_way_id, osm_part, geometry from segment order by 1"
        ).fetchall()
    return {row[0]: (row[1], row[2], row[3], len(row[4]["coordinates"])) for row in rows}


def test_a_street_keeps_its_segment_when_others_split_renumber_or_rename_it(database: str, tmp_path: Path) -> None:
    path = tmp_path / "town.osm"
    assert run(database, extract(path, [(10, "Lindelaan", [1, 2, 3, 4, 5, 6]), (20, "Dwars", [1003, 3])])) == 0
    before = segments(database)
    with psycopg.connect(database) as connection:
        add_sensor(connection, "linden-1", min(before))
    split = [
        (10, "Lindelaan", [4, 5, 6]),
        (77, "Lindelaan", [1, 2, 3]),
        (78, "Lindelaan", [3, 4]),
        (20, "Dwars", [1003, 3]),
    ]
    assert run(database, extract(path, split)) == 0
    assert segments(database) == before
    renumbered = [(501, "Lindelaan", [1, 2, 3]), (502, "Lindelaan", [3, 4, 5, 6]), (20, "Dwars", [1003, 3])]
    assert run(database, extract(path, renumbered)) == 0
    assert segments(database) == before
    assert run(database, extract(path, [(10, "Burgemeester Lindelaan", [1, 2, 3, 4, 5, 6])])) == 0
    assert segments(database) == before


def test_a_street_that_has_grown_keeps_its_segment_and_gets_the_rest_as_another(database: str, tmp_path: Path) -> None:
    path = tmp_path / "town.osm"
    assert run(database, extract(path, [(10, "Lindelaan", [1, 2, 3, 4])])) == 0
    [first] = segments(database)
    with psycopg.connect(database) as connection:
        add_sensor(connection, "linden-1", first)
    assert run(database, extract(path, [(10, "Lindelaan", list(range(1, 13)))])) == 0
    after = segments(database)
    assert after[first] == ("Lindelaan", 10, 1, 4)
    assert [row[:3] for number, row in after.items() if number != first] == [("Lindelaan", 10, 2)]
    assert run(database, path) == 0
    assert segments(database) == after


def test_a_street_that_was_drawn_elsewhere_is_not_added_beside_its_own_counts(database: str, tmp_path: Path) -> None:
    path = tmp_path / "town.osm"
    assert run(database, extract(path, [(10, "Lindelaan", [1, 2, 3, 4])])) == 0
    before = segments(database)
    with psycopg.connect(database) as connection:
        add_sensor(connection, "linden-1", min(before))
    assert run(database, extract(path, [(10, "Lindelaan", [1001, 1002, 1003, 1004])])) == 0
    assert segments(database) == before


def test_pieces_that_were_imported_before_stay_and_the_rest_of_the_street_is_added(
    database: str, tmp_path: Path
) -> None:
    path = extract(tmp_path / "town.osm", [(10, "Lindelaan", list(range(1, 12))), (20, "Dwars", [1003, 3])])
    with psycopg.connect(database) as connection:
        line = {"type": "LineString", "coordinates": [[4.704, 50.88], [4.705, 50.88]]}
        connection.execute(
            "insert into segment (name, geometry, timezone, osm_way_id, osm_part) values ('Lindelaan', %s, 'Europe/Brussels', 10, 2)",
            (json.dumps(line),),
        )
    [piece] = segments(database)
    assert run(database, path) == 0
    after = segments(database)
    assert after[piece] == ("Lindelaan", 10, 2, 2)
    assert sorted(row[:3] for row in after.values()) == [
        ("Dwars", 20, 1), ("Lindelaan", 10, 1), ("Lindelaan", 10, 2), ("Lindelaan", 10, 3),
    ]  # fmt: skip
    assert run(database, path) == 0
    assert segments(database) == after


def test_every_piece_known_means_nothing_is_added(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ways = [(10, "Lindelaan", [1, 2, 3, 4, 5]), (20, "Dwars", [1003, 3]), (21, "Dwarser", [1004, 4])]
    path = extract(tmp_path / "town.osm", ways)
    assert run(database, path, "--at-junctions") == 0
    before = segments(database)
    with psycopg.connect(database) as connection:
        add_sensor(connection, "linden-1", min(before))
    capsys.readouterr()
    assert run(database, path) == 0
    assert "0 segments added" in capsys.readouterr().out
    assert segments(database).keys() == before.keys()


def test_only_some_streets_become_segments_when_they_are_named(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = extract(tmp_path / "town.osm", [(1, "Kerkstraat", [1, 2, 3]), (2, "Molenweg", [3, 4]), (3, "Hof", [4, 5])])
    assert run(database, path, "--streets", "kerkstraat, Hof") == 0
    assert sorted(row[0] for row in segments(database).values()) == ["Hof", "Kerkstraat"]
    assert "3 things on the ground" in capsys.readouterr().out
    assert run(database, path, "--streets", "Kerkstraat,Nergens") == 2
    assert "no street called Nergens" in capsys.readouterr().err


def test_a_street_may_lie_on_both_sides_of_the_date_line(database: str, tmp_path: Path) -> None:
    path = tmp_path / "taveuni.osm"
    with osmium.SimpleWriter(str(path)) as writer:
        for number, lon in enumerate((179.998, 179.9995, 180.0, -180.0, -179.999, -179.998), start=1):
            writer.add_node(Node(id=number, location=(lon, -16.8)))
        writer.add_way(Way(id=1, nodes=[1, 2, 3], tags={"highway": "tertiary", "name": "Hibiscus Highway"}))
        writer.add_way(Way(id=2, nodes=[4, 5, 6], tags={"highway": "tertiary", "name": "Hibiscus Highway"}))
    assert run(database, path, "--timezone", "Pacific/Fiji") == 0
    before = segments(database)
    assert len(before) == 2
    assert run(database, path, "--timezone", "Pacific/Fiji") == 0
    assert segments(database) == before
