"""Streets to pick from: by a part of their name, or the nearest ones with counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.connection import Row
from telstraat_store.queries import fetch_all, literal

NAMED = """
select segment_id, name from segment
where %(text)s = '' or name ilike '%%' || %(text)s || '%%' or segment_id::text = %(text)s
order by name ilike %(text)s || '%%' desc, name, segment_id limit %(limit)s
"""
# Boxes around lines are near enough to choose from; how far a line really is, the analysis says.
NEAREST = """
with own as (select geometry from segment where segment_id = any(%(segments)s) order by segment_id limit 1)
select segment_id, name from segment s, own
where segment_id <> all(%(segments)s)
    and (exists (select from installation i join rollup_hour using (installation_id) where i.segment_id = s.segment_id)
        or exists (select from imported_hour m where m.segment_id = s.segment_id))
order by line_box(s.geometry) <-> center(line_box(own.geometry)), segment_id limit %(limit)s
"""


async def list_named(connection: AsyncConnection[Any], text: str, limit: int) -> list[Row]:
    """Return number and name of the streets with a text in their name, those first that begin with it; any street for no text."""
    return await fetch_all(connection, NAMED, {"text": literal(text), "limit": limit})


async def list_nearest_counted(connection: AsyncConnection[Any], segments: Sequence[int], limit: int) -> list[Row]:
    """Return number and name of the streets with counts, without some, the nearest to the first of those first."""
    return await fetch_all(connection, NEAREST, {"segments": list(segments), "limit": limit})


async def lines_of(connection: AsyncConnection[Any], segments: Sequence[int]) -> dict[int, list[tuple[float, float]]]:
    """Return where some streets lie, longitude and latitude from A to B, by number."""
    rows = await fetch_all(
        connection, "select segment_id, geometry from segment where segment_id = any(%s)", (list(segments),)
    )
    return {row["segment_id"]: points_in(row["geometry"]) for row in rows}


def points_in(geometry: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Return the points of a line, the parts of one in several parts one after the other."""
    parts = [geometry["coordinates"]] if geometry["type"] == "LineString" else geometry["coordinates"]
    return [(float(point[0]), float(point[1])) for part in parts for point in part]
