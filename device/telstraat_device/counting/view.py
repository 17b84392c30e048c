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
from telstraat_device.counting.foreground.bitmask import ONE, Plane, words_per_row
from telstraat_device.native.kernel import Address, address, entry, kernel
from telstraat_device.native.record import layout
from telstraat_device.native.simd import carray, pointer

CHECK_EVERY_S = 1.0
PASSED_MAX_S = 5.0  # of a pause without frames that counts
POINTS = 4096
BLIND_EDGES = 5.0  # grey levels over two pixels: without one edge in fifty above it, nothing but noise is left
BLIND_ONE_IN = 0.02
VISIBLE_SHARE = 0.1  # of the samples; with less nothing is known of the view
BLIND_SHARE = 0.2  # of the edges that the view had
BLIND_AFTER_S = 2.0
MOVED_BELOW = 0.45  # correlation of edges, by point or by field; the same street in other light stays above 0.6
BACK_ABOVE = 0.55
MOVED_AFTER_S = 8.0
FIELDS = (24, 16)  # across and down
LEARN_VIEW_S = 10.0
FOLLOW_S = 900.0  # shadows wander with the sun
NIGHT_LUMA, DUSK_LUMA = 42, 62
NIGHT_BRIGHTER, DUSK_BRIGHTER = 0.78, 0.62  # share of moving pixels brighter than the street: day 0.0 to 0.5, night 0.9
BRIGHTER_SHIFT = 3  # brighter by more than an eighth of the street
FADES_BELOW = 0.7  # what is usual of how much brighter it got, by the most of it: lamps 0.4, even paint 0.95
EVEN_BELOW = 0.5  # how far what is brighter differs within itself, by the most that it got brighter: paint 0.1, lamps 1
UNLIT_BELOW = 0.7  # the darkest tenth by the middle of the picture: a street under lamps 0.4, by an even sky 0.9
BRIGHTENED_MIN = 100  # pixels
DARK_LUMA, DARK_EDGES = 14, 1.2
LIGHT_MEMORY_S = 60.0
MOVING_ENOUGH = 4000.0  # pixels of traffic after which they decide the light
HIDDEN = -32768  # instead of a difference: something stands in front of the street


class EdgeSums:
    """Sums over the samples in front of which nothing stands; an edge is a difference over two pixels, |dx| + |dy|."""

    visible: float  # number of samples
    strength: float  # of their edges
    strong: float  # number of differences above BLIND_EDGES
    usual: float  # strength of all edges that are known, hidden ones included
    current_squared: float
    known_squared: float
    product: float  # of current and known
    fields_alike: float  # correlation of edge strengths by field, -1 to 1


EDGE_SUMS = layout(EdgeSums)


class ViewState:
    """What the entries get of a camera's view: the size of the picture, and addresses of its samples."""

    width: int
    height: int
    words: int  # per row of a mask
    step: int  # every which pixel is a sample
    edges: Address  # int16 (POINTS, 2): differences across and down, HIDDEN where something stands before the street
    known: Address  # float32 (POINTS, 2): what they usually are
    histogram: Address  # int32 (256,): of the samples' luma
    field_of: Address  # int32 (POINTS,)
    fields: Address  # float64 (2, fields): strength of the edges, current and known
    sums: Address  # EDGE_SUMS


VIEW_STATE = layout(ViewState)


@kernel
def view_at(state: Address) -> ViewState:
    """View the record of a view."""
    return carray(pointer(state), (1,), VIEW_STATE)[0]  # type: ignore[no-any-return]


@kernel
def edges_of(view: ViewState) -> Any:
    """View the differences of the samples."""
    return carray(pointer(view.edges), (POINTS, 2), np.int16)


@kernel
def known_of(view: ViewState) -> Any:
    """View what the differences usually are."""
    return carray(pointer(view.known), (POINTS, 2), np.float32)


@kernel
def sample(view: ViewState, small: Plane, mask: Any) -> int:
    """Write the histogram of every `step`-th pixel, and the differences across and down; return their number."""
    width, height, edges = view.width, view.height, edges_of(view)
    histogram = carray(pointer(view.histogram), (256,), np.int32)
    histogram[:] = 0
    row, count = np.uint64(width), np.uint64(0)
    for i in range(row + ONE, np.uint64(max(width * (height - 1) - 1, 0)), np.uint64(view.step)):
        if count == np.uint64(POINTS):
            break
        histogram[small[i]] += 1
        y, x = i // row, i % row
        if (mask[y, x >> np.uint64(6)] >> (x & np.uint64(63))) & ONE:
            edges[count, 0] = edges[count, 1] = HIDDEN
        else:
            edges[count, 0] = np.int16(small[i + ONE]) - np.int16(small[i - ONE])
            edges[count, 1] = np.int16(small[i + row]) - np.int16(small[i - row])
        count += ONE
    return int(count)


