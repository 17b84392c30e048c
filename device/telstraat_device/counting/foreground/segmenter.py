"""Segments the foreground of a frame: from its pixels to its blobs, in one call of machine code.

    luma -> shrink -> gain -> range -> outside -> majority -> shadows -> majority -> runs -> blobs
                                          └──────────► learn (every second time, half of the rows)

The entries get the address of one record, SEGMENTER_STATE: numbers, and where the planes and masks of this camera are.
`street_of`, `masks_of` and `scratch_of` view that memory. So a call costs next to nothing and allocates nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telstraat_device.cameras.frames import Luma
from telstraat_device.counting.foreground.background import (
    ADOPT_S,
    ADOPT_YOUNG_S,
    GAIN_BINS,
    GAIN_MAX,
    GAIN_STEP,
    LEARN_S,
    YOUNG_S,
    StreetModel,
    absorb,
    bootstrap,
    empty_street,
    follow_exposure,
    learn,
    log2_table,
    measure_gain,
    plane,
    shrink,
    shrink_factor,
    update_range,
)
from telstraat_device.counting.foreground.bitmask import (
    Bitmask,
    Plane,
    Shadows,
    Words,
    majority,
    mark_outside,
    remove_shadows,
    words_per_row,
)
from telstraat_device.counting.foreground.blobs import (
    BLOB,
    EXTENT,
    MAX_BLOBS,
    MAX_RUNS,
    RUN,
    Blobs,
    BlobScratch,
    blob_scratch,
    find_blobs,
)
from telstraat_device.native.kernel import Address, address, entry, kernel
from telstraat_device.native.record import layout, scalar
from telstraat_device.native.simd import carray, pointer

LOST_SHARE = 0.5  # of the picture is new at once: a lamp went on, a hand is before the lens, the camera was turned
LOST = -1  # instead of a number of blobs
AREA_MIN_SHARE, AREA_MIN_PX = 0.00025, 6  # of the working picture: what is smaller is no blob
RANGE_PARTS = 8  # the range of one part of the rows is updated in each frame, of all rows when the exposure changes
LEARN_PARTS = 2
RATE_MAX = 2048  # of 4096: half of the way at once
ADOPT_MIN, ADOPT_MAX = 4, 255  # updates; the count is a byte
ABSORB_MARGIN_PX = 2


class SegmenterState:
    """What the entries get of a camera's segmenter: numbers, and addresses of its memory."""

    width: int  # of the working picture
    height: int
    words: int  # per row of a mask
    full_width: int  # of the frame as it comes
    factor: int  # how many of its pixels, in each direction, become one
    area_min: int  # of a blob
    frames: int  # segmented so far
    gain_256: int  # the last change of exposure, in 256ths of a power of two
    solid_count: int  # pixels of the last frame that are foreground and no shadow
    bright_count: int  # of these, those that are brighter than the street
    moving: int  # solid_count, added up since `take_movement`
    brighter: int  # and bright_count, added up
    current: Address  # the frame at the working size
    previous: Address  # and the one before
    log2_256: Address
    histogram: Address
    mean: Address  # planes of the street
    spread: Address
    candidate: Address
    held: Address
    low: Address
    high: Address
    raw: Address  # words of masks, and rows
    raw_rows: Address
    mask: Address
    mask_rows: Address
    flat: Address
    edges: Address
    unshaded: Address
    unshaded_rows: Address
    solid: Address
    solid_rows: Address
    first_run: Address  # memory for finding blobs
    runs: Address
    parent: Address
    extents: Address
    columns: Address
    lines: Address
    blobs: Address  # the result


SEGMENTER_STATE = layout(SegmenterState)


class Masks(NamedTuple):
    """The masks of a frame.

    Attributes
    ----------
    raw, mask : Bitmask
        What lies outside the range of the street, and the same cleaned: the foreground.
    shadows : Shadows
    unshaded, solid : Bitmask
        The foreground without shadows, and the same cleaned.
    """

    raw: Bitmask
    mask: Bitmask
    shadows: Shadows
    unshaded: Bitmask
    solid: Bitmask


