"""Names on maps that the server draws: along their streets where these are long enough, else level beside them, and never over each other.

The script of the living maps (`static/ground.js`) does the same with what it measures; here the widths are estimated.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from telstraat_api.web.projection import Point

NAME_MAX = 40
TURN_MOST = 0.5
"""Radians from one letter to the next: more than that cannot be read."""
PLACES = (0.5, 0.36, 0.64, 0.22, 0.78)
DISC_EVERY = 0.8
APART = 1.25
"""In letters' sizes: what a name takes is discs along it, and those of two names lie so far from each other."""
SPARE = 1.5
"""So many letters' sizes the path of a name is longer at both ends than it is thought to be: what lies beyond is not drawn."""
RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufefc]")
NARROW, SLIM, WIDE = frozenset("ijlI'.,:;|!()[] "), frozenset('frt-/"*'), frozenset("mwMWOQGD@%&—…")
EMS = 0.4, 0.52, 1.0
LOWER, UPPER, FOREIGN = 0.69, 0.8, 1.1


@dataclass(frozen=True)
class MapName:
    """A name and its line in the picture; `lift` is how far beside the line it stands (0: on it), `is_sure` that it may stand level, too."""

    text: str
    line: Sequence[Point]
    lift: float = 0.0
    css: str = ""
    is_sure: bool = False


@dataclass
class FreeRoom:
    """What of a picture is free for names, in discs."""

    width: float
    height: float
    discs: list[Point] = field(default_factory=list)

    def is_free(self, discs: Sequence[Point], apart: float) -> bool:
        """Return whether discs lie in the picture and far enough from all others."""
        edge = apart / 2
        return all(edge <= x <= self.width - edge and edge <= y <= self.height - edge for x, y in discs) and not any(
            math.dist(disc, other) < apart for disc in discs for other in self.discs
        )


def ems(text: str) -> float:
    """Return about how wide a bold text is, in sizes of its letters: that of the widest usual typeface (DejaVu Sans)."""
    return sum(
        EMS[0] if letter in NARROW
        else EMS[1] if letter in SLIM
        else EMS[2] if letter in WIDE
        else FOREIGN if ord(letter) > 0x24F
        else UPPER if letter.isupper()
        else LOWER
        for letter in text
    )  # fmt: skip


def names_drawn(names: Sequence[MapName], size: float, room: FreeRoom, prefix: str) -> Markup:
    """Return the names that find room, the first ones first, as texts of a size; what they take is no longer free.

    Parameters
    ----------
    names
        With their lines in the picture.
    size
        Of the letters, in units of the picture.
    room
        What is free of it.
    prefix
        What the paths' ids begin with, once in a page.
    """
    parts = []
    seen: set[str] = set()
    for number, name in enumerate(names):
        text = name.text[:NAME_MAX] + ("…" if len(name.text) > NAME_MAX else "")
        if not text.strip() or text in seen or len(name.line) < 2:
            continue
        drawn = along(name, text, size, room, f"{prefix}{number}") or (
            level(name, text, size, room) if name.is_sure else None
        )
        if drawn:
            seen.add(text)
            parts.append(drawn)
    return Markup("").join(parts)


def along(name: MapName, text: str, size: float, room: FreeRoom, key: str) -> Markup | None:
    """Return a name along its line, below it or else above, where it is free and can be read from left to right."""
    if RIGHT_TO_LEFT.search(text):
        return None
    wide = ems(text) * size
    for side in (name.lift, -name.lift) if name.lift else (0.0,):
        for line in (beside(name.line, side), beside(name.line[::-1], -side)):
            if (places := stretch(line, wide, size, room)) is not None:
                d = "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in places)
                return Markup(
                    '<path id="{key}" class="name-path" d="{d}"/><text{css} dy=".35em"><textPath href="#{key}" startOffset="50%">{text}</textPath></text>'
                ).format(key=key, d=d, css=css_of(name), text=text)
    return None


