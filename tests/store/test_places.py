"""Streets from files: any wrapping of GeoJSON, limits as people write them, and places that do not fit their clock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from telstraat_cli.main import main
from telstraat_store import places
from telstraat_store.errors import StreetFileError
from telstraat_store.places.speed_limits import speed_limit
from telstraat_store.places.street_files import line_in, read_features
from telstraat_store.places.whereabouts import doubt

LINE: dict[str, Any] = {"type": "LineString", "coordinates": [[4.7, 50.88], [4.701, 50.8805]]}
NEXT = [[4.701, 50.8805], [4.702, 50.881]]


@pytest.mark.parametrize(
    ("value", "kmh"),
    [("30 mph", 48), (30, 30), (30.0, 30), ("50 km/h", 50), ("50;50", 50), ("50;30", None), (["30", "30"], 30), ("walk", None),
     ("RO:urban", None), ("DE:zone:30", 30), ("GB:20", 32), ("none", None), (True, None), (None, None), ("1000", None), ("5 0", None)],
)  # fmt: skip
def test_a_limit_is_read_as_it_is_meant_or_left_out(value: object, kmh: int | None) -> None:
    assert speed_limit(value) == kmh


@pytest.mark.parametrize(
    "content",
    [LINE, {"type": "Feature", "geometry": LINE}, {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": LINE}]},
     {"type": "GeometryCollection", "geometries": [LINE]}],
    ids=["geometry", "feature", "collection", "geometries"],
)  # fmt: skip
@pytest.mark.parametrize("signature", [b"", b"\xef\xbb\xbf"])
def test_every_wrapping_of_a_line_is_read(tmp_path: Path, content: dict[str, Any], signature: bytes) -> None:
    path = tmp_path / "streets.geojson"
    path.write_bytes(signature + json.dumps(content).encode())
    assert [line_in(feature["geometry"]) for feature in read_features(path)] == [LINE]


def test_another_coordinate_system_is_turned_into_wgs84(tmp_path: Path) -> None:
    path = tmp_path / "lambert.geojson"
    line = {"type": "LineString", "coordinates": [[173_000, 175_000], [173_100, 175_000]]}
    path.write_text(
        json.dumps({**line, "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::31370"}}})
    )
    lon, lat = line_in(read_features(path)[0]["geometry"])["coordinates"][0]
    assert (round(lon, 1), round(lat, 1)) == (4.7, 50.9)
    path.write_text(json.dumps({**line, "crs": {"type": "name", "properties": {"name": "EPSG:9"}}}))
    with pytest.raises(StreetFileError, match="not known; save it in WGS84"):
        read_features(path)


def test_parts_that_join_are_one_line_in_its_direction() -> None:
    first = LINE["coordinates"]
    for parts in ([first, NEXT], [NEXT, first], [first]):
        merged = line_in({"type": "MultiLineString", "coordinates": parts})["coordinates"]
        assert merged[0] == first[0]
        assert len(merged) == len(parts) + 1


@pytest.mark.parametrize(
    ("geometry", "says"),
    [
        (None, "its geometry is null"),
        (
            {"type": "MultiLineString", "coordinates": [LINE["coordinates"], [[5.0, 50.0], [5.1, 50.0]]]},
            "2 parts that do not join",
        ),
        ({"type": "Point", "coordinates": [4, 50]}, "is a Point; a street is a LineString"),
        ({"type": "LineString", "coordinates": [[4.7, 50.8]]}, "fewer than two points"),
        ({"type": "LineString", "coordinates": [[4.7, "x"], [1, 2]]}, "is not .longitude, latitude."),
        (3, "is a int"),
    ],
)
def test_what_is_no_line_is_told_in_a_sentence(geometry: Any, says: str) -> None:
    with pytest.raises(StreetFileError, match=says):
        line_in(geometry)


@pytest.mark.parametrize(
    ("point", "zone", "says"),
    [
        ((4.7, 50.88), "Europe/Brussels", ""),
        ((50.88, 4.7), "Europe/Brussels", "swapped"),
        ((45.5, -73.56), "America/Toronto", "swapped"),
        ((-73.56, 45.5), "Europe/Brussels", "America/Toronto"),
        ((-4.49, 48.39), "Europe/Paris", ""),
        ((-97.0, 32.0), "America/Chicago", ""),
        ((159.0, -31.5), "Australia/Lord_Howe", ""),
        ((150_000.0, 160_000.0), "Europe/Brussels", "no degrees"),
    ],
)
def test_a_place_that_does_not_fit_its_clock_is_asked_about(point: tuple[float, float], zone: str, says: str) -> None:
    question = doubt([point], zone, is_named=True)
    assert (says in question) if says else not question


def test_the_same_file_twice_is_known_and_a_far_town_is_asked_about(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "streets.geojson"
    features = [{"type": "Feature", "id": 7, "properties": {"name": "A"}, "geometry": LINE},
                {"type": "Feature", "id": 8, "properties": {"name": "A"}, "geometry": {**LINE, "coordinates": NEXT}},
                {"type": "Feature", "geometry": None}]  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    for counted in (
        "2 segments added, 0 redrawn, 0 known, 1 refused",
        "0 segments added, 0 redrawn, 2 known, 1 refused",
    ):
        assert main(["segments", "--dsn", database, "import", str(path)]) == 0
        assert counted in capsys.readouterr().out
    swapped = tmp_path / "swapped.geojson"
    swapped.write_text(json.dumps({**LINE, "coordinates": [[50.88, 4.7], [50.8805, 4.701]]}))
    assert main(["segments", "--dsn", database, "import", str(swapped)]) == 2
    assert "are longitude and latitude swapped?" in capsys.readouterr().err
    assert main(["segments", "--dsn", database, "import", str(swapped), "--anywhere"]) == 0


def test_the_next_number_that_the_database_gives_is_free(database: str) -> None:
    with psycopg.connect(database) as connection:
        line = [(4.0, 50.0), (4.1, 50.0)]
        places.draw_segment(connection, "own", line, segment_id=1001)
        assert places.draw_segment(connection, "next", line) == 1002
        places.draw_segment(connection, "ahead", line, segment_id=1010)
        assert places.draw_segment(connection, "after", line) == 1011
        places.draw_segment(connection, "Telraam's", line, segment_id=9_000_000_001)
        assert places.draw_segment(connection, "near", line) == 1012


@pytest.mark.parametrize("crs", [5, [1], {"properties": 5}, {"properties": {"name": None}}])
def test_a_coordinate_system_that_is_none_is_degrees(tmp_path: Path, crs: object) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "Feature", "geometry": LINE, "crs": crs}))
    assert read_features(path)[0]["geometry"] == LINE


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_streets_are_read_in_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.geojson"
    text = json.dumps(
        {"type": "Feature", "geometry": LINE, "properties": {"name": "Münsterstraße"}}, ensure_ascii=False
    )
    path.write_bytes(text.encode(encoding))
    assert read_features(path)[0]["properties"]["name"] == "Münsterstraße"


def test_a_refused_feature_is_named_by_its_place_in_the_file(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TELSTRAAT_DSN", database)
    path = tmp_path / "a.geojson"
    features = [
        5,
        "x",
        {"geometry": {"type": "Point", "coordinates": [4, 50]}},
        {"geometry": LINE, "properties": {"name": 7}},
    ]
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": [*features, {"geometry": LINE, "id": "way/²"}]})
    )
    assert main(["segments", "import", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "2 segments added" in printed
    assert "feature 2: is a Point" in printed
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features[:3]}))
    assert main(["segments", "import", str(path)]) == 1, "nothing of it could be taken"
    path.write_text(json.dumps({"type": "Feature", "geometry": {**LINE, "coordinates": [[10**400, 1e300], [5, 5]]},
                                "crs": {"properties": {"name": "EPSG:3857"}}}))  # fmt: skip
    assert main(["segments", "import", str(path)]) == 1
    assert "feature 0: has a coordinate" in capsys.readouterr().out


@pytest.mark.parametrize(("line", "name"), [
    ("4.7,50.8,4.7,50.8", "Elm"), ("4.7,50.8,4.71,50.8", " "), ("4.7,50.8,4.71,50.8", "Elm\r\nX: y"), ("4.7,50.8,4.71,50.8", "x" * 201),
])  # fmt: skip
def test_a_segment_has_a_line_and_a_name(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, name: str
) -> None:
    monkeypatch.setenv("TELSTRAAT_DSN", database)
    assert main(["sensor", "segment", "--name", name, "--line", line]) == 2
    assert "segment" in capsys.readouterr().err
