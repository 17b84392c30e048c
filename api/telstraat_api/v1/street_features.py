"""Streets as GeoJSON features bring them: which segment a feature describes, or why it can be none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError, field_validator

from telstraat_api.v1.accounts import RequestBody
from telstraat_store.counts.windows import is_zone
from telstraat_store.imports.numbers import whole_number
from telstraat_store.places.lines import POINTS_MAX, check_line
from telstraat_store.places.speed_limits import speed_limit
from telstraat_store.places.street_files import line_in

NAMELESS = "street without a name"
NAME_MAX = 200
Name = Annotated[str, Field(min_length=1, max_length=NAME_MAX, pattern=r"^[^\x00-\x1f]+$")]
Limit = Annotated[int, Field(ge=5, le=150)]
Coordinate = Annotated[list[float], Field(min_length=2, max_length=3)]


class LineString(RequestBody):
    """A line from A to B, in WGS84: longitude, latitude."""

    type: Literal["LineString"]
    coordinates: list[Coordinate] = Field(min_length=2, max_length=POINTS_MAX)

    @field_validator("coordinates")
    @classmethod
    def on_earth(cls, points: list[list[float]]) -> list[list[float]]:
        """Refuse what is not a piece of a street."""
        check_line(points)
        return [[point[0], point[1]] for point in points]


def known_zone(name: str | None) -> str | None:
    """Return the name of a time zone, or raise ValueError."""
    if name is not None and not is_zone(name):
        raise ValueError(f"there is no time zone {name!r}")
    return name


class NewSegment(RequestBody):
    """A street segment to be added."""

    name: Name
    geometry: LineString
    timezone: str = Field("Europe/Brussels", max_length=60)
    speed_limit_kmh: Limit | None = None
    osm_way_id: int | None = Field(None, ge=1, le=2**62)
    _zone = field_validator("timezone")(known_zone)


class ImportFeature(BaseModel):
    """A GeoJSON feature: its line, and `name`, `maxspeed` and the way's number of OpenStreetMap when it has them."""

    geometry: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    id: Any = None


def numbered(features: Sequence[ImportFeature]) -> Iterator[tuple[ImportFeature, int]]:
    """Yield features with their part of their way of OpenStreetMap: as they say, or counted in the order of the file."""
    seen: Counter[str] = Counter()
    for feature in features:
        way = way_of(feature)
        seen[way] += 1
        part = (feature.properties or {}).get("osm_part")
        yield feature, part if isinstance(part, int) and 0 < part < 2**15 else seen[way]


def way_of(feature: ImportFeature) -> str:
    """Return the number that a feature says it has in OpenStreetMap, as written; empty when it says none."""
    known = feature.properties or {}
    is_way = isinstance(feature.id, str) and feature.id.startswith("way/")  # others number their rows
    return str(known.get("@id") or known.get("osm_id") or (feature.id if is_way else "")).rpartition("/")[2]


def segment_in(feature: ImportFeature, timezone: str = "Europe/Brussels") -> NewSegment:
    """Return the segment that a feature describes, or raise ValidationError or StreetFileError."""
    known = feature.properties or {}
    way = whole_number(way_of(feature)) or 0
    name = known.get("name") or known.get("ref") or NAMELESS
    return NewSegment.model_validate(
        {
            "name": str(name) if isinstance(name, int | float) else name,
            "geometry": line_in(feature.geometry),
            "timezone": known.get("timezone") or timezone,
            "speed_limit_kmh": speed_limit(known.get("maxspeed")),
            "osm_way_id": way if 0 < way < 2**62 else None,
        }
    )


FAULTS = {
    ("name", "string_too_long"): f"its name is longer than {NAME_MAX} signs",
    ("name", "string_too_short"): "its name is empty",
    ("name", "string_pattern_mismatch"): "its name holds a sign that no name has, such as a new line",
    ("name", ""): "its name is no text",
    ("coordinates", "too_long"): f"its line has more than {POINTS_MAX} points; leave out those that it can do without",
    ("coordinates", ""): "its line has places that are not longitude and latitude",
    ("geometry", ""): "it has no line",
    ("timezone", ""): "its time zone is none",
    ("speed_limit_kmh", ""): "its speed limit is none",
    ("osm_way_id", ""): "its number in OpenStreetMap is none",
}
"""What is wrong with a field, by its name and the kind of fault; without a kind, in any other way."""


def why_not(error: Exception) -> str:
    """Say in one line, in words of ours, why something cannot be a segment."""
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(dict.fromkeys(fault_in_words(fault) for fault in error.errors()))[:300]


def fault_in_words(fault: Mapping[str, Any]) -> str:
    """Return what one fault of a feature is: as our own check says it, or by its field and kind."""
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    fields = [str(part) for part in fault["loc"] if isinstance(part, str)] or ["feature"]
    field = next((name for name in reversed(fields) if (name, "") in FAULTS), fields[0])
    return FAULTS.get((field, fault["type"])) or FAULTS.get((field, ""), f"what it says of {field} cannot be used")
