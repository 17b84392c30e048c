"""The reference that the foreground kernels are held to: every stage on whole pictures, one byte per pixel, in plain numpy.

In the order of the pipeline: shrink, follow the exposure, mark what is outside the range of the street, clean by majority,
remove shadows, learn the street; then, in the dark, suppress the light of headlights.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from telstraat_device.counting.foreground.background import (
    ADOPT_S,
    ADOPT_YOUNG_S,
    GAIN_MAX,
    GAIN_STEP,
    LEARN_S,
    RANGE_MIN,
    STEADY,
    YOUNG_S,
    shrink_factor,
)
from telstraat_device.counting.foreground.blobs import CHANGE_STEP
from telstraat_device.counting.foreground.headlights import ACROSS_PX, DOWN_PX, NEAR_DARK_PX, NEAR_PX
from telstraat_device.counting.foreground.pixels import (
    BLACK,
    RING_PX,
    SHADOW_EDGE,
    SPREAD_MAX,
    SPREAD_SHIFT,
    SPREAD_TIMES,
    UNEVEN_MIN,
    UNEVEN_SHARE,
    UNEVEN_SHARE_OF,
)

Plane = NDArray[Any]  # int64 (height, width)


def shrink(luma: NDArray[np.uint8], factor: int) -> Plane:
    """Return the rounded means of squares."""
    height, width = luma.shape[0] // factor, luma.shape[1] // factor
    squares = luma[: height * factor, : width * factor].reshape(height, factor, width, factor).astype(np.int64)
    return np.asarray((squares.sum(axis=(1, 3)) + factor**2 // 2) // factor**2)


def neighbour(plane: Plane, dy: int, dx: int, fill: int | None) -> Plane:
    """Return the neighbour (dy, dx) away from each pixel; beyond the border it is `fill`, or the nearest for None."""
    height, width = plane.shape
    padded = np.pad(plane, 3, mode="edge") if fill is None else np.pad(plane, 3, constant_values=fill)
    return padded[3 + dy : 3 + dy + height, 3 + dx : 3 + dx + width]


def majority(mask: Plane) -> Plane:
    """Keep what has 5 of the 3 x 3 around it; nothing at the border."""
    total = sum(neighbour(mask, dy, dx, 0) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
    out = (np.asarray(total) >= 5).astype(np.int64)
    out[0] = out[-1] = 0
    out[:, 0] = out[:, -1] = 0
    return out


def street_range(mean: Plane, spread: Plane) -> tuple[Plane, Plane]:
    """Return the range of the street: the 3 x 3 extremes of the mean, widened by what is usual."""
    near = np.stack([neighbour(mean >> 8, dy, dx, None) for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    wide = np.maximum(RANGE_MIN, (SPREAD_TIMES * spread) >> SPREAD_SHIFT)
    return np.maximum(0, near.min(axis=0) - wide), np.minimum(255, near.max(axis=0) + wide)


def remove_shadows(small: Plane, mean: Plane, mask: Plane) -> tuple[Plane, int, int]:
    """Return the foreground that is no shadow, how much that is, and how much of it is brighter than the street."""
    m = mean >> 8
    bright = (mask == 1) & (32 * small > 31 * m)
    edge = np.zeros_like(mask, bool)
    for dy, dx in ((0, 1), (1, 0)):
        dark = neighbour(small, dy, dx, 0) - neighbour(small, -dy, -dx, 0)
        usual = neighbour(m, dy, dx, 0) - neighbour(m, -dy, -dx, 0)
        edge |= abs(dark * m - usual * small) > SHADOW_EDGE * m
    edge = (mask == 1) & ~bright & (edge | (8 * small < m))
    flat = ((mask == 1) & ~bright & ~edge).astype(np.int64)
    rim = np.zeros_like(edge)
    for d in (2, 3):
        for dy, dx in ((0, d), (d, 0), (0, -d), (-d, 0)):
            rim |= (neighbour(mask, dy, dx, 0) == 0) & (neighbour(flat, -dy, -dx, 0) == 1)
    rim[:3] = rim[-3:] = False
    solid = bright | (edge & ~rim)
    return solid.astype(np.int64), int(solid.sum()), int((solid & bright).sum())


def edges_in_light(small: Plane, mean: Plane, mask: Plane) -> Plane:
    """Return the foreground that its ring of eight does not explain, or has none; a ring goes on in the next row."""
    width, seen, street, out = mask.shape[1], small.ravel() + BLACK, mean.ravel() + 256 * BLACK, mask.ravel().copy()
    ring = np.array([RING_PX * (dy * width + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx])
    for i in np.flatnonzero(out):
        if ring[-1] <= i < out.size - ring[-1]:
            light = int(street[i + ring].sum())
            expected = int(street[i] * seen[i + ring].sum())
            off = abs(int(seen[i]) * light - expected)
            out[i] = off > UNEVEN_MIN * light and UNEVEN_SHARE_OF * off > UNEVEN_SHARE * expected
    return out.reshape(mask.shape)


def close_gaps(mask: Plane, across: int, down: int) -> Plane:
    """Fill gaps of at most `across` pixels in rows, then of `down` in columns."""
    out = mask.copy()
    for lines, reach in ((out, across), (out.T, down)):
        for line in lines:
            for first, second in pairwise(np.flatnonzero(line)):
                if second - first - 1 <= reach:
                    line[first:second] = 1
    return out


def suppress_light(small: Plane, mean: Plane, mask: Plane) -> Plane:
    """Return what is left of a mask with an empty border without light on the street."""
    edge = edges_in_light(small, mean, mask)
    edge &= np.asarray(sum(neighbour(edge, dy, dx, 0) for dy in (-1, 0, 1) for dx in (-1, 0, 1))) >= 4
    near, far = (ndimage.maximum_filter(edge, 2 * px + 1, mode="constant") for px in (NEAR_PX, NEAR_DARK_PX))
    return close_gaps(mask & (near | (far & (small < mean >> 8))), ACROSS_PX, DOWN_PX)


class ReferenceSegmenter:
    """The segmenter of `telstraat_device.counting.foreground.segmenter`, after its description."""

    def __init__(self, width: int, height: int) -> None:
        self.factor = shrink_factor(width)
        shape = height // self.factor, width // self.factor
        self.current, self.previous = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        self.held, self.solid_count, self.bright_count, self._frames = np.zeros(shape, np.int64), 0, 0, 0
        self.logs = np.array([round(256 * np.log2(max(v, 1))) for v in range(256)])

    def bootstrap(self, mean: NDArray[Any], spread: NDArray[Any], candidate: NDArray[Any]) -> None:
        """Begin with a street that is given."""
        shape = self.current.shape
        planes = [np.asarray(p, np.int64).reshape(shape).copy() for p in (mean, spread, candidate)]
        self.mean: Plane = planes[0]
        self.spread: Plane = planes[1]
        self.candidate: Plane = planes[2]
        self.low, self.high = street_range(self.mean, self.spread)

    def measure_gain_256(self) -> int:
        """Return the median of 256 log2(frame / background) over every 61st pixel."""
        x, m = self.current.ravel()[7::61], self.mean.ravel()[7::61] >> 8
        known = (x > 16) & (x < 240) & (m > 16) & (m < 240)
        steps = np.sort(self.logs[x[known]] - self.logs[m[known]])
        return int(steps[(len(steps) - 1) // 2]) if len(steps) >= 50 else 0

    def segment(self, luma: NDArray[np.uint8], age_s: float, dt_s: float) -> bool:
        """Segment a frame; return False where it is another picture altogether."""
        self.current, self.previous = shrink(luma, self.factor), self.current
        self.gain_256 = self.measure_gain_256()
        gain = self.gain_256 / 256
        if abs(gain) > GAIN_MAX:
            return False
        self._adapt_exposure(gain)
        self.raw = ((self.current < self.low) | (self.current > self.high)).astype(np.int64)
        self.mask = majority(self.raw)
        self.changed = (abs(self.current - self.previous) > CHANGE_STEP).astype(np.int64)
        shade, self.solid_count, self.bright_count = remove_shadows(self.current, self.mean, self.mask)
        self.solid = majority(shade)
        self._learn(age_s, dt_s)
        self._frames += 1
        return True

    def _adapt_exposure(self, gain: float) -> None:
        """Adapt the street to the exposure, and update the range: of all rows, or of an eighth."""
        height = self.current.shape[0]
        eighth = self._frames & 7
        rows = slice(eighth * height // 8, (eighth + 1) * height // 8)
        if abs(gain) > GAIN_STEP:
            times = round(4096 * 2.0**gain)
            self.mean = np.minimum(65280, (self.mean * times) >> 12)
            self.candidate = np.minimum(255, (self.candidate * times) >> 12)
            rows = slice(0, height)
        low, high = street_range(self.mean, self.spread)
        self.low[rows], self.high[rows] = low[rows], high[rows]

    def _learn(self, age_s: float, dt_s: float) -> None:
        """Learn the street in half of the rows: move mean and spread, adopt still foreground."""
        height, half = self.current.shape[0], self._frames & 1
        rows = slice(half * height // 2, (half + 1) * height // 2)
        rate = max(1, min(2048, round(4096 * 2 * dt_s / LEARN_S)))
        adopt = max(4, min(255, round((ADOPT_YOUNG_S if age_s < YOUNG_S else ADOPT_S) / (2 * dt_s))))
        x, m, s = self.current[rows], self.mean[rows], self.spread[rows]
        c, held, street = self.candidate[rows], self.held[rows], self.raw[rows] == 0
        way = (x << 8) - m
        off = np.minimum(255, abs(way) >> (8 - SPREAD_SHIFT))
        mean = np.where(street, m + ((way * rate) >> 12), m)
        spread = np.where(street, np.minimum(SPREAD_MAX, s + ((off - s) >> 4) + (off > s)), s)
        still = ~street & (abs(x - c) <= STEADY)
        times = np.where(street, np.maximum(held - 1, 0), np.where(still, np.minimum(255, held + 1), 0))
        candidate = np.where(street, c, np.where(still, c + np.sign(x - c), x))
        adopted = still & (times >= adopt)  # as the candidate was before this frame moved it
        self.mean[rows] = np.where(adopted, c << 8, mean)
        self.spread[rows] = np.where(adopted, 16, spread)
        self.held[rows], self.candidate[rows] = np.where(adopted, 0, times), candidate
