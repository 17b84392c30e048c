"""Draws a soak as one small SVG: four strips over the year, one over the frames."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bench.soak.frames import FramesVerdict
from bench.soak.year import EVENTS, YEAR_DAYS, YearVerdict

WIDTH, STRIP, LEFT, TOP = 760, 92, 70, 26
COLOUR, SHADE, INK = "#0b6e99", "#d8a200", "#555"


def draw(year: YearVerdict, frames: FramesVerdict) -> str:
    """Return the picture."""
    samples = year.samples
    days = [sample.day for sample in samples]
    daily = [
        (later.day, (later.card_mb - sooner.card_mb) / max(later.day - sooner.day, 1e-9))
        for sooner, later in pairwise(samples)
    ]
    strips = [
        ("resident memory of the service, MB", list(zip(days, [s.rss_kb / 1024 for s in samples], strict=True))),
        ("file descriptors", list(zip(days, [float(s.fds) for s in samples], strict=True))),
        ("written to the card's device, MB a day", daily),
        ("reports that wait for a receipt", list(zip(days, [float(s.waiting) for s in samples], strict=True))),
    ]
    parts = []
    marks = [day * year.days / YEAR_DAYS for day, lasts, _ in EVENTS if lasts]
    cuts = [day * year.days / YEAR_DAYS for day, _, what in EVENTS if what.startswith(("power", "broker moves"))]
    for number, (title, points) in enumerate(strips):
        parts += strip(number, title, points, year.days, "day of the year" if number == 3 else "", marks, cuts)
    core = [(sample[0] / 1e6, sample[1] / 1024) for sample in frames.samples]
    parts += strip(4, "resident memory of the counting core, MB", core, frames.frames / 1e6, "million frames", (), ())
    height = 5 * (STRIP + TOP) + 34
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11">'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    )
    return head + "".join(parts) + "</svg>\n"


def strip(
    number: int, title: str, points: Sequence[tuple[float, float]], end: float, axis: str,
    marks: Sequence[float], cuts: Sequence[float],
) -> list[str]:  # fmt: skip
    """Return one strip, its upright axis from zero."""
    if not points or not end:
        return []
    top = number * (STRIP + TOP) + TOP + (18 if number == 4 else 0)
    high = max(value for _, value in points) * 1.15 or 1.0
    right = WIDTH - 14

    def place(x: float, y: float) -> str:
        return f"{LEFT + x / end * (right - LEFT):.1f},{top + STRIP * (1 - y / high):.1f}"

    parts = [f'<text x="{LEFT}" y="{top - 6}" fill="#222" font-weight="600">{title}</text>']
    for x, colour in [*((mark, SHADE) for mark in marks), *((cut, "#b3261e") for cut in cuts)]:
        at = LEFT + x / end * (right - LEFT)
        parts.append(f'<path d="M{at:.1f} {top}v{STRIP}" stroke="{colour}" stroke-width="1" opacity=".55"/>')
    for value in (0.0, high / 1.15):
        y = top + STRIP * (1 - value / high)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="{INK}">{value:.3g}</text>')
    line = " ".join(place(x, y) for x, y in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOUR}" stroke-width="1.4"/>')
    if axis:
        y = top + STRIP + 14
        parts += [
            f'<text x="{LEFT + share * (right - LEFT):.0f}" y="{y}" text-anchor="middle" fill="{INK}">{end * share:.3g}</text>'
            for share in (0.0, 0.25, 0.5, 0.75, 1.0)
        ]
        parts.append(f'<text x="{LEFT - 6}" y="{y}" text-anchor="end" fill="{INK}">{axis.split(maxsplit=1)[0]}</text>')
    return parts
