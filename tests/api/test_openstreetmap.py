"""Streets from OpenStreetMap: cut at junctions, the same pieces every time, and never redrawn under what was counted."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import osmium
import psycopg
import pytest
from tests.api.streets import add_sensor

from telstraat_cli.main import main
from telstraat_store.errors import StreetFileError
from telstraat_store.maps.openstreetmap import CLASSES, Box, StreetPiece, pieces, read_extract
from telstraat_store.places.speed_limits import speed_limit

CROSSING = Path(__file__).parent / "data" / "crossing.osm"
FOUND = {
    (100, 1): ("Lindenstraat", 3, 30),
    (100, 2): ("Lindenstraat", 2, 30),
    (200, 1): ("N2", 2, 48),
    (200, 2): ("N2", 3, 48),
    (400, 1): ("Far away", 2, None),
}


def pieces_of(path: Path, classes: Collection[str] = CLASSES, box: Box | None = None) -> list[StreetPiece]:
    return list(pieces(read_extract(path, classes, box)))


def as_pbf(folder: Path) -> Path:
    """Write the same streets as a PBF file."""
    path = folder / "crossing.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        for thing in osmium.FileProcessor(str(CROSSING)):
            writer.add(thing)
    return path


@pytest.mark.parametrize("form", ["osm", "pbf"])
def test_ways_are_cut_where_they_meet_others(form: str, tmp_path: Path) -> None:
    path = CROSSING if form == "osm" else as_pbf(tmp_path)
    results = {
        (piece.way, piece.part): (piece.name, len(piece.points), piece.speed_limit_kmh) for piece in pieces_of(path)
    }
    assert results == FOUND
    [first] = [piece for piece in pieces_of(path) if (piece.way, piece.part) == (100, 1)]
    assert first.points == ((4.7, 50.8779), (4.701, 50.8779), (4.702, 50.8779))


def test_only_the_wanted_classes_and_the_wanted_place() -> None:
    living = {piece.way for piece in pieces_of(CROSSING, ("residential",))}
    assert living == {100, 400}
    # Without the other street there is no junction.
    assert [piece.part for piece in pieces_of(CROSSING, ("residential",)) if piece.way == 100] == [1]
    near = {(piece.way, piece.part) for piece in pieces_of(CROSSING, box=Box(4.6995, 50.877, 4.7015, 50.879))}
    assert near == {(100, 1)}
    assert {piece.way for piece in pieces_of(CROSSING, ("footway",))} == {300}


@pytest.mark.parametrize(
    ("text", "kmh"),
    [("30", 30), (" 50 ", 50), ("20 mph", 32), ("50 km/h", 50), ("BE:urban", None), ("walk", None), ("", None),
     ("999", None), ("30;50", None)],
)  # fmt: skip
def test_a_speed_limit_is_read_or_left_out(text: str, kmh: int | None) -> None:
    assert speed_limit(text) == kmh


def test_what_is_no_extract_is_told(tmp_path: Path) -> None:
    path = tmp_path / "broken.osm.pbf"
    path.write_bytes(b"\x00\x00\x00\x10 not a pbf file")
    with pytest.raises(StreetFileError, match=r"broken\.osm\.pbf cannot be read"):
        pieces_of(path)


def rows(dsn: str) -> list[tuple[int, int, int, str]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select osm_way_id, osm_part, segment_id, geometry::text from segment order by 1, 2"
        ).fetchall()


def test_importing_again_adds_nothing_and_keeps_every_number(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["segments", "--dsn", database, "import", "--at-junctions", str(CROSSING)]) == 0
    assert "5 segments added, 0 redrawn, 0 known" in capsys.readouterr().out
    first = rows(database)
    assert {(way, part) for way, part, _, _ in first} == set(FOUND)
    assert main(["segments", "--dsn", database, "import", "--at-junctions", str(as_pbf(tmp_path))]) == 0
    assert "0 segments added, 0 redrawn, 5 known" in capsys.readouterr().out
    assert rows(database) == first


def test_a_line_is_corrected_until_somebody_counts_there(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["segments", "--dsn", database, "import", "--at-junctions", str(CROSSING)])
    numbers = {(way, part): number for way, part, number, _ in rows(database)}
    with psycopg.connect(database) as connection:
        add_sensor(connection, "linden-12", numbers[100, 2])
    moved = tmp_path / "moved.osm"
    moved.write_text(CROSSING.read_text(encoding="utf-8").replace('lon="4.7020"', 'lon="4.7021"'), encoding="utf-8")
    before = {(way, part): line for way, part, _, line in rows(database)}
    assert main(["segments", "--dsn", database, "import", "--at-junctions", str(moved)]) == 0
    assert "0 segments added, 3 redrawn, 2 known" in capsys.readouterr().out
    after = {(way, part): line for way, part, _, line in rows(database)}
    assert {key for key in before if before[key] != after[key]} == {(100, 1), (200, 1), (200, 2)}
    assert {(way, part): number for way, part, number, _ in rows(database)} == numbers


def test_geojson_is_imported_once_too(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = {"type": "LineString", "coordinates": [[4.70, 50.87], [4.701, 50.871]]}
    features = [
        {"type": "Feature", "id": "way/7", "properties": {"name": "A"}, "geometry": line},
        {"type": "Feature", "id": "way/7", "properties": {"name": "A"}, "geometry": line},
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [4.7, 50.8]}},
    ]
    path = tmp_path / "streets.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    for answer in (
        "2 segments added, 0 redrawn, 0 known, 1 refused",
        "0 segments added, 0 redrawn, 2 known, 1 refused",
    ):
        assert main(["segments", "--dsn", database, "import", str(path)]) == 0
        assert answer in capsys.readouterr().out
    assert [(way, part) for way, part, _, _ in rows(database)] == [(7, 1), (7, 2)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["import", "nothing.osm"], "there is no file"),
        (["import", str(CROSSING), "--bbox", "4,5"], "WEST,SOUTH,EAST,NORTH"),
        (["import", str(CROSSING), "--bbox", "5,50,4,51"], "before east"),
    ],
)
def test_a_mistake_is_told_in_one_line(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["segments", "--dsn", "postgresql://127.0.0.1:1/x", *words]) == 2
    assert says in capsys.readouterr().err
