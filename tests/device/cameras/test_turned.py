"""Frames are turned upright and blanked where nobody is to look, before anything else sees them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telstraat_device.cameras.frames import ClosingSource, Frame, Luma
from telstraat_device.cameras.turned import TurnedSource, hidden_pixels

WINDOW = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))


class Pictures(ClosingSource):
    """A source of given pictures."""

    def __init__(self, *pictures: Luma) -> None:
        self.pictures = pictures
        self.name, self.fps, self.frames = "pictures", 10.0, len(pictures)
        self.height, self.width = pictures[0].shape
        self.closed = False

    def __iter__(self) -> Iterator[Frame]:
        for number, picture in enumerate(self.pictures):
            yield Frame(picture, number / self.fps)

    def close(self) -> None:
        self.closed = True


def picture(seed: int = 1, shape: tuple[int, int] = (12, 20)) -> Luma:
    return np.random.default_rng(seed).integers(1, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(("rotation", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
def test_the_upper_left_corner_goes_clockwise(rotation: int, corner: tuple[int, int]) -> None:
    before = picture()
    source = TurnedSource(Pictures(before), rotation)
    (frame,) = source
    assert frame.luma[corner] == before[0, 0]
    assert frame.luma.shape == (source.height, source.width)
    assert frame.luma.flags.c_contiguous


@given(seed=st.integers(0, 2**32 - 1), rotation=st.sampled_from([0, 90, 180, 270]))
def test_what_lies_under_a_mask_changes_no_bit_of_what_comes_out(seed: int, rotation: int) -> None:
    clean = picture(seed)
    hidden = hidden_pixels([WINDOW], *((12, 20) if rotation in {90, 270} else (20, 12)))
    noisy = clean.copy()
    turns = {0: 0, 90: 1, 180: 2, 270: 3}[rotation]
    noisy[np.rot90(hidden, turns)] = np.random.default_rng(seed + 1).integers(0, 256, hidden.sum())
    (one_frame,) = TurnedSource(Pictures(clean), rotation, [WINDOW])
    (other_frame,) = TurnedSource(Pictures(noisy), rotation, [WINDOW])
    assert (one_frame.luma == other_frame.luma).all()
    assert (one_frame.luma[~hidden] > 0).all()


def test_the_camera_keeps_its_own_picture_and_is_closed_with_the_rest() -> None:
    before = picture()
    camera = Pictures(before.copy())
    source = TurnedSource(camera, 0, [WINDOW])
    list(source)
    assert (camera.pictures[0] == before).all()
    source.close()
    assert camera.closed


def test_a_mask_covers_the_share_of_the_picture_that_it_says() -> None:
    assert hidden_pixels([WINDOW], 640, 480).mean() == pytest.approx(0.25, abs=0.005)
    triangle = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]
    assert hidden_pixels([triangle], 640, 480).mean() == pytest.approx(0.5, abs=0.005)
    assert hidden_pixels([triangle, triangle], 64, 48).mean() == pytest.approx(0.5, abs=0.02)