@kernel
def state_at(state: Address) -> SegmenterState:
    """View the record of a segmenter."""
    return carray(pointer(state), (1,), SEGMENTER_STATE)[0]  # type: ignore[no-any-return]


@kernel
def plane_at(place: Address, state: SegmenterState) -> Plane:
    """View a plane of bytes."""
    return carray(pointer(place), (state.width * state.height,), np.uint8)  # type: ignore[no-any-return]


@kernel
def street_of(state: SegmenterState) -> StreetModel:
    """View the planes of the street."""
    return StreetModel(
        carray(pointer(state.mean), (state.width * state.height,), np.uint16),
        plane_at(state.spread, state),
        plane_at(state.candidate, state),
        plane_at(state.held, state),
        plane_at(state.low, state),
        plane_at(state.high, state),
        state.width,
        state.height,
    )


@kernel
def words_at(place: Address, state: SegmenterState) -> Words:
    """View the words of a mask."""
    return carray(pointer(place), (state.height, state.words), np.uint64)  # type: ignore[no-any-return]


@kernel
def bitmask_at(words: Address, rows: Address, state: SegmenterState) -> Bitmask:
    """View a mask."""
    return Bitmask(words_at(words, state), carray(pointer(rows), (state.height,), np.uint64), state.width)


@kernel
def masks_of(state: SegmenterState) -> Masks:
    """View the masks."""
    return Masks(
        bitmask_at(state.raw, state.raw_rows, state),
        bitmask_at(state.mask, state.mask_rows, state),
        Shadows(words_at(state.flat, state), words_at(state.edges, state)),
        bitmask_at(state.unshaded, state.unshaded_rows, state),
        bitmask_at(state.solid, state.solid_rows, state),
    )


@kernel
def scratch_of(state: SegmenterState) -> BlobScratch:
    """View the memory for finding blobs."""
    return BlobScratch(
        carray(pointer(state.first_run), (state.height + 1,), np.int32),
        carray(pointer(state.runs), (MAX_RUNS,), RUN),
        carray(pointer(state.parent), (MAX_RUNS,), np.int32),
        carray(pointer(state.extents), (MAX_RUNS,), EXTENT),
        carray(pointer(state.columns), (MAX_BLOBS, state.width), np.int32),
        carray(pointer(state.lines), (MAX_BLOBS, state.height), np.int32),
    )


@kernel
def blobs_at(place: Address, count: int) -> Blobs:
    """View so many blobs."""
    return carray(pointer(place), (count,), BLOB)  # type: ignore[no-any-return]


@kernel
def find_blobs_of_frame(state: SegmenterState) -> int:
    """Write every blob of the mask; return how many."""
    masks = masks_of(state)
    current, previous = plane_at(state.current, state), plane_at(state.previous, state)
    blobs = blobs_at(state.blobs, MAX_BLOBS)
    return find_blobs(masks.mask, masks.solid.words, current, previous, state.area_min, scratch_of(state), blobs)


@kernel
def load(state: SegmenterState, luma: Address, full_width: int, factor: int) -> None:
    """Load a frame, `factor` times the working size, as the current picture; the current becomes the previous one."""
    state.current, state.previous = state.previous, state.current
    width, height = state.width, state.height
    frame = carray(pointer(luma), (full_width * height * factor,), np.uint8)
    shrink(frame, full_width, factor, plane_at(state.current, state), width, height)


@kernel
def adapt_exposure(state: SegmenterState, street: StreetModel) -> bool:
    """Measure the exposure and adapt the street to it; return whether the picture still is that of the street."""
    log2_256 = carray(pointer(state.log2_256), (256,), np.int16)
    histogram = carray(pointer(state.histogram), (GAIN_BINS,), np.int32)
    state.gain_256 = measure_gain(plane_at(state.current, state), street.mean, log2_256, histogram)
    gain_log2 = state.gain_256 / 256.0
    if abs(gain_log2) > GAIN_MAX:
        return False
    changed = abs(gain_log2) > GAIN_STEP
    if changed:
        follow_exposure(street, int(np.rint(4096.0 * 2.0**gain_log2)))
    height, part = state.height, state.frames & (RANGE_PARTS - 1)
    first, last = part * height // RANGE_PARTS, (part + 1) * height // RANGE_PARTS
    if changed:
        first, last = 0, height
    update_range(street, first, last)
    return True


