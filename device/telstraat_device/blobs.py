"""Finds connected pieces of foreground straight from the runs of its rows, without a label image.

row y    ####..###      runs with a gap of at most GAP_PX are one run;
row y+1  .####...##     runs of neighbouring rows that touch are one blob (union-find)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from telstraat_device.kernel import kernel

GAP_PX = 5
GAP_Y_PX = 3
MAX_RUNS = 8192
MAX_BLOBS = 128

X0, Y0, X1, Y1, AREA, MIDDLE_X, MIDDLE_Y, CHANGED = range(8)  # columns of a blob; the box is without X1, Y1
SOLID_X0, SOLID_Y0, SOLID_X1, SOLID_Y1, SOLID = range(8, 13)  # the box and area of what is no shadow
BLOB_COLUMNS = 13


@kernel
def find_blobs(  # noqa: C901 - one call a frame
    mask: NDArray[np.uint8],
    changed: NDArray[np.uint8],
    width: int,
    gap: int,
    gap_y: int,
    rows: NDArray[np.int32],
    area_min: int,
    runs: NDArray[np.int32],
    parent: NDArray[np.int32],
    sums: NDArray[np.int64],
    blobs: NDArray[np.float64],
    counts: NDArray[np.int32],
) -> int:
    """Write box, area and centre sums of every blob of at least `area_min` pixels; return how many.

    mask : uint8 (pixels,), 0 or 1, pixels a multiple of 8 not required; runs : int32 (MAX_RUNS, 5): y, x0, x1, pixels, changed.
    """
    height = mask.shape[0] // width
    count = 0
    for y in range(height):
        first = count
        x, row = 0, y * width
        while x < width:
            if mask[row + x] == 0:
                x += 1
                continue
            start, end, pixels, moving = x, x, 0, 0
            while x < width and x - end <= gap:
                if mask[row + x] != 0:
                    end = x + 1
                    pixels += 1
                    moving += changed[row + x]
                x += 1
            if count == runs.shape[0]:
                break
            runs[count, 0] = y
            runs[count, 1] = start
            runs[count, 2] = end
            runs[count, 3] = pixels
            runs[count, 4] = moving
            parent[count] = count
            count += 1
        rows[y] = first
        for up in range(1, min(gap_y + 1, y) + 1):
            k = rows[y - up]
            last = rows[y - up + 1]
            for r in range(first, count):
                while k < last and runs[k, 2] < runs[r, 1]:
                    k += 1
                j = k
                while j < last and runs[j, 1] <= runs[r, 2]:
                    a, b = r, j
                    while parent[a] != a:
                        parent[a] = parent[parent[a]]
                        a = parent[a]
                    while parent[b] != b:
                        parent[b] = parent[parent[b]]
                        b = parent[b]
                    if a < b:
                        parent[b] = a
                    elif b < a:
                        parent[a] = b
                    j += 1
    for r in range(count):
        sums[r, 0] = 1 << 30
        for c in range(1, 8):
            sums[r, c] = 0
        sums[r, 1] = -1
    for r in range(count):
        root = r
        while parent[root] != root:
            root = parent[root]
        y, x0, x1, pixels = runs[r, 0], runs[r, 1], runs[r, 2], runs[r, 3]
        sums[root, 0] = min(sums[root, 0], x0)
        if sums[root, 1] < 0:
            sums[root, 1] = y
        sums[root, 2] = max(sums[root, 2], x1)
        sums[root, 3] = y + 1
        sums[root, 4] += pixels
        sums[root, 5] += pixels * (x0 + x1 - 1)
        sums[root, 6] += pixels * y
        sums[root, 7] += runs[r, 4]
    counts[0] = count
    found = 0
    for r in range(count):
        if parent[r] == r and sums[r, 4] >= area_min and found < blobs.shape[0]:
            for c in range(5):
                blobs[found, c] = sums[r, c]
            blobs[found, 5] = sums[r, 5] / (2.0 * sums[r, 4])
            blobs[found, 6] = sums[r, 6] / sums[r, 4]
            blobs[found, 7] = sums[r, 7] / sums[r, 4]
            parent[r] = -found - 1
            found += 1
    return found


@kernel
def find_solid(  # noqa: C901 - one call a frame
    solid: NDArray[np.uint8],
    width: int,
    runs: NDArray[np.int32],
    parent: NDArray[np.int32],
    count: int,
    found: int,
    columns: NDArray[np.int32],
    lines: NDArray[np.int32],
    blobs: NDArray[np.float64],
) -> None:
    """Add to every blob the box of its solid pixels, leaving out columns and rows with next to none."""
    columns[:found, :] = 0
    lines[:found, :] = 0
    for r in range(count):
        root = r
        while parent[root] >= 0 and parent[root] != root:
            root = parent[root]
        if parent[root] >= 0:
            continue
        b = -parent[root] - 1
        row = runs[r, 0] * width
        for x in range(runs[r, 1], runs[r, 2]):
            if solid[row + x] != 0:
                columns[b, x] += 1
                lines[b, runs[r, 0]] += 1
    for b in range(found):
        x0, y0, x1, y1 = int(blobs[b, 0]), int(blobs[b, 1]), int(blobs[b, 2]), int(blobs[b, 3])
        total = 0
        for x in range(x0, x1):
            total += columns[b, x]
        blobs[b, 12] = total
        few_x, few_y = max(1, (y1 - y0) // 12), max(1, (x1 - x0) // 12)
        if total < 0.12 * blobs[b, 4]:
            blobs[b, 8], blobs[b, 9], blobs[b, 10], blobs[b, 11] = x0, y0, x1, y1
            continue
        while x0 < x1 - 2 and columns[b, x0] <= few_x:
            x0 += 1
        while x1 > x0 + 2 and columns[b, x1 - 1] <= few_x:
            x1 -= 1
        while y0 < y1 - 2 and lines[b, y0] <= few_y:
            y0 += 1
        while y1 > y0 + 2 and lines[b, y1 - 1] <= few_y:
            y1 -= 1
        blobs[b, 8], blobs[b, 9], blobs[b, 10], blobs[b, 11] = x0, y0, x1, y1


class Blobs:
    """The pieces of foreground of one frame; `table[:count]` has a row each."""

    def __init__(self) -> None:
        self.table: NDArray[np.float64] = np.zeros((MAX_BLOBS, BLOB_COLUMNS))
        self.count = 0
        self._counts: NDArray[np.int32] = np.zeros(2, np.int32)
        self._columns: NDArray[np.int32] = np.zeros((MAX_BLOBS, 1), np.int32)
        self._lines: NDArray[np.int32] = np.zeros((MAX_BLOBS, 1), np.int32)
        self._rows: NDArray[np.int32] = np.zeros(2048, np.int32)
        self._runs: NDArray[np.int32] = np.zeros((MAX_RUNS, 5), np.int32)
        self._parent: NDArray[np.int32] = np.zeros(MAX_RUNS, np.int32)
        self._sums: NDArray[np.int64] = np.zeros((MAX_RUNS, 8), np.int64)

    def find(
        self, mask: NDArray[np.uint8], changed: NDArray[np.uint8], solid: NDArray[np.uint8], width: int, area_min: int
    ) -> int:
        """Find the blobs of a mask (pixels,) of 0 and 1; `changed` moved since the last frame, `solid` is no shadow."""
        if self._columns.shape[1] != width:
            self._columns = np.zeros((MAX_BLOBS, width), np.int32)
            self._lines = np.zeros((MAX_BLOBS, mask.shape[0] // width), np.int32)
        self.count = find_blobs(
            mask,
            changed,
            width,
            GAP_PX,
            GAP_Y_PX,
            self._rows,
            area_min,
            self._runs,
            self._parent,
            self._sums,
            self.table,
            self._counts,
        )
        find_solid(
            solid, width, self._runs, self._parent, self._counts[0], self.count, self._columns, self._lines, self.table
        )
        return self.count
