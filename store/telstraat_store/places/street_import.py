"""Streets from files into the database, all or none: what is there already is found again.

A street is known by the number of its way and its part of it, and where others have split, joined or renumbered ways by its
name and line: what lies on a segment that is there belongs to it, whatever it is called now, so that sensors keep their segment.

A segment's line is corrected only while nothing was ever installed at, counted for or compared with it: counts belong to
the line that they were counted on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from telstraat_store.maps.covered_lines import KnownLines, rest_of
from telstraat_store.places.segments import add_segment
from telstraat_store.transactions import Steps, transaction

REDRAW = """
update segment s set geometry = %(geometry)s
where segment_id = %(segment_id)s and geometry <> %(geometry)s
    and not exists (select from installation i where i.segment_id = s.segment_id)
    and not exists (select from imported m where m.segment_id = s.segment_id)
    and not exists (select from measure_segment p where p.segment_id = s.segment_id)
returning segment_id
"""
THERE = """
select segment_id, name, geometry, osm_way_id, osm_part from segment s
where line_box(s.geometry) && any(%(boxes)s::box[])
    or osm_way_id = any(%(ways)s)
order by segment_id
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
    osm_ways: frozenset[int] = frozenset()
    """All ways that it lies on."""


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
    streets = list(drafts)
    yield "select pg_advisory_xact_lock(hashtext('telstraat: import of streets'))", None
    reserved = {(street.osm_way_id, street.osm_part) for street in streets}
    known = KnownLines((yield THERE, _area_of(streets)))
    for draft in streets:
        match = known.match(draft.osm_way_id, draft.osm_part)
        others = known.on(draft.geometry, draft.name, _ways_of(draft), but=match)
        rest = [draft.geometry]
        if match is not None and not others:
            redrawn = yield REDRAW, {"geometry": json.dumps(draft.geometry), "segment_id": match}
            if redrawn:
                known.redraw(match, draft.geometry)
                outcome.redrawn.append(match)
                continue
            # Counts hold the line: a street that has grown gets the rest as a segment, one that was moved keeps its place.
            rest = rest_of(draft.geometry, known.lines([match])) if known.shares(draft.geometry, match) else []
        elif others:
            rest = rest_of(draft.geometry, known.lines([*others, *([match] if match else [])]))
        if not rest:
            outcome.known += 1
        for number, geometry in enumerate(rest):
            part = draft.osm_part if match is None and number == 0 else known.free_part(draft.osm_way_id, reserved)
            segment_id = yield from _add(replace(draft, geometry=geometry, osm_part=part))
            if segment_id is None:
                outcome.known += 1
            else:
                outcome.added.append(segment_id)
                known.take_part(draft.osm_way_id, part)


def _add(draft: SegmentDraft) -> Steps[int | None]:
    return (
        yield from add_segment.steps(
            draft.name,
            draft.geometry,
            timezone=draft.timezone,
            speed_limit_kmh=draft.speed_limit_kmh,
            osm_way_id=draft.osm_way_id,
            osm_part=draft.osm_part,
        )
    )


def _area_of(streets: Iterable[SegmentDraft]) -> dict[str, Any]:
    """Return where streets lie, and on which ways."""
    lines = [street.geometry["coordinates"] for street in streets]
    boxes = []
    for is_west in (True, False):  # a file may lie on both sides of 180 degrees
        points = [point for line in lines for point in line if (point[0] < 0) == is_west]
        if points:
            xs, ys = [point[0] for point in points], [point[1] for point in points]
            boxes.append(f"(({max(xs)},{max(ys)}),({min(xs)},{min(ys)}))")
    ways = sorted({way for street in streets for way in _ways_of(street)})
    return {"boxes": "{" + ";".join(boxes) + "}", "ways": ways}


def _ways_of(street: SegmentDraft) -> frozenset[int]:
    return street.osm_ways if street.osm_way_id is None else street.osm_ways | {street.osm_way_id}
