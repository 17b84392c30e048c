from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telstraat_api.web.charts import (
    Band,
    CategoryAxis,
    Chart,
    Column,
    Level,
    Mark,
    Series,
    SeriesKind,
    TimeAxis,
    render,
    slots_of,
    sparkline,
)
from telstraat_api.web.charts.places import HEIGHT, WIDTH, places_of
from telstraat_api.web.charts.scales import time_ticks, value_scale
from telstraat_api.web.languages import page_language
from telstraat_contract.languages import LANGUAGES
from telstraat_store.counts.states import State
from telstraat_store.counts.windows import Bucket, Window, local_day

BRUSSELS = ZoneInfo("Europe/Brussels")
ZONES = [
    BRUSSELS,
    ZoneInfo("Asia/Kolkata"),
    ZoneInfo("Australia/Lord_Howe"),
    ZoneInfo("America/Santiago"),
    ZoneInfo("UTC"),
]
ENGLISH = page_language("en")
NUMBERS = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 10**9).map(float))


def of_day(day: date, tz: ZoneInfo = BRUSSELS, bucket: Bucket = Bucket.HOUR) -> TimeAxis:
    window = local_day(day, tz)
    return TimeAxis(window, tz, bucket, slots_of(window, bucket, tz))


def figure(chart: Chart, code: str = "en") -> ET.Element:
    """A figure parsed as XML, so that anything that is not well formed fails."""
    return ET.fromstring(str(render(chart, page_language(code))))


def texts(root: ET.Element, kind: str) -> list[str]:
    return [node.text or "" for node in root.iter("text") if kind in (node.get("class") or "").split()]


def paths(root: ET.Element, kind: str) -> list[str]:
    return [node.get("d") or "" for node in root.iter("path") if kind in (node.get("class") or "").split()]


def corners(path: str) -> list[tuple[int, int]]:
    """Every point that a path goes through."""
    x, y, points = 0, 0, []
    for command, first, second in re.findall(r"([MLHVhv])(-?\d+)(?: (-?\d+))?", path):
        n = int(first)
        if command in "ML":
            x, y = n, int(second)
        elif command in "Hh":
            x = n if command == "H" else x + n
        else:
            y = n if command == "V" else y + n
        points.append((x, y))
    return points


def rows_of(root: ET.Element) -> list[list[str]]:
    return [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")][1:]


@given(st.lists(st.floats(-1e15, 1e15), max_size=30), st.booleans())
def test_a_scale_holds_every_value_and_its_steps_are_round(values: list[float], is_whole: bool) -> None:
    scale = value_scale(values, is_whole=is_whole)
    assert scale.low <= 0 <= scale.high
    assert all(scale.low - scale.step * 1e-6 <= value <= scale.high + scale.step * 1e-6 for value in values)
    assert 2 <= len(scale.values) <= 8
    leading = scale.step / 10 ** math.floor(math.log10(scale.step) + 1e-9)
    assert min(abs(leading - digit) for digit in (1, 2, 5)) < 1e-6
    assert not is_whole or scale.step >= 1
    assert all(0 <= scale.share(value) <= 1 for value in values)


@given(
    st.sampled_from(ZONES),
    st.integers(0, 189 * 365 * 24 * 60),
    st.integers(15, 15 * 4 * 24 * 365 * 30),
)
def test_ticks_are_round_local_times_in_order_and_few(tz: ZoneInfo, start: int, minutes: int) -> None:
    begin = datetime(2001, 1, 1, tzinfo=UTC) + timedelta(minutes=start)
    window = Window(begin, begin + timedelta(minutes=minutes))
    ticks = time_ticks(window, tz)
    assert len(ticks) <= 16
    assert all(window.start <= tick.at < window.end and tick.at <= tick.label_at <= window.end for tick in ticks)
    assert all(before.at < after.at for before, after in pairwise(ticks))
    for tick in ticks:
        local = tick.at.astimezone(tz)
        assert local.minute % 15 == 0
        if tick.unit != "minutes":
            assert local.date() != (tick.at - timedelta(seconds=1)).astimezone(tz).date(), "a day begins here"


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 3, 2), 24), (date(2026, 10, 25), 25)])
def test_a_day_has_as_many_slots_of_one_width_as_it_has_hours(day: date, hours: int) -> None:
    chart = Chart("day", "A day.", of_day(day), [Series("car", "Cars", [1.0] * hours, tone="car")])
    places = places_of(chart)
    widths = [right - left for left, right in places.slots]
    assert len(widths) == hours
    assert max(widths) - min(widths) < 1e-6
    assert places.slots[0][0] == 0
    assert places.slots[-1][1] == pytest.approx(WIDTH)
    names = [row[0] for row in rows_of(figure(chart))]
    assert len(set(names)) == hours, "an hour that comes twice says which it is"


