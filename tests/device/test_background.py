"""The kernels of the background against brute force, and what counts as street."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from telstraat_device.background import Background, clean, envelope, shrink, shrink_factor


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_shrinking_is_the_rounded_mean_of_squares(factor: int) -> None:
    rng = np.random.default_rng(factor)
    luma = rng.integers(0, 256, (31, 45), dtype=np.uint8)
    height, width = 31 // factor, 45 // factor
    small = np.zeros((height, width), np.uint8)
    shrink(luma, factor, small)
    squares = luma[: height * factor, : width * factor].reshape(height, factor, width, factor).astype(np.int64)
    assert (small == (squares.sum(axis=(1, 3)) + factor**2 // 2) // factor**2).all()


@pytest.mark.parametrize(("width", "factor"), [(320, 1), (360, 1), (596, 2), (640, 2), (1280, 4), (1920, 6), (160, 1)])
def test_frames_are_worked_on_at_about_320_pixels(width: int, factor: int) -> None:
    assert shrink_factor(width) == factor


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(5, 40), st.integers(5, 30), st.floats(0.05, 0.95))
def test_cleaning_keeps_the_majority_of_nine(seed: int, width: int, height: int, share: float) -> None:
    mask = (np.random.default_rng(seed).random((height, width)) < share).astype(np.uint8)
    out = np.zeros(mask.size, np.uint8)
    clean(mask.ravel(), width, np.zeros(mask.size, np.uint8), out)
    expected = np.zeros_like(mask)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            expected[y, x] = mask[y - 1 : y + 2, x - 1 : x + 2].sum() >= 5
    assert (out.reshape(height, width) == expected).all()


def test_the_range_of_the_street_is_that_of_its_neighbours_widened() -> None:
    rng = np.random.default_rng(5)
    mean = rng.integers(0, 65280, (12, 17)).astype(np.uint16)
    low, high = np.zeros(mean.size, np.uint8), np.zeros(mean.size, np.uint8)
    envelope(mean.ravel(), np.zeros(mean.size, np.uint8), 9, 17, low, high, 0, 12)
    padded = np.pad(mean, 1, mode="edge")
    for y in range(12):
        for x in range(17):
            around = padded[y : y + 3, x : x + 3] >> 8
            assert low.reshape(12, 17)[y, x] == max(0, int(around.min()) - 9)
            assert high.reshape(12, 17)[y, x] == min(255, int(around.max()) + 9)


def street(seed: int = 0) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(70, 150, (15, 20))
    return np.kron(coarse, np.ones((8, 8))).astype(np.uint8)


def booted(empty: NDArray[np.uint8], samples: list[NDArray[np.uint8]] | None = None) -> Background:
    background = Background(160, 120)
    background.boot(np.stack([s.ravel() for s in samples or [empty] * 16]))
    background.shrink(empty)
    background.process(0.0, 0.04)
    return background


def see(background: Background, picture: NDArray[np.uint8], times: int = 1, age_s: float = 20.0) -> int:
    for _ in range(times):
        background.shrink(picture)
        background.process(age_s, 0.04)
    return int(background.mask.sum())


def test_the_street_shows_through_traffic_that_hides_half_of_the_first_second() -> None:
    empty, samples = street(), []
    for k in range(16):
        picture = empty.copy()
        picture[40:80, 10 * k % 160 : 10 * k % 160 + 60] = 200 + k % 7
        samples.append(picture)
    background = booted(empty, samples)
    assert see(background, empty) < 0.01 * empty.size


def test_a_box_on_the_street_is_found_where_it_is() -> None:
    picture = street()
    background = booted(picture)
    picture = picture.copy()
    picture[30:60, 50:90] = 220
    see(background, picture)
    ys, xs = np.nonzero(background.mask.reshape(120, 160))
    assert abs(int(xs.min()) - 50) <= 1
    assert abs(int(xs.max()) - 89) <= 1
    assert abs(int(ys.min()) - 30) <= 1
    assert abs(int(ys.max()) - 59) <= 1


@pytest.mark.parametrize("times", [0.7, 0.85, 1.2, 1.4])
def test_a_change_of_exposure_is_taken_out(times: float) -> None:
    empty = street()
    background = booted(empty)
    assert see(background, np.asarray(empty * times, np.uint8), 2) < 0.02 * empty.size


def test_a_camera_that_trembles_by_a_pixel_sees_nothing_new() -> None:
    empty = street()
    background = booted(empty)
    assert see(background, np.roll(empty, 1, axis=1)) < 0.01 * empty.size


def test_what_stands_long_enough_becomes_street() -> None:
    empty = street()
    background = booted(empty)
    parked = empty.copy()
    parked[30:60, 50:90] = 220
    assert see(background, parked, 50) > 1000
    assert see(background, parked, 1300) < 50


def test_an_even_shadow_is_foreground_but_not_solid() -> None:
    empty = street()
    background = booted(empty)
    shaded = empty.copy()
    shaded[40:100, 40:120] = np.asarray(shaded[40:100, 40:120] * 0.6, np.uint8)
    see(background, shaded)
    assert background.mask.sum() > 3000
    assert background.solid.sum() < 0.1 * background.mask.sum()


def test_a_box_with_a_shadow_is_solid_where_the_box_is() -> None:
    empty = street()
    background = booted(empty)
    picture = empty.copy()
    picture[40:80, 70:110] = np.asarray(picture[40:80, 70:110] * 0.6, np.uint8)
    picture[40:80, 40:70] = np.random.default_rng(1).integers(0, 256, (40, 30))
    see(background, picture)
    solid = background.solid.reshape(120, 160)
    assert solid[42:78, 42:68].mean() > 0.8
    assert solid[42:78, 74:106].mean() < 0.2
