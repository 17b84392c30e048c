"""Where the slots of a chart lie, in thousandths of a per cent of its width, and on which scale its values stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from telstraat_api.web.charts.chart import CategoryAxis, Chart, Series, SeriesKind, TimeAxis
from telstraat_api.web.charts.scales import ValueScale, finite, value_scale
from telstraat_store.counts.states import State

WIDTH = 4000
HEIGHT = 1000
"""Shapes are drawn in units of these, whole numbers, and stretched to whatever room there is; text is not."""


@dataclass(frozen=True)
class Bar:
    """A bar of a stack: its slot, and from which value to which it reaches."""

    slot: int
    base: float
    end: float


@dataclass(frozen=True)
class ChartPlaces:
    """Slots from left to right in units of `WIDTH`, the scale of the values, the bars stacked."""

    slots: Sequence[tuple[float, float]]
    scale: ValueScale
    stacks: dict[tuple[str, bool], list[Bar]]

    def x(self, share: float) -> str:
        """Return a place across as a percentage, for what is not stretched."""
        return f"{round(share * 100 / WIDTH, 2):g}%"

    def y(self, value: float) -> int:
        """Return a place from the top in units of `HEIGHT`."""
        return round(self.scale.share(value) * HEIGHT)


def states_of(chart: Chart) -> list[State]:
    """Return the state of every slot."""
    count = slot_count(chart.axis)
    return list(chart.states[:count]) + [State.COUNTED] * (count - len(chart.states))


def slot_count(axis: TimeAxis | CategoryAxis) -> int:
    """Return how many slots an axis has."""
    return len(axis.slots) if isinstance(axis, TimeAxis) else len(axis.names)


def place_of(axis: TimeAxis | CategoryAxis, at: datetime | float) -> float:
    """Return where a time, or a slot counted from 0, lies across in units of `WIDTH`; outside of the axis at its border."""
    if isinstance(axis, TimeAxis):
        assert isinstance(at, datetime)
        share = (at - axis.window.start) / (axis.window.end - axis.window.start)
    else:
        assert not isinstance(at, datetime)
        share = at / max(1, len(axis.names))
    return min(1.0, max(0.0, share)) * WIDTH


def slot_places(axis: TimeAxis | CategoryAxis) -> list[tuple[float, float]]:
    """Return where each slot begins and ends."""
    if isinstance(axis, TimeAxis):
        return [(place_of(axis, slot.start), place_of(axis, slot.end)) for slot in axis.slots]
    return [(place_of(axis, n), place_of(axis, n + 1)) for n in range(len(axis.names))]


def places_of(chart: Chart) -> ChartPlaces:
    """Return where everything of a chart stands."""
    count = slot_count(chart.axis)
    stacks = stacked([series for series in chart.drawn if series.kind is SeriesKind.BARS], count)
    reach = [bar.end for bars in stacks.values() for bar in bars]
    for series in chart.drawn:
        if series.kind is not SeriesKind.BARS:
            reach += drawn_values(series, count)
    reach += [level.value for level in chart.levels if finite(level.value) is not None]
    reach += [mark.value for mark in chart.marks if finite(mark.value) is not None and mark.value is not None]
    return ChartPlaces(slot_places(chart.axis), value_scale(reach, is_whole=chart.is_whole), stacks)


def drawn_values(series: Series, count: int) -> Iterator[float]:
    """Yield every value of a line, an area or points that can be drawn."""
    for values in (series.values, series.low, series.high):
        for value in values[:count]:
            drawn = finite(value)
            if drawn is not None:
                yield drawn


def stacked(bars: Sequence[Series], count: int) -> dict[tuple[str, bool], list[Bar]]:
    """Return the bars of each series upon those before it; those of the other direction below the ground line."""
    tops, bottoms = [0.0] * count, [0.0] * count
    stacks: dict[tuple[str, bool], list[Bar]] = {}
    for series in bars:
        ends = bottoms if series.is_below else tops
        stack = stacks.setdefault((series.key, series.is_below), [])
        for slot, value in enumerate(series.values[:count]):
            height = finite(value)
            if not height or height < 0:
                continue
            base = ends[slot]
            ends[slot] = base - height if series.is_below else base + height
            stack.append(Bar(slot, base, ends[slot]))
    return stacks