@kernel
def correlation(first: Any, second: Any) -> float:
    """Return the correlation (Pearson's r) of two rows of numbers; 0 where one does not vary."""
    n = len(first)
    mean_first = mean_second = 0.0
    for k in range(n):
        mean_first += first[k] / n
        mean_second += second[k] / n
    product = squared_first = squared_second = 0.0
    for k in range(n):
        a, b = first[k] - mean_first, second[k] - mean_second
        product += a * b
        squared_first += a * a
        squared_second += b * b
    both = math.sqrt(squared_first * squared_second)
    return product / both if both > 0.0 else 0.0


@kernel
def compare_edges(view: ViewState, count: int) -> None:
    """Add up how strong the edges of so many samples are, current and known, and how alike."""
    edges, known = edges_of(view), known_of(view)
    field_of = carray(pointer(view.field_of), (POINTS,), np.int32)
    fields = carray(pointer(view.fields), (2, FIELDS[0] * FIELDS[1]), np.float64)
    visible = strength = strong = usual = current_squared = known_squared = product = 0.0
    fields[:, :] = 0.0
    for i in range(count):
        known_x, known_y = np.float64(known[i, 0]), np.float64(known[i, 1])
        usual += abs(known_x) + abs(known_y)
        fields[1, field_of[i]] += abs(known_x) + abs(known_y)
        if edges[i, 0] == HIDDEN:
            continue
        x, y = np.float64(edges[i, 0]), np.float64(edges[i, 1])
        fields[0, field_of[i]] += abs(x) + abs(y)
        visible += 1.0
        strength += abs(x) + abs(y)
        strong += (1.0 if abs(x) >= BLIND_EDGES else 0.0) + (1.0 if abs(y) >= BLIND_EDGES else 0.0)
        current_squared += x * x + y * y
        known_squared += known_x * known_x + known_y * known_y
        product += x * known_x + y * known_y
    sums = carray(pointer(view.sums), (1,), EDGE_SUMS)[0]
    sums.visible, sums.strength, sums.strong, sums.usual = visible, strength, strong, usual
    sums.current_squared, sums.known_squared, sums.product = current_squared, known_squared, product
    sums.fields_alike = correlation(fields[0], fields[1])


@entry
def sample_view(state: Address, picture: Address, mask: Address) -> int:
    """Sample a working picture and compare its edges with those known; return the number of samples."""
    view = view_at(state)
    small = carray(pointer(picture), (view.width * view.height,), np.uint8)
    count = sample(view, small, carray(pointer(mask), (view.height, view.words), np.uint64))
    compare_edges(view, count)
    return count


@entry
def learn_view(state: Address, count: int, rate: float) -> int:
    """Move the known differences of so many samples by `rate` of the way to the current ones; 1 begins anew."""
    view = view_at(state)
    edges, known = edges_of(view), known_of(view)
    for i in range(count):
        if edges[i, 0] != HIDDEN:
            for k in range(2):
                known[i, k] += np.float32(rate) * (np.float32(edges[i, k]) - known[i, k])
    return 0


