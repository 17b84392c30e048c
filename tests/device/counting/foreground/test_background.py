"""What counts as street, and the kernels of the background alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.device.counting import reference
from tests.device.counting.masks import unpacked

from telstraat_device.counting.foreground.background import empty_street, plane, shrink, shrink_factor, update_range
from telstraat_device.counting.foreground.segmenter import ForegroundSegmenter


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(31, 45), (48, 131)])
def test_shrinking_is_the_rounded_mean_of_squares(factor: int, size: tuple[int, int]) -> None:
    luma = np.random.default_rng(factor).integers(0, 256, size, dtype=np.uint8)
    height, width = size[0] // factor, size[1] // factor
    small = plane(height * width)
    shrink(luma.ravel(), size[1], factor, small, width, height)
    assert (small.reshape(height, width) == reference.shrink(luma, factor)).all()


@pytest.mark.parametrize(("width", "factor"), [(320, 1), (360, 1), (596, 2), (640, 2), (1280, 4), (1920, 6), (160, 1)])
def test_frames_are_worked_on_at_about_320_pixels(width: int, factor: int) -> None:
    assert shrink_factor(width) == factor


@pytest.mark.parametrize("width", [5, 33, 34, 66, 100])
def test_the_range_of_the_street_is_that_of_its_neighbours_widened(width: int) -> None:
    rng = np.random.default_rng(5)
    street = empty_street(width, 12)
    street.mean[:], street.spread[:] = rng.integers(0, 65280, 12 * width), rng.integers(0, 201, 12 * width)
    update_range(street, 0, 12)
    mean, spread = (values.astype(np.int64).reshape(12, width) for values in (street.mean, street.spread))
    low, high = reference.street_range(mean, spread)
    assert (street.low.reshape(12, width) == low).all()
    assert (street.high.reshape(12, width) == high).all()


def street(seed: int = 0) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(70, 150, (15, 20))
    return np.kron(coarse, np.ones((8, 8))).astype(np.uint8)


def booted(empty: NDArray[np.uint8], samples: list[NDArray[np.uint8]] | None = None) -> ForegroundSegmenter:
    segmenter = ForegroundSegmenter(160, 120)
    segmenter.bootstrap(samples or [empty] * 16)
    segmenter.segment(empty, 0.0, 0.04)
    return segmenter


def foreground(segmenter: ForegroundSegmenter) -> NDArray[np.uint8]:
    """Return the mask of the last frame, a byte per pixel."""
    return unpacked(segmenter.masks.mask.words, 160)


def segment(segmenter: ForegroundSegmenter, picture: NDArray[np.uint8], times: int = 1, age_s: float = 20.0) -> int:
    """Segment a picture so many times; return the number of foreground pixels of the last."""
    for _ in range(times):
        segmenter.segment(picture, age_s, 0.04)
    return int(foreground(segmenter).sum())


def test_the_street_shows_through_traffic_that_hides_half_of_the_first_second() -> None:
    empty, samples = street(), []
    for k in range(16):
        picture = empty.copy()
        picture[40:80, 10 * k % 160 : 10 * k % 160 + 60] = 200 + k % 7
        samples.append(picture)
    segmenter = booted(empty, samples)
    assert segment(segmenter, empty) < 0.01 * empty.size


def test_a_box_on_the_street_is_found_where_it_is() -> None:
    picture = street()
    segmenter = booted(picture)
    picture = picture.copy()
    picture[30:60, 50:90] = 220
    segment(segmenter, picture)
    ys, xs = np.nonzero(foreground(segmenter))
    assert abs(int(xs.min()) - 50) <= 1
    assert abs(int(xs.max()) - 89) <= 1
    assert abs(int(ys.min()) - 30) <= 1
    assert abs(int(ys.max()) - 59) <= 1


@pytest.mark.parametrize("times", [0.7, 0.85, 1.2, 1.4])
def test_a_change_of_exposure_is_taken_out(times: float) -> None:
    empty = street()
    segmenter = booted(empty)
    assert segment(segmenter, np.asarray(empty * times, np.uint8), 2) < 0.02 * empty.size


def test_a_camera_that_trembles_by_a_pixel_sees_nothing_new() -> None:
    empty = street()
    segmenter = booted(empty)
    assert segment(segmenter, np.roll(empty, 1, axis=1)) < 0.01 * empty.size


def test_what_stands_long_enough_becomes_street() -> None:
    empty = street()
    segmenter = booted(empty)
    parked = empty.copy()
    parked[30:60, 50:90] = 220
    assert segment(segmenter, parked, 50) > 1000
    assert segment(segmenter, parked, 1300) < 50


def test_an_even_shadow_is_foreground_but_not_solid() -> None:
    empty = street()
    segmenter = booted(empty)
    shaded = empty.copy()
    shaded[40:100, 40:120] = np.asarray(shaded[40:100, 40:120] * 0.6, np.uint8)
    segment(segmenter, shaded)
    assert foreground(segmenter).sum() > 3000
    assert unpacked(segmenter.masks.solid.words, 160).sum() < 0.1 * foreground(segmenter).sum()


def test_a_box_with_a_shadow_is_solid_where_the_box_is() -> None:
    empty = street()
    segmenter = booted(empty)
    picture = empty.copy()
    picture[40:80, 70:110] = np.asarray(picture[40:80, 70:110] * 0.6, np.uint8)
    picture[40:80, 40:70] = np.random.default_rng(1).integers(0, 256, (40, 30))
    segment(segmenter, picture)
    solid = unpacked(segmenter.masks.solid.words, 160)
    assert solid[42:78, 42:68].mean() > 0.8
    assert solid[42:78, 74:106].mean() < 0.2
