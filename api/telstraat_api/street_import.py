"""Street segments into the database, once: a piece of a way that is there already is found again, and what was counted stays.

A segment's line is corrected only while nothing was ever installed at or counted for it: counts belong to the line they were
counted on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from psycopg import Connection
from pydantic import ValidationError

from telstraat_api.openstreetmap import Piece
from telstraat_api.v1.registry import ImportFeature, NewSegment, numbered, segment_in, why_not
from telstraat_store.errors import StreetFileError
from telstraat_store.places.street_files import read_features
from telstraat_store.places.whereabouts import doubt

ADD = """
insert into segment (name, geometry, timezone, speed_limit_kmh, osm_way_id, osm_part)
values (%(name)s, %(geometry)s, %(timezone)s, %(speed_limit_kmh)s, %(osm_way_id)s, %(osm_part)s)
on conflict (osm_way_id, osm_part) where osm_part is not null do nothing
returning segment_id
"""
REDRAW = """
update segment s set geometry = %(geometry)s
where osm_way_id = %(osm_way_id)s and osm_part = %(osm_part)s and geometry <> %(geometry)s
    and not exists (select from installation i where i.segment_id = s.segment_id)
    and not exists (select from imported m where m.segment_id = s.segment_id)
    and not exists (select from measure_segment p where p.segment_id = s.segment_id)
returning segment_id
"""
SAME = """
select segment_id from segment where osm_way_id is null and name = %(name)s and geometry = %(geometry)s limit 1
"""
"""A street that no number of OpenStreetMap tells from others is known by its name and its line."""


@dataclass(frozen=True)
class Zone:
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


@dataclass
class Outcome:
    """What became of a file."""

    added: list[int] = field(default_factory=list)
    redrawn: list[int] = field(default_factory=list)
    known: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def import_pieces(connection: Connection[Any], found: Iterable[Piece], zone: Zone) -> Outcome:
    """Write pieces of OpenStreetMap's ways, all or none."""
    outcome = Outcome()
    with connection.transaction():
        for piece in found:
            try:
                wanted = NewSegment.model_validate(
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
            zone.check(f"way {piece.way}", wanted)
            write(connection, wanted, piece.part, outcome)
    return outcome


def import_geojson(connection: Connection[Any], path: Path, zone: Zone) -> Outcome:
    """Write the lines of a GeoJSON file, all or none; features with a number of OpenStreetMap are found again."""
    outcome = Outcome()
    features: list[ImportFeature] = []
    places: list[int] = []
    for place, feature in enumerate(read_features(path)):
        try:
            features.append(ImportFeature.model_validate(feature))
            places.append(place)
        except ValidationError as error:
            outcome.refused.append((f"feature {place}", why_not(error)))
    with connection.transaction():
        for place, (one, part) in zip(places, numbered(features), strict=True):
            try:
                wanted = segment_in(one, zone.name)
            except (ValidationError, StreetFileError) as error:
                outcome.refused.append((f"feature {place}", why_not(error)))
                continue
            zone.check(f"{path}, feature {place}", wanted)
            write(connection, wanted, part, outcome)
    return outcome


def write(connection: Connection[Any], wanted: NewSegment, part: int | None, outcome: Outcome) -> None:
    """Write one segment, or find it."""
    values = {
        **wanted.model_dump(),
        "geometry": json.dumps(wanted.geometry.model_dump()),
        "osm_part": part if wanted.osm_way_id is not None else None,
    }
    if wanted.osm_way_id is None and connection.execute(SAME, values).fetchone() is not None:
        outcome.known += 1
        return
    row = connection.execute(ADD, values).fetchone()
    if row is not None:
        outcome.added.append(int(row[0]))
        return
    redrawn = connection.execute(REDRAW, values).fetchone()
    if redrawn is not None:
        outcome.redrawn.append(int(redrawn[0]))
    else:
        outcome.known += 1
