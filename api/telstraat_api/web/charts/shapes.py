"""The picture of a chart: SVG whose shapes stretch with the page and whose text does not, coloured by classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from markupsafe import Markup, escape

from telstraat_api.web.charts.chart import Band, CategoryAxis, Chart, Level, Mark, SeriesKind, TimeAxis
from telstraat_api.web.charts.moments import tick_label
from telstraat_api.web.charts.places import HEIGHT, WIDTH, ChartPlaces, place_of, slot_count, states_of
from telstraat_api.web.charts.scales import finite, time_ticks
from telstraat_api.web.languages import PageLanguage
from telstraat_store.counts.states import State

FILLED = {State.MISSING, State.WITHHELD}
ROWS_OF_NAMES = 3
LETTER = 7 * WIDTH / 560
LETTER_NARROW = 7 * WIDTH / 250
"""How wide a letter is at the least width of a figure that counts as wide, and on a phone."""
PALE_GAP = 0.14
"""The share of a slot that stays free between bars."""


def picture(chart: Chart, places: ChartPlaces, _: PageLanguage) -> str:
    """Return the SVG of a chart."""
    grid = places.scale.values
    shapes = [*areas(chart, places), *bars(chart, places), *zeros(chart, places), *lines(chart, places)]
    parts = [
        *state_bands(chart, places),
        *event_bands(chart, places),
        *grid_lines(grid, places, chart, _),
        *axis_labels(chart, places, _),
        f'<svg class="shapes" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" width="100%" height="100%">',
        *shapes,
        "</svg>",
        *(part for level in chart.levels for part in level_line(level, places)),
        *points(chart, places),
        *(part for mark in chart.marks for part in pin(mark, chart, places)),
        '<rect class="picked" y="0" width="0" height="100%"/>',
    ]
    title = escape(chart.title)
    return f'<svg class="plot" role="img" aria-label="{title}" width="100%" height="100%">{"".join(parts)}</svg>'


def rect(kind: str, left: float, right: float, places: ChartPlaces, title: str = "") -> str:
    """Return a band across the whole height."""
    width = max(0.0, right - left)
    text = f"<title>{escape(title)}</title>" if title else ""
    return f'<rect class="{kind}" x="{places.x(left)}" width="{places.x(width)}" y="0" height="100%">{text}</rect>'


def state_bands(chart: Chart, places: ChartPlaces) -> Iterator[str]:
    """Yield the slots that have no count, neighbours as one: hatched when missing, dotted when withheld."""
    for state, run in groupby(range(slot_count(chart.axis)), states_of(chart).__getitem__):
        slots = list(run)
        if state in FILLED:
            yield rect(f"state-{state.value}", places.slots[slots[0]][0], places.slots[slots[-1]][1], places)
    for band in chart.bands:
        if band.state in FILLED:
            yield rect(f"state-{band.state.value}", *band_ends(band, chart), places, band.name)


def band_ends(band: Band, chart: Chart) -> tuple[float, float]:
    """Return where a band begins and ends."""
    assert isinstance(chart.axis, TimeAxis), "bands need an axis of time"
    return place_of(chart.axis, band.window.start), place_of(chart.axis, band.window.end)


def events_of(chart: Chart) -> list[Band]:
    """Return the bands that are events and touch the axis."""
    if not isinstance(chart.axis, TimeAxis):
        return []
    window = chart.axis.window
    events = (band for band in chart.bands if band.state is None)
    return sorted(
        (band for band in events if band.window.start < window.end and band.window.end > window.start),
        key=lambda band: band.window.start,
    )


def event_bands(chart: Chart, places: ChartPlaces) -> Iterator[str]:
    """Yield events, each with its name in a row where it runs into no other."""
    rows = [-1.0] * ROWS_OF_NAMES
    for band in events_of(chart):
        left, right = band_ends(band, chart)
        yield rect("event", left, max(right, left + WIDTH / 400), places, band.name)
        name = band.name if len(band.name) <= 28 else f"{band.name[:27]}…"
        length = len(name) * LETTER
        start = min(left, WIDTH - length)
        row = next((row for row, end in enumerate(rows) if end < start), None)
        if row is None or start < 0:
            continue
        rows[row] = start + length
        yield f'<text class="event-name" x="{places.x(max(0, start))}" dx="3" y="{1.2 * (row + 1):g}em">{escape(name)}</text>'


def grid_lines(values: Sequence[float], places: ChartPlaces, chart: Chart, _: PageLanguage) -> Iterator[str]:
    """Yield a line and a label for every round value; below the ground line counts of the other direction are positive, too."""
    is_mirrored = any(series.is_below for series in chart.drawn)
    for value in values:
        y = f"{places.y(value) * 100 / HEIGHT:g}%"
        kind = "ground" if value == 0 else "grid"
        label = _.number(abs(value) if is_mirrored else value, places.scale.digits)
        yield f'<line class="{kind}" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        yield f'<text class="y" x="0" y="{y}" dx="-.5em" dy=".33em">{label}</text>'


def axis_labels(chart: Chart, places: ChartPlaces, _: PageLanguage) -> Iterator[str]:
    """Yield the labels below; those that have no room on a phone are of a class that is not shown there."""
    axis = chart.axis
    origin = 0
    if isinstance(axis, CategoryAxis):
        labels = [((left + right) / 2, name) for name, (left, right) in zip(axis.names, places.slots, strict=True)]
    else:
        is_one_day = axis.window.length_s <= 25 * 3600
        ticks = time_ticks(axis.window, axis.tz)
        origin = next(
            (n for n, tick in enumerate(ticks) if n and tick.has_year), 0
        )  # the new year stays, whatever goes
        labels = [
            (place_of(axis, tick.label_at), tick_label(tick, axis.tz, _, is_one_day=is_one_day)) for tick in ticks
        ]
    wide, narrow = every_that_fits(labels, LETTER, origin), every_that_fits(labels, LETTER_NARROW, origin)
    narrow = -(-narrow // wide) * wide
    for n, (place, label) in enumerate(labels):
        if (n - origin) % wide == 0:
            hidden = "" if (n - origin) % narrow == 0 else " wide"
            edge = " at-start" if place < WIDTH / 60 else ""
            yield f'<text class="x{hidden}{edge}" x="{places.x(place)}" y="100%" dy="1.4em">{escape(label)}</text>'


def every_that_fits(labels: Sequence[tuple[float, str]], letter: float, origin: int = 0) -> int:
    """Return how many labels go by from each that is shown to the next, so that none runs into another; `origin` is shown."""
    for every in range(1, len(labels)):
        chosen = labels[origin % every :: every]
        ends = [place + (len(label) + 1.5) * letter / 2 for place, label in chosen]
        starts = [place - len(label) * letter / 2 for place, label in chosen]
        if all(end <= start for end, start in zip(ends, starts[1:], strict=False)):
            return every
    return max(1, len(labels))


def bars(chart: Chart, places: ChartPlaces) -> Iterator[str]:
    """Yield the bars of each series as one path, the pale ones as another."""
    for series in chart.drawn:
        if series.kind is not SeriesKind.BARS:
            continue
        for is_pale in (False, True):
            path = "".join(
                bar_path(places, bar.slot, bar.base, bar.end)
                for bar in places.stacks.get((series.key, series.is_below), ())
                if (bar.slot in series.pale) is is_pale
            )
            if path:
                kind = f"bars is-{series.tone}{' pale' if is_pale else ''}"
                yield f'<path class="{kind}" data-series="{escape(series.key)}" d="{path}"/>'


def bar_path(places: ChartPlaces, slot: int, base: float, end: float) -> str:
    """Return a bar, at least one unit wide and high."""
    left, right = places.slots[slot]
    gap = (right - left) * PALE_GAP / 2 if right - left > WIDTH / 200 else 0
    x, width = round(left + gap), max(1, round(right - gap) - round(left + gap))
    y0, y1 = places.y(base), places.y(end)
    if y0 == y1:
        y1 = y0 - 1 if end > base else y0 + 1
    return f"M{x} {y0}v{y1 - y0}h{width}v{y0 - y1}z"


def zeros(chart: Chart, places: ChartPlaces) -> Iterator[str]:
    """Yield a tick on the ground line for every slot that was counted and had nobody: 0 is a count."""
    stacks = [series for series in chart.drawn if series.kind is SeriesKind.BARS]
    if not stacks:
        return
    filled = {bar.slot for bars_of in places.stacks.values() for bar in bars_of}
    ground = places.y(0)
    path = ""
    for slot, state in enumerate(states_of(chart)):
        values = [series.values[slot] for series in stacks if slot < len(series.values)]
        if state is State.COUNTED and slot not in filled and 0 in values:
            left, right = places.slots[slot]
            path += f"M{round((left + right) / 2)} {ground}v-14"
    if path:
        yield f'<path class="zero" d="{path}"/>'


def middle(places: ChartPlaces, slot: int) -> int:
    """Return the middle of a slot."""
    left, right = places.slots[slot]
    return round((left + right) / 2)


def lines(chart: Chart, places: ChartPlaces) -> Iterator[str]:
    """Yield lines and the middle of areas; they break where there is no value."""
    classes = {SeriesKind.LINE: "line", SeriesKind.THIN: "line thin", SeriesKind.AREA: "line dashed"}
    for series in chart.drawn:
        if series.kind in classes:
            path = line_path(series.values, places)
            if path:
                kind = f"{classes[series.kind]} is-{series.tone}"
                yield f'<path class="{kind}" data-series="{escape(series.key)}" d="{path}"/>'


def line_path(values: Iterable[float | None], places: ChartPlaces) -> str:
    """Return a line through values; a value alone is a short stroke."""
    path = ""
    for has_value, run in groupby(enumerate(values), lambda entry: finite(entry[1]) is not None):
        points_of = [(slot, value) for slot, value in run if value is not None and slot < len(places.slots)]
        if not has_value or not points_of:
            continue
        if len(points_of) == 1:
            [(slot, value)] = points_of
            left, right = places.slots[slot]
            path += f"M{round(left)} {places.y(value)}H{round(right)}"
        else:
            path += "M" + "L".join(f"{middle(places, slot)} {places.y(value)}" for slot, value in points_of)
    return path


def areas(chart: Chart, places: ChartPlaces) -> Iterator[str]:
    """Yield what lies between the bounds of each area, as wide as its slots."""
    for series in chart.drawn:
        if series.kind is not SeriesKind.AREA:
            continue
        path = ""
        bounds = [
            (slot, low, high)
            for slot, (low, high) in enumerate(zip(series.low, series.high, strict=True))
            if slot < len(places.slots) and finite(low) is not None and finite(high) is not None
        ]
        for _, run in groupby(enumerate(bounds), lambda entry: entry[1][0] - entry[0]):
            corners = [bound for _, bound in run]
            upper = [corner(places, slot, high) for slot, _, high in corners if high is not None]
            lower = [corner(places, slot, low, back=True) for slot, low, _ in reversed(corners) if low is not None]
            path += f"M{'L'.join(upper + lower)}z"
        if path:
            yield f'<path class="area is-{series.tone}" data-series="{escape(series.key)}" d="{path}"/>'


def corner(places: ChartPlaces, slot: int, value: float, *, back: bool = False) -> str:
    """Return the two corners of an area over a slot, from left to right or back."""
    left, right = map(round, places.slots[slot])
    y = places.y(value)
    return f"{right} {y}L{left} {y}" if back else f"{left} {y}L{right} {y}"


def points(chart: Chart, places: ChartPlaces) -> Iterator[str]:
    """Yield a dot per value."""
    for series in chart.drawn:
        if series.kind is not SeriesKind.POINTS:
            continue
        dots = ""
        for slot, value in enumerate(series.values[: len(places.slots)]):
            drawn = finite(value)
            if drawn is not None:
                y = places.y(drawn) * 100 / HEIGHT
                dots += f'<circle cx="{places.x(middle(places, slot))}" cy="{y:g}%" r="3.5"/>'
        yield f'<g class="dots is-{series.tone}" data-series="{escape(series.key)}">{dots}</g>'


def level_line(level: Level, places: ChartPlaces) -> Iterator[str]:
    """Yield a line across with its name at the right."""
    y = f"{places.y(level.value) * 100 / HEIGHT:g}%"
    yield f'<line class="level" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
    yield f'<text class="level-name" x="100%" y="{y}" dy="-.4em">{escape(level.name)}</text>'


def pin(mark: Mark, chart: Chart, places: ChartPlaces) -> Iterator[str]:
    """Yield a numbered pin at its place; one beyond the axis is not drawn."""
    axis = chart.axis
    if isinstance(axis, TimeAxis):
        if not isinstance(mark.at, datetime) or not axis.window.start <= mark.at <= axis.window.end:
            return
        x = places.x(place_of(axis, mark.at))
    else:
        if not isinstance(mark.at, int) or not 0 <= mark.at < len(axis.names):
            return
        x = places.x(place_of(axis, mark.at + 0.5))
    value = finite(mark.value)
    y = f"{places.y(value) * 100 / HEIGHT:g}%" if value is not None else "4%"
    body = f'<circle cx="{x}" cy="{y}" r="10"/><text x="{x}" y="{y}" dy=".35em">{mark.number}</text>'
    yield f'<line class="pin-line" x1="{x}" x2="{x}" y1="{y}" y2="100%"/>'
    pin_body = f'<g class="pin" data-mark="{mark.number}"><title>{escape(mark.text)}</title>{body}</g>'
    yield f'<a href="{escape(mark.address)}">{pin_body}</a>' if mark.address else pin_body


def sparkline(values: Sequence[float | None], title: str, tone: str = "ink") -> Markup:
    """Return a small line without axes, as high as a line of text; the title says what it shows."""
    known = [value for value in map(finite, values) if value is not None]
    high, low = max(known, default=1.0), min(0.0, *known) if known else 0.0
    reach = (high - low) or 1.0
    path = ""
    for has_value, run in groupby(enumerate(values), lambda entry: finite(entry[1]) is not None):
        if has_value:
            corners = [
                f"{n * 10 + 5} {round(38 - 36 * (value - low) / reach)}" for n, value in run if value is not None
            ]
            path += f"M{'L'.join(corners)}" if len(corners) > 1 else f"M{corners[0]}h4"
    box = f"0 0 {max(1, len(values)) * 10} 40"
    return Markup(  # noqa: S704
        f'<svg class="spark is-{escape(tone)}" role="img" aria-label="{escape(title)}" viewBox="{box}" preserveAspectRatio="none">'
        f'<path d="{path}"/></svg>'
    )
