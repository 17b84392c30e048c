"""The ground in the database: what an import brings in replaces what lay there, and maps read what lies within a box."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import AsyncConnection

from telstraat_store.connection import Row
from telstraat_store.queries import fetch_all
from telstraat_store.transactions import Steps, transaction

Bounds = tuple[float, float, float, float]
"""West, south, east, north, in degrees."""
Detail = Literal["fine", "middle", "coarse"]
AT_ONCE = 2000
FORGET = "delete from ground where place <@ box(point(%(west)s, %(south)s), point(%(east)s, %(north)s))"
# What reaches into the area from another import stays as that one has it: here it would end at the area's edge.
INSERT = """
insert into ground (source, kind, name, place, size_m, fine, middle, coarse, credit)
select n.source, n.kind, n.name, box(point(n.west, n.south), point(n.east, n.north)), n.size_m, n.fine, n.middle, n.coarse, %(credit)s
from unnest(
    %(source)s::text[], %(kind)s::text[], %(name)s::text[], %(west)s::float8[], %(south)s::float8[], %(east)s::float8[],
    %(north)s::float8[], %(size_m)s::float8[], %(fine)s::json[], %(middle)s::json[], %(coarse)s::json[]
) as n (source, kind, name, west, south, east, north, size_m, fine, middle, coarse)
where not exists (select from ground g where g.source = n.source and g.kind = n.kind)
"""


@dataclass(frozen=True)
class GroundRow:
    """A thing of the ground as it is stored: the same at three levels of detail, None where it is too small."""

    source: str
    kind: str
    name: str
    bounds: Bounds
    size_m: float
    """Length, or the root of the area."""
    fine: str
    middle: str | None
    coarse: str | None


@transaction
def replace_ground(rows: Sequence[GroundRow], area: Bounds | None, credit: str = "") -> Steps[int]:
    """Put new ground in the place of the old and return how many things it has.

    Parameters
    ----------
    rows
        The new ground.
    area
        West, south, east, north in degrees: what lies wholly within is forgotten. None takes what the rows cover.
    credit
        How to name where it comes from.
    """
    if not rows:
        return 0  # a file of another place wipes nothing out
    yield "lock table ground in share row exclusive mode", None  # two imports at once would both add
    for west, south, east, north in [area] if area else covered(rows):
        yield FORGET, {"west": west, "south": south, "east": east, "north": north}
    for first in range(0, len(rows), AT_ONCE):
        some = rows[first : first + AT_ONCE]
        columns: dict[str, Any] = {
            name: [getattr(row, name) for row in some]
            for name in ("source", "kind", "name", "size_m", "fine", "middle", "coarse")
        }
        for at, side in enumerate(("west", "south", "east", "north")):
            columns[side] = [row.bounds[at] for row in some]
        yield INSERT, {**columns, "credit": credit}
    return len(rows)


def covered(rows: Iterable[GroundRow]) -> list[Bounds]:
    """Return the boxes that rows cover: one in the western and one in the eastern half of the world where they lie in both.

    OpenStreetMap cuts everything at 180 degrees: a town there would otherwise cover the whole way round the globe.
    """
    boxes: list[Bounds] = []
    everything = [row.bounds for row in rows]
    if not everything:
        return boxes
    is_wide = max(b[2] for b in everything) - min(b[0] for b in everything) > 180
    halves = [[b for b in everything if b[0] < 0], [b for b in everything if b[0] >= 0]] if is_wide else [everything]
    return [
        (min(b[0] for b in half), min(b[1] for b in half), max(b[2] for b in half), max(b[3] for b in half))
        for half in halves
        if half
    ]


WITHIN = {
    detail: f"""
select kind, name, {detail}::text as shape, credit from ground
where {detail} is not null and place && any(%(boxes)s::box[]) and kind <> all(%(but)s::text[])
order by size_m desc, ground_id limit %(limit)s
"""  # noqa: S608
    for detail in ("fine", "middle", "coarse")
}


async def ground_within(
    connection: AsyncConnection[Any], boxes: Sequence[Bounds], detail: Detail, *, but: Sequence[str] = (), limit: int
) -> list[Row]:
    """Return kind, name, GeoJSON text and credit of what lies in some boxes, the largest first."""
    values = [f"(({east},{north}),({west},{south}))" for west, south, east, north in boxes]
    # An array of boxes is written with semicolons: their own text has commas.
    return await fetch_all(
        connection, WITHIN[detail], {"boxes": "{" + ";".join(values) + "}", "but": list(but), "limit": limit}
    )