def test_a_day_of_half_an_hours_change_keeps_its_last_slot_short() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    axis = of_day(date(2026, 4, 5), lord_howe)
    assert sum(slot.length_s for slot in axis.slots) == axis.window.length_s == 24.5 * 3600
    rows = rows_of(figure(Chart("d", "A day.", axis, [Series("car", "Cars", [1.0] * len(axis.slots))])))
    assert rows[0][0].startswith("00:00")


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=24, max_size=24), st.sampled_from(LANGUAGES))
def test_whatever_the_values_are_the_figure_is_well_formed_and_stays_within(
    values: list[tuple[float | None, float | None]], code: str
) -> None:
    first, second = [a for a, _ in values], [b for _, b in values]
    series = [
        Series("car", "Cars", first, tone="car"),
        Series("bike", "Bikes", second, tone="bike", is_below=True),
        Series("other", "Other", second, SeriesKind.THIN, "other"),
        Series("dots", "Dots", first, SeriesKind.POINTS),
        Series("usual", "Usual", first, SeriesKind.AREA, "usual", low=second, high=first),
    ]
    root = figure(Chart("day", "A day.", of_day(date(2026, 3, 2)), series), code)
    for path in root.iter("path"):
        points = corners(path.get("d") or "")
        assert all(-1 <= px <= WIDTH + 1 and -15 <= py <= HEIGHT + 1 for px, py in points)
    assert len(rows_of(root)) == 24


def test_bars_stand_upon_each_other_and_the_other_direction_hangs_below() -> None:
    series = [
        Series("car", "Cars", [3.0], tone="car"),
        Series("bike", "Bikes", [1.0], tone="bike"),
        Series("car", "Cars back", [2.0], tone="car", is_below=True),
    ]
    places = places_of(Chart("c", "One.", CategoryAxis(["all"]), series))
    assert [(bar.base, bar.end) for bars in places.stacks.values() for bar in bars] == [
        (0, 3),
        (3, 4),
        (0, -2),
    ]
    assert (places.scale.low, places.scale.high) == (-2, 4)
    labels = texts(figure(Chart("c", "One.", CategoryAxis(["all"]), series)), "y")
    assert not any("-" in label or "−" in label for label in labels), (
        "counts of the other direction are no negative numbers"
    )


def test_the_four_kinds_of_nothing_differ_in_look_and_word() -> None:
    states = [State.COUNTED, State.MISSING, State.WITHHELD, State.NOT_YET]
    axis = CategoryAxis(["zero", "missing", "withheld", "later"])
    root = figure(
        Chart("c", "Four.", axis, [Series("car", "Cars", [0.0, None, None, None], tone="car")], states=states)
    )
    assert len(paths(root, "zero")) == 1
    kinds = [node.get("class") for node in root.iter("rect")]
    assert kinds.count("state-missing") == kinds.count("state-withheld") == 2, "one in the picture, one in the legend"
    assert [row[-1] for row in rows_of(root)] == ["0", "– nobody watched", "– counted, not shown", "– not yet"]


def test_neighbours_in_a_state_share_a_row_unless_something_is_to_be_compared() -> None:
    states = [State.COUNTED, *[State.MISSING] * 3]
    cars = Series("car", "Cars", [1.0, None, None, None], tone="car")
    usual = Series("usual", "Usual", [2.0] * 4, SeriesKind.AREA, "usual", low=[1.0] * 4, high=[3.0] * 4)
    axis = CategoryAxis(["a", "b", "c", "d"])
    assert [row[0] for row in rows_of(figure(Chart("c", "Two.", axis, [cars], states=states)))] == ["a", "b – d"]
    rows = rows_of(figure(Chart("c", "Four.", axis, [cars, usual], states=states)))
    assert rows[1] == ["b", "– nobody watched", "2 (1 to 3)"]


