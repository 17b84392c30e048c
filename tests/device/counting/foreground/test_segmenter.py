"""A frame segmented in one call, against the reference in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.device.counting import reference
from tests.device.counting.masks import bitmask, packed
from tests.device.counting.reference import ReferenceSegmenter

from telstraat_device.counting.foreground.bitmask import majority
from telstraat_device.counting.foreground.segmenter import LOST, ForegroundSegmenter


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(5, 200), st.integers(5, 30), st.floats(0.01, 0.95))
def test_cleaning_keeps_the_majority_of_nine(seed: int, width: int, height: int, share: float) -> None:
    mask = (np.random.default_rng(seed).random((height, width)) < share).astype(np.uint8)
    out = bitmask(np.zeros_like(mask))
    for _ in range(2):
        majority(bitmask(mask), out)
    assert (out.words == packed(reference.majority(mask.astype(np.int64)).astype(np.uint8))).all()


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
    segmenter, plain = ForegroundSegmenter(width, height), ReferenceSegmenter(width, height)
    street, masks = segmenter.street, segmenter.masks
    pictures = film(width, height, 40, seed=width)
    samples = []
    for picture in pictures[:16]:
        segmenter.load_frame(picture)
        samples.append(segmenter.current.copy())
    segmenter.bootstrap(samples)
    plain.bootstrap(street.mean, street.spread, street.candidate)
    plain.current = segmenter.current.astype(np.int64).reshape(plain.current.shape)
    for number, picture in enumerate(pictures):
        blobs = segmenter.segment(picture, number / 10, 0.1)
        assert (blobs != LOST) == plain.segment(picture, number / 10, 0.1)
        assert segmenter.state["gain_256"][0] == plain.gain_256
        if blobs == LOST:
            continue
        assert (segmenter.current == plain.current.ravel()).all(), number
        for name in ("mask", "solid"):
            assert (getattr(masks, name).words == packed(getattr(plain, name).astype(np.uint8))).all(), (name, number)
        for name in ("mean", "spread", "candidate", "held", "low", "high"):
            assert (getattr(street, name) == getattr(plain, name).ravel()).all(), (name, number)
        assert segmenter.solid_count == plain.solid_count
        assert segmenter.state["bright_count"][0] == plain.bright_count


def test_what_moved_is_added_up_until_it_is_asked_for() -> None:
    segmenter = ForegroundSegmenter(320, 240)
    pictures = film(320, 240, 20, seed=3)
    segmenter.bootstrap(pictures[:16])
    total = 0
    for number, picture in enumerate(pictures):
        segmenter.segment(picture, number / 10, 0.1)
        total += segmenter.solid_count
    assert segmenter.take_movement()[0] == total > 0
    assert segmenter.take_movement() == (0, 0)


def test_a_picture_in_another_light_altogether_is_lost() -> None:
    segmenter = ForegroundSegmenter(320, 240)
    picture = np.full((240, 320), 40, np.uint8)
    segmenter.bootstrap([picture] * 16)
    assert segmenter.segment(picture, 0.0, 0.1) == 0
    assert segmenter.segment(picture * 5, 0.1, 0.1) == LOST
