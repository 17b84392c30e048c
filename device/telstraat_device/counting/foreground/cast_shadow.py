"""Learns on which side of road users their shadows fall in this street's light.

A flat dark car looks like a shadow, pixel by pixel, and is cut; but only a cast shadow is cut from the same side of
everything that passes the same way. So a side counts as shadow where half of what passed that way lately was cut there, and
nowhere else. Each way is learnt apart: the near lane of a wet road mirrors its cars below them, the far one need not.

        sun  ╲   ┌──────┐
              ╲  │ car  │▒▒▒▒   cut to the right, from everybody: shadow
               ╲ └──────┘▒▒▒▒
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.tracking.observation import Observation

SHADOW_SHARE = 0.1  # of the box
KNOWN_AFTER = 5  # things that passed; until then every cut is taken for a shadow
KEEP = 30


class CastShadow:
    """Which sides of boxes were cut lately, for either direction of travel."""

    def __init__(self) -> None:
        self._cuts: NDArray[np.float64] = np.zeros((2, KEEP, 4))
        self._counts = [0, 0]

    def sides(self, observation: Observation) -> NDArray[np.bool_]:
        """Return on which sides shadows fall for what goes this way (left, top, right, bottom): on all, while too little passed."""
        way = way_of(observation)
        if self._counts[way] < KNOWN_AFTER:
            return np.ones(4, dtype=bool)
        known = self._cuts[way, : min(self._counts[way], KEEP)]
        return np.asarray(np.median(known, axis=0) >= SHADOW_SHARE)

    def restore(self, observation: Observation) -> Observation:
        """Return the observation with what was cut where no shadow falls, and learn from it."""
        if not any(observation.cut):
            return observation
        left, top, right, bottom = observation.cut
        w, h = observation.w + left + right, observation.h + top + bottom
        way, size = way_of(observation), np.array([w, h, w, h])
        self._cuts[way, self._counts[way] % KEEP] = np.maximum(observation.cut, 0.0) / np.maximum(size, 1.0)
        self._counts[way] += 1
        left, top, right, bottom = np.where(self.sides(observation), 0.0, observation.cut).tolist()
        return replace(
            observation,
            w=observation.w + left + right,
            h=observation.h + top + bottom,
            x=observation.x + (right - left) / 2,
            foot=observation.foot + bottom,
        )


def way_of(observation: Observation) -> int:
    """Return 1 for what goes mostly to the right or down in the picture, else 0."""
    return int((observation.vx if abs(observation.vx) >= abs(observation.v_foot) else observation.v_foot) > 0)
