"""One street, one segment: ways of one name joined from end to end, so that a citizen picks a street and not fourteen pieces.

A street is cut only where it forks, and where it is long: at the junctions that part it most evenly. A segment keeps the lowest
number of its ways, which stays when others split a way, and its place among the segments with that number.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from telstraat_store.maps.openstreetmap import Extract, Point, StreetPiece, StreetWay

LONG_M = 2000.0
"""A longer street is cut into equal parts."""
SHORT_M = 25.0
"""What is shorter, beside longer parts of that name, is an island or a turn, not a street."""
POINTS_MAX = 480
METRES_A_DEGREE = 111_320.0
Node = tuple[int, Point]


@dataclass(frozen=True)
class WayStretch:
    """A part of a way that neither forks nor leaves the extract."""

    way: int
    nodes: tuple[Node, ...]
    limit_kmh: int | None

    @property
    def ends(self) -> tuple[int, int]:
        """The numbers of its first and last node."""
        return self.nodes[0][0], self.nodes[-1][0]


def whole_streets(extract: Extract) -> Iterator[StreetPiece]:
    """Yield the named streets of an extract, each whole; with a box, those that reach into it. The nameless stay ground."""
    by_name: dict[str, list[StreetWay]] = defaultdict(list)
    for street in extract.streets:
        if street.name:
            by_name[street.name].append(street)
    for name in sorted(by_name):
        parts: Counter[int] = Counter()
        chains = [chain for chain in _chains(by_name[name]) if len(chain) > 0]
        lengths = [sum(length_m([point for _, point in stretch.nodes]) for stretch in chain) for chain in chains]
        for chain, length in zip(chains, lengths, strict=True):
            if length < SHORT_M and max(lengths) >= SHORT_M:
                continue
            way, limit = min(stretch.way for stretch in chain), _limit(chain)
            ways = frozenset(stretch.way for stretch in chain)
            for points in _not_too_long(_nodes_of(chain), length, extract.met):
                parts[way] += 1
                if extract.box is None or any(map(extract.box.holds, points)):
                    yield StreetPiece(way, parts[way], name, tuple(thinned(points)), limit, ways)


def length_m(points: Sequence[Point]) -> float:
    """Return the length of a line in metres, to some thousandths."""
    total = 0.0
    for (ax, ay), (bx, by) in itertools.pairwise(points):
        total += math.hypot((bx - ax) * math.cos(math.radians((ay + by) / 2)), by - ay)
    return total * METRES_A_DEGREE


def thinned(points: Sequence[Point]) -> Sequence[Point]:
    """Return a line with no more points than a segment may have."""
    tolerance = 1e-6
    while len(points) > POINTS_MAX:
        import shapely

        points = [(float(x), float(y)) for x, y in shapely.LineString(points).simplify(tolerance).coords]
        tolerance *= 2
    return points


def _chains(streets: Sequence[StreetWay]) -> list[list[WayStretch]]:
    """Return the ways of one name as chains of stretches that follow each other, each in the direction of its lowest way."""
    stretches = sorted((s for street in streets for s in _stretches(street, _forks(streets))), key=lambda s: s.way)
    at_node: dict[int, list[int]] = defaultdict(list)
    for at, stretch in enumerate(stretches):
        for node in stretch.ends:
            at_node[node].append(at)
    used: set[int] = set()
    chains = []
    for at, stretch in enumerate(stretches):
        if at not in used:
            used.add(at)
            ahead = _follow(stretch.ends[1], stretches, at_node, used)
            behind = _follow(stretch.ends[0], stretches, at_node, used)
            chains.append([*(_turned(s) for s in reversed(behind)), stretch, *ahead])
    return chains


def _forks(streets: Sequence[StreetWay]) -> set[int]:
    """Return the nodes where three or more ends of one name meet: there the street has no one way on."""
    ends: Counter[int] = Counter()
    for street in streets:
        for place, (node, _) in enumerate(street.nodes):
            ends[node] += 1 if place in {0, len(street.nodes) - 1} else 2
    return {node for node, many in ends.items() if many > 2}


def _stretches(street: StreetWay, forks: set[int]) -> Iterator[WayStretch]:
    """Yield the parts of a way between forks, and between points that the extract lacks."""
    line: list[Node] = []
    for place, (node, point) in enumerate(street.nodes):
        if point is not None:
            line.append((node, point))
        if point is None or node in forks or place == len(street.nodes) - 1:
            if len(line) > 1 and any(p != line[0][1] for _, p in line):
                yield WayStretch(street.way, tuple(line), street.speed_limit_kmh)
            line = [] if point is None else [(node, point)]


def _follow(
    node: int, stretches: Sequence[WayStretch], at_node: dict[int, list[int]], used: set[int]
) -> list[WayStretch]:
    """Return what follows from a node on, in that direction."""
    chain: list[WayStretch] = []
    while len(at_node[node]) == 2:
        ahead = [at for at in at_node[node] if at not in used]
        if not ahead:
            break
        used.add(ahead[0])
        stretch = stretches[ahead[0]]
        chain.append(stretch if stretch.ends[0] == node else _turned(stretch))
        node = chain[-1].ends[1]
    return chain


def _turned(stretch: WayStretch) -> WayStretch:
    return WayStretch(stretch.way, stretch.nodes[::-1], stretch.limit_kmh)


def _nodes_of(chain: Sequence[WayStretch]) -> list[Node]:
    return [*chain[0].nodes, *(node for stretch in chain[1:] for node in stretch.nodes[1:])]


def _limit(chain: Sequence[WayStretch]) -> int | None:
    """Return the speed limit of nearly all of a street, or None where it changes."""
    metres: dict[int | None, float] = defaultdict(float)
    for stretch in chain:
        metres[stretch.limit_kmh] += length_m([point for _, point in stretch.nodes])
    limit, most = max(metres.items(), key=lambda item: item[1])
    return limit if most >= 0.8 * sum(metres.values()) else None


def _not_too_long(nodes: Sequence[Node], length: float, met: Counter[int]) -> Iterator[list[Point]]:
    """Yield a street in one part, or in equal ones that end at junctions."""
    parts = math.ceil(length / LONG_M)
    points = [point for _, point in nodes]
    so_far = [0.0]
    for a, b in itertools.pairwise(points):
        so_far.append(so_far[-1] + length_m([a, b]))
    cuts = [0]
    for part in range(1, parts):
        aim = length * part / parts
        places = [at for at in range(cuts[-1] + 1, len(nodes) - 1) if met[nodes[at][0]] > 1]
        best = min(places, key=lambda at: abs(so_far[at] - aim), default=None)
        if best is not None and abs(so_far[best] - aim) < length / parts / 2:
            cuts.append(best)
    cuts.append(len(nodes) - 1)
    for first, last in itertools.pairwise(cuts):
        yield points[first : last + 1]