def test_a_hidden_series_is_in_the_legend_only() -> None:
    series = [
        Series("car", "Cars", [9.0], tone="car", is_hidden=True, address="/x?a=1&b=2"),
        Series("bike", "Bikes", [1.0], tone="bike"),
    ]
    root = figure(Chart("c", "One.", CategoryAxis(["all"]), series))
    assert len(paths(root, "bars")) == 1
    assert rows_of(root) == [["all", "1"]]
    assert [link.get("href") for link in root.iter("a")] == ["/x?a=1&b=2"]
    assert places_of(Chart("c", "One.", CategoryAxis(["all"]), series)).scale.high == 1


def test_hostile_texts_stay_texts() -> None:
    evil = '<script>alert("1")</script>\u202e&\x1b'.replace("\x1b", "")
    window = local_day(date(2026, 3, 2), BRUSSELS)
    chart = Chart(
        "c", evil, of_day(date(2026, 3, 2)), [Series(evil, evil, [1.0] * 24)], evil,
        bands=[Band(window, evil)], marks=[Mark(1, evil, window.start, address="/?" + evil)], levels=[Level(1, evil)],
        columns=[Column(evil, [evil] * 24)], zoom=evil,
    )  # fmt: skip
    root = figure(chart)
    assert not list(root.iter("script"))
    assert evil in "".join(root.itertext())


def test_bands_and_pins_outside_of_the_axis_are_not_drawn() -> None:
    axis = of_day(date(2026, 3, 2))
    before = Window(axis.window.start - timedelta(days=2), axis.window.start)
    bands = [
        Band(before, "before"),
        Band(Window(axis.window.start - timedelta(days=1), axis.window.end + timedelta(days=1)), "around"),
    ]
    marks = [Mark(1, "gone", before.start), Mark(2, "there", axis.window.start + timedelta(hours=3), value=0.5)]
    root = figure(Chart("c", "A day.", axis, [Series("car", "Cars", [1.0] * 24)], bands=bands, marks=marks))
    assert texts(root, "event-name") == ["around"]
    assert [node.get("data-mark") for node in root.iter("g") if node.get("data-mark")] == ["2"]


@pytest.mark.parametrize("count", [0, 1])
def test_an_axis_without_slots_or_with_one_is_drawn(count: int) -> None:
    root = figure(Chart("c", "None.", CategoryAxis(["a"] * count), [Series("car", "Cars", [2.0] * count)]))
    assert len(rows_of(root)) == count
    window = local_day(date(2026, 3, 2), BRUSSELS)
    assert not rows_of(figure(Chart("c", "None.", TimeAxis(window, BRUSSELS, Bucket.HOUR, []), [])))


def test_a_figure_stays_small_however_much_it_shows() -> None:
    quarters = of_day(date(2026, 3, 2), bucket=Bucket.QUARTER)
    ways = [Series(f"{n}", f"{n}", [float(7 * n + k) for k in range(96)], is_below=n > 4) for n in range(10)]
    assert len(render(Chart("c", "Quarters.", quarters, ways), ENGLISH)) < 60_000
    window = Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    days = slots_of(window, Bucket.DAY, BRUSSELS)
    classes = [Series(f"{n}", f"{n}", [float(700 * n + k) for k in range(len(days))]) for n in range(5)]
    assert len(render(Chart("c", "Days.", TimeAxis(window, BRUSSELS, Bucket.DAY, days), classes), ENGLISH)) < 200_000


@pytest.mark.parametrize(
    ("code", "number", "month"),
    [("en", "6,000", "Mar"), ("de", "6.000", "Mai"), ("nl", "6.000", "mrt"), ("fr", "6\u202f000", "avr")],
)
def test_numbers_and_dates_are_those_of_the_language(code: str, number: str, month: str) -> None:
    window = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC))
    days = slots_of(window, Bucket.DAY, BRUSSELS)
    root = figure(
        Chart(
            "c", "Days.", TimeAxis(window, BRUSSELS, Bucket.DAY, days), [Series("car", "Cars", [6000.0] * len(days))]
        ),
        code,
    )
    assert number in texts(root, "y")
    assert any(label.startswith(month) for label in texts(root, "x"))


@given(st.lists(NUMBERS, max_size=40))
def test_a_sparkline_is_well_formed_whatever_it_shows(values: list[float | None]) -> None:
    root = ET.fromstring(str(sparkline(values, "Cars & more", "car")))
    assert root.get("aria-label") == "Cars & more"
    heights = [int(y) for y in re.findall(r"[ML]-?\d+ (-?\d+)", root[0].get("d") or "")]
    assert all(0 <= y <= 40 for y in heights)
