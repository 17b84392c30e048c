"""Finds connected pieces of foreground straight from the runs of its rows, without a label image.

row y    ####..###      runs with a gap of at most GAP_PX are one run;
row y+1  .####...##     runs of neighbouring rows that touch are one blob (union-find with path halving)
"""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.foreground.bitmask import ALL, ONE, Bitmask, Plane, Words
from telstraat_device.counting.foreground.pixels import moved_64
from telstraat_device.native.kernel import kernel
from telstraat_device.native.record import layout
from telstraat_device.native.simd import popcount, trailing_zeros

CHANGE_STEP = 8  # grey levels from frame to frame that mean movement
GAP_PX = 5
GAP_Y_PX = 3
MAX_RUNS = 8192
MAX_BLOBS = 128
FEW_SHARE = 12  # a column or line of solid pixels that fills less than one in so many is left out of the solid box
SOLID_SHARE_MIN = 0.12  # of a blob that has to be solid for its solid box to be smaller than the whole
SOLID_BOX_MIN_PX = 2


class Blob:
    """A connected piece of foreground, in pixels of the working picture; x1 and y1 are one beyond the last."""

    x0: float
    y0: float
    x1: float
    y1: float
    area: float
    changed: float  # share of its pixels that changed since the frame before
    solid_x0: float  # the box of what is no shadow
    solid_y0: float
    solid_x1: float
    solid_y1: float
    solid_area: float


class Run:
    """Foreground pixels beside each other in a row, gaps bridged."""

    y: Annotated[int, np.int32]
    x0: Annotated[int, np.int32]
    x1: Annotated[int, np.int32]  # one beyond the last
    area: Annotated[int, np.int32]
    changed: Annotated[int, np.int32]  # pixels that changed since the frame before


class Extent:
    """What the runs of a blob add up to."""

    x0: int
    y0: int
    x1: int
    y1: int
    area: int
    changed: int


BLOB = layout(Blob)
RUN = layout(Run)
EXTENT = layout(Extent)
Blobs = MutableSequence[Blob]  # what kernels see of an array of BLOB
Runs = MutableSequence[Run]
Extents = MutableSequence[Extent]


class BlobScratch(NamedTuple):
    """Memory that finding blobs needs.

    Attributes
    ----------
    first_run : int32 (height + 1,)
        The first run of each row, and the number of all.
    runs : RUN (MAX_RUNS,)
    parent : int32 (MAX_RUNS,)
        Of each run in the forest of blobs; when a blob is finished, -1 - its index at the root.
    extents : EXTENT (MAX_RUNS,)
        Of a blob, at the index of its root.
    columns, lines : int32 (MAX_BLOBS, width), (MAX_BLOBS, height)
        Solid pixels of each blob by column and by line of the picture.
    """

    first_run: NDArray[np.int32]
    runs: Runs
    parent: NDArray[np.int32]
    extents: Extents
    columns: NDArray[np.int32]
    lines: NDArray[np.int32]


@kernel
def find_runs(mask: Bitmask, small: Plane, previous: Plane, step: int, gap: int, scratch: BlobScratch) -> int:
    """Write the runs of every row, bridging gaps of up to `gap` pixels; return how many.

    step : grey levels by which a pixel has to differ from the frame before to have changed.
    """
    runs, first_run = scratch.runs, scratch.first_run
    height, words = mask.words.shape
    count, full = -1, len(runs) - 1
    for y in range(height):
        first_run[y] = count + 1
        if not mask.rows[y]:
            continue
        end: Any = np.int64(-gap - 1)  # of the last run
        for k in range(words):
            word = mask.words[y, k]
            if word == 0:
                continue
            moved = word & moved_64(small, previous, y * mask.width + 64 * k, step)
            base = 64 * k
            while word:
                skip = trailing_zeros(word)
                ones = trailing_zeros(~(word >> skip))
                piece = (ALL >> (np.uint64(64) - ones)) << skip
                x0: Any = base + np.int64(skip)
                if x0 - end > gap:
                    if count == full:
                        break
                    count += 1
                    runs[count].y, runs[count].x0 = y, x0
                    runs[count].area = runs[count].changed = 0
                end = x0 + np.int64(ones)
                runs[count].x1 = end
                runs[count].area += np.int32(ones)  # type: ignore[assignment]
                runs[count].changed += np.int32(popcount(moved & piece))  # type: ignore[assignment]
                word &= ~piece
    first_run[height] = count + 1
    return count + 1


@kernel
def root_of(parent: NDArray[np.int32], run: int) -> int:
    """Return the root of the blob that a run belongs to, and halve the path to it."""
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run


@kernel
def connect_runs(gap_y: int, scratch: BlobScratch) -> None:
    """Give runs that touch, or lie above each other with up to `gap_y` rows between, the same root."""
    first_run, runs, parent = scratch.first_run, scratch.runs, scratch.parent
    height = len(first_run) - 1
    for r in range(first_run[height]):
        parent[r] = r
    for y in range(1, height):
        first, count = first_run[y], first_run[y + 1]
        if first == count:
            continue
        for up in range(1, min(gap_y + 1, y) + 1):
            k, last = first_run[y - up], first_run[y - up + 1]
            if k == last:
                continue
            for r in range(first, count):
                x0, x1 = runs[r].x0, runs[r].x1
                while k < last and runs[k].x1 < x0:
                    k += 1
                j = k
                while j < last and runs[j].x0 <= x1:
                    if parent[r] != parent[j]:
                        a, b = root_of(parent, r), root_of(parent, j)
                        parent[max(a, b)] = min(a, b)
                    j += 1


