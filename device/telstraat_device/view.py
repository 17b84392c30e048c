"""What the counter knows of its view: light, and whether it is covered, moved or too dark to count.

Once a second the picture's edges are compared with those of the view that was learnt: edges gone is a covered camera,
other edges is a moved one. At night what moves is brighter than the street, because it carries its own light; that
holds under street lamps and automatic exposure, where the brightness of the picture does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from telstraat_contract.messages import Light
from telstraat_device.kernel import address, entry
from telstraat_device.lanes import carray, pointer
from telstraat_device.words import ONE, words_across

LOOK_EVERY_S = 1.0
POINTS = 4096
BLIND_EDGES = 5.0  # grey levels over two pixels: without one edge in fifty above it, nothing but noise is left
BLIND_SHARE = 0.2  # of the edges that the view had
BLIND_AFTER_S = 2.0
MOVED_BELOW = (
    0.45  # correlation of edges, point by point or field by field; the same street in other light stays above 0.6
)
BACK_ABOVE = 0.55
MOVED_AFTER_S = 8.0
CELLS = (24, 16)  # fields across and down
LEARN_VIEW_S = 10.0
FOLLOW_S = 900.0  # shadows wander with the sun
NIGHT_LUMA, DUSK_LUMA = 42, 62
NIGHT_BRIGHTER, DUSK_BRIGHTER = 0.78, 0.62  # share of moving pixels brighter than the street: day 0.0 to 0.5, night 0.9
DARK_LUMA, DARK_EDGES = 14, 1.2
LIGHT_MEMORY_S = 60.0
MOVING_ENOUGH = 4000.0  # pixels of traffic after which it tells the light


(MASK, EDGES, LUMAS, WIDTH, HEIGHT, WORDS) = range(6)  # where `look` finds what it needs


@entry
def look(at: Any, picture: int, step: int, _first: float, _second: float) -> int:
    """Sample brightness and the two differences around every `step`-th pixel; return how many samples.

    Written are the edges, float32 (POINTS, 2), NaN where something stands in front of the street, and lumas,
    int32 (256,), a histogram.
    """
    width, height = at[WIDTH], at[HEIGHT]
    small = carray(pointer(picture), (width * height,), np.uint8)
    mask = carray(pointer(at[MASK]), (height, at[WORDS]), np.uint64)
    edges = carray(pointer(at[EDGES]), (POINTS, 2), np.float32)
    lumas = carray(pointer(at[LUMAS]), (256,), np.int32)
    for value in range(256):
        lumas[value] = 0
    count = 0
    for i in range(width + 1, width * height - width - 1, step):
        if count == POINTS:
            break
        lumas[small[i]] += 1
        y, x = i // width, i % width
        if (mask[y, x >> 6] >> np.uint64(x & 63)) & ONE:
            edges[count, 0] = edges[count, 1] = np.nan
        else:
            edges[count, 0] = np.int32(small[i + 1]) - np.int32(small[i - 1])
            edges[count, 1] = np.int32(small[i + width]) - np.int32(small[i - width])
        count += 1
    return count


def quantile(histogram: NDArray[np.int32], share: float) -> int:
    """Return the grey level below which a share of the samples lies."""
    return int(np.searchsorted(np.cumsum(histogram), share * histogram.sum()))


class ViewWatch:
    """Watches the view of one camera; its attributes say what is known now.

    Attributes
    ----------
    light : "unknown", "day", "dusk" or "night"
    blind, moved, too_dark : bool
        Covered or all of one tone; not the view that the line was drawn on; too dark to see anything.
    learning : bool
        Scale and classes are still being learnt from the traffic.
    due_s : float
        When the view is to be looked at next.
    """

    def __init__(self, width: int, height: int) -> None:
        self.light: Light = "unknown"
        self.blind = self.moved = self.too_dark = False
        self.learning = True
        self._width = width
        self._step = max(1, width * height // POINTS) | 1
        at = np.arange(width + 1, width * height - width - 1, self._step)[:POINTS]
        across, down = (at % width) * CELLS[0] // width, (at // width) * CELLS[1] // height
        self._cell: NDArray[np.intp] = down * CELLS[0] + across
        self._edges: NDArray[np.float32] = np.zeros((POINTS, 2), np.float32)
        self._lumas: NDArray[np.int32] = np.zeros(256, np.int32)
        places = [address(self._edges), address(self._lumas), width, height, words_across(width)]
        self._at: NDArray[np.int64] = np.array([0, *places], np.int64)
        self._known: NDArray[np.float32] | None = None
        self.due_s = 0.0
        self._last_s: float | None = None
        self._learnt_s = self._odd_s = self._empty_s = 0.0
        self._moving = self._brighter = 0.0

    def update(
        self, t_s: float, small: NDArray[np.uint8], mask: NDArray[np.uint64], moving: int, brighter: int
    ) -> None:
        """Take in a frame, and how many pixels moved since the last and how many of them are brighter than the street.

        Nothing but these two sums is looked at before `due_s`.
        """
        if self._last_s is None:
            self._last_s = t_s
        self._moving += moving
        self._brighter += brighter
        if t_s < self.due_s:
            return
        passed_s = min(t_s - self._last_s, 5.0)
        self._last_s, self.due_s = t_s, t_s + LOOK_EVERY_S
        self._at[MASK] = address(mask)
        count = look(self._at, address(small), self._step, 0.0, 0.0)
        self._judge_edges(self._edges[:count], passed_s)
        self._judge_light(passed_s)

    def _judge_edges(self, edges: NDArray[np.float32], passed_s: float) -> None:
        """Decide blind and moved, and learn the view."""
        there = ~np.isnan(edges[:, 0])
        strength = float(np.abs(edges[there]).mean()) if there.any() else 0.0
        usual = float(np.abs(self._known).mean()) if self._known is not None else 0.0
        strong = float(np.quantile(np.abs(edges[there]), 0.98)) if there.any() else 0.0
        empty = strong < BLIND_EDGES or strength < BLIND_SHARE * usual or there.mean() < 0.1
        self._empty_s = self._empty_s + passed_s if empty else 0.0
        self.blind = self._empty_s >= BLIND_AFTER_S if self._known is not None else empty
        if empty:
            return
        if self._known is None or self._known.shape != edges.shape:
            self._known = np.where(there[:, None], edges, 0).astype(np.float32)
            return
        known, seen = self._known[there], edges[there]
        both = float(np.sqrt((known**2).sum() * (seen**2).sum()))
        alike = float((known * seen).sum()) / both if both > 0 else 0.0
        alike = max(alike, self._cells_alike(edges))
        self._odd_s = self._odd_s + passed_s if alike < MOVED_BELOW else 0.0
        if self._odd_s >= MOVED_AFTER_S and self._learnt_s >= LEARN_VIEW_S:
            self.moved = True
        elif alike > BACK_ABOVE:
            self.moved = False
        if alike >= MOVED_BELOW and not self.moved:
            self._learnt_s += passed_s
            pace = min(1.0, passed_s / (LEARN_VIEW_S if self._learnt_s < LEARN_VIEW_S else FOLLOW_S))
            self._known[there] += pace * (seen - known)

    def _cells_alike(self, edges: NDArray[np.float32]) -> float:
        """Compare how much edge there is in each of CELLS fields: a camera that trembles on its pole has not moved."""
        if self._known is None:
            return 1.0
        energies = []
        for each in (np.nan_to_num(edges), self._known):
            energy = np.bincount(self._cell[: len(each)], np.abs(each).sum(axis=1), CELLS[0] * CELLS[1])
            energies.append(energy - energy.mean())
        both = float(np.sqrt((energies[0] ** 2).sum() * (energies[1] ** 2).sum()))
        return float((energies[0] * energies[1]).sum()) / both if both > 0 else 0.0

    def _judge_light(self, passed_s: float) -> None:
        """Decide day, dusk or night, and too dark."""
        middle, bright = quantile(self._lumas, 0.5), quantile(self._lumas, 0.9)
        share = self._brighter / self._moving if self._moving >= MOVING_ENOUGH else 0.0
        if middle < NIGHT_LUMA or share > NIGHT_BRIGHTER:
            self.light = "night"
        elif middle < DUSK_LUMA or share > DUSK_BRIGHTER:
            self.light = "dusk"
        else:
            self.light = "day"
        there = self._edges[~np.isnan(self._edges[:, 0])]
        self.too_dark = bright < DARK_LUMA and float(np.abs(there).mean()) < DARK_EDGES if there.size else False
        fade = max(0.0, 1.0 - passed_s / LIGHT_MEMORY_S)
        self._moving *= fade
        self._brighter *= fade