def stretch(line: Sequence[Point], wide: float, size: float, room: FreeRoom) -> list[Point] | None:
    """Return the part of a line on which a name of a width is free, straight and read from the left; take its room."""
    long = length(line)
    if long < wide + size:
        return None
    steps = max(2, math.ceil(wide / (size * DISC_EVERY)))
    for share in PLACES:
        first = max(0.0, min(long - wide, share * long - wide / 2))
        discs = [point_at(line, first + wide * step / steps) for step in range(steps + 1)]
        if discs[-1][0] <= discs[0][0] or turns(discs) or not room.is_free(discs, size * APART):
            continue
        room.discs += discs
        return [extended(discs[1], discs[0], size * SPARE), *discs, extended(discs[-2], discs[-1], size * SPARE)]
    return None


def level(name: MapName, text: str, size: float, room: FreeRoom) -> Markup | None:
    """Return a name that stands level below, above or beside the middle of its line."""
    x, y = point_at(name.line, length(name.line) / 2)
    wide, away = ems(text) * size, name.lift + size * 0.3
    steps = max(1, math.ceil(wide / (size * DISC_EVERY)))
    for right, down in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        middle = x + right * (away + wide / 2), y + down * away
        discs = [(middle[0] - wide / 2 + wide * step / steps, middle[1]) for step in range(steps + 1)]
        if room.is_free(discs, size * APART):
            room.discs += discs
            return Markup('<text{css} x="{x}" y="{y}" dy=".35em">{text}</text>').format(
                css=css_of(name), x=round(middle[0]), y=round(middle[1]), text=text
            )
    return None


def css_of(name: MapName) -> Markup:
    """Return the class of a name as an attribute."""
    return Markup(' class="{}"').format(name.css) if name.css else Markup("")


def beside(line: Sequence[Point], away: float) -> list[Point]:
    """Return a line so far to the right of another, as one looks along it in a picture."""
    if not away or len(line) < 2:
        return list(line)
    moved = []
    for at, (x, y) in enumerate(line):
        (ax, ay), (bx, by) = line[max(0, at - 1)], line[min(len(line) - 1, at + 1)]
        long = math.hypot(bx - ax, by - ay) or 1.0
        moved.append((x - (by - ay) / long * away, y + (bx - ax) / long * away))
    return moved


def turns(points: Sequence[Point]) -> bool:
    """Return whether a line turns too sharply somewhere."""
    angles = [math.atan2(by - ay, bx - ax) for (ax, ay), (bx, by) in itertools.pairwise(points)]
    return any(abs(math.remainder(b - a, math.tau)) > TURN_MOST for a, b in itertools.pairwise(angles))


def extended(before: Point, end: Point, by: float) -> Point:
    """Return the point so far beyond an end, straight on."""
    long = math.dist(before, end) or 1.0
    return end[0] + (end[0] - before[0]) / long * by, end[1] + (end[1] - before[1]) / long * by


def length(line: Sequence[Point]) -> float:
    """Return how long a line is."""
    return sum(math.dist(a, b) for a, b in itertools.pairwise(line))


def point_at(line: Sequence[Point], distance: float) -> Point:
    """Return the point of a line after a distance, its ends at the least and most."""
    rest = distance
    for a, b in itertools.pairwise(line):
        step = math.dist(a, b)
        if rest <= step and step > 0:
            share = max(0.0, rest) / step
            return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
        rest -= step
    return line[-1]


def runs_within(line: Sequence[Point], width: float, height: float, spare: float = 0.0) -> Iterator[list[Point]]:
    """Yield the parts of a line that lie in a picture, each with the points before and behind."""
    inside = [-spare <= x <= width + spare and -spare <= y <= height + spare for x, y in line]
    run: list[Point] = []
    for at, point in enumerate(line):
        near = inside[at] or (at > 0 and inside[at - 1]) or (at + 1 < len(line) and inside[at + 1])
        if near:
            run.append(point)
        elif run:
            yield run
            run = []
    if run:
        yield run
