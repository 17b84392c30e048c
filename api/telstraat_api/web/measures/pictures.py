"""Small pictures of measures as SVG, drawn on the server: how alike streets are, what counting would show, changes with intervals.

Every picture has its numbers in text beside it; colours come from the page's style, so that dark mode and paper have their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

Point = tuple[float, float]
Levels = Sequence[float | None]


def svg(wide: float, high: float, parts: Sequence[str], label: str, kind: str) -> Markup:
    """Return a picture; `parts` are elements whose texts have been escaped."""
    return Markup(  # noqa: S704
        f'<svg class="{kind}" viewBox="0 0 {wide:g} {high:g}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def text(x: float, y: float, content: object, kind: str = "", anchor: str = "start") -> str:
    """Return a text of a picture."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(content)}</text>'


def line(points: Sequence[Point], kind: str) -> str:
    """Return a line through points."""
    return f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def rule(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a straight line."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def stretches(levels: Levels, place: Callable[[int, float], Point]) -> Iterator[list[Point]]:
    """Yield runs of points without a gap: what nobody watched is not drawn."""
    run: list[Point] = []
    for number, level in enumerate(levels):
        if level is None:
            if run:
                yield run
            run = []
        else:
            run.append(place(number, level))
    if run:
        yield run


def alike_picture(own: Levels, other: Levels, label: str) -> Markup:
    """Return the levels of two streets week by week, 1 is usual: the one with the measure pale, the other dark."""
    wide, high = 132.0, 34.0
    known = [level for level in (*own, *other) if level is not None]
    low, top = min([0.7, *known]), max([1.3, *known])
    count = max(len(own), len(other), 2)

    def place(number: int, level: float) -> Point:
        return 2 + (wide - 4) * number / (count - 1), 2 + (high - 4) * (top - level) / (top - low)

    parts = [line(run, "own") for run in stretches(own, place)] + [
        line(run, "other") for run in stretches(other, place)
    ]
    return svg(wide, high, parts, label, "alike")


def curve_picture(
    outlooks: Sequence[Mapping[str, Any]], percent: Callable[[float], str], words: Mapping[str, str]
) -> Markup:
    """Return the smallest change that would be seen after so many weeks, a line per class."""
    wide, high, left, bottom, right = 620.0, 258.0, 46.0, 42.0, 12.0
    weeks = [week for outlook in outlooks for week in outlook["weeks"]]
    most = max(0.1, *(value for outlook in outlooks for value in outlook["smallest"]))
    step = 0.1 if most <= 0.5 else 0.2
    top = step * (int(most / step) + 1)

    def place(week: float, value: float) -> Point:
        return (
            left + (wide - left - right) * week / max(weeks),
            12 + (high - bottom - 12) * (top - value) / top,
        )

    parts = []
    for number in range(int(top / step) + 1):
        y = place(0, number * step)[1]
        parts += [
            rule(left, y, wide - right, y, "gridline"),
            text(left - 6, y + 4, percent(number * step), "axis", "end"),
        ]
    for week in sorted(set(weeks)):
        x = place(week, 0)[0]
        parts += [
            rule(x, high - bottom, x, high - bottom + 4, "tick"),
            text(x, high - bottom + 16, week, "axis", "middle"),
        ]
    parts.append(text((left + wide - right) / 2, high - 3, words["weeks"], "axis", "middle"))
    for outlook in outlooks:
        points = [place(week, value) for week, value in zip(outlook["weeks"], outlook["smallest"], strict=True)]
        parts.append(f'<g class="is-{escape(outlook["what"])}">{line(points, "curve")}')
        parts += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.2"/>' for x, y in points]
        parts.append("</g>")
    return svg(wide, high, parts, words["label"], "curve-picture")


def weeks_picture(weeks: Sequence[Mapping[str, Any]], label: str) -> Markup:
    """Return observed against expected week by week, small: the band is what was to be expected."""
    wide, high = 260.0, 64.0
    latest = [week for week in weeks if week["observed"] is not None][-40:]
    values = [
        week[name] for week in latest for name in ("observed", "expected", "low", "high") if week[name] is not None
    ]
    if len(latest) < 2 or not values:
        return Markup("")
    low, top = min(values), max(values)
    room = (top - low) * 0.06 or 1.0
    low, top = low - room, top + room

    def place(number: int, level: float) -> Point:
        return 2 + (wide - 4) * number / (len(latest) - 1), 2 + (high - 4) * (top - level) / (top - low)

    after = [number for number, week in enumerate(latest) if week["after"]]
    parts = []
    if after:
        band = [place(number, latest[number]["high"]) for number in after]
        band += [place(number, latest[number]["low"]) for number in reversed(after)]
        parts.append(f'<polygon class="band" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in band)}"/>')
        x = place(after[0], low)[0]
        parts.append(rule(x, 0, x, high, "begin"))
    for name, kind in (("expected", "expected"), ("observed", "observed")):
        parts.append(line([place(number, week[name]) for number, week in enumerate(latest)], kind))
    drawn = svg(wide, high, parts, label, "weeks-picture")
    return drawn.replace("<svg ", Markup('<svg preserveAspectRatio="none" '), 1)


def span_of(effects: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Return the ends of a scale on which the intervals of some changes are drawn, zero among them; none is wider than thrice."""
    ends = [float(effect[name]) for effect in effects for name in ("low", "high", "estimate")]
    known = [end for end in ends if abs(end) < 1e6]
    low, high = min([0.0, *known]), max([0.0, *known])
    limit = 3 * max(
        (abs(float(effect["estimate"])) for effect in effects if abs(float(effect["estimate"])) < 1e6), default=1.0
    )
    low, high = max(low, -max(limit, 0.5)), min(high, max(limit, 0.5))
    room = 0.06 * (high - low) or 0.1
    return low - room, high + room


def interval_picture(effect: Mapping[str, Any], scale: tuple[float, float], kind: str) -> Markup:
    """Return a change as a point on its interval, beside zero; its numbers stand in the same row."""
    wide, high = 220.0, 22.0
    low, top = scale

    def place(value: float) -> float:
        return min(max((value - low) / (top - low), 0.0), 1.0) * (wide - 8) + 4

    zero, y = place(0.0), high / 2
    parts = [
        rule(zero, 1, zero, high - 1, "zero"),
        rule(place(float(effect["low"])), y, place(float(effect["high"])), y, "span"),
        f'<circle class="point" cx="{place(float(effect["estimate"])):.1f}" cy="{y:g}" r="5"/>',
    ]
    return Markup(  # noqa: S704
        f'<svg class="interval is-{escape(kind)}" viewBox="0 0 {wide:g} {high:g}" aria-hidden="true">{"".join(parts)}</svg>'
    )
