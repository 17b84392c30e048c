"""A source as it hangs in the window: turned upright, and blank where nobody is to look, before anything else sees a frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from telstraat_device.cameras.frames import ClosingSource, Frame, FrameSource, Luma

QUARTER_TURNS = {0: 0, 90: 3, 180: 2, 270: 1}
"""Degrees clockwise as quarter turns of `numpy.rot90`, which turns against the clock."""
BLANK = 0

Mask = Sequence[tuple[float, float]]
"""The corners of a polygon in shares of the turned picture."""


class Turning:
    """How pictures are turned and blanked.

    Parameters
    ----------
    rotation : {0, 90, 180, 270}
        Degrees clockwise.
    masks : sequence of polygons
        Corners in shares of the turned picture, x to the right and y down.
    """

    def __init__(self, rotation: int = 0, masks: Sequence[Mask] = ()) -> None:
        self._turns = QUARTER_TURNS[rotation]
        self._masks = masks
        self._hidden: NDArray[np.bool_] | None = None

    def apply(self, luma: Luma) -> Luma:
        """Return a picture turned and blanked; the one that was given stays as it is."""
        turned = np.ascontiguousarray(np.rot90(luma, self._turns)) if self._turns else luma
        if not self._masks:
            return turned
        if self._hidden is None or self._hidden.shape != turned.shape:
            self._hidden = hidden_pixels(self._masks, turned.shape[1], turned.shape[0])
        turned = turned.copy() if turned is luma else turned
        turned[self._hidden] = BLANK
        return turned


class TurnedSource(ClosingSource):
    """Another source, turned and blanked; it is closed with this one."""

    def __init__(self, source: FrameSource, rotation: int = 0, masks: Sequence[Mask] = ()) -> None:
        self._source = source
        self._turning = Turning(rotation, masks)
        self.name, self.fps, self.frames = source.name, source.fps, source.frames
        size = source.width, source.height
        self.width, self.height = reversed(size) if rotation in {90, 270} else size

    @property
    def timed(self) -> bool:
        """Whether its frames carry true times."""
        return self._source.timed

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._source:
            yield replace(frame, luma=self._turning.apply(frame.luma))

    def close(self) -> None:
        """Release the camera."""
        self._source.close()


def hidden_pixels(masks: Sequence[Mask], width: int, height: int) -> NDArray[np.bool_]:
    """Return which pixels lie in one of the polygons; a pixel that is touched by its middle or not at all."""
    x = (np.arange(width) + 0.5) / width
    y = ((np.arange(height) + 0.5) / height)[:, None]
    hidden = np.zeros((height, width), dtype=bool)
    for mask in masks:
        inside = np.zeros((height, width), dtype=bool)
        for (x1, y1), (x2, y2) in zip(mask, [*mask[1:], mask[0]], strict=True):
            crosses = (y1 > y) != (y2 > y)
            with np.errstate(divide="ignore", invalid="ignore"):
                at = x1 + (y - y1) * (x2 - x1) / (y2 - y1)
            inside ^= crosses & (x < at)
        hidden |= inside
    return hidden
