"""What counts as street, and the kernels of the background alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.device import byte_planes

from telstraat_device.counting.foreground.background import plane, shrink, shrink_factor, widen
from telstraat_device.counting.foreground.segmenter import Sight


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(31, 45), (48, 131)])
def test_shrinking_is_the_rounded_mean_of_squares(factor: int, size: tuple[int, int]) -> None:
    luma = np.random.default_rng(factor).integers(0, 256, size, dtype=np.uint8)
    height, width = size[0] // factor, size[1] // factor
    small = plane(height * width)
    shrink(luma.ravel(), size[1], factor, small, width, height)
    assert (small.reshape(height, width) == byte_planes.shrunk(luma, factor)).all()


@pytest.mark.parametrize(("width", "factor"), [(320, 1), (360, 1), (596, 2), (640, 2), (1280, 4), (1920, 6), (160, 1)])
def test_frames_are_worked_on_at_about_320_pixels(width: int, factor: int) -> None:
    assert shrink_factor(width) == factor


@pytest.mark.parametrize("width", [5, 33, 34, 66, 100])
def test_the_range_of_the_street_is_that_of_its_neighbours_widened(width: int) -> None:
    rng = np.random.default_rng(5)
    mean, spread, low, high = plane(12 * width, np.uint16), plane(12 * width), plane(12 * width), plane(12 * width)
    mean[:], spread[:] = rng.integers(0, 65280, mean.size), rng.integers(0, 201, mean.size)
    widen(mean, spread, 9, width, 12, low, high, 0, 12)
    least, most = byte_planes.extremes(
        mean.astype(np.int64).reshape(12, width), spread.astype(np.int64).reshape(12, width)
    )
    assert (low.reshape(12, width) == least).all()
    assert (high.reshape(12, width) == most).all()


def street(seed: int = 0) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(70, 150, (15, 20))
    return np.kron(coarse, np.ones((8, 8))).astype(np.uint8)


def booted(empty: NDArray[np.uint8], samples: list[NDArray[np.uint8]] | None = None) -> Sight:
    sight = Sight(160, 120)
    sight.begin(samples or [empty] * 16)
    sight.see(empty, 0.0, 0.04)
    return sight


def pixels(words: NDArray[np.uint64], width: int = 160) -> NDArray[np.uint8]:
    """Return a mask of words as one of bytes."""
    return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")[:, :width]


def see(sight: Sight, picture: NDArray[np.uint8], times: int = 1, age_s: float = 20.0) -> int:
    for _ in range(times):
        sight.see(picture, age_s, 0.04)
    return int(pixels(sight.background.mask).sum())


def test_the_street_shows_through_traffic_that_hides_half_of_the_first_second() -> None:
    empty, samples = street(), []
    for k in range(16):
        picture = empty.copy()
        picture[40:80, 10 * k % 160 : 10 * k % 160 + 60] = 200 + k % 7
        samples.append(picture)
    sight = booted(empty, samples)
    assert see(sight, empty) < 0.01 * empty.size


def test_a_box_on_the_street_is_found_where_it_is() -> None:
    picture = street()
    sight = booted(picture)
    picture = picture.copy()
    picture[30:60, 50:90] = 220
    see(sight, picture)
    ys, xs = np.nonzero(pixels(sight.background.mask))
    assert abs(int(xs.min()) - 50) <= 1
    assert abs(int(xs.max()) - 89) <= 1
    assert abs(int(ys.min()) - 30) <= 1
    assert abs(int(ys.max()) - 59) <= 1


@pytest.mark.parametrize("times", [0.7, 0.85, 1.2, 1.4])
def test_a_change_of_exposure_is_taken_out(times: float) -> None:
    empty = street()
    sight = booted(empty)
    assert see(sight, np.asarray(empty * times, np.uint8), 2) < 0.02 * empty.size


def test_a_camera_that_trembles_by_a_pixel_sees_nothing_new() -> None:
    empty = street()
    sight = booted(empty)
    assert see(sight, np.roll(empty, 1, axis=1)) < 0.01 * empty.size


def test_what_stands_long_enough_becomes_street() -> None:
    empty = street()
    sight = booted(empty)
    parked = empty.copy()
    parked[30:60, 50:90] = 220
    assert see(sight, parked, 50) > 1000
    assert see(sight, parked, 1300) < 50


def test_an_even_shadow_is_foreground_but_not_solid() -> None:
    empty = street()
    sight = booted(empty)
    shaded = empty.copy()
    shaded[40:100, 40:120] = np.asarray(shaded[40:100, 40:120] * 0.6, np.uint8)
    see(sight, shaded)
    assert pixels(sight.background.mask).sum() > 3000
    assert pixels(sight.background.solid).sum() < 0.1 * pixels(sight.background.mask).sum()


def test_a_box_with_a_shadow_is_solid_where_the_box_is() -> None:
    empty = street()
    sight = booted(empty)
    picture = empty.copy()
    picture[40:80, 70:110] = np.asarray(picture[40:80, 70:110] * 0.6, np.uint8)
    picture[40:80, 40:70] = np.random.default_rng(1).integers(0, 256, (40, 30))
    see(sight, picture)
    solid = pixels(sight.background.solid)
    assert solid[42:78, 42:68].mean() > 0.8
    assert solid[42:78, 74:106].mean() < 0.2
