"""A chart as a figure: legend, picture, what the bands are called, and the same numbers as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

import orjson
from markupsafe import Markup, escape

from telstraat_api.web.charts.chart import CategoryAxis, Chart, Series, SeriesKind, TimeAxis
from telstraat_api.web.charts.moments import slot_name, stretch_name
from telstraat_api.web.charts.places import places_of, slot_count, states_of
from telstraat_api.web.charts.scales import finite
from telstraat_api.web.charts.shapes import events_of, picture
from telstraat_api.web.languages import UNKNOWN, PageLanguage
from telstraat_api.web.names import STATE_NAMES
from telstraat_contract.languages import gettext_noop
from telstraat_store.counts.states import State
from telstraat_store.counts.windows import Bucket, Window

KEYS = gettext_noop("Arrow keys go through the values, with Shift they select a stretch, Enter picks.")
ZOOM = gettext_noop("Show {from} to {until} only")
SELECTED = gettext_noop("From {from} to {until}")
AS_TABLE = gettext_noop("The same as a table")
HEADS = {
    Bucket.QUARTER: gettext_noop("From"),
    Bucket.HOUR: gettext_noop("From"),
    Bucket.DAY: gettext_noop("Day"),
    Bucket.WEEK: gettext_noop("Week"),
    Bucket.MONTH: gettext_noop("Month"),
    Bucket.YEAR: gettext_noop("Year"),
}
OFF = gettext_noop("(not shown)")
RANGE = gettext_noop("{low} to {high}")
LONGEST_LABEL = 9


def render(chart: Chart, _: PageLanguage) -> Markup:
    """Return the figure of a chart in the language of its page."""
    places = places_of(chart)
    labels = [_.number(value, places.scale.digits) for value in places.scale.values]
    room = min(LONGEST_LABEL, max(map(len, labels)))
    words = {"zoom": _(ZOOM), "selected": _(SELECTED), "keys": _(KEYS)}
    attributes = {
        "id": chart.name,
        "class": f"figure room-{room}",
        "data-chart": "time" if isinstance(chart.axis, TimeAxis) else "category",
        "data-from": str(axis_ends(chart)[0]),
        "data-until": str(axis_ends(chart)[1]),
        "data-low": f"{places.scale.low:g}",
        "data-high": f"{places.scale.high:g}",
        "data-zoom": chart.zoom,
        "data-words": orjson.dumps(words).decode(),
    }
    if isinstance(chart.axis, TimeAxis):
        attributes["data-zone"] = chart.axis.tz.key
    spelt = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items() if value)
    parts = [
        f"<figure{spelt}>",
        *legend(chart, _),
        f'<p class="unit">{escape(chart.unit)}</p>' if chart.unit else "",
        f'<div class="canvas">{picture(chart, places, _)}</div>',
        *notes(chart, _),
        *table(chart, _),
        "</figure>",
    ]
    return Markup("".join(parts))  # noqa: S704


def axis_ends(chart: Chart) -> tuple[int, int]:
    """Return begin and end of an axis: minutes since 1970, or slots."""
    if isinstance(chart.axis, TimeAxis):
        return minutes(chart.axis.window)
    return 0, len(chart.axis.names)


def minutes(window: Window) -> tuple[int, int]:
    """Return begin and end of a window in minutes since 1970."""
    return int(window.start.timestamp() // 60), int(window.end.timestamp() // 60)


def legend(chart: Chart, _: PageLanguage) -> Iterator[str]:
    """Yield the legend: each series with its colour, and the states that are hatched or dotted."""
    entries: dict[str, str] = {}
    for series in chart.series:
        entries.setdefault(series.key, legend_entry(series, _))
    states = {*states_of(chart), *(band.state for band in chart.bands if band.state)}
    for state in (State.MISSING, State.WITHHELD):
        if state in states:
            box = f'<svg class="swatch" viewBox="0 0 13 13" aria-hidden="true"><rect class="state-{state.value}" width="13" height="13"/></svg>'
            entries[f"state {state}"] = f"<li>{box}{escape(_(STATE_NAMES[state]))}</li>"
    if len(entries) > 1:
        yield f'<ul class="legend">{"".join(entries.values())}</ul>'


def legend_entry(series: Series, _: PageLanguage) -> str:
    """Return one line of the legend; a link where the page can switch the series."""
    text = f'<span class="swatch {series.kind.value}"></span>{escape(series.name)}'
    if series.is_hidden:
        text += f' <span class="unseen">{escape(_(OFF))}</span>'
    if series.address is not None:
        text = f'<a href="{escape(series.address)}" data-chart-link="" rel="nofollow">{text}</a>'
    off = " is-off" if series.is_hidden else ""
    return f'<li class="is-{series.tone}{off}" data-key="{escape(series.key)}">{text}</li>'


def notes(chart: Chart, _: PageLanguage) -> Iterator[str]:
    """Yield the events with their times, and the pins with their numbers."""
    axis = chart.axis
    entries = []
    if isinstance(axis, TimeAxis):
        stretches = ((band.name, stretch_name(band.window, axis.tz, _)) for band in events_of(chart))
        entries = [f"<li><b>{escape(name)}</b>: {escape(stretch)}</li>" for name, stretch in stretches]
    entries += [f"<li><b>{mark.number}</b> {escape(mark.text)}</li>" for mark in chart.marks]
    if entries:
        yield f'<ul class="notes">{"".join(entries)}</ul>'


def table(chart: Chart, _: PageLanguage) -> Iterator[str]:
    """Yield the table; without a place of its own it is hidden from the eye only."""
    texts = [column_texts(series, slot_count(chart.axis), _) for series in chart.drawn]
    texts += [list(column.texts) for column in chart.columns]
    heads = "".join(
        f'<th scope="col" class="n is-{series.tone}" data-key="{escape(series.key)}">{escape(series.column or series.name)}</th>'
        for series in chart.drawn
    )
    heads += "".join(f'<th scope="col" class="n">{escape(column.name)}</th>' for column in chart.columns)
    corner = f'<th scope="col">{escape(axis_head(chart, _))}</th>'
    usual = usual_length(chart)
    body = "".join(rows(chart, texts, usual, _))
    inner = f'<table><thead><tr>{corner}{heads}</tr></thead><tbody data-n="{usual}">{body}</tbody></table>'
    title = escape(chart.title)
    if not chart.has_table:
        yield f'<div class="unseen" data-rows="">{inner.replace("<table>", f"<table><caption>{title}</caption>", 1)}</div>'
        return
    yield f'<details class="as-table" id="{escape(chart.name)}-table"><summary>{escape(_(AS_TABLE))}</summary>'
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{title}" data-rows="">{inner}</div></details>'


def axis_head(chart: Chart, _: PageLanguage) -> str:
    """Return the head of the first column."""
    return chart.axis.head if isinstance(chart.axis, CategoryAxis) else _(HEADS[chart.axis.bucket])


def column_texts(series: Series, count: int, _: PageLanguage) -> list[str]:
    """Return a series as texts, one per slot; bounds behind the value that lies in them."""
    padded = [*series.values, *[None] * count][:count]
    texts = [_.number(finite(value), series.digits) for value in padded]
    if series.kind is not SeriesKind.AREA:
        return texts
    spelt = []
    for text, low, high in zip(texts, series.low, series.high, strict=False):
        if finite(low) is None or finite(high) is None:
            spelt.append(text)
            continue
        bounds = _(RANGE, low=_.number(low, series.digits), high=_.number(high, series.digits))
        spelt.append(bounds if text == UNKNOWN else f"{text} ({bounds})")
    return spelt + [UNKNOWN] * (count - len(spelt))


def usual_length(chart: Chart) -> int:
    """Return how long most slots are, which is written once for all of them."""
    if isinstance(chart.axis, CategoryAxis):
        return 1
    lengths = Counter(slot.length_s // 60 for slot in chart.axis.slots)
    return max(lengths, key=lambda length: lengths[length], default=1)


def rows(chart: Chart, texts: Sequence[Sequence[str]], usual: int, _: PageLanguage) -> Iterator[str]:
    """Yield a row per slot; neighbours in a state that is no count share one, unless a column has something to say there."""
    states = states_of(chart)
    for n, (state, run) in enumerate(groupby(range(len(states)), states.__getitem__)):
        slots = list(run)
        says_something = any(column[slot] != UNKNOWN for column in texts for slot in slots if slot < len(column))
        if state is State.COUNTED or says_something:
            for slot in slots:
                cells = "".join(f"<td>{escape(column[slot])}</td>" for column in texts)
                yield row(chart, [slot], cells if state is State.COUNTED else with_state(cells, state, _), usual, _)
        elif n < len(states):
            word = f'<td class="state" colspan="{max(1, len(texts))}">{UNKNOWN} {escape(_(STATE_NAMES[state]))}</td>'
            yield row(chart, slots, word, usual, _)


def with_state(cells: str, state: State, _: PageLanguage) -> str:
    """Return the cells of a slot that was not counted and yet has something to compare with: the first dash becomes the word."""
    return cells.replace(f">{UNKNOWN}<", f">{UNKNOWN} {escape(_(STATE_NAMES[state]))}<", 1)


def row(chart: Chart, slots: Sequence[int], cells: str, usual: int, _: PageLanguage) -> str:
    """Return a row for a slot or several."""
    axis = chart.axis
    if isinstance(axis, CategoryAxis):
        first, last = slots[0], slots[-1] + 1
        name = axis.names[first] if last - first == 1 else f"{axis.names[first]} – {axis.names[last - 1]}"
    else:
        window = Window(axis.slots[slots[0]].start, axis.slots[slots[-1]].end)
        first, last = minutes(window)
        is_one_day = axis.window.length_s <= 25 * 3600
        if len(slots) == 1:
            name = slot_name(window, axis.bucket, axis.tz, _, is_one_day=is_one_day)
        else:
            name = stretch_name(window, axis.tz, _, is_one_day=is_one_day)
    length = "" if last - first == usual else f' data-n="{last - first}"'
    return f'<tr data-at="{first}"{length}><th scope="row">{escape(name)}</th>{cells}</tr>'
