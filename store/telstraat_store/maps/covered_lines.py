"""Which segments a street lies on already, and what of it lies on none."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from telstraat_store.connection import Row

NAMELESS = "street without a name"
BESIDE_M = 12.0
"""A line so near to another is the same street, drawn twice."""
SHARE_MIN = 0.5
"""From this part of either line on they are the same street."""
REST_MIN_M = 60.0
"""What is left of a street beside its segments is a segment of its own from this length on."""
COVERED_SHARE = 0.6
METRES_A_DEGREE = 111_320.0


class KnownLines:
    """The segments of an area, found by the number of their way, or by where they lie and what they are called."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._lines: dict[int, Mapping[str, Any]] = {}
        self._names: dict[int, str] = {}
        self._ways: dict[int, int | None] = {}
        self._by_part: dict[tuple[int, int], int] = {}
        self._by_name: dict[str, list[int]] = {}
        self._by_way: dict[int, list[int]] = {}
        for row in rows:
            number = row["segment_id"]
            self._lines[number], self._ways[number] = row["geometry"], row["osm_way_id"]
            self._by_name.setdefault(row["name"].casefold(), []).append(number)
            if row["osm_way_id"] is not None:
                self._by_way.setdefault(row["osm_way_id"], []).append(number)
                if row["osm_part"] is not None:
                    self._by_part[row["osm_way_id"], row["osm_part"]] = number

    def match(self, way: int | None, part: int | None) -> int | None:
        """Return the segment with that part of that way, or None."""
        return None if way is None or part is None else self._by_part.get((way, part))

    def on(self, line: Mapping[str, Any], name: str, ways: Collection[int], *, but: int | None) -> list[int]:
        """Return the segments that a street of that name, or of those ways, lies on; `but` one."""
        near = {number for way in ways for number in self._by_way.get(way, ())}
        if name != NAMELESS:
            near |= {*self._by_name.get(name.casefold(), ())}
        if not near - {but}:
            return []
        own = _Flat(line)
        return [number for number in sorted(near - {but}) if own.shares(self._lines[number])]

    def shares(self, line: Mapping[str, Any], number: int) -> bool:
        """Tell whether a line is that of a segment, or one a part of the other."""
        return number in self._lines and _Flat(line).shares(self._lines[number])

    def lines(self, numbers: Iterable[int]) -> list[Mapping[str, Any]]:
        """Return the lines of segments."""
        return [self._lines[number] for number in numbers]

    def redraw(self, number: int, line: Mapping[str, Any]) -> None:
        """Note that a segment has another line now."""
        self._lines[number] = line

    def free_part(self, way: int | None, reserved: Collection[tuple[int | None, int | None]] = ()) -> int | None:
        """Return a number for a part of a way that no segment has, and no other of those reserved."""
        if way is None:
            return None
        return max((part or 0 for known, part in [*self._by_part, *reserved] if known == way), default=0) + 1

    def take_part(self, way: int | None, part: int | None) -> None:
        """Note that a new segment has that part of that way: it is not compared with those that come after it."""
        if way is not None and part is not None:
            self._by_part.setdefault((way, part), 0)


def rest_of(line: Mapping[str, Any], known: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what of a line lies on none of those that are known, as GeoJSON lines; nothing when that is little."""
    return _Flat(line).rest(known)


class _Flat:
    """A line in metres around its own middle."""

    def __init__(self, line: Mapping[str, Any]) -> None:
        self.across = math.cos(math.radians(line["coordinates"][0][1]))
        self.shape = self._in_metres(line)
        self.wide = self.shape.buffer(BESIDE_M)

    def _in_metres(self, line: Mapping[str, Any]) -> Any:
        import shapely

        scale = (self.across * METRES_A_DEGREE, METRES_A_DEGREE)
        return shapely.LineString([(x * scale[0], y * scale[1]) for x, y, *_ in line["coordinates"]])

    def shares(self, line: Mapping[str, Any]) -> bool:
        """Tell whether a line is this street, or a part of it, or has it as a part."""
        other = self._in_metres(line)
        common = other.intersection(self.wide).length
        return bool(common >= SHARE_MIN * min(other.length, self.shape.length))

    def rest(self, known: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the parts beside all known lines."""
        import shapely

        others = shapely.union_all([self._in_metres(line).buffer(BESIDE_M) for line in known])
        left = self.shape.difference(others)
        if left.length < (1 - COVERED_SHARE) * self.shape.length:
            return []
        parts = [part for part in getattr(left, "geoms", [left]) if part.length >= REST_MIN_M]
        back = (self.across * METRES_A_DEGREE, METRES_A_DEGREE)
        return [
            {
                "type": "LineString",
                "coordinates": [[round(x / back[0], 7), round(y / back[1], 7)] for x, y in part.coords],
            }
            for part in parts
        ]
