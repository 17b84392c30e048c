"""A camera that hands out the same picture again and again: it sees nothing, and must not pass for an empty street.

Two pictures of a real sensor never agree: its noise differs. Compressed streams may repeat a picture for as long as nothing
is encoded anew, which is a second or two; ten are a camera, a decoder or a relay that hangs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from telstraat_device.cameras.frames import Luma

FROZEN_S = 10.0
EVERY_PX = 7
"""Every so many pixels of each way are compared: 6,000 of 640 x 480; no multiple of the blocks of encoders."""


class FrozenWatch:
    """Says whether a source has given one and the same picture for longer than a working camera does."""

    def __init__(self) -> None:
        self._sample: NDArray[np.uint8] | None = None
        self._since_s = 0.0

    def is_frozen(self, luma: Luma, t_s: float) -> bool:
        """Take the next picture; return whether it and those before it are the same since `FROZEN_S`."""
        sample = luma[::EVERY_PX, ::EVERY_PX]
        if self._sample is None or not np.array_equal(sample, self._sample):
            self._sample = sample.copy()
            self._since_s = t_s
            return False
        return t_s - self._since_s >= FROZEN_S
