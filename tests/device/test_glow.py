"""Light on the street is no traffic; what has edges stays, and is counted once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.device.drawn import HEIGHT, WIDTH, Thing, count, frames, straight

from telstraat_device.glow import SCRATCH, Glow, close_gaps, pack, take_light_off, unpack
from telstraat_device.words import words_across

ACROSS, DOWN = 120, 90
Picture = NDArray[np.uint8]


def beam(x: float, y: float, long_px: float, broad_px: float, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return how much light a soft beam adds, 0 to 1."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.asarray(np.exp(-0.5 * (((columns - x) / long_px) ** 2 + ((rows - y) / broad_px) ** 2)))


def street() -> NDArray[np.float64]:
    rng = np.random.default_rng(4)
    return np.asarray(30 + np.kron(rng.normal(0, 4, (DOWN // 6, ACROSS // 6)), np.ones((6, 6))))


def left_of(picture: NDArray[np.float64], before: NDArray[np.float64]) -> Picture:
    """Return what is left of the foreground of a picture."""
    small, mean = picture.astype(np.uint8), (256 * before).astype(np.uint16)
    marked = (np.abs(picture - before) > 9).astype(np.uint8)
    mask = np.zeros((DOWN, words_across(ACROSS)), np.uint64)
    rows = np.zeros(DOWN, np.uint64)
    pack(marked.ravel(), ACROSS, mask, rows)
    take_light_off(small.ravel(), mean.ravel(), mask, rows, ACROSS, np.zeros(SCRATCH * DOWN * ACROSS, np.uint8))
    left = np.zeros(DOWN * ACROSS, np.uint8)
    unpack(mask, ACROSS, left)
    return left.reshape(DOWN, ACROSS)


def test_of_a_beam_on_the_street_nothing_is_left() -> None:
    lit = street() * (1 + 2.5 * beam(60, 45, 22, 9, (DOWN, ACROSS)))
    assert (np.abs(lit - street()) > 9).sum() > 1000
    assert left_of(lit, street()).sum() == 0


def test_a_lamp_and_dark_bodywork_in_a_beam_stay_without_the_beam() -> None:
    lit = street() * (1 + 2.5 * beam(70, 45, 22, 9, (DOWN, ACROSS)))
    lit[42:46, 28:33] = 250
    lit[36:54, 8:26] = 3
    ys, xs = np.nonzero(left_of(lit, street()))
    assert xs.min() <= 9
    assert 33 <= xs.max() <= 48
    assert ys.min() >= 30


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 4), st.integers(0, 4))
def test_gaps_are_closed_as_by_looking_at_each_row_and_column(seed: int, across: int, down: int) -> None:
    rng = np.random.default_rng(seed)
    plane = (rng.random((12, 15)) < 0.2).astype(np.uint8)
    expected = plane.copy()
    for lines, reach in ((expected, across), (expected.T, down)):
        for line in lines:
            at = np.flatnonzero(line)
            for one, other in pairwise(at):
                if other - one - 1 <= reach:
                    line[one:other] = 1
    flat = plane.ravel().copy()
    close_gaps(flat, 15, across, down)
    assert (flat.reshape(12, 15) == expected).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 140))
def test_a_mask_comes_back_as_it_was_packed(seed: int, width: int) -> None:
    plane = (np.random.default_rng(seed).random(3 * width) < 0.5).astype(np.uint8)
    mask, back = np.zeros((3, words_across(width)), np.uint64), np.zeros_like(plane)
    pack(plane, width, mask, np.zeros(3, np.uint64))
    unpack(mask, width, back)
    assert (plane == back).all()


def test_at_night_a_car_is_counted_once_and_when_it_is_there_not_its_beam() -> None:
    film = []
    for number, luma in enumerate(frames([Thing(straight(-30, 350, 120, 2.0, 5.0), w=60, h=28)], 6.5)):
        front = -30 + 380 * (number / 25.0 - 2.0) / 3.0
        light = 3.0 * beam(front + 95, 126, 30, 7, (HEIGHT, WIDTH))
        film.append(np.ascontiguousarray((luma * 0.3 * (1 + light)).clip(0, 255).astype(np.uint8)))
    [crossing] = count(film)
    assert crossing.night
    assert crossing.speed_kmh is None
    assert abs(crossing.t_s - 3.5) < 0.25


def test_a_bright_street_is_no_dusk_though_what_moves_on_it_is_brighter() -> None:
    bright, dim = np.full(1000, 256 * 110, np.uint16), np.full(1000, 256 * 68, np.uint16)
    glow = Glow(40, 25)
    assert glow.light("dusk", bright, 0.0) == "day"
    assert glow.light("dusk", dim, 0.5) == "day"  # looked at once a second
    assert glow.light("dusk", dim, 1.5) == "dusk"
    assert glow.light("night", bright, 2.0) == "night"
    assert glow.light("day", dim, 3.0) == "day"
