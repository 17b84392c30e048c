"""Streets from files into the database, all or none: a piece of a way that is there already is found again.

A segment's line is corrected only while nothing was ever installed at, counted for or compared with it: counts belong to
the line that they were counted on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from telstraat_store.places.segments import add_segment
from telstraat_store.transactions import Steps, transaction

REDRAW = """
update segment s set geometry = %(geometry)s
where osm_way_id = %(osm_way_id)s and osm_part = %(osm_part)s and geometry <> %(geometry)s
    and not exists (select from installation i where i.segment_id = s.segment_id)
    and not exists (select from imported m where m.segment_id = s.segment_id)
    and not exists (select from measure_segment p where p.segment_id = s.segment_id)
returning segment_id
"""


@dataclass(frozen=True)
class SegmentDraft:
    """A street as a file describes it, checked; its line is a GeoJSON LineString from A to B."""

    name: str
    geometry: dict[str, Any]
    timezone: str
    speed_limit_kmh: int | None
    osm_way_id: int | None
    osm_part: int | None


@dataclass
class StreetImport:
    """What became of a file."""

    added: list[int] = field(default_factory=list)
    redrawn: list[int] = field(default_factory=list)
    known: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


@transaction
def import_streets(drafts: Iterable[SegmentDraft], outcome: StreetImport) -> Steps[None]:
    """Add, redraw or find again every street of a file, and note in `outcome` which; an error in `drafts` undoes all."""
    for draft in drafts:
        segment_id = yield from add_segment.steps(
            draft.name,
            draft.geometry,
            timezone=draft.timezone,
            speed_limit_kmh=draft.speed_limit_kmh,
            osm_way_id=draft.osm_way_id,
            osm_part=draft.osm_part,
        )
        if segment_id is not None:
            outcome.added.append(segment_id)
            continue
        redrawn = []
        if draft.osm_way_id is not None:
            redrawn = yield (
                REDRAW,
                {
                    "geometry": json.dumps(draft.geometry),
                    "osm_way_id": draft.osm_way_id,
                    "osm_part": draft.osm_part,
                },
            )
        if redrawn:
            outcome.redrawn.append(int(redrawn[0]["segment_id"]))
        else:
            outcome.known += 1
