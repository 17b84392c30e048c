"""What a map shows beneath the counted streets: which things of OpenStreetMap those are, and how coarse each may be drawn.

Water, green, squares, school grounds, rails, streets and paths; no buildings. Each is kept at up to three levels of detail, as
the text of its GeoJSON: fine for a part of a town, middle for a town, coarse for a region.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import osmium
import shapely
from osmium.osm import Area, Way

from telstraat_store.maps.covered_lines import METRES_A_DEGREE
from telstraat_store.maps.ground import Bounds, GroundRow

GROUND_KEYS = ("highway", "natural", "waterway", "landuse", "leisure", "railway", "amenity", "place")
AREA_KINDS: Mapping[tuple[str, str], str] = {
    **{("natural", value): "water" for value in ("water", "bay")},
    **{("waterway", value): "water" for value in ("riverbank", "dock")},
    **{("landuse", value): "water" for value in ("reservoir", "basin")},
    ("natural", "wood"): "wood",
    ("landuse", "forest"): "wood",
    **{("leisure", value): "green" for value in ("park", "garden", "pitch", "golf_course", "playground", "recreation_ground")},
    **{
        ("landuse", value): "green"
        for value in ("grass", "meadow", "village_green", "cemetery", "allotments", "recreation_ground")
    },
    **{("natural", value): "green" for value in ("grassland", "heath", "scrub", "wetland")},
    ("place", "square"): "square",
    ("highway", "pedestrian"): "square",
    **{("amenity", value): "school" for value in ("school", "kindergarten", "college", "university")},
}  # fmt: skip
LINE_KINDS: Mapping[tuple[str, str], str] = {
    **{("waterway", value): "stream" for value in ("river", "canal", "stream")},
    **{("railway", value): "rail" for value in ("rail", "light_rail", "tram", "narrow_gauge")},
    **{("highway", value): "motorway" for value in ("motorway", "motorway_link", "trunk", "trunk_link")},
    **{
        ("highway", value): "road"
        for value in ("primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link")
    },
    **{("highway", value): "street" for value in ("unclassified", "residential", "living_street", "pedestrian", "road", "busway")},
    **{("highway", value): "path" for value in ("cycleway", "footway", "path", "track", "bridleway", "steps", "service")},
}  # fmt: skip
DRAWN_AS_LINES = frozenset(LINE_KINDS.values())
KINDS = ("water", "stream", "wood", "green", "square", "school", "rail", "motorway", "road", "street", "path")
HIDDEN = {
    "service": {
        "driveway",
        "parking_aisle",
        "drive-through",
        "emergency_access",
        "yard",
        "siding",
        "spur",
        "crossover",
    },
    "footway": {"sidewalk", "crossing"},
    "cycleway": {"crossing"},
    "indoor": {"yes"},
    "tunnel": {"yes", "culvert", "building_passage", "flooded"},
}
NAME_MAX = 80
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")

FINE_M, MIDDLE_M, COARSE_M = 0.6, 6.0, 30.0
"""How far a drawn line may lie from the true one."""
AREA_MIN_M2 = (80.0, 4_000.0, 60_000.0)
"""What is smaller is not drawn at this level."""
COARSEST = {
    "water": 2, "stream": 2, "wood": 2, "green": 2, "square": 1, "school": 1, "rail": 2, "motorway": 2, "road": 2, "street": 1, "path": 0,
}  # fmt: skip
"""At which level a kind is drawn at the most: 0 fine, 1 middle, 2 coarse."""
_WKB = osmium.geom.WKBFactory()


@dataclass(frozen=True)
class GroundFeature:
    """A thing of the ground, in longitude and latitude."""

    source: str
    """`w7` is way 7 of OpenStreetMap, `r7` relation 7."""
    kind: str
    name: str
    shape: Any

    def reaches(self, west: float, south: float, east: float, north: float) -> bool:
        """Tell whether it reaches into a box."""
        mine = self.shape.bounds
        return bool(mine[0] <= east and mine[2] >= west and mine[1] <= north and mine[3] >= south)


def kind_in(tags: Mapping[str, str], kinds: Mapping[tuple[str, str], str]) -> str | None:
    """Return which kind of ground some tags say, or None."""
    if any(tags.get(key, "") in values for key, values in HIDDEN.items()):
        return None
    return next((kinds[key, tags[key]] for key in GROUND_KEYS if (key, tags.get(key, "")) in kinds), None)


def area_feature(area: Area) -> GroundFeature | None:
    """Return the ground that an area of OpenStreetMap is, or None."""
    tags = dict(area.tags)
    if tags.get("highway") == "pedestrian" and tags.get("area") != "yes" and area.from_way():
        del tags["highway"]  # a street around a block
    kind = kind_in(tags, AREA_KINDS)
    if kind is None:
        return None
    try:
        shape = shapely.from_wkb(_WKB.create_multipolygon(area))
    except (RuntimeError, shapely.errors.ShapelyError):
        return None  # its border is not whole in this file
    return GroundFeature(f"{'w' if area.from_way() else 'r'}{area.orig_id()}", kind, clean(tags.get("name", "")), shape)


def line_feature(way: Way, nodes: Sequence[tuple[int, tuple[float, float] | None]]) -> GroundFeature | None:
    """Return the ground that a way is as a line, or None; it is broken where the file lacks points."""
    tags = dict(way.tags)
    kind = kind_in(tags, LINE_KINDS)
    if kind is None or tags.get("area") == "yes":
        return None
    parts: list[list[tuple[float, float]]] = [[]]
    for _, point in nodes:
        if point is None:
            parts.append([])
        else:
            parts[-1].append(point)
    lines = [part for part in parts if len(part) > 1 and len(set(part)) > 1]
    if not lines:
        return None
    shape = shapely.LineString(lines[0]) if len(lines) == 1 else shapely.MultiLineString(lines)
    return GroundFeature(f"w{way.id}", kind, clean(tags.get("name", "")), shape)


def clean(name: str) -> str:
    """Return a name in one line, without what turns the direction of writing around, and not too long."""
    return CONTROLS.sub(" ", name).strip()[:NAME_MAX]


def rows_of(features: Iterable[GroundFeature], clip: Bounds | None = None) -> Iterator[GroundRow]:
    """Yield features as they are stored: lines of one kind and name joined, cut to a box, at their levels of detail."""
    for feature in _joined(features):
        shape = feature.shape if clip is None else _clipped(feature.shape, clip)
        row = None if shape.is_empty else _row(feature, shape)
        if row is not None:
            yield row


def _joined(features: Iterable[GroundFeature]) -> Iterator[GroundFeature]:
    """Yield features, the lines that have a name together with those of the same name that they meet."""
    several: dict[tuple[str, str], list[GroundFeature]] = defaultdict(list)
    seen: set[tuple[str, str]] = set()
    for feature in features:
        if (feature.source, feature.kind) in seen:
            continue
        seen.add((feature.source, feature.kind))
        if feature.name and feature.kind in DRAWN_AS_LINES:
            several[feature.kind, feature.name].append(feature)
        else:
            yield feature
    for (kind, name), alike in several.items():
        merged = shapely.line_merge(shapely.union_all([feature.shape for feature in alike]))
        first = min(alike, key=lambda feature: int(feature.source[1:])).source
        for number, part in enumerate(getattr(merged, "geoms", [merged])):
            yield GroundFeature(first if number == 0 else f"{first}.{number}", kind, name, part)


def _clipped(shape: Any, clip: Bounds) -> Any:
    try:
        return shapely.clip_by_rect(shape, *clip)
    except shapely.errors.GEOSException:
        return shapely.intersection(shapely.make_valid(shape), shapely.box(*clip))


def _row(feature: GroundFeature, shape: Any) -> GroundRow | None:
    west, south, east, north = shape.bounds
    across = math.cos(math.radians((south + north) / 2))
    metres = shapely.transform(shape, lambda places: places * [across * METRES_A_DEGREE, METRES_A_DEGREE])
    is_area = metres.area > 0
    size = metres.area if is_area else metres.length
    if is_area and size < AREA_MIN_M2[0]:
        return None
    levels: list[str | None] = []
    for level, tolerance in enumerate((FINE_M, MIDDLE_M, COARSE_M)):
        if level > COARSEST[feature.kind] or (is_area and size < AREA_MIN_M2[level]):
            levels.append(None)
            continue
        back = shapely.transform(
            metres.simplify(tolerance), lambda places: places / [across * METRES_A_DEGREE, METRES_A_DEGREE]
        )
        levels.append(as_text(back, 6 if level == 0 else 5))
    if levels[0] is None:
        return None
    return GroundRow(
        feature.source, feature.kind, feature.name, (west, south, east, north),
        round(math.sqrt(size) if is_area else size, 1), levels[0], levels[1], levels[2],
    )  # fmt: skip


def as_text(shape: Any, decimals: int) -> str | None:
    """Return a shape as GeoJSON text with so many decimals, or None when nothing is left of it."""
    if shape.is_empty:
        return None
    about = json.loads(shapely.to_geojson(shape))
    if about["type"] == "GeometryCollection":
        return None

    def rounded(value: Any) -> Any:
        if isinstance(value[0], float | int):
            return [round(value[0], decimals), round(value[1], decimals)]
        return [rounded(part) for part in value]

    return json.dumps({"type": about["type"], "coordinates": rounded(about["coordinates"])}, separators=(",", ":"))
