"""Tallies: each crossing is booked once, in its class or in the night."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.device.toys import NOON_S, crossing

from telstraat_contract.messages import Confidence, Counts, Directed, Flag
from telstraat_contract.road_users import TOGETHER
from telstraat_device.counting.crossings.crossing import CLASSES, DIRECTIONS
from telstraat_device.quarters.tally import (
    Quarter,
    Tally,
    confidence_of,
    counts_of,
    light_of,
    live_of,
    report_of,
    whole_seconds,
)


def tally_of(*crossings: object, flip: bool = False) -> Tally:
    tally = Tally()
    for passage in crossings:
        tally.count(passage, flip=flip, night_confidence=0.5)  # type: ignore[arg-type]
    return tally


@pytest.mark.parametrize(
    ("class_name", "booked"),
    [
        ("pedestrian", Counts(pedestrian=Directed(1, 0))),
        ("bicycle", Counts(bike=Directed(1, 0))),
        ("motorcycle", Counts(bike=Directed(1, 0), motorcycle=Directed(1, 0))),
        ("car", Counts(car=Directed(1, 0))),
        ("heavy", Counts(heavy=Directed(1, 0))),
    ],
)
def test_each_word_of_the_core_has_its_class(class_name: str, booked: Counts) -> None:
    assert counts_of(tally_of(crossing(class_name=class_name))) == booked


@pytest.mark.parametrize(
    ("direction", "flip", "booked"),
    [
        ("left_to_right", False, Directed(1, 0)),
        ("right_to_left", False, Directed(0, 1)),
        ("left_to_right", True, Directed(0, 1)),
        ("right_to_left", True, Directed(1, 0)),
    ],
)
def test_the_installation_says_which_way_is_forward(direction: str, flip: bool, booked: Directed) -> None:
    assert counts_of(tally_of(crossing(direction=direction), flip=flip)).car == booked


def test_in_the_dark_an_unsure_class_is_booked_as_night_and_nowhere_else() -> None:
    tally = tally_of(crossing(night=True, confidence=0.49, speed_kmh=30.0))
    assert counts_of(tally) == Counts(night=Directed(1, 0))
    assert confidence_of(tally) == Confidence()
    assert tally.car_speed is None
    assert tally.flags == Flag.NIGHT_COUNTED


def test_in_the_dark_a_sure_class_is_booked_as_itself_and_flagged() -> None:
    tally = tally_of(crossing(night=True, confidence=0.5))
    assert counts_of(tally) == Counts(car=Directed(1, 0))
    assert tally.flags == Flag.NIGHT_COUNTED


def test_by_day_an_unsure_class_stays_a_class() -> None:
    assert counts_of(tally_of(crossing(confidence=0.1))).car == Directed(1, 0)


@pytest.mark.parametrize(
    ("speed_kmh", "bin_number"),
    [(0.0, 0), (4.99, 0), (5.0, 1), (30.0, 6), (119.9, 23), (120.0, 24), (260.0, 24), (-1.0, 0)],
)
def test_a_cars_speed_falls_into_its_bin(speed_kmh: float, bin_number: int) -> None:
    speeds = tally_of(crossing(speed_kmh=speed_kmh)).car_speed
    assert speeds is not None
    assert speeds[bin_number] == sum(speeds) == 1


def test_only_cars_have_a_speed_in_the_report_and_none_without_a_scale() -> None:
    assert tally_of(crossing(class_name="heavy", speed_kmh=40.0), crossing()).car_speed is None


def test_confidence_is_the_mean_in_percent_and_motorcycles_count_with_bikes() -> None:
    tally = tally_of(crossing(class_name="bicycle", confidence=0.6), crossing(class_name="motorcycle", confidence=0.9))
    assert confidence_of(tally) == Confidence(bike=75)


def test_the_light_is_what_most_of_it_was_observed_in() -> None:
    tally = Tally()
    for seconds, light in ((100.0, "day"), (300.0, "dusk"), (400.0, "unknown")):
        tally.observe(seconds, light, Flag(0))  # type: ignore[arg-type]
    assert light_of(tally) == "dusk"
    assert light_of(Tally()) == "unknown"


@pytest.mark.parametrize(("observed_s", "whole_s"), [(0.0, 0), (0.4, 0), (899.6, 900), (900.2, 900), (1800.0, 900)])
def test_seconds_are_whole_and_never_more_than_a_quarter(observed_s: float, whole_s: int) -> None:
    assert whole_seconds(observed_s) == whole_s


CROSSINGS = st.lists(
    st.builds(
        crossing,
        class_name=st.sampled_from(CLASSES),
        direction=st.sampled_from(DIRECTIONS),
        confidence=st.floats(0, 1),
        speed_kmh=st.none() | st.floats(0, 200),
        night=st.booleans(),
    ),
    max_size=40,
)


@given(CROSSINGS, CROSSINGS)
def test_two_tallies_merged_are_the_tally_of_both(first: list[object], then: list[object]) -> None:
    merged = tally_of(*first)
    merged.merge(tally_of(*then))
    whole = tally_of(*first, *then)
    assert (merged.counts, merged.car_speed, merged.flags) == (whole.counts, whole.car_speed, whole.flags)
    assert {name: many for name, (_, many) in merged.sureness.items()} == {
        n: many for n, (_, many) in whole.sureness.items()
    }
    crossings = sum(sum(pair) for name, pair in merged.counts.items() if name != "motorcycle")
    assert crossings == len(first) + len(then)


@given(CROSSINGS)
def test_a_report_and_the_live_view_hold_every_crossing_once(crossings: list[object]) -> None:
    quarter = Quarter(NOON_S, tally_of(*crossings))
    for counts in (report_of(quarter, "elm-1", 5, 1).counts, live_of(quarter, "elm-1", NOON_S + 9.0).counts):
        pairs = [getattr(counts, name) for name in TOGETHER]
        assert sum(pair.lft + pair.rgt for pair in pairs) == len(crossings)
