"""Which streets of a file become segments: read, checked one by one, and asked about when they lie in another time zone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from telstraat_api.v1.street_features import ImportFeature, NewSegment, numbered, segment_in, why_not
from telstraat_store.errors import StreetFileError
from telstraat_store.maps.openstreetmap import StreetPiece
from telstraat_store.places.street_files import read_features
from telstraat_store.places.street_import import SegmentDraft, StreetImport
from telstraat_store.places.whereabouts import doubt


@dataclass(frozen=True)
class FileZone:
    """The time zone of a file's streets, and whether they may lie anywhere."""

    name: str
    is_named: bool = True
    is_sure: bool = False

    def check(self, what: str, segment: NewSegment) -> None:
        """Refuse the whole file with a question when a street does not lie in its time zone."""
        named = self.is_named or segment.timezone != self.name
        question = "" if self.is_sure else doubt(segment.geometry.coordinates, segment.timezone, is_named=named)
        if question:
            raise StreetFileError(
                f"{what}: {question}; say --timezone ZONE, correct the file, or say --anywhere to take it as it is"
            )


def drafts_of_pieces(pieces: Iterable[StreetPiece], zone: FileZone, outcome: StreetImport) -> Iterator[SegmentDraft]:
    """Yield the segments that pieces of OpenStreetMap's ways become; note in `outcome` which cannot be one, and why."""
    for piece in pieces:
        try:
            segment = NewSegment.model_validate(
                {
                    "name": piece.name[:200],
                    "geometry": {"type": "LineString", "coordinates": [list(point) for point in piece.points]},
                    "timezone": zone.name,
                    "speed_limit_kmh": piece.speed_limit_kmh,
                    "osm_way_id": piece.way,
                }
            )
        except ValidationError as error:
            outcome.refused.append((f"way {piece.way}, part {piece.part}", why_not(error)))
            continue
        zone.check(f"way {piece.way}", segment)
        yield replace(draft_of(segment, piece.part), osm_ways=piece.ways)


def drafts_of_geojson(path: Path, zone: FileZone, outcome: StreetImport) -> Iterator[SegmentDraft]:
    """Yield the segments that the features of a GeoJSON file become; note in `outcome` which cannot be one, and why."""
    features: list[ImportFeature] = []
    positions: list[int] = []
    for position, content in enumerate(read_features(path)):
        try:
            features.append(ImportFeature.model_validate(content))
            positions.append(position)
        except ValidationError as error:
            outcome.refused.append((f"feature {position}", why_not(error)))
    for position, (feature, part) in zip(positions, numbered(features), strict=True):
        try:
            segment = segment_in(feature, zone.name)
        except (ValidationError, StreetFileError) as error:
            outcome.refused.append((f"feature {position}", why_not(error)))
            continue
        zone.check(f"{path}, feature {position}", segment)
        yield draft_of(segment, part)


def draft_of(segment: NewSegment, part: int) -> SegmentDraft:
    """Return a checked segment as the store takes it."""
    return SegmentDraft(**segment.model_dump(), osm_part=part)
