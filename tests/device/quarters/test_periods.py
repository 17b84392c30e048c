"""Which quarter a crossing and a second belong to: clocks that jump, stop, or are not set lose and double nothing."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.device.toys import NOON_S, QUARTER_S, at, late, second

from telstraat_contract.messages import Flag
from telstraat_device.quarters.clock import ClockReading
from telstraat_device.quarters.periods import BACK_MAX_S, GRACE_S, SLICE_S, Periods, Rules, SavedState
from telstraat_device.quarters.tally import Quarter
from telstraat_device.quarters.uptime import ObservedSpan


def run_seconds(periods: Periods, first: int, last: int, *, cars_every: int = 0) -> None:
    """Observe every second from `first` to `last`, both included; the first begins the watch."""
    for s in range(first, last + 1):
        span = second() if s > first else ObservedSpan(light="day")
        periods.observe(at(s), span, [late()] if cars_every and s % cars_every == 0 else [])


def cars(quarters: list[Quarter]) -> int:
    return sum(sum(quarter.tally.counts.get("car", (0, 0))) for quarter in quarters)


def observed(quarters: list[Quarter]) -> float:
    return sum(quarter.tally.observed_s for quarter in quarters)


def everything(periods: Periods) -> list[Quarter]:
    """Stop, and return every quarter that was closed."""
    periods.stop()
    return periods.take_closed()


def restarted(periods: Periods, boot: str = "recording") -> Periods:
    """Return what a restart makes of the saved state."""
    state = msgspec.json.decode(msgspec.json.encode(periods.state), type=SavedState)
    return Periods(state, dict(periods.held), boot=boot)


def test_a_whole_quarter_is_observed_for_900_seconds_and_has_no_flag() -> None:
    periods = Periods()
    run_seconds(periods, 0, 2 * QUARTER_S, cars_every=90)
    first, *rest = everything(periods)
    assert first.start_s == NOON_S
    assert first.tally.observed_s == pytest.approx(QUARTER_S)
    assert first.tally.flags == 0
    assert cars([first]) == 10
    assert cars([first, *rest]) == 21


def test_a_span_that_crosses_the_edge_is_shared_between_its_quarters() -> None:
    periods = Periods()
    periods.observe(at(897.0), ObservedSpan())
    periods.observe(at(902.0), ObservedSpan(5.0, 5.0))
    first, then = everything(periods)
    assert [first.tally.observed_s, then.tally.observed_s] == pytest.approx([3.0, 2.0])


def test_a_quarter_waits_a_little_for_crossings_that_are_told_late() -> None:
    periods = Periods()
    run_seconds(periods, 890, 905)
    periods.observe(at(906), second(), [late(lag_s=7.0)])
    assert not periods.take_closed()
    run_seconds(periods, 907, 912)
    (first,) = periods.take_closed()
    assert cars([first]) == 1
    assert not first.tally.flags & Flag.CLOCK_STEPPED


def test_a_crossing_told_too_late_goes_into_the_next_quarter_and_is_flagged() -> None:
    periods = Periods()
    run_seconds(periods, 890, 920)
    periods.observe(at(921), second(), [late(lag_s=25.0)])
    first, then = everything(periods)
    assert (cars([first]), cars([then])) == (0, 1)
    assert then.tally.flags & Flag.CLOCK_STEPPED


def test_counting_that_begins_or_ends_inside_says_so() -> None:
    periods = Periods()
    run_seconds(periods, 300, 1000)
    first, then = everything(periods)
    assert first.tally.flags == Flag.PARTIAL_START
    assert then.tally.flags == Flag.PARTIAL_END


def test_a_restart_after_a_kill_goes_on_in_the_same_quarter() -> None:
    periods = Periods()
    run_seconds(periods, 0, 300, cars_every=100)
    again = restarted(periods)
    run_seconds(again, 320, 1000, cars_every=100)
    first, then = everything(again)
    assert (first.start_s, first.generation, then.generation) == (NOON_S, 0, 0)
    assert cars([first]) == 4 + 5
    assert first.tally.observed_s == pytest.approx(300 + 580)
    assert first.tally.flags == Flag.RESTARTED


def test_a_restart_after_the_quarter_has_passed_closes_it_as_it_was() -> None:
    periods = Periods()
    run_seconds(periods, 0, 300, cars_every=100)
    again = restarted(periods)
    again.observe(at(5000), ObservedSpan())
    (first,) = again.take_closed()
    assert cars([first]) == 4
    assert first.tally.flags == Flag.RESTARTED | Flag.PARTIAL_END


def test_a_stop_and_a_start_in_one_quarter_are_two_part_observations() -> None:
    periods = Periods()
    run_seconds(periods, 0, 300, cars_every=100)
    (before,) = everything(periods)
    again = restarted(periods)
    run_seconds(again, 400, 1000, cars_every=100)
    rest, then = everything(again)
    assert before.start_s == rest.start_s == NOON_S
    assert (before.generation, rest.generation, then.generation) == (0, 1, 1)
    assert (cars([before]), cars([rest])) == (4, 5)
    assert before.tally.observed_s + rest.tally.observed_s == pytest.approx(800)
    assert rest.tally.flags == Flag.PARTIAL_START


def test_a_stop_after_the_end_of_a_quarter_does_not_reopen_it() -> None:
    periods = Periods()
    run_seconds(periods, 0, 903)
    closed = everything(periods)
    again = restarted(periods)
    run_seconds(again, 910, 1900)
    closed += everything(again)
    keys = [(quarter.generation, quarter.start_s) for quarter in closed]
    assert len(set(keys)) == len(keys)
    assert [start for generation, start in keys if generation == 0] == [NOON_S, NOON_S + QUARTER_S]


def test_a_jump_forward_leaves_two_flagged_part_quarters_and_nothing_between() -> None:
    periods = Periods()
    run_seconds(periods, 0, 300, cars_every=100)
    for s in range(301, 400):
        periods.observe(ClockReading(NOON_S + s + 2 * 86_400, s), second())
    first, then = everything(periods)
    assert first.start_s == NOON_S
    assert then.start_s == NOON_S + 2 * 86_400
    assert first.tally.flags & then.tally.flags & Flag.CLOCK_STEPPED
    assert first.tally.observed_s + then.tally.observed_s == pytest.approx(399)


def test_a_jump_back_never_reopens_a_closed_quarter_and_loses_nothing() -> None:
    periods = Periods()
    run_seconds(periods, 0, 1000, cars_every=100)
    closed = periods.take_closed()
    for s in range(1001, 1001 + 4600):
        periods.observe(ClockReading(NOON_S + s - 3600, s), second(), [late()] if s % 100 == 0 else [])
    closed += everything(periods)
    starts = [quarter.start_s for quarter in closed]
    assert starts == sorted(set(starts))
    assert {quarter.generation for quarter in closed} == {0}
    assert cars(closed) == 56 + 1
    assert closed[1].tally.flags & Flag.CLOCK_STEPPED


def test_a_jump_back_inside_the_open_quarter_stays_in_it() -> None:
    periods = Periods()
    run_seconds(periods, 0, 600, cars_every=100)
    for s in range(601, 700):
        periods.observe(ClockReading(NOON_S + s - 500, s), second())
    (only,) = everything(periods)
    assert only.tally.flags & Flag.CLOCK_STEPPED
    assert only.tally.observed_s == pytest.approx(699)


def test_a_quarter_that_lies_ahead_after_a_jump_back_is_taken_back() -> None:
    periods = Periods()
    run_seconds(periods, 0, 100, cars_every=100)
    for s in range(101, 200):
        periods.observe(ClockReading(NOON_S + s + 86_400, s), second(), [late()])
    periods.observe(at(200), second())
    run_seconds(periods, 201, 1000)
    closed = everything(periods)
    assert max(quarter.start_s for quarter in closed) == NOON_S + QUARTER_S
    assert cars(closed) == 2 + 99


def test_a_clock_that_was_ahead_by_days_does_not_hold_counts_back_for_days() -> None:
    periods = Periods()
    ahead_s = 3 * 86_400
    run_seconds(periods, ahead_s, ahead_s + 1000, cars_every=100)
    closed = periods.take_closed()
    for s in range(1001, 3000):
        periods.observe(ClockReading(NOON_S + s, ahead_s + s), second(), [late()] if s % 100 == 0 else [])
    closed += everything(periods)
    assert ahead_s > BACK_MAX_S
    assert {quarter.generation for quarter in closed} == {0, 1}
    assert next(quarter.start_s for quarter in closed if quarter.generation == 1) == NOON_S + QUARTER_S
    assert cars(closed) == 11 + 19


def test_a_clock_that_is_not_set_holds_counts_until_it_is() -> None:
    periods = Periods(boot="b1")
    for s in range(1200):
        periods.observe(
            ClockReading(s, 50.0 + s, trusted=False),
            second() if s else ObservedSpan(),
            [late()] if s % 100 == 0 else [],
        )
    assert not periods.state.open
    periods.observe(ClockReading(NOON_S + 1200.0, 1250.0), second())
    closed = everything(periods)
    assert [quarter.start_s for quarter in closed] == [NOON_S, NOON_S + QUARTER_S]
    assert cars(closed) == 12
    assert (cars(closed[:1]), cars(closed[1:])) == (9, 3)
    assert observed(closed) == pytest.approx(1200)
    assert all(quarter.tally.flags & Flag.CLOCK_CORRECTED for quarter in closed)
    assert not periods.held


def test_a_shift_misplaces_nothing_by_more_than_a_slice() -> None:
    periods = Periods(boot="b1")
    for s in range(600):
        periods.observe(ClockReading(0.0, float(s), trusted=False), second() if s else ObservedSpan())
    offset_s = NOON_S + 900 - 300.5
    periods.observe(ClockReading(offset_s + 600, 600.0), second())
    first, then = everything(periods)
    assert abs(first.tally.observed_s - 300.5) <= SLICE_S
    assert first.tally.observed_s + then.tally.observed_s == pytest.approx(600)


def test_held_counts_survive_a_restart_of_the_service() -> None:
    periods = Periods(boot="b1")
    for s in range(100):
        periods.observe(
            ClockReading(s, float(s), trusted=False), second() if s else ObservedSpan(), [late()] if s % 10 == 0 else []
        )
    again = restarted(periods, boot="b1")
    again.observe(ClockReading(NOON_S + 110.0, 110.0), ObservedSpan())
    (only,) = everything(again)
    assert cars([only]) == 10
    assert only.from_s == pytest.approx(NOON_S)


def test_counts_of_an_earlier_boot_are_put_as_late_as_they_can_have_been() -> None:
    periods = Periods(boot="b1")
    for s in range(100):
        periods.observe(
            ClockReading(s, 30.0 + s, trusted=False), second() if s else ObservedSpan(), [late()] if s % 10 == 0 else []
        )
    again = restarted(periods, boot="b2")
    for s in range(50):
        again.observe(
            ClockReading(s, 20.0 + s, trusted=False), second() if s else ObservedSpan(), [late()] if s % 10 == 0 else []
        )
    again.observe(ClockReading(NOON_S + 870.0, 70.0), ObservedSpan())
    (only,) = everything(again)
    assert cars([only]) == 15
    assert only.from_s == pytest.approx(NOON_S + 800 - 100)
    assert not again.held


def test_an_open_quarter_of_before_the_clock_was_lost_stays_open_until_it_is_set() -> None:
    periods = Periods(boot="b1")
    run_seconds(periods, 0, 100, cars_every=50)
    again = restarted(periods, boot="b2")
    for s in range(50):
        again.observe(ClockReading(s, float(s), trusted=False), second() if s else ObservedSpan(), [late()])
    assert not again.take_closed()
    again.observe(ClockReading(NOON_S + 300.0, 50.0), ObservedSpan())
    (only,) = everything(again)
    assert cars([only]) == 3 + 50
    assert only.tally.flags & Flag.CLOCK_CORRECTED


def test_a_month_without_a_clock_is_held_in_few_slices() -> None:
    periods = Periods(boot="b1")
    for minute in range(30 * 24 * 60):
        periods.observe(ClockReading(0.0, 60.0 * minute, trusted=False), ObservedSpan(60.0, 60.0))
    assert len(periods.held) <= 30 * 24 * 60


def test_a_full_count_goes_on_in_a_new_generation_of_the_same_quarter() -> None:
    periods = Periods()
    periods.observe(at(1), ObservedSpan(), [late()] * 40_000)
    closed = everything(periods)
    assert cars(closed) == 40_000
    assert all(max(quarter.tally.counts["car"]) <= 32_767 for quarter in closed)
    assert [(quarter.start_s, quarter.generation) for quarter in closed] == [(NOON_S, 0), (NOON_S, 1)]


def test_a_storage_that_was_put_back_never_repeats_what_it_may_have_reported() -> None:
    periods = Periods()
    run_seconds(periods, 0, 300, cars_every=100)
    again = restarted(periods)
    run_seconds(again, 400, 500, cars_every=100)
    again.begin_new_generation_after_rollback()
    run_seconds(again, 501, 1000, cars_every=100)
    closed = everything(again)
    assert [(quarter.start_s - NOON_S, quarter.generation) for quarter in closed] == [(0, 0), (0, 1), (QUARTER_S, 1)]
    assert cars(closed) == 4 + 2 + 5


def test_a_gap_longer_than_a_quarter_is_nobodys_observation() -> None:
    periods = Periods()
    run_seconds(periods, 0, 100)
    periods.observe(at(5000), ObservedSpan(4900.0, 0.04, Flag.FRAMES_DROPPED))
    first, then = everything(periods)
    assert first.tally.observed_s == pytest.approx(100)
    assert then.tally.observed_s == pytest.approx(0.04)
    assert then.tally.flags & Flag.FRAMES_DROPPED
    assert not then.tally.flags & Flag.CLOCK_STEPPED


def test_a_quarter_closes_by_the_clock_when_no_frame_comes() -> None:
    periods = Periods()
    run_seconds(periods, 0, 700)
    periods.advance(at(900 + GRACE_S - 1))
    assert not periods.take_closed()
    periods.advance(at(900 + GRACE_S))
    (only,) = periods.take_closed()
    assert only.tally.flags == Flag.PARTIAL_END


def test_every_report_carries_the_marks_of_the_service() -> None:
    periods = Periods()
    periods.rules = Rules(extra_flags=Flag.SIMULATED)
    run_seconds(periods, 0, 1000)
    assert all(quarter.tally.flags & Flag.SIMULATED for quarter in everything(periods))


Step = tuple[str, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.integers(1, 700)),
        st.tuples(st.just("jump"), st.integers(-6000, 6000)),
        st.tuples(st.just("far jump"), st.sampled_from([-3 * 86_400, -86_400, 86_400, 2 * 86_400])),
        st.tuples(st.just("kill"), st.integers(0, 2000)),
        st.tuples(st.just("stop"), st.integers(0, 2000)),
        st.tuples(st.just("reboot without clock"), st.integers(0, 300)),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_whatever_the_clock_does_every_crossing_is_in_exactly_one_quarter(steps: list[Step]) -> None:
    periods, closed = Periods(boot="b0"), []
    real_s, error_s, booted_s, boots, trusted, crossed = 0, 0, 0, 0, True, 0

    def observe(span: ObservedSpan, crossings: int) -> None:
        monotonic_s = float(real_s - booted_s)
        shown_s = NOON_S + real_s + error_s if trusted else monotonic_s
        periods.observe(ClockReading(float(shown_s), monotonic_s, trusted), span, [late()] * crossings)

    for verb, value in [*steps, ("run", 20)]:
        if verb == "run":
            for number in range(0, value, 5):
                real_s += 5
                crossed += 1
                observe(ObservedSpan(5.0, 5.0) if number else ObservedSpan(), 1)
        elif verb in ("jump", "far jump"):
            error_s += value
        else:
            if verb == "stop":
                periods.stop()
            closed += periods.take_closed()
            real_s += value
            if verb == "reboot without clock":
                boots, booted_s, trusted = boots + 1, real_s, False
            periods = restarted(periods, boot=f"b{boots}")
            if verb == "reboot without clock":
                for _ in range(value % 7):
                    real_s += 5
                    crossed += 1
                    observe(ObservedSpan(5.0, 5.0), 1)
                trusted = True
    closed += everything(periods)
    assert cars(closed) == crossed
    keys = [(quarter.generation, quarter.start_s) for quarter in closed]
    assert len(set(keys)) == len(keys)
    assert [quarter.generation for quarter in closed] == sorted(quarter.generation for quarter in closed)
    assert all(quarter.start_s % QUARTER_S == 0 for quarter in closed)
