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


def frames(uptime: Uptime, times_s: list[float]) -> None:
    for t_s in times_s:
        uptime.span(t_s, CLEAR)


def test_a_short_stutter_is_observed_and_counted_as_dropped_frames() -> None:
    uptime = Uptime(8.0)
    uptime.span(0.0, CLEAR)
    assert uptime.span(0.375, CLEAR) == ObservedSpan(0.375, 0.375)
    frames(uptime, [0.375 + k / 8 for k in range(1, 40)])
    assert uptime.dropped == 2


def test_a_gap_that_no_track_survives_is_not_observed_and_says_so() -> None:
    uptime = Uptime(10.0)
    uptime.span(0.0, CLEAR)
    span = uptime.span(GAP_MAX_S + 4.0, CLEAR)
    assert span.observed_s == pytest.approx(0.1)
    assert span.length_s == pytest.approx(4.5)
    assert span.flags == Flag.FRAMES_DROPPED
    frames(uptime, [4.5 + k / 10 for k in range(1, 40)])
    assert uptime.dropped == 44


@pytest.mark.parametrize("nominal", [5.0, 15.0, 25.0, 30.0, 60.0])
@pytest.mark.parametrize("fps", [5, 8, 15, 25, 60])
def test_dropped_frames_are_true_at_every_pace_whatever_the_camera_says(fps: int, nominal: float) -> None:
    uptime = Uptime(nominal)
    lost = {100, 200, 201, 333, 334, 335}
    frames(uptime, [k / fps for k in range(500) if k not in lost])
    assert uptime.dropped == len(lost)


def test_a_camera_that_slows_down_at_night_drops_nothing() -> None:
    uptime = Uptime(25.0)
    day = [k / 25 for k in range(500)]
    frames(uptime, day + [day[-1] + k / 12 for k in range(1, 500)])
    assert uptime.dropped <= 1


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
