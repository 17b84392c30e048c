"""Scenes that counters get wrong, drawn as boxes, and what must hold for any film."""

from __future__ import annotations

import numpy as np
import pytest
from tests.device.counting.drawn import HEIGHT, LINE, WIDTH, Thing, count, frames, straight, through

from telstraat_device.counting.counter import Counter, CounterSettings
from telstraat_device.errors import CountingLineError, FrameFormatError

RIGHT, LEFT = "right_to_left", "left_to_right"  # to the right edge, to the left edge: the line is drawn downwards

SCENES: dict[str, tuple[list[Thing], float, list[str]]] = {
    "one goes to the right": ([Thing(straight(-20, 340, 120, 1.5, 4.5))], 6.0, [RIGHT]),
    "one goes to the left": ([Thing(straight(340, -20, 120, 1.5, 4.5))], 6.0, [LEFT]),
    "a dark one": ([Thing(straight(-20, 340, 120, 1.5, 4.5), tone=45)], 6.0, [RIGHT]),
    "one passes beyond the line's end": ([Thing(straight(-20, 340, 6, 1.5, 4.5), h=10)], 6.0, []),
    "one turns back before the line": ([Thing(through((1.5, -20, 120), (3, 125, 120), (5, -20, 120)))], 6.5, []),
    "one grazes the line and turns back": ([Thing(through((1.5, -20, 120), (3, 158, 120), (5, -20, 120)))], 6.5, []),
    "one turns back right behind the line": (
        [Thing(through((1.5, -20, 120), (3, 175, 120), (3.2, 175, 120), (5, -20, 120)))],
        6.5,
        [],
    ),
    "one crosses, waits and comes back": (
        [Thing(through((1.5, -20, 120), (3.5, 260, 120), (5, 260, 120), (7, -20, 120)))],
        8.5,
        [RIGHT, LEFT],
    ),
    "one stops on the line and goes on": (
        [Thing(through((1.5, -20, 120), (3, 160, 120), (6, 160, 120), (7.5, 340, 120)))],
        9.0,
        [RIGHT],
    ),
    "one lingers on the line": (
        [
            Thing(
                through((1.5, -20, 120), (3, 158, 120), (3.5, 162, 120), (4, 158, 120), (4.5, 162, 120), (6, 340, 120))
            )
        ],
        7.5,
        [RIGHT],
    ),
    "two side by side": (
        [Thing(straight(-20, 340, 80, 1.5, 4.5)), Thing(straight(-20, 340, 150, 1.5, 4.5))],
        6.0,
        [RIGHT, RIGHT],
    ),
    "two one after the other": (
        [Thing(straight(-20, 340, 120, 1.5, 4.5)), Thing(straight(-20, 340, 120, 2.3, 5.3))],
        7.0,
        [RIGHT, RIGHT],
    ),
    "two pass each other apart": (
        [Thing(straight(-20, 340, 80, 1.5, 4.5)), Thing(straight(340, -20, 150, 1.5, 4.5))],
        6.0,
        [LEFT, RIGHT],
    ),
    "two meet on the line, merge and split": (
        [Thing(straight(-20, 340, 108, 1.5, 4.5)), Thing(straight(340, -20, 126, 1.5, 4.5), tone=40)],
        6.0,
        [LEFT, RIGHT],
    ),
    "one overtakes another on the line": (
        [Thing(straight(-20, 340, 100, 1.5, 5.5)), Thing(straight(-20, 340, 128, 2.3, 4.7), tone=40)],
        7.0,
        [RIGHT, RIGHT],
    ),
    "one that was there at the start drives off": (
        [Thing(through((0, 70, 120), (4, 70, 120), (6, 340, 120)))],
        7.5,
        [RIGHT],
    ),
    "one stands beside the line for ever": ([Thing(through((0, 120, 120), (9, 120, 120)))], 8.0, []),
    "nothing at all": ([], 4.0, []),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_counts_what_was_drawn(name: str) -> None:
    things, seconds, directions = SCENES[name]
    assert sorted(crossing.direction for crossing in count(frames(things, seconds))) == sorted(directions)


def test_a_crossing_has_the_time_at_which_the_middle_was_on_the_line() -> None:
    [crossing] = count(frames([Thing(straight(-20, 340, 120, 1.5, 4.5))], 6.0))
    assert crossing.t_s == pytest.approx(3.0, abs=0.1)


def test_a_lamp_or_a_cloud_is_no_crossing() -> None:
    film = frames([], 6.0)
    brighter = [np.asarray(f * 1.25, np.uint8) if 75 <= k < 110 else f for k, f in enumerate(film)]
    assert count(brighter) == []


def test_traffic_goes_on_through_a_step_of_exposure() -> None:
    film = frames([Thing(straight(-20, 340, 120, 1.5, 4.5))], 6.0)
    assert len(count([np.asarray(f * 0.8, np.uint8) if k >= 60 else f for k, f in enumerate(film)])) == 1


def test_a_trembling_camera_counts_nothing() -> None:
    film = frames([], 6.0)
    moved = [np.roll(f, (k % 3) - 1, axis=1 if k % 2 else 0) for k, f in enumerate(film)]
    assert count([np.ascontiguousarray(f) for f in moved]) == []


def test_a_few_lost_frames_do_not_lose_a_crossing() -> None:
    film = frames([Thing(straight(-20, 340, 120, 1.5, 4.5))], 6.0)
    counter = Counter(WIDTH, HEIGHT, LINE)
    remaining = [(k / 25.0, f) for k, f in enumerate(film) if k not in {70, 71, 76}]
    crossings = [crossing for t_s, f in remaining for crossing in counter.process(f, t_s)] + counter.finish()
    assert len(crossings) == 1


def test_the_same_frames_give_the_same_crossings_and_later_frames_change_nothing() -> None:
    things = [Thing(straight(-20, 340, 100, 1.2, 3.2)), Thing(straight(340, -20, 150, 2.0, 4.0), tone=60)]
    film = frames(things, 5.0)
    counters = [Counter(WIDTH, HEIGHT, LINE) for _ in range(2)]
    steps = [[counter.process(f, k / 25.0) for k, f in enumerate(film)] for counter in counters]
    assert steps[0] == steps[1]
    part = Counter(WIDTH, HEIGHT, LINE)
    assert [part.process(f, k / 25.0) for k, f in enumerate(film[:80])] == steps[0][:80]


def test_crossings_are_reported_within_a_second_and_a_half() -> None:
    film = frames([Thing(straight(-20, 340, 120, 1.5, 4.5))], 6.0)
    counter = Counter(WIDTH, HEIGHT, LINE)
    for number, luma in enumerate(film):
        for crossing in counter.process(luma, number / 25.0):
            assert number / 25.0 - crossing.t_s < 1.5


def test_a_scale_given_by_hand_gives_the_speed() -> None:
    film = frames([Thing(straight(-40, 360, 120, 1.5, 5.5), w=88, h=34)], 7.0)
    counter = Counter(WIDTH, HEIGHT, LINE, CounterSettings(pixels_per_metre=20.0))
    [crossing] = [c for k, f in enumerate(film) for c in counter.process(f, k / 25.0)] + counter.finish()
    assert crossing.class_name == "car"
    assert crossing.speed_kmh == pytest.approx(18.0, rel=0.1)  # 100 pixels a second, 20 pixels a metre


def test_after_the_camera_was_turned_the_new_street_is_counted() -> None:
    before = frames([], 4.0)
    after = frames([Thing(straight(-20, 340, 120, 5.0, 8.0))], 9.0, seed=77)
    assert [crossing.direction for crossing in count(before + after)] == [RIGHT]


def test_a_hand_before_the_lens_is_no_traffic_and_counting_goes_on_behind_it() -> None:
    film = frames([Thing(straight(-20, 340, 120, 9.0, 12.0))], 13.5)
    covered = [np.full_like(f, 25) if 75 <= k < 150 else f for k, f in enumerate(film)]
    assert [crossing.direction for crossing in count(covered)] == [RIGHT]


def test_the_view_says_that_it_is_learning_until_the_scale_is_known() -> None:
    counter = Counter(WIDTH, HEIGHT, LINE)
    assert counter.view.learning
    known = Counter(WIDTH, HEIGHT, LINE, CounterSettings(pixels_per_metre=20.0))
    for number, luma in enumerate(frames([Thing(straight(-20, 340, 120, 1.5, 4.5))], 6.0)):
        known.process(luma, number / 25.0)
    assert not known.view.learning


def test_a_film_shorter_than_the_first_look_is_counted_without_complaint() -> None:
    assert count(frames([], 0.2)) == []


def test_a_frame_of_another_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(FrameFormatError, match="200 x 100 came to a counter for uint8 320 x 240"):
        Counter(WIDTH, HEIGHT, LINE).process(np.zeros((100, 200), np.uint8), 0.0)


def test_a_line_outside_of_the_picture_is_refused() -> None:
    with pytest.raises(CountingLineError, match="outside the picture"):
        Counter(WIDTH, HEIGHT, ((0, 0), (400, 0)))
