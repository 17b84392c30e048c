"""Times of frames: the stream's own where they are true, regular ones where there are none."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from telstraat_device.cameras.stream_clock import CUT_S, PROOF_S, FileClock, RegularClock, StreamClock

FPS = 25.0


def even(frames: int, begins_s: float = 0.0) -> list[float]:
    return [begins_s + number / FPS for number in range(frames)]


def bursts(times_s: list[float], every_s: float) -> list[float]:
    """Return when frames come that a network holds back and hands out together."""
    return [math.ceil(t_s / every_s + 1e-9) * every_s for t_s in times_s]


def steps(times_s: list[float]) -> list[float]:
    return [b - a for a, b in pairwise(times_s)]


def given(stamps_s: list[float], arrivals_s: list[float]) -> tuple[list[float], StreamClock]:
    clock = StreamClock(FPS)
    times = [clock.time(*pair) for pair in zip(stamps_s, arrivals_s, strict=True)]
    return [t_s for t_s in times if t_s is not None], clock


def test_frames_in_bursts_keep_the_times_at_which_they_were_taken() -> None:
    stamps = even(500, begins_s=7200.0)
    times, clock = given(stamps, bursts(stamps, 0.3))
    assert clock.timed
    assert steps(times) == pytest.approx([1 / FPS] * 499)


def test_the_first_second_that_is_read_at_once_is_a_second_all_the_same() -> None:
    stamps = even(250)
    times, clock = given(stamps, [max(1.0, t_s) for t_s in stamps])
    assert clock.timed
    assert times == pytest.approx(stamps)


def test_a_stall_whose_frames_come_later_and_one_whose_frames_are_lost_are_told_apart() -> None:
    stamps = even(250)
    late = [9.0 if 3.0 <= t_s < 9.0 else t_s for t_s in stamps]
    times, _ = given(stamps, late)
    assert max(steps(times)) == pytest.approx(1 / FPS)
    left = [t_s for t_s in stamps if not 3.0 <= t_s < 6.0]
    times, _ = given(left, left)
    assert max(steps(times)) == pytest.approx(3.0 + 1 / FPS, abs=1e-6)


@pytest.mark.parametrize("jump_s", [-5.0, -(2.0**33) / 90_000, 3600.0, 1e9])
def test_a_camera_whose_clock_is_set_cuts_what_was_tracked_and_goes_on(jump_s: float) -> None:
    arrivals = even(500)
    stamps = [t_s + (jump_s if number >= 200 else 0.0) for number, t_s in enumerate(arrivals)]
    times, clock = given(stamps, arrivals)
    assert clock.timed
    assert steps(times)[199] == pytest.approx(CUT_S)
    assert sum(steps(times)) == pytest.approx(arrivals[-1] + CUT_S - 1 / FPS)
    assert all(step > 0 for step in steps(times))


@pytest.mark.parametrize("stamp_s", [0.0, math.nan, 12.5])
def test_a_stream_without_times_gets_regular_ones_and_no_speeds(stamp_s: float) -> None:
    arrivals = bursts(even(750), 0.3)
    times, clock = given([stamp_s] * 750, arrivals)
    assert not clock.timed
    late_steps = steps(times)[200:]
    assert max(late_steps) < 1.5 / FPS
    assert min(late_steps) > 0.5 / FPS
    assert times[-1] == pytest.approx(arrivals[-1], abs=CUT_S + 0.6)
    assert clock.regular.jitter_s is not None
    assert clock.regular.jitter_s > 0.05


@pytest.mark.parametrize("every", [25, 2])
def test_a_picture_that_is_given_again_under_its_own_time_is_no_frame(every: int) -> None:
    stamps = even(500)
    again = [t_s for number, t_s in enumerate(stamps) for _ in range(1 + (number % every == 0))]
    times, clock = given(again, again)
    assert clock.timed
    assert times == pytest.approx(stamps)


def test_speeds_wait_until_the_pace_is_proven_and_wait_again_after_a_jump() -> None:
    clock = StreamClock(FPS)
    proven = []
    for number, arrival_s in enumerate(even(1000)):
        clock.time(arrival_s + (500.0 if number >= 500 else 0.0), arrival_s)
        proven.append(clock.proven)
    first, again = proven.index(True), proven.index(True, 500)
    assert 2 * PROOF_S <= first / FPS <= 2 * PROOF_S + 1
    assert not any(proven[500:again])
    assert 2 * PROOF_S <= (again - 500) / FPS <= 2 * PROOF_S + 1


def test_times_that_are_made_up_at_another_pace_never_tell_a_speed() -> None:
    clock = StreamClock(FPS)
    for number in range(1000):  # 10 pictures a second, numbered as if they were 25
        clock.time(number / 25, number / 10)
        assert not clock.proven
    assert not clock.timed


def test_times_that_go_to_and_fro_are_no_times() -> None:
    chance = random.Random(1)
    arrivals = even(200)
    times, clock = given([chance.uniform(0, 5) for _ in arrivals], arrivals)
    assert not clock.timed
    assert all(step > 0 for step in steps(times))


@pytest.mark.parametrize(("rate", "timed"), [(1.0, True), (1.001, True), (0.5, False), (1.5, False), (1000.0, False)])
def test_a_clock_that_does_not_count_seconds_is_not_believed(rate: float, timed: bool) -> None:
    arrivals = even(2500)
    _, clock = given([rate * t_s for t_s in arrivals], arrivals)
    assert clock.timed is timed


def test_a_regular_clock_follows_the_pace_that_comes_and_not_the_one_that_was_said() -> None:
    clock = RegularClock(25.0)
    times = [clock.time(number / 8) for number in range(400)]
    assert steps(times)[-1] == pytest.approx(1 / 8, rel=0.02)
    assert times[-1] == pytest.approx(399 / 8, abs=0.2)


def test_a_film_of_a_steady_rate_is_timed_by_its_rate_exactly() -> None:
    clock = FileClock(30.0, 25.0)
    assert [clock.time(0.033 + round(n / 30, 3)) for n in range(90)] == [n / 30 for n in range(90)]
    assert clock.timed


def test_a_film_of_a_variable_rate_is_timed_by_its_frames() -> None:
    stamps = [n / 25 for n in range(100) if not 20 <= n < 45 and (n < 60 or n % 3 == 0)]
    clock = FileClock(len(stamps) / 4, 25.0)
    assert [clock.time(t_s) for t_s in stamps] == pytest.approx(stamps, abs=1e-3)


def test_a_film_without_times_has_its_rate_and_without_that_no_speeds() -> None:
    with_rate, without = FileClock(20.0, 25.0), FileClock(None, 25.0)
    assert [with_rate.time(0.0) for _ in range(4)] == [0.0, 0.05, 0.1, 0.15]
    assert [without.time(math.nan) for _ in range(4)] == pytest.approx([0.0, 0.04, 0.08, 0.12])
    assert with_rate.timed
    assert not without.timed
