"""What a chart consists of: an axis of slots, series of values in them, bands and marks. `render` makes it a figure.

    from telstraat_api.web.charts import Band, Chart, SeriesKind, Series, TimeAxis, render, slots_of

    axis = TimeAxis(local_day(day, tz), tz, Bucket.HOUR, slots_of(local_day(day, tz), Bucket.HOUR, tz))
    chart = Chart(
        name="day",                                       # id of the figure, alone on its page
        title=_("Road users through the day, by class."), # one sentence: what a screen reader says first
        unit=_("road users per hour"),
        axis=axis,
        series=[
            Series("car", _("Cars"), cars, tone="car"),   # bars that are stacked; a value per slot, None where there is none
            Series("usual", _("usual"), usual, SeriesKind.AREA, "usual", low=low, high=high),
        ],
        states=states,                                    # a `State` per slot: hatched, dotted, empty; counted where left out
        bands=[Band(Window(start, end), _("Roadworks"))],
    )
    pages.render(request, "....html", chart=render(chart, page_language(chosen(request))))

In the template: `{{ chart }}`, with `asset('charts/chart.css')` among the styles and `<script defer src="{{ asset('charts/chart.js') }}">` among
the scripts. Without the script it is a picture with its table; with it, it can be read by pointer, touch and arrow keys, and it fires
`chart:select` (`detail: {from, until}`, UTC) and `chart:pick` (`detail: {at, until}`), which bubble up from the figure (`data-chart`).
On an axis of categories both say the number of the slot. `window.charts.replace(figure, html)` puts a fresh figure in its place.
An ancestor of class `is-large` makes it fit for a projector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from telstraat_store.counts.states import State
from telstraat_store.counts.windows import Bucket, Window, next_start, start_of

Values = Sequence[float | None]


class SeriesKind(StrEnum):
    """How a series is drawn."""

    BARS = "bars"  # stacked upon those before it
    LINE = "line"
    THIN = "thin"  # a line of what is compared with
    POINTS = "points"
    AREA = "area"  # from `low` to `high`, its values as a line in it: the usual, the expected


@dataclass(frozen=True)
class TimeAxis:
    """A stretch of time by the clock of a street, and the slots in it that have values: in order, whole or clipped."""

    window: Window
    tz: ZoneInfo
    bucket: Bucket
    slots: Sequence[Window]


@dataclass(frozen=True)
class CategoryAxis:
    """Slots that have names and are equally wide: hours of the day, days of the week, classes."""

    names: Sequence[str]
    head: str = ""  # of the column with the names in the table


@dataclass(frozen=True)
class Series:
    """Values, one per slot; None where there is none.

    Parameters
    ----------
    key, name
        Its name in addresses and scripts; as people read it.
    values
        One per slot. What is no finite number counts as None.
    kind
        How it is drawn.
    tone
        The class `is-TONE` of the style sheet that has its colour: a class of road users, `usual`, `other`, `ink`.
    low, high
        The bounds of an area, one per slot.
    is_below
        Bars that hang below the ground line: the other direction.
    is_hidden
        It is in the legend only.
    pale
        Slots whose bars are uncertain, and drawn pale.
    address
        Where the legend leads for a page with this series switched; without one the script hides it in the browser.
    digits
        Decimals in the table.
    column
        The head of its column in the table, where that is not its name.
    """

    key: str
    name: str
    values: Values
    kind: SeriesKind = SeriesKind.BARS
    tone: str = "ink"
    low: Values = ()
    high: Values = ()
    is_below: bool = False
    is_hidden: bool = False
    pale: frozenset[int] = frozenset()
    address: str | None = None
    digits: int = 0
    column: str = ""


@dataclass(frozen=True)
class Band:
    """A stretch of the axis with a name, drawn behind: an event, or a state that is not a count."""

    window: Window
    name: str
    state: State | None = None  # None: an event


@dataclass(frozen=True)
class Mark:
    """A pin with a number at a slot or a time; at a value when there is one, else at the top."""

    number: int
    text: str
    at: datetime | int
    value: float | None = None
    address: str | None = None


@dataclass(frozen=True)
class Column:
    """A column of the table that is not drawn, one text per slot."""

    name: str
    texts: Sequence[str]


@dataclass(frozen=True)
class Level:
    """A line across the whole chart with a name: a speed limit, zero change."""

    value: float
    name: str


@dataclass(frozen=True)
class Chart:
    """A chart; see the module.

    Parameters
    ----------
    name
        The id of the figure.
    title
        A sentence that says what is to be seen.
    axis, series, bands, marks, levels
        What is drawn.
    unit
        What the numbers at the side count.
    states
        One per slot; a slot that is not counted is hatched, dotted or empty, and its row in the table says so in words.
    columns
        More columns of the table.
    zoom
        An address with `{from}` and `{until}` to which a selected stretch leads; empty for none.
    has_table
        Whether its table stands below it; otherwise it is there for the script and screen readers.
    is_whole
        Values are whole numbers: no step at the side is smaller than 1.
    """

    name: str
    title: str
    axis: TimeAxis | CategoryAxis
    series: Sequence[Series]
    unit: str = ""
    states: Sequence[State] = ()
    bands: Sequence[Band] = ()
    marks: Sequence[Mark] = ()
    levels: Sequence[Level] = ()
    columns: Sequence[Column] = ()
    zoom: str = ""
    has_table: bool = True
    is_whole: bool = True

    @property
    def drawn(self) -> list[Series]:
        """The series that are not hidden."""
        return [series for series in self.series if not series.is_hidden]


def slots_of(window: Window, bucket: Bucket, tz: ZoneInfo) -> list[Window]:
    """Return the periods of a length that lie in a window; those at its ends are clipped. Local days have 23 to 25 hours."""
    slots = []
    start = start_of(window.start, bucket, tz)
    while start < window.end:
        end = next_start(start, bucket, tz)
        slots.append(Window(max(start, window.start), min(end, window.end)))
        start = end
    return slots
