"""The way of a frame in one call, against the same in bytes and loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.device import byte_planes
from tests.device.byte_planes import Planes
from tests.device.test_blobs import packed

from telstraat_device.counting.foreground import segmenter as core
from telstraat_device.counting.foreground.bitmask import majority
from telstraat_device.counting.foreground.segmenter import Sight


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(5, 200), st.integers(5, 30), st.floats(0.01, 0.95))
def test_cleaning_keeps_the_majority_of_nine(seed: int, width: int, height: int, share: float) -> None:
    mask = (np.random.default_rng(seed).random((height, width)) < share).astype(np.uint8)
    out: NDArray[np.uint64] = np.zeros_like(packed(mask))
    out_rows: NDArray[np.uint64] = np.zeros(height, np.uint64)
    for _ in range(2):
        majority(packed(mask), np.asarray(mask.any(axis=1), np.uint64), width, out, out_rows)
    assert (out == packed(byte_planes.majority(mask.astype(np.int64)).astype(np.uint8))).all()


def film(width: int, height: int, frames: int, seed: int) -> list[NDArray[np.uint8]]:
    """Return a street with noise on which boxes, their shadows and lamps come and go and the exposure changes."""
    rng = np.random.default_rng(seed)
    street = np.kron(rng.integers(40, 180, (height // 8 + 1, width // 8 + 1)), np.ones((8, 8)))[:height, :width]
    pictures = []
    for number in range(frames):
        picture = street + rng.normal(0, 3, street.shape)
        for box in range(4):
            x, y = (37 * number * (box + 1) // 5 + 90 * box) % width, (53 * box + 11 * seed) % height
            picture[y : y + 40, x : x + 60] *= 0.55
            picture[y : y + 30, x : x + 35] = rng.integers(
                0, 256, 1 if box % 2 else picture[y : y + 30, x : x + 35].shape
            )
        picture[height // 2 : height // 2 + 20, width - 20 :] = 250 if number > 20 else 20
        exposure = 1.0 if number % 17 < 12 else 1.3
        pictures.append((picture * exposure).clip(0, 255).astype(np.uint8))
    return pictures


@pytest.mark.parametrize(("width", "height"), [(640, 480), (320, 240), (360, 203), (129, 97), (70, 60), (963, 540)])
def test_every_plane_is_what_the_plain_loops_make_of_it(width: int, height: int) -> None:
    sight, plain = Sight(width, height), Planes(width, height)
    street = sight.background
    pictures = film(width, height, 40, seed=width)
    samples = []
    for picture in pictures[:16]:
        sight.take(picture)
        samples.append(street.small.copy())
    sight.begin(samples)
    plain.begin(street.mean, street.spread, street.candidate)
    plain.small = street.small.astype(np.int64).reshape(plain.small.shape)
    for number, picture in enumerate(pictures):
        found = sight.see(picture, number / 10, 0.1)
        assert (found != core.LOST) == plain.process(picture, number / 10, 0.1)
        assert sight.at[core.GAIN_256] == plain.gain_256_before
        if found == core.LOST:
            continue
        for name in ("mask", "solid"):
            assert (getattr(street, name) == packed(getattr(plain, name).astype(np.uint8))).all(), (name, number)
        for name in ("small", "mean", "spread", "candidate", "held", "low", "high"):
            assert (getattr(street, name) == getattr(plain, name).ravel()).all(), (name, number)
        assert (sight.at[core.SOLID_COUNT], sight.at[core.BRIGHT_COUNT]) == (plain.solid_count, plain.bright_count)


def test_what_moved_is_added_up_until_it_is_asked_for() -> None:
    sight = Sight(320, 240)
    pictures = film(320, 240, 20, seed=3)
    sight.begin(pictures[:16])
    total = 0
    for number, picture in enumerate(pictures):
        sight.see(picture, number / 10, 0.1)
        total += sight.at[core.SOLID_COUNT]
    assert sight.movement()[0] == total > 0
    assert sight.movement() == (0, 0)


def test_a_picture_in_another_light_altogether_is_lost() -> None:
    sight = Sight(320, 240)
    picture = np.full((240, 320), 40, np.uint8)
    sight.begin([picture] * 16)
    assert sight.see(picture, 0.0, 0.1) == 0
    assert sight.see(picture * 5, 0.1, 0.1) == core.LOST