@kernel
def learn_street(state: SegmenterState, street: StreetModel, foreground: Bitmask, age_s: float, dt_s: float) -> None:
    """Learn the street in half of the rows."""
    height, part = state.height, state.frames & (LEARN_PARTS - 1)
    first, last = part * height // LEARN_PARTS, (part + 1) * height // LEARN_PARTS
    rate = max(1, min(RATE_MAX, int(np.rint(4096.0 * LEARN_PARTS * dt_s / LEARN_S))))
    adopt_s = ADOPT_YOUNG_S if age_s < YOUNG_S else ADOPT_S
    adopt = max(ADOPT_MIN, min(ADOPT_MAX, int(np.rint(adopt_s / (LEARN_PARTS * dt_s)))))
    learn(street, plane_at(state.current, state), foreground, rate, adopt, first, last)


@entry
def load_frame(state: Address, luma: Address) -> int:
    """Load a frame of full size, and do nothing else."""
    segmenter = state_at(state)
    load(segmenter, luma, segmenter.full_width, segmenter.factor)
    return 0


@entry
def bootstrap_street(state: Address, samples: Address, count: int) -> int:
    """Begin with the street as it shows through the traffic of so many working pictures, one after the other."""
    segmenter = state_at(state)
    street = street_of(segmenter)
    pictures = carray(pointer(samples), (count * segmenter.width * segmenter.height,), np.uint8)
    column = carray(pointer(segmenter.histogram), (GAIN_BINS,), np.int32)
    bootstrap(pictures, count, street, column)
    update_range(street, 0, segmenter.height)
    return 0


@entry
def segment_frame(state: Address, luma: Address, working: bool, age_s: float, dt_s: float) -> int:
    """Load a frame, find its blobs, and learn from it; return the number of blobs, or LOST.

    working : the frame is of the working size, not of full size; age_s, dt_s : seconds since the first frame, and since
    the last.
    """
    segmenter = state_at(state)
    if working:
        load(segmenter, luma, segmenter.width, 1)
    else:
        load(segmenter, luma, segmenter.full_width, segmenter.factor)
    street, masks = street_of(segmenter), masks_of(segmenter)
    if not adapt_exposure(segmenter, street):
        return LOST
    current = plane_at(segmenter.current, segmenter)
    mark_outside(current, street.low, street.high, masks.raw)
    majority(masks.raw, masks.mask)
    solid, bright = remove_shadows(current, street.mean, masks.mask, masks.shadows, masks.unshaded)
    majority(masks.unshaded, masks.solid)
    learn_street(segmenter, street, masks.raw, age_s, dt_s)
    segmenter.frames += 1
    segmenter.solid_count, segmenter.bright_count = solid, bright
    segmenter.moving += solid
    segmenter.brighter += bright
    return find_blobs_of_frame(segmenter)


@entry
def absorb_box(state: Address, x0: int, y0: int, x1: int, y1: int) -> int:
    """Make the foreground in a box part of the street; x1 and y1 are one beyond the last pixel."""
    segmenter = state_at(state)
    current = plane_at(segmenter.current, segmenter)
    absorb(street_of(segmenter), current, masks_of(segmenter).raw, x0, y0, x1, y1)
    return 0


def empty_masks(width: int, height: int) -> Masks:
    """Return masks of a picture of this size in which nothing is marked."""

    def words() -> Words:
        return np.zeros((height, words_per_row(width)), np.uint64)

    def bitmask() -> Bitmask:
        return Bitmask(words(), np.zeros(height, np.uint64), width)

    return Masks(bitmask(), bitmask(), Shadows(words(), words()), bitmask(), bitmask())


