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

from telstraat_api.errors import QueryError
from telstraat_api.openstreetmap import Piece
from telstraat_api.v1.registry import FEATURES_MAX, ImportFile, NewSegment, numbered, segment_in

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


@dataclass
class Outcome:
    """What became of a file."""

    added: list[int] = field(default_factory=list)
    redrawn: list[int] = field(default_factory=list)
    known: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def why(error: ValidationError) -> str:
    """Say in one line why something cannot be a segment."""
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())[:300]


def import_pieces(connection: Connection[Any], found: Iterable[Piece], timezone: str) -> Outcome:
    """Write pieces of OpenStreetMap's ways, all or none."""
    outcome = Outcome()
    with connection.transaction():
        for piece in found:
            try:
                wanted = NewSegment.model_validate(
                    {
                        "name": piece.name[:200],
                        "geometry": {"type": "LineString", "coordinates": [list(point) for point in piece.points]},
                        "timezone": timezone,
                        "speed_limit_kmh": piece.speed_limit_kmh,
                        "osm_way_id": piece.way,
                    }
                )
            except ValidationError as error:
                outcome.refused.append((f"way {piece.way}, part {piece.part}", why(error)))
                continue
            write(connection, wanted, piece.part, outcome)
    return outcome


def import_geojson(connection: Connection[Any], path: Path, timezone: str) -> Outcome:
    """Write the lines of a GeoJSON file, all or none; features with a number of OpenStreetMap are found again."""
    try:
        file = ImportFile.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise QueryError(f"{path} cannot be read as GeoJSON of up to {FEATURES_MAX} features: {error}") from error
    outcome = Outcome()
    with connection.transaction():
        for number, (one, part) in enumerate(numbered(file.features)):
            try:
                wanted = segment_in(one, timezone)
            except ValidationError as error:
                outcome.refused.append((f"feature {number}", why(error)))
                continue
            write(connection, wanted, part, outcome)
    return outcome


def write(connection: Connection[Any], wanted: NewSegment, part: int | None, outcome: Outcome) -> None:
    """Write one segment, or find it."""
    values = {
        **wanted.model_dump(),
        "geometry": json.dumps(wanted.geometry.model_dump()),
        "osm_part": part if wanted.osm_way_id is not None else None,
    }
    row = connection.execute(ADD, values).fetchone()
    if row is not None:
        outcome.added.append(int(row[0]))
        return
    redrawn = connection.execute(REDRAW, values).fetchone()
    if redrawn is not None:
        outcome.redrawn.append(int(redrawn[0]))
    else:
        outcome.known += 1
