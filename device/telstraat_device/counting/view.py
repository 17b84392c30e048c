"""What the counter knows of its view: light, and whether it is covered, moved or too dark to count.

Once a second the picture's edges are compared with those of the view that was learnt: edges gone is a covered camera,
other edges is a moved one. At night what moves is brighter than the street, because it carries its own light; that
holds under street lamps and automatic exposure, where the brightness of the picture does not. Pale cars by day are brighter
than the street, too. But light that is carried fades with the distance, where paint is as bright from edge to edge; and what
the lamps do not reach stays dark however long the exposure, where by day the sky lights all of the street.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telstraat_contract.messages import Light
from telstraat_device.counting.foreground.bitmask import ONE, words_across
from telstraat_device.native.kernel import address, entry, kernel
from telstraat_device.native.simd import carray, pointer

LOOK_EVERY_S = 1.0
POINTS = 4096
BLIND_EDGES = 5.0  # grey levels over two pixels: without one edge in fifty above it, nothing but noise is left
BLIND_ONE_IN = 0.02
VISIBLE_SHARE = 0.1  # of the samples; with less nothing is known of the view
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
FADES_BELOW = 0.7  # what is usual of how much brighter it got, by the most of it: lamps 0.4, even paint 0.95
EVEN_BELOW = 0.5  # how far what is brighter differs within itself, by the most that it got brighter: paint 0.1, lamps 1
UNLIT_BELOW = 0.7  # the darkest tenth by the middle of the picture: a street under lamps 0.4, by an even sky 0.9
BRIGHTENED_MIN = 100  # pixels
DARK_LUMA, DARK_EDGES = 14, 1.2
LIGHT_MEMORY_S = 60.0
MOVING_ENOUGH = 4000.0  # pixels of traffic after which it tells the light


# what each place of the array says: addresses, the size of the picture, every which pixel is a sample
(MASK, EDGES, KNOWN, LUMAS, CELL_OF, CELLS_SEEN, CELLS_KNOWN, SUMS, WIDTH, HEIGHT, WORDS, STEP) = range(12)
# sums over the samples in front of which nothing stands, and of all edges that are known: see `weigh`
(VISIBLE, STRENGTH, STRONG, USUAL, SEEN_SQUARED, KNOWN_SQUARED, PRODUCT, CELLS_ALIKE) = range(8)
ALL_SUMS = 8
HIDDEN = -32768  # instead of a difference: something stands in front of the street


@kernel
def shorts_at(place: int) -> Any:
    """Return what lies at an address as the two differences of each sample."""
    return carray(pointer(place), (POINTS, 2), np.int16)


@kernel
def cells_at(place: int) -> Any:
    """Return what lies at an address as one number a field."""
    return carray(pointer(place), (CELLS[0] * CELLS[1],), np.float64)


@kernel
def sample(at: Any, small: Any, edges: Any, lumas: Any) -> int:
    """Write the histogram of every STEP-th pixel, and the differences across it and down; return how many there are."""
    width, height = at[WIDTH], at[HEIGHT]
    mask = carray(pointer(at[MASK]), (height, at[WORDS]), np.uint64)
    lumas[:] = 0
    row, count = np.uint64(width), np.uint64(0)
    for i in range(row + ONE, np.uint64(max(width * (height - 1) - 1, 0)), np.uint64(at[STEP])):
        if count == np.uint64(POINTS):
            break
        lumas[small[i]] += 1
        y, x = i // row, i % row
        if (mask[y, x >> np.uint64(6)] >> (x & np.uint64(63))) & ONE:
            edges[count, 0] = edges[count, 1] = HIDDEN
        else:
            edges[count, 0] = np.int16(small[i + ONE]) - np.int16(small[i - ONE])
            edges[count, 1] = np.int16(small[i + row]) - np.int16(small[i - row])
        count += ONE
    return int(count)


@kernel
def correlation(these: Any, those: Any) -> float:
    """Return how alike two rows of numbers are, 1 for proportional, after what all have in common is taken off."""
    n = len(these)
    here = there = 0.0
    for k in range(n):
        here += these[k] / n
        there += those[k] / n
    product = squared_here = squared_there = 0.0
    for k in range(n):
        a, b = these[k] - here, those[k] - there
        product += a * b
        squared_here += a * a
        squared_there += b * b
    both = math.sqrt(squared_here * squared_there)
    return product / both if both > 0.0 else 0.0


@kernel
def weigh(at: Any, edges: Any, count: int, sums: Any) -> None:
    """Add up how strong the edges of so many samples are, seen and known, and how alike; the latter by fields, too."""
    known = carray(pointer(at[KNOWN]), (POINTS, 2), np.float32)
    cell_of = carray(pointer(at[CELL_OF]), (POINTS,), np.int32)
    seen_cells, known_cells = cells_at(at[CELLS_SEEN]), cells_at(at[CELLS_KNOWN])
    sums[:] = 0.0
    seen_cells[:] = 0.0
    known_cells[:] = 0.0
    for i in range(count):
        was_x, was_y = np.float64(known[i, 0]), np.float64(known[i, 1])
        sums[USUAL] += abs(was_x) + abs(was_y)
        known_cells[cell_of[i]] += abs(was_x) + abs(was_y)
        if edges[i, 0] == HIDDEN:
            continue
        x, y = np.float64(edges[i, 0]), np.float64(edges[i, 1])
        seen_cells[cell_of[i]] += abs(x) + abs(y)
        sums[VISIBLE] += 1.0
        sums[STRENGTH] += abs(x) + abs(y)
        sums[STRONG] += (1.0 if abs(x) >= BLIND_EDGES else 0.0) + (1.0 if abs(y) >= BLIND_EDGES else 0.0)
        sums[SEEN_SQUARED] += x * x + y * y
        sums[KNOWN_SQUARED] += was_x * was_x + was_y * was_y
        sums[PRODUCT] += x * was_x + y * was_y
    sums[CELLS_ALIKE] = correlation(seen_cells, known_cells)


@entry
def look(at: Any, picture: int, _whole: int, _first: float, _second: float) -> int:
    """Sample a working picture and weigh its edges; return how many samples there are.

    Written are the edges, int16 (POINTS, 2), HIDDEN where something stands in front of the street, lumas,
    int32 (256,), a histogram, and the sums.
    """
    small = carray(pointer(picture), (at[WIDTH] * at[HEIGHT],), np.uint8)
    edges = shorts_at(at[EDGES])
    count = sample(at, small, edges, carray(pointer(at[LUMAS]), (256,), np.int32))
    weigh(at, edges, count, carray(pointer(at[SUMS]), (ALL_SUMS,), np.float64))
    return count


@entry
def accustom(at: Any, _picture: int, count: int, pace: float, _second: float) -> int:
    """Move what is known of so many samples by `pace` of the way to what is seen; 1 begins anew."""
    edges, known = shorts_at(at[EDGES]), carray(pointer(at[KNOWN]), (POINTS, 2), np.float32)
    for i in range(count):
        if edges[i, 0] != HIDDEN:
            for k in range(2):
                known[i, k] += np.float32(pace) * (np.float32(edges[i, k]) - known[i, k])
    return 0


def quantile(histogram: list[int], share: float) -> int:
    """Return the grey level below which a share of the samples lies."""
    wanted, below = share * sum(histogram), 0
    for value, count in enumerate(histogram):
        below += count
        if below >= wanted:
            return value
    return len(histogram)


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
        step = max(1, width * height // POINTS) | 1
        samples = np.arange(width + 1, width * height - width - 1, step)[:POINTS]
        across, down = (samples % width) * CELLS[0] // width, (samples // width) * CELLS[1] // height
        self._cell_of: NDArray[np.int32] = np.zeros(POINTS, np.int32)
        self._cell_of[: len(samples)] = down * CELLS[0] + across
        self._edges: NDArray[np.int16] = np.zeros((POINTS, 2), np.int16)
        self._known: NDArray[np.float32] = np.zeros((POINTS, 2), np.float32)
        self._lumas: NDArray[np.int32] = np.zeros(256, np.int32)
        self._cells: NDArray[np.float64] = np.zeros((2, CELLS[0] * CELLS[1]))
        self._sums: NDArray[np.float64] = np.zeros(ALL_SUMS)
        arrays = (self._edges, self._known, self._lumas, self._cell_of, self._cells[0], self._cells[1], self._sums)
        places = [address(array) for array in arrays]
        self._at: NDArray[np.int64] = np.array([0, *places, width, height, words_across(width), step], np.int64)
        self._look, self._accustom = look(self._at), accustom(self._at)
        self._knows = False
        self.due_s = 0.0
        self._last_s: float | None = None
        self._learnt_s = self._odd_s = self._empty_s = 0.0
        self._moving = self._brighter = 0.0
        self._fading = 0.0  # seconds in which what moved faded like light, less those in which it was even like paint

    def update(
        self,
        t_s: float,
        small: NDArray[np.uint8],
        mask: NDArray[np.uint64],
        moving: int,
        brighter: int,
        street: NDArray[np.uint16] | None = None,
    ) -> None:
        """Take in a frame, and how many pixels moved since the last and how many of them are brighter than the street.

        `street` is what is behind, in 256ths of a grey level. Nothing but the two sums is looked at before `due_s`.
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
        count = self._look(address(small), 0, 0.0, 0.0)
        self._judge_edges(count, passed_s)
        if street is not None:
            self._judge_brightening(small, mask, street)
        self._judge_light(passed_s)

    def _judge_edges(self, count: int, passed_s: float) -> None:
        """Decide blind and moved, and learn the view."""
        visible, strength, strong, usual, seen, known, product, cells_alike = self._sums.tolist()
        edges = max(1.0, 2.0 * visible)
        weak = strength / edges < BLIND_SHARE * usual / (2.0 * count)
        empty = weak or strong < BLIND_ONE_IN * edges or visible < VISIBLE_SHARE * count
        self._empty_s = self._empty_s + passed_s if empty else 0.0
        self.blind = self._empty_s >= BLIND_AFTER_S if self._knows else empty
        if empty:
            return
        if not self._knows:
            self._accustom(0, count, 1.0, 0.0)
            self._knows = True
            return
        # Compared by fields, too: a camera that trembles on its pole has not moved.
        both = math.sqrt(seen * known)
        alike = max(product / both if both > 0.0 else 0.0, cells_alike)
        self._odd_s = self._odd_s + passed_s if alike < MOVED_BELOW else 0.0
        if self._odd_s >= MOVED_AFTER_S and self._learnt_s >= LEARN_VIEW_S:
            self.moved = True
        elif alike > BACK_ABOVE:
            self.moved = False
        if alike >= MOVED_BELOW and not self.moved:
            self._learnt_s += passed_s
            pace = min(1.0, passed_s / (LEARN_VIEW_S if self._learnt_s < LEARN_VIEW_S else FOLLOW_S))
            self._accustom(0, count, pace, 0.0)

    def _judge_brightening(
        self, small: NDArray[np.uint8], mask: NDArray[np.uint64], street: NDArray[np.uint16]
    ) -> None:
        """Decide whether what is brighter than the street fades like light, or is even like paint."""
        width, height = int(self._at[WIDTH]), int(self._at[HEIGHT])
        bits = np.unpackbits(mask.view(np.uint8).reshape(height, -1), axis=1, bitorder="little")[:, :width]
        in_front = np.flatnonzero(bits)
        behind = (street.ravel()[in_front] >> 8).astype(np.int16)
        seen = small.ravel()[in_front].astype(np.int16)
        brightened = seen - behind > behind >> 3
        if np.count_nonzero(brightened) >= BRIGHTENED_MIN:
            usual, most = np.quantile((seen - behind)[brightened], (0.5, 0.95))
            low, high = np.quantile(seen[brightened], (0.1, 0.9))
            fades = usual < FADES_BELOW * most and high - low > EVEN_BELOW * most
            self._fading += 1.0 if fades else -1.0

    def _judge_light(self, passed_s: float) -> None:
        """Decide day, dusk or night, and too dark."""
        lumas = self._lumas.tolist()
        middle, bright = quantile(lumas, 0.5), quantile(lumas, 0.9)
        carried = self._fading >= 0.0 and quantile(lumas, 0.1) < UNLIT_BELOW * middle
        share = self._brighter / self._moving if carried and self._moving >= MOVING_ENOUGH else 0.0
        if middle < NIGHT_LUMA or share > NIGHT_BRIGHTER:
            self.light = "night"
        elif middle < DUSK_LUMA or share > DUSK_BRIGHTER:
            self.light = "dusk"
        else:
            self.light = "day"
        visible, strength = self._sums[VISIBLE], self._sums[STRENGTH]
        self.too_dark = bool(visible > 0.0 and bright < DARK_LUMA and strength < DARK_EDGES * 2.0 * visible)
        fade = max(0.0, 1.0 - passed_s / LIGHT_MEMORY_S)
        self._moving *= fade
        self._brighter *= fade
        self._fading *= fade