class ForegroundSegmenter:
    """The street of one camera and the foreground on it.

    Attributes
    ----------
    factor, width, height, pixels : int
        How many pixels of the frame become one in each direction, and the working size.
    current, previous : uint8 (pixels,)
        The frame at the working size, and the one before.
    street, masks : StreetModel, Masks
    blobs : BLOB (MAX_BLOBS,)
        Those of the last frame, as many as `segment` returned.
    """

    def __init__(self, width: int, height: int) -> None:
        self.factor = shrink_factor(width)
        self.width, self.height = width // self.factor, height // self.factor
        self.pixels = self.width * self.height
        self.current, self.previous = plane(self.pixels), plane(self.pixels)
        self.street, self.masks = empty_street(self.width, self.height), empty_masks(self.width, self.height)
        self.blobs: NDArray[Any] = np.zeros(MAX_BLOBS, BLOB)
        self.log2_256 = log2_table()
        self._histogram: NDArray[np.int32] = np.zeros(GAIN_BINS, np.int32)
        self._scratch = blob_scratch(self.width, self.height)
        self.state: NDArray[Any] = np.zeros(1, SEGMENTER_STATE)
        for name, array in self._memory().items():
            self.state[name] = address(array)
        self.state["width"], self.state["height"] = self.width, self.height
        self.state["words"] = words_per_row(self.width)
        self.state["full_width"], self.state["factor"] = width, self.factor
        self.state["area_min"] = max(AREA_MIN_PX, round(self.pixels * AREA_MIN_SHARE))
        self.address = address(self.state)
        self._solid_count = scalar(self.state, "solid_count")
        self._moving, self._brighter = scalar(self.state, "moving"), scalar(self.state, "brighter")
        self._current, self._previous = scalar(self.state, "current"), scalar(self.state, "previous")

    @property
    def solid_count(self) -> int:
        """Pixels of the last frame that are foreground and no shadow."""
        return int(self._solid_count[0])

    @property
    def picture_addresses(self) -> tuple[Address, Address]:
        """Where the previous and the current working picture are."""
        return self._previous[0], self._current[0]

    def load_frame(self, luma: Luma) -> None:
        """Load a frame (height, width), and do nothing else."""
        load_frame(self.address, address(luma))
        self._swap_pictures()

    def bootstrap(self, samples: Sequence[NDArray[np.uint8]]) -> None:
        """Begin with the street as it shows through the traffic of the first second, at the working size."""
        pictures = np.concatenate([sample.reshape(-1) for sample in samples])
        bootstrap_street(self.address, address(pictures), len(samples))

    def segment(self, luma: Luma, age_s: float, dt_s: float, *, working: bool = False) -> int:
        """Find the blobs of a frame of full, or of working, size; return how many, or LOST."""
        count = segment_frame(self.address, address(luma), working, float(age_s), float(dt_s))
        self._swap_pictures()
        return count

    def absorb(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Make what is foreground in a box (working pixels) part of the street."""
        left, top = max(0, int(x0) - ABSORB_MARGIN_PX), max(0, int(y0) - ABSORB_MARGIN_PX)
        right = min(self.width, int(x1) + ABSORB_MARGIN_PX + 1)
        bottom = min(self.height, int(y1) + ABSORB_MARGIN_PX + 1)
        if right > left and bottom > top:
            absorb_box(self.address, left, top, right, bottom)

    def take_movement(self) -> tuple[int, int]:
        """Return how many solid pixels there were since the last call, and how many were brighter than the street."""
        moving, brighter = self._moving[0], self._brighter[0]
        self._moving[0] = self._brighter[0] = 0
        return moving, brighter

    def _swap_pictures(self) -> None:
        """Let the two pictures change places as the kernel did."""
        self.current, self.previous = self.previous, self.current

    def _memory(self) -> dict[str, NDArray[Any]]:
        """Return the arrays whose addresses are in the state, by name."""
        masks, scratch = self.masks, self._scratch
        arrays: dict[str, Any] = {"current": self.current, "previous": self.previous, "blobs": self.blobs}
        arrays |= {"log2_256": self.log2_256, "histogram": self._histogram}
        arrays |= {name: value for name, value in self.street._asdict().items() if name not in {"width", "height"}}
        for name in ("raw", "mask", "unshaded", "solid"):
            bitmask: Bitmask = getattr(masks, name)
            arrays |= {name: bitmask.words, f"{name}_rows": bitmask.rows}
        return arrays | masks.shadows._asdict() | scratch._asdict()
