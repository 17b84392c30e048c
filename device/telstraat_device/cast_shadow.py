"""Learns on which sides of things their shadows lie in this street's light.

A flat dark car looks like a shadow, pixel by pixel, and is cut; but only a cast shadow is cut from the same side of
everything that passes. So a side counts as shadow where half of what passed lately was cut there, and nowhere else.

        sun  ╲   ┌──────┐
              ╲  │ car  │▒▒▒▒   cut to the right, from everybody: shadow
               ╲ └──────┘▒▒▒▒
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from telstraat_device.seen import Seen

SHADOW_SHARE = 0.1  # of the box
KNOWN_AFTER = 5  # things that passed; until then every cut is taken for a shadow
KEEP = 30


class CastShadow:
    """The sides of boxes that lately were cut; `sides` are left, top, right, bottom."""

    def __init__(self) -> None:
        self._cuts: NDArray[np.float64] = np.zeros((KEEP, 4))
        self._count = 0

    @property
    def sides(self) -> NDArray[np.bool_]:
        """Where shadows lie; everywhere, while too little passed to know."""
        known = self._cuts[: min(self._count, KEEP)]
        if self._count < KNOWN_AFTER:
            return np.ones(4, dtype=bool)
        return np.asarray(np.median(known, axis=0) >= SHADOW_SHARE)

    def whole(self, seen: Seen) -> Seen:
        """Give back what was cut from a box where no shadow lies, and learn from it."""
        if not any(seen.cut):
            return seen
        left, top, right, bottom = seen.cut
        w, h = seen.w + left + right, seen.h + top + bottom
        size = np.array([w, h, w, h])
        self._cuts[self._count % KEEP] = np.maximum(seen.cut, 0.0) / np.maximum(size, 1.0)
        self._count += 1
        left, top, right, bottom = np.where(self.sides, 0.0, seen.cut).tolist()
        return replace(
            seen,
            w=seen.w + left + right,
            h=seen.h + top + bottom,
            x=seen.x + (right - left) / 2,
            foot=seen.foot + bottom,
        )
