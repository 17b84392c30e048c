"""Light on the street is no traffic; what has edges stays, and is counted once."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from tests.device.counting import reference
from tests.device.counting.drawn import HEIGHT, WIDTH, Thing, count, frames, straight
from tests.device.counting.masks import bitmask, packed, unpacked

from telstraat_device.counting.foreground.background import plane
from telstraat_device.counting.foreground.headlights import (
    HeadlightSuppression,
    broaden,
    close_columns,
    close_rows,
    edge_masks,
    suppress_light,
)

ACROSS, DOWN = 120, 90
Picture = NDArray[np.uint8]


def beam(x: float, y: float, long_px: float, broad_px: float, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return how much light a soft beam adds, 0 to 1."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.asarray(np.exp(-0.5 * (((columns - x) / long_px) ** 2 + ((rows - y) / broad_px) ** 2)))


def street() -> NDArray[np.float64]:
    rng = np.random.default_rng(4)
    return np.asarray(30 + np.kron(rng.normal(0, 4, (DOWN // 6, ACROSS // 6)), np.ones((6, 6))))


class DarkView:
    """A dark view of a size, with the masks that its frames share."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self._current, self._mean = plane(width * height), plane(width * height, np.uint16)
        self._masks = edge_masks(width, height)

    def suppress(self, picture: Picture, mean: NDArray[np.uint16], mask: Picture) -> Picture:
        """Return what is left of the foreground of a picture."""
        self._current[:], self._mean[:] = picture.ravel(), mean.ravel()
        foreground = bitmask(mask)
        suppress_light(self._current, self._mean, foreground, self._masks)
        assert not foreground.words[foreground.rows == 0].any()
        return unpacked(foreground.words, self.width)


def left_of(picture: NDArray[np.float64], before: NDArray[np.float64]) -> Picture:
    """Return what is left of the foreground of a picture."""
    marked = (np.abs(picture - before) > 9).astype(np.uint8)
    return DarkView(ACROSS, DOWN).suppress(picture.astype(np.uint8), (256 * before).astype(np.uint16), marked)


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


def scene(rng: np.random.Generator, width: int, height: int) -> tuple[Picture, NDArray[np.uint16], Picture]:
    """Return a picture of lamps, bodywork and light on a dark street, that street, and foreground with an empty border."""
    shape = height, width
    street = np.kron(rng.integers(2, 50, (height // 5 + 1, width // 5 + 1)), np.ones((5, 5)))[:height, :width]
    picture = street * (1 + 3 * rng.random() * beam(width * rng.random(), height * rng.random(), 20, 6, shape))
    for luma in rng.integers(0, 256, rng.integers(0, 6)):
        x, y, across, down = rng.integers(0, width), rng.integers(0, height), rng.integers(1, 25), rng.integers(1, 9)
        picture[y : y + down, x : x + across] = luma
    picture += rng.normal(0, 3 * rng.random(), shape)
    mask = ((np.abs(picture - street) > 6) | (rng.random(shape) < 0.02)).astype(np.uint8)
    mask[[0, -1]] = mask[:, [0, -1]] = 0
    return picture.clip(0, 255).astype(np.uint8), (256 * street).astype(np.uint16), mask


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(10, 200), st.integers(9, 50))
def test_what_is_left_is_what_the_plain_loops_leave(seed: int, width: int, height: int) -> None:
    rng, dark = np.random.default_rng(seed), DarkView(width, height)
    for _ in range(3):
        small, mean, mask = scene(rng, width, height)
        expected = reference.suppress_light(small.astype(int), mean.astype(int), mask.astype(int))
        assert (dark.suppress(small, mean, mask) == expected).all()


def test_what_is_left_of_noise_of_all_brightness_is_what_the_plain_loops_leave() -> None:
    rng, dark = np.random.default_rng(6), DarkView(150, 40)
    for _ in range(10):
        small, mean = rng.integers(0, 256, (40, 150), np.uint8), rng.integers(0, 65281, (40, 150), np.uint16)
        mask = (rng.random(small.shape) < rng.uniform(0.5, 1)).astype(np.uint8)
        mask[[0, -1]] = mask[:, [0, -1]] = 0
        expected = reference.suppress_light(small.astype(int), mean.astype(int), mask.astype(int))
        assert expected.any()
        assert (dark.suppress(small, mean, mask) == expected).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.integers(0, 12), st.integers(0, 7))
def test_gaps_are_closed_as_by_looking_at_each_row_and_column(seed: int, width: int, across: int, down: int) -> None:
    rng = np.random.default_rng(seed)
    mask = (rng.random((14, width)) < 0.5 * rng.random() ** 2).astype(np.uint8)
    closed = bitmask(mask)
    close_rows(closed, across)
    close_columns(closed, down)
    assert (unpacked(closed.words, width) == reference.close_gaps(mask.astype(int), across, down)).all()
    assert (closed.rows != 0).tolist() == closed.words.any(axis=1).tolist()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.integers(0, 63))
def test_marks_are_drawn_out_along_their_row_and_no_farther(seed: int, width: int, reach: int) -> None:
    marks = (np.random.default_rng(seed).random((6, width)) < 0.02).astype(np.uint8)
    out = np.zeros_like(packed(marks))
    broaden(packed(marks), bitmask(marks).rows, reach, out)
    expected = ndimage.maximum_filter(marks, (1, 2 * reach + 1), mode="constant")
    assert (unpacked(out, width) == expected).all()


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
    headlights = HeadlightSuppression(40, 25)
    assert headlights.corrected("dusk", bright, 0.0) == "day"
    assert headlights.corrected("dusk", dim, 0.5) == "day"  # looked at once a second
    assert headlights.corrected("dusk", dim, 1.5) == "dusk"
    assert headlights.corrected("night", bright, 2.0) == "night"
    assert headlights.corrected("day", dim, 3.0) == "day"
