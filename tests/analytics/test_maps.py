from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest

from telstraat_analytics.errors import FrameError
from telstraat_analytics.lines import read_lines
from telstraat_analytics.report.charts import svg
from telstraat_analytics.report.maps import COLOURS, WIDTH_PX, MapStreet, streets_map

CLOSE = [
    MapStreet(
        str(number),
        f"Street {number}",
        ((4.700, 50.880 + 0.0002 * number), (4.702, 50.880 + 0.0002 * number)),
        result,
        0.3,
        "−30 % (−40 % … −20 %)",
    )
    for number, result in enumerate(("fell", "rose", "unclear", "no_answer"))
]


def test_names_of_streets_side_by_side_do_not_cover_each_other() -> None:
    spec = streets_map(CLOSE, "en")
    wide_m = spec["layer"][0]["encoding"]["x"]["scale"]["domain"][1]
    rows = [row for values in spec["datasets"].values() for row in values if row.get("text", "").startswith("Street")]
    boxes = {row["text"]: (row["x"] / wide_m * WIDTH_PX, row["y"] / wide_m * WIDTH_PX) for row in rows}
    assert len(boxes) == len(CLOSE)
    for (x0, y0), (x1, y1) in combinations(boxes.values(), 2):
        assert abs(x0 - x1) > 100 or abs(y0 - y1) > 20
    assert all(-10 < x < WIDTH_PX for x, _ in boxes.values())


def test_the_legend_tells_what_is_drawn_and_nothing_else() -> None:
    drawn = svg(streets_map(CLOSE[:1], "nl"))
    assert "minder" in drawn
    assert "geen antwoord" not in drawn
    assert COLOURS["fell"] in drawn


def test_lines_are_read_from_what_people_have(tmp_path: Path) -> None:
    path = tmp_path / "streets.geojson"
    line = {"type": "LineString", "coordinates": [[4.7, 50.8], [4.8, 50.9, 12.0]]}
    parts = {"type": "MultiLineString", "coordinates": [[[4.7, 50.8], [4.8, 50.9]], [[4.8, 50.9], [4.9, 50.9]]]}
    features = [
        {"type": "Feature", "properties": {"segment_id": 9000001.0}, "geometry": line},
        {"type": "Feature", "properties": {"oidn": "b"}, "geometry": parts},
        {"type": "Feature", "id": "c", "properties": None, "geometry": line},
        {"type": "Feature", "properties": {"id": 7}, "geometry": {"type": "Point", "coordinates": [4.7, 50.8]}},
        {"type": "Feature", "properties": {"id": 8}, "geometry": None},
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    lines = read_lines(path)
    assert set(lines) == {"9000001", "b", "c"}
    assert lines["9000001"] == ((4.7, 50.8), (4.8, 50.9))
    assert len(lines["b"]) == 4


@pytest.mark.parametrize("text", ["", "{}", '{"features": []}', '{"features": [{"geometry": 3}]}'])
def test_what_is_no_map_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "streets.geojson"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FrameError, match=r"streets\.geojson"):
        read_lines(path)