def quantile(histogram: list[int], share: float) -> int:
    """Return the grey level below which a share of the samples lies."""
    target, below = share * sum(histogram), 0
    for value, count in enumerate(histogram):
        below += count
        if below >= target:
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
        across, down = (samples % width) * FIELDS[0] // width, (samples // width) * FIELDS[1] // height
        self._field_of: NDArray[np.int32] = np.zeros(POINTS, np.int32)
        self._field_of[: len(samples)] = down * FIELDS[0] + across
        self._edges: NDArray[np.int16] = np.zeros((POINTS, 2), np.int16)
        self._known: NDArray[np.float32] = np.zeros((POINTS, 2), np.float32)
        self._histogram: NDArray[np.int32] = np.zeros(256, np.int32)
        self._fields: NDArray[np.float64] = np.zeros((2, FIELDS[0] * FIELDS[1]))
        self._sums: NDArray[Any] = np.zeros(1, EDGE_SUMS)
        self._state: NDArray[Any] = np.zeros(1, VIEW_STATE)
        numbers = {"width": width, "height": height, "words": words_per_row(width), "step": step}
        for name in VIEW_STATE.names or ():
            self._state[name] = numbers[name] if name in numbers else address(getattr(self, f"_{name}"))
        self._address = address(self._state)
        self._size = width, height
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
        passed_s = min(t_s - self._last_s, PASSED_MAX_S)
        self._last_s, self.due_s = t_s, t_s + CHECK_EVERY_S
        count = sample_view(self._address, address(small), address(mask))
        self._judge_edges(count, passed_s)
        if street is not None:
            self._judge_brightening(small, mask, street)
        self._judge_light(passed_s)

    def _judge_edges(self, count: int, passed_s: float) -> None:
        """Decide blind and moved, and learn the view."""
        visible, strength, strong, usual, current, known, product, fields_alike = self._sums.item()
        edges = max(1.0, 2.0 * visible)
        weak = strength / edges < BLIND_SHARE * usual / (2.0 * count)
        empty = weak or strong < BLIND_ONE_IN * edges or visible < VISIBLE_SHARE * count
        self._empty_s = self._empty_s + passed_s if empty else 0.0
        self.blind = self._empty_s >= BLIND_AFTER_S if self._knows else empty
        if empty:
            return
        if not self._knows:
            learn_view(self._address, count, 1.0)
            self._knows = True
            return
        # By fields, too: a camera that trembles on its pole has not moved.
        both = math.sqrt(current * known)
        alike = max(product / both if both > 0.0 else 0.0, fields_alike)
        self._odd_s = self._odd_s + passed_s if alike < MOVED_BELOW else 0.0
        if self._odd_s >= MOVED_AFTER_S and self._learnt_s >= LEARN_VIEW_S:
            self.moved = True
        elif alike > BACK_ABOVE:
            self.moved = False
        if alike >= MOVED_BELOW and not self.moved:
            self._learnt_s += passed_s
            rate = min(1.0, passed_s / (LEARN_VIEW_S if self._learnt_s < LEARN_VIEW_S else FOLLOW_S))
            learn_view(self._address, count, rate)

    def _judge_brightening(
        self, small: NDArray[np.uint8], mask: NDArray[np.uint64], street: NDArray[np.uint16]
    ) -> None:
        """Decide whether what is brighter than the street fades like light, or is even like paint."""
        width, height = self._size
        bits = np.unpackbits(mask.view(np.uint8).reshape(height, -1), axis=1, bitorder="little")[:, :width]
        in_front = np.flatnonzero(bits)
        behind = (street.ravel()[in_front] >> 8).astype(np.int16)
        front = small.ravel()[in_front].astype(np.int16)
        brightened = front - behind > behind >> BRIGHTER_SHIFT
        if np.count_nonzero(brightened) >= BRIGHTENED_MIN:
            usual, most = np.quantile((front - behind)[brightened], (0.5, 0.95))
            low, high = np.quantile(front[brightened], (0.1, 0.9))
            fades = usual < FADES_BELOW * most and high - low > EVEN_BELOW * most
            self._fading += 1.0 if fades else -1.0

    def _judge_light(self, passed_s: float) -> None:
        """Decide day, dusk or night, and too dark."""
        lumas = self._histogram.tolist()
        middle, bright = quantile(lumas, 0.5), quantile(lumas, 0.9)
        carried = self._fading >= 0.0 and quantile(lumas, 0.1) < UNLIT_BELOW * middle
        share = self._brighter / self._moving if carried and self._moving >= MOVING_ENOUGH else 0.0
        if middle < NIGHT_LUMA or share > NIGHT_BRIGHTER:
            self.light = "night"
        elif middle < DUSK_LUMA or share > DUSK_BRIGHTER:
            self.light = "dusk"
        else:
            self.light = "day"
        visible, strength = self._sums.item()[:2]
        self.too_dark = bool(visible > 0.0 and bright < DARK_LUMA and strength < DARK_EDGES * 2.0 * visible)
        fade = max(0.0, 1.0 - passed_s / LIGHT_MEMORY_S)
        self._moving *= fade
        self._brighter *= fade
        self._fading *= fade
