"""One street, one segment: ways of one name joined from end to end, so that a citizen picks a street and not fourteen pieces.

A street is cut only where it forks, and where it is long: at the junctions that part it most evenly. Of two carriageways side by side
the longer stands for both: a window sees both. A segment keeps the lowest number of its ways, which stays when others split a way,
and its place among the segments with that number.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from telstraat_store.maps.covered_lines import METRES_A_DEGREE
from telstraat_store.maps.openstreetmap import Extract, Point, StreetPiece, StreetWay

LONG_M = 2000.0
"""A longer street is cut into equal parts."""
SHORT_M = 25.0
"""What is shorter, beside longer parts of that name, is an island or a turn, not a street."""
BESIDE_M = 28.0
"""Carriageways of one street lie no further apart."""
POINTS_MAX = 480
Node = tuple[int, Point]


@dataclass(frozen=True)
class WayStretch:
    """A part of a way that neither forks nor leaves the extract."""

    way: int
    nodes: tuple[Node, ...]
    limit_kmh: int | None
    is_one_way: bool

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
        carriageways = _single([half for chain in _chains(by_name[name]) for half in _unfolded(chain)])
        lengths = [_length(chain) for chain, _ in carriageways]
        for (chain, ways), length in zip(carriageways, lengths, strict=True):
            if length < SHORT_M and max(lengths) >= SHORT_M:
                continue
            way, limit = min(ways), _limit(chain)
            for points in _not_too_long(_nodes_of(chain), length, extract.met):
                parts[way] += 1
                if extract.box is None or any(map(extract.box.holds, points)):
                    yield StreetPiece(way, parts[way], name, tuple(thinned(points)), limit, ways)


def _length(chain: Sequence[WayStretch]) -> float:
    return sum(length_m([point for _, point in stretch.nodes]) for stretch in chain)


def _unfolded(chain: list[WayStretch]) -> list[list[WayStretch]]:
    """Return a chain as it is, or one that goes out and comes back beside itself as its two halves."""
    nodes = _nodes_of(chain)
    is_there_and_back = nodes[0][0] == nodes[-1][0] and all(stretch.is_one_way for stretch in chain)
    if not is_there_and_back or _breadth_m([point for _, point in nodes]) > BESIDE_M:
        return [chain]
    single = [WayStretch(s.way, pair, s.limit_kmh, s.is_one_way) for s in chain for pair in itertools.pairwise(s.nodes)]
    middle = [piece.nodes[0][1] for piece in single]
    far = max(range(len(single)), key=lambda at: length_m([middle[0], middle[at]]))
    near = max(range(len(single)), key=lambda at: length_m([middle[far], middle[at]]))
    first, last = sorted((far, near))
    return [half for half in (single[first:last], [*single[last:], *single[:first]]) if half]


def _breadth_m(ring: Sequence[Point]) -> float:
    """Return the mean breadth of what a closed line goes around, metres."""
    area = sum(
        ax * by - bx * ay
        for (ax, ay), (bx, by) in itertools.pairwise([(x - ring[0][0], y - ring[0][1]) for x, y in ring])
    )
    across = math.cos(math.radians(ring[0][1])) * METRES_A_DEGREE**2
    return abs(area) * across / max(1.0, length_m(ring))


def _single(chains: Sequence[list[WayStretch]]) -> list[tuple[list[WayStretch], frozenset[int]]]:
    """Return chains with the ways that each stands for: a one-way street beside a longer one of its name is the same street."""
    import shapely

    singles: list[tuple[list[WayStretch], set[int], Any]] = []
    for chain in sorted(chains, key=lambda chain: (-round(_length(chain)), chain[0].way)):
        ways = {stretch.way for stretch in chain}
        if all(stretch.is_one_way for stretch in chain):
            points = [point for _, point in _nodes_of(chain)]
            across = math.cos(math.radians(points[0][1]))
            line = shapely.LineString([(x * across * METRES_A_DEGREE, y * METRES_A_DEGREE) for x, y in points])
            other = next((f for f in singles if f[2] is not None and _lies_beside(line, f[2])), None)
            if other is not None:
                other[1].update(ways)
                continue
            singles.append((chain, ways, line))
        else:
            singles.append((chain, ways, None))
    return sorted(((chain, frozenset(ways)) for chain, ways, _ in singles), key=lambda item: min(item[1]))


def _lies_beside(line: Any, other: Any) -> bool:
    return bool(line.intersection(other.buffer(BESIDE_M)).length >= 0.8 * line.length)


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
                yield WayStretch(street.way, tuple(line), street.speed_limit_kmh, street.is_one_way)
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
    return WayStretch(stretch.way, stretch.nodes[::-1], stretch.limit_kmh, stretch.is_one_way)


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