@kernel
def add_up_runs(count: int, scratch: BlobScratch) -> None:
    """Add up the runs of every blob at its root."""
    runs, extents = scratch.runs, scratch.extents
    for r in range(count):
        run = runs[r]
        root = root_of(scratch.parent, r)
        extent = extents[root]
        if root == r:  # the first of its blob, and so its highest
            extent.x0, extent.y0, extent.x1, extent.y1 = run.x0, run.y, run.x1, run.y + 1
            extent.area, extent.changed = run.area, run.changed
            continue
        extent.x0 = min(extent.x0, run.x0)
        extent.x1 = max(extent.x1, run.x1)
        extent.y1 = run.y + 1
        extent.area += run.area
        extent.changed += run.changed


@kernel
def write_blobs(count: int, area_min: int, scratch: BlobScratch, blobs: Blobs) -> int:
    """Write box and area of every blob of at least `area_min` pixels; return how many."""
    parent, number = scratch.parent, 0
    for r in range(count):
        extent = scratch.extents[r]
        if parent[r] == r and extent.area >= area_min and number < len(blobs):
            blob = blobs[number]
            blob.x0, blob.y0, blob.x1, blob.y1 = extent.x0, extent.y0, extent.x1, extent.y1
            blob.area = extent.area
            blob.changed = extent.changed / extent.area
            parent[r] = -number - 1
            number += 1
    return number


@kernel
def count_solid(solid: Words, count: int, blobs: int, scratch: BlobScratch) -> None:
    """Count the solid pixels of every blob by column and by line of the picture."""
    runs, parent, columns, lines = scratch.runs, scratch.parent, scratch.columns, scratch.lines
    columns[:blobs, :] = 0
    lines[:blobs, :] = 0
    for r in range(count):
        root = r
        while parent[root] >= 0 and parent[root] != root:
            root = parent[root]
        if parent[root] >= 0:
            continue
        b, y, x0, x1 = -parent[root] - 1, runs[r].y, runs[r].x0, runs[r].x1
        for k in range(x0 >> 6, ((x1 - 1) >> 6) + 1):
            word = solid[y, k]
            if 64 * k < x0:
                word &= ALL << np.uint64(x0 - 64 * k)
            if 64 * k + 64 > x1:
                word &= ALL >> np.uint64(64 * k + 64 - x1)
            lines[b, y] += np.int32(popcount(word))
            while word:
                columns[b, 64 * k + np.int64(trailing_zeros(word))] += 1
                word &= word - ONE


@kernel
def trim(count: int, scratch: BlobScratch, blobs: Blobs) -> None:
    """Give every blob the box of its solid pixels, leaving out columns and lines with next to none."""
    columns, lines = scratch.columns, scratch.lines
    for b in range(count):
        blob = blobs[b]
        x0, y0, x1, y1 = int(blob.x0), int(blob.y0), int(blob.x1), int(blob.y1)
        total = 0
        for y in range(y0, y1):
            total += lines[b, y]
        blob.solid_area = total
        few_x, few_y = max(1, (y1 - y0) // FEW_SHARE), max(1, (x1 - x0) // FEW_SHARE)
        if total >= SOLID_SHARE_MIN * blob.area:
            while x0 < x1 - SOLID_BOX_MIN_PX and columns[b, x0] <= few_x:
                x0 += 1
            while x1 > x0 + SOLID_BOX_MIN_PX and columns[b, x1 - 1] <= few_x:
                x1 -= 1
            while y0 < y1 - SOLID_BOX_MIN_PX and lines[b, y0] <= few_y:
                y0 += 1
            while y1 > y0 + SOLID_BOX_MIN_PX and lines[b, y1 - 1] <= few_y:
                y1 -= 1
        blob.solid_x0, blob.solid_y0, blob.solid_x1, blob.solid_y1 = x0, y0, x1, y1


@kernel
def find_blobs(
    mask: Bitmask, solid: Words, small: Plane, previous: Plane, area_min: int, scratch: BlobScratch, blobs: Blobs
) -> int:
    """Write every blob of at least `area_min` pixels of a mask; return how many.

    solid : what of the mask is no shadow; small, previous : the working pictures, for what changed.
    """
    count = find_runs(mask, small, previous, CHANGE_STEP, GAP_PX, scratch)
    if count == 0:
        return 0
    connect_runs(GAP_Y_PX, scratch)
    add_up_runs(count, scratch)
    number = write_blobs(count, area_min, scratch, blobs)
    count_solid(solid, count, number, scratch)
    trim(number, scratch, blobs)
    return number


def blob_scratch(width: int, height: int) -> BlobScratch:
    """Return the memory that finding blobs in a picture of this size needs."""
    return BlobScratch(
        np.zeros(height + 1, np.int32),
        np.zeros(MAX_RUNS, RUN),  # type: ignore[arg-type]  # an array of records is what kernels see as such
        np.zeros(MAX_RUNS, np.int32),
        np.zeros(MAX_RUNS, EXTENT),  # type: ignore[arg-type]
        np.zeros((MAX_BLOBS, width), np.int32),
        np.zeros((MAX_BLOBS, height), np.int32),
    )
