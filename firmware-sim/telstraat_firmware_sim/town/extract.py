"""A made-up map as an extract of OpenStreetMap, as those who publish such extracts write them."""

from __future__ import annotations

from pathlib import Path

from telstraat_firmware_sim.errors import TownFileError
from telstraat_firmware_sim.town.overbeke import MadeUpMap

ENDINGS = (".osm", ".osm.gz", ".osm.bz2", ".osm.pbf", ".pbf")
FIRST_NODE, FIRST_WAY, FIRST_RELATION = 1, 1001, 1


def write_extract(drawn: MadeUpMap, path: Path) -> None:
    """Write a map to a new file, in the form that its name says.

    Raises
    ------
    TownFileError
        The file exists already, cannot be written, or its name says no form.
    """
    import osmium
    from osmium.osm.mutable import Node, Relation, Way

    if not path.name.endswith(ENDINGS):
        raise TownFileError(f"{path}: the name of an extract ends with {', '.join(ENDINGS)}")
    if path.exists():
        raise TownFileError(f"{path} exists already; choose another name or move it away")
    ways = [Way(id=FIRST_WAY + at, nodes=_refs(way.nodes), tags=dict(way.tags)) for at, way in enumerate(drawn.ways)]
    relations: list[Relation] = []
    for area in drawn.areas:
        first = FIRST_WAY + len(ways)
        rings = (area.outer, *area.holes)
        tags = {} if area.holes else dict(area.tags)
        ways.extend(Way(id=first + at, nodes=_refs(ring), tags=tags) for at, ring in enumerate(rings))
        if area.holes:
            members = [("w", first + at, "inner" if at else "outer") for at in range(len(rings))]
            about = {"type": "multipolygon", **area.tags}
            relations.append(Relation(id=FIRST_RELATION + len(relations), members=members, tags=about))
    try:
        with osmium.SimpleWriter(str(path)) as writer:
            for at, point in enumerate(drawn.points):
                writer.add_node(Node(id=FIRST_NODE + at, location=point))
            for way in ways:
                writer.add_way(way)
            for relation in relations:
                writer.add_relation(relation)
    except (RuntimeError, OSError) as error:
        raise TownFileError(f"{path} cannot be written: {error}") from error


def _refs(nodes: tuple[int, ...]) -> list[int]:
    return [FIRST_NODE + at for at in nodes]
