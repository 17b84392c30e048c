"""Finds connected pieces of foreground straight from the runs of its rows, without a label image.

row y    ####..###      runs with a gap of at most GAP_PX are one run;
row y+1  .####...##     runs of neighbouring rows that touch are one blob (union-find)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.foreground.bitmask import ALL, ONE, runs_of
from telstraat_device.native.kernel import kernel
from telstraat_device.native.simd import count_ones, first_one

CHANGE_STEP = 8  # grey levels from frame to frame that mean movement
GAP_PX = 5
GAP_Y_PX = 3
MAX_RUNS = 8192
MAX_BLOBS = 128

X0, Y0, X1, Y1, AREA, MIDDLE_X, MIDDLE_Y, CHANGED = range(8)  # columns of a blob; the box is without X1, Y1
SOLID_X0, SOLID_Y0, SOLID_X1, SOLID_Y1, SOLID = range(8, 13)  # the box and area of what is no shadow
BLOB_COLUMNS = 13


@kernel
def root_of(parent: NDArray[np.int32], run: int) -> int:
    """Return the first run of the blob that a run belongs to, and shorten the way there."""
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run


@kernel
def unite(rows: NDArray[np.int32], height: int, gap_y: int, runs: NDArray[np.int32], parent: NDArray[np.int32]) -> None:
    """Give runs that touch, or lie above each other with up to `gap_y` rows between, the same root.

    rows : the first run of each row, and one more; runs : int32 (MAX_RUNS, 5): y, x0, x1, pixels, changed.
    """
    for r in range(rows[height]):
        parent[r] = r
    for y in range(1, height):
        first, count = rows[y], rows[y + 1]
        if first == count:
            continue
        for up in range(1, min(gap_y + 1, y) + 1):
            k, last = rows[y - up], rows[y - up + 1]
            if k == last:
                continue
            for r in range(first, count):
                x0, x1 = runs[r, 1], runs[r, 2]
                while k < last and runs[k, 2] < x0:
                    k += 1
                j = k
                while j < last and runs[j, 1] <= x1:
                    if parent[r] != parent[j]:
                        a, b = root_of(parent, r), root_of(parent, j)
                        parent[max(a, b)] = min(a, b)
                    j += 1


@kernel
def gather(
    count: int,
    area_min: int,
    runs: NDArray[np.int32],
    parent: NDArray[np.int32],
    sums: NDArray[np.int64],
    blobs: NDArray[np.float64],
) -> int:
    """Write box, area and centre of every blob of at least `area_min` pixels; return how many.

    sums : int64 (MAX_RUNS, 8), at the root of a blob; afterwards the parent of a root is -1 - its row in `blobs`.
    """
    for r in range(count):
        y, x0, x1, pixels = runs[r, 0], np.int64(runs[r, 1]), np.int64(runs[r, 2]), np.int64(runs[r, 3])
        root = root_of(parent, r)
        if root == r:  # the first of its blob, and so its highest
            sums[r, 0], sums[r, 1], sums[r, 2], sums[r, 3] = x0, y, x1, y + 1
            sums[r, 4], sums[r, 5], sums[r, 6], sums[r, 7] = pixels, pixels * (x0 + x1 - 1), pixels * y, runs[r, 4]
            continue
        sums[root, 0] = min(sums[root, 0], x0)
        sums[root, 2] = max(sums[root, 2], x1)
        sums[root, 3] = y + 1
        sums[root, 4] += pixels
        sums[root, 5] += pixels * (x0 + x1 - 1)
        sums[root, 6] += pixels * y
        sums[root, 7] += runs[r, 4]
    found = 0
    for r in range(count):
        if parent[r] == r and sums[r, 4] >= area_min and found < blobs.shape[0]:
            for c in range(5):
                blobs[found, c] = sums[r, c]
            blobs[found, MIDDLE_X] = sums[r, 5] / (2.0 * sums[r, 4])
            blobs[found, MIDDLE_Y] = sums[r, 6] / sums[r, 4]
            blobs[found, CHANGED] = sums[r, 7] / sums[r, 4]
            parent[r] = -found - 1
            found += 1
    return found


@kernel
def count_solid(
    solid: NDArray[np.uint64],
    runs: NDArray[np.int32],
    parent: NDArray[np.int32],
    count: int,
    found: int,
    columns: NDArray[np.int32],
    lines: NDArray[np.int32],
) -> None:
    """Count the solid pixels of every blob by column and by line of the picture."""
    columns[:found, :] = 0
    lines[:found, :] = 0
    for r in range(count):
        root = r
        while parent[root] >= 0 and parent[root] != root:
            root = parent[root]
        if parent[root] >= 0:
            continue
        b, y, x0, x1 = -parent[root] - 1, runs[r, 0], runs[r, 1], runs[r, 2]
        for k in range(x0 >> 6, ((x1 - 1) >> 6) + 1):
            word = solid[y, k]
            if 64 * k < x0:
                word &= ALL << np.uint64(x0 - 64 * k)
            if 64 * k + 64 > x1:
                word &= ALL >> np.uint64(64 * k + 64 - x1)
            lines[b, y] += np.int32(count_ones(word))
            while word:
                columns[b, 64 * k + np.int64(first_one(word))] += 1
                word &= word - ONE


@kernel
def trim(found: int, columns: NDArray[np.int32], lines: NDArray[np.int32], blobs: NDArray[np.float64]) -> None:
    """Add to every blob the box of its solid pixels, leaving out columns and lines with next to none."""
    for b in range(found):
        x0, y0, x1, y1 = int(blobs[b, X0]), int(blobs[b, Y0]), int(blobs[b, X1]), int(blobs[b, Y1])
        total = 0
        for y in range(y0, y1):
            total += lines[b, y]
        blobs[b, SOLID] = total
        few_x, few_y = max(1, (y1 - y0) // 12), max(1, (x1 - x0) // 12)
        if total >= 0.12 * blobs[b, AREA]:
            while x0 < x1 - 2 and columns[b, x0] <= few_x:
                x0 += 1
            while x1 > x0 + 2 and columns[b, x1 - 1] <= few_x:
                x1 -= 1
            while y0 < y1 - 2 and lines[b, y0] <= few_y:
                y0 += 1
            while y1 > y0 + 2 and lines[b, y1 - 1] <= few_y:
                y1 -= 1
        blobs[b, SOLID_X0], blobs[b, SOLID_Y0], blobs[b, SOLID_X1], blobs[b, SOLID_Y1] = x0, y0, x1, y1


@kernel
def find_blobs(
    mask: NDArray[np.uint64],
    mask_rows: NDArray[np.uint64],
    solid: NDArray[np.uint64],
    small: NDArray[np.uint8],
    previous: NDArray[np.uint8],
    width: int,
    area_min: int,
    rows: NDArray[np.int32],
    runs: NDArray[np.int32],
    parent: NDArray[np.int32],
    sums: NDArray[np.int64],
    columns: NDArray[np.int32],
    lines: NDArray[np.int32],
    blobs: NDArray[np.float64],
) -> int:
    """Write a row for every blob of at least `area_min` pixels of a mask; return how many.

    mask, solid : words (height, across); mask_rows : 0 where a row is empty; small, previous : the working pictures, for what moved.
    """
    height = mask.shape[0]
    count = runs_of(mask, mask_rows, small, previous, CHANGE_STEP, width, GAP_PX, rows, runs)
    if count == 0:
        return 0
    unite(rows, height, GAP_Y_PX, runs, parent)
    found = gather(count, area_min, runs, parent, sums, blobs)
    count_solid(solid, runs, parent, count, found, columns, lines)
    trim(found, columns, lines, blobs)
    return found


class Blobs:
    """The pieces of foreground of one frame; `table[:count]` has a row each; the rest is scratch for `find_blobs`.

    Parameters
    ----------
    width, height : int
        Working size in pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self.table: NDArray[np.float64] = np.zeros((MAX_BLOBS, BLOB_COLUMNS))
        self.columns: NDArray[np.int32] = np.zeros((MAX_BLOBS, width), np.int32)
        self.lines: NDArray[np.int32] = np.zeros((MAX_BLOBS, height), np.int32)
        self.rows: NDArray[np.int32] = np.zeros(height + 1, np.int32)
        self.runs: NDArray[np.int32] = np.zeros((MAX_RUNS, 5), np.int32)
        self.parent: NDArray[np.int32] = np.zeros(MAX_RUNS, np.int32)
        self.sums: NDArray[np.int64] = np.zeros((MAX_RUNS, 8), np.int64)
