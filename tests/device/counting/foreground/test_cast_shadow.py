"""Shadows lie on one side of everything; what is cut from one car alone was part of it."""

from __future__ import annotations

from telstraat_device.counting.foreground.cast_shadow import KNOWN_AFTER, CastShadow
from telstraat_device.counting.tracking.observation import Observation

NOTHING = (0.0, 0.0, 0.0, 0.0)


def box(cut: tuple[float, float, float, float], vx: float = 50.0) -> Observation:
    return Observation(w=40.0, h=20.0, x=100.0, foot=110.0, vx=vx, v_foot=0.0, cut=cut)


def test_while_nothing_is_known_every_cut_is_a_shadow() -> None:
    shadow = CastShadow()
    assert shadow.restore(box((0.0, 0.0, 20.0, 5.0))).w == 40.0
    assert shadow.sides(box(NOTHING)).all()


def test_a_side_that_is_always_cut_stays_cut() -> None:
    shadow = CastShadow()
    for _ in range(KNOWN_AFTER + 3):
        observation = shadow.restore(box((0.0, 0.0, 20.0, 0.5)))
    assert shadow.sides(observation).tolist() == [False, False, True, False]
    assert (observation.w, observation.x, observation.h, observation.foot) == (40.0, 100.0, 20.5, 110.5)


def test_a_dark_car_gets_back_what_was_cut_where_others_are_whole() -> None:
    shadow = CastShadow()
    for _ in range(KNOWN_AFTER):
        shadow.restore(box((1.0, 0.0, 1.0, 0.0)))
    dark = shadow.restore(box((0.0, 16.0, 8.0, 4.0)))
    assert (dark.w, dark.x, dark.h, dark.foot) == (48.0, 104.0, 40.0, 114.0)


def test_what_was_never_alone_teaches_nothing() -> None:
    shadow = CastShadow()
    unknown = box((0.0, 0.0, 0.0, 0.0))
    assert shadow.restore(unknown) is unknown
    assert shadow.sides(box(NOTHING)).all()


def test_what_is_cut_on_one_lane_says_nothing_of_the_other() -> None:
    shadow = CastShadow()
    for _ in range(KNOWN_AFTER + 1):
        mirrored = shadow.restore(box((0.0, 0.0, 0.0, 15.0), vx=50.0))
        dry = shadow.restore(box((0.0, 0.0, 0.0, 1.0), vx=-50.0))
    assert (mirrored.h, dry.h) == (20.0, 21.0)
