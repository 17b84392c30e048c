"""Uptime: only what was really looked at is observed."""

from __future__ import annotations

import pytest
from tests.device.toys import GivenView

from telstraat_contract.messages import Flag
from telstraat_device.quarters.uptime import GAP_MAX_S, ObservedSpan, Uptime

CLEAR = GivenView()


def test_the_first_frame_ends_no_span() -> None:
    assert Uptime(10.0).span(5.0, CLEAR) == ObservedSpan()


def test_frames_that_come_in_time_are_all_observed() -> None:
    uptime = Uptime(10.0)
    spans = [uptime.span(k / 10, CLEAR) for k in range(101)]
    assert sum(span.observed_s for span in spans) == pytest.approx(10.0)
    assert uptime.dropped == 0
    assert uptime.fps == pytest.approx(10.0)


def test_a_short_stutter_is_observed_and_counted_as_dropped_frames() -> None:
    uptime = Uptime(8.0)
    uptime.span(0.0, CLEAR)
    assert uptime.span(0.375, CLEAR) == ObservedSpan(0.375, 0.375)
    assert uptime.dropped == 2


def test_a_gap_that_no_track_survives_is_not_observed_and_says_so() -> None:
    uptime = Uptime(10.0)
    uptime.span(0.0, CLEAR)
    span = uptime.span(GAP_MAX_S + 4.0, CLEAR)
    assert span.observed_s == pytest.approx(0.1)
    assert span.length_s == pytest.approx(4.5)
    assert span.flags == Flag.FRAMES_DROPPED
    assert uptime.dropped == 44


def test_a_slow_source_is_not_punished_for_its_pace() -> None:
    uptime = Uptime(1.0)
    uptime.span(0.0, CLEAR)
    assert uptime.span(1.0, CLEAR).observed_s == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("view", "flag"),
    [
        (GivenView(blind=True), Flag.CAMERA_COVERED),
        (GivenView(moved=True), Flag.CAMERA_MOVED),
        (GivenView(too_dark=True, light="night"), Flag.TOO_DARK),
    ],
)
def test_a_view_that_cannot_be_counted_in_is_not_observed(view: GivenView, flag: Flag) -> None:
    uptime = Uptime(10.0)
    uptime.span(0.0, view)
    span = uptime.span(0.1, view)
    assert span.observed_s == 0.0
    assert span.flags == flag
    assert span.light == view.light


def test_learning_is_told_and_still_counts() -> None:
    uptime = Uptime(8.0)
    uptime.span(0.0, GivenView(learning=True))
    span = uptime.span(0.125, GivenView(learning=True, light="dusk"))
    assert span == ObservedSpan(0.125, 0.125, Flag.LEARNING, "dusk")


def test_what_comes_after_an_interruption_does_not_continue_what_was() -> None:
    uptime = Uptime(10.0)
    uptime.span(0.0, CLEAR)
    uptime.interrupted()
    assert uptime.span(0.1, CLEAR).length_s == 0.0


def test_a_clock_of_frames_that_goes_back_observes_nothing() -> None:
    uptime = Uptime(10.0)
    uptime.span(9.0, CLEAR)
    assert uptime.span(3.0, CLEAR).observed_s == 0.0
