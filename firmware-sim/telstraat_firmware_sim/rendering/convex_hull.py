"""The convex hull of a few points on the ground: the outline of a box's shadow."""

from __future__ import annotations

from numba import njit


@njit(cache=True, error_model="numpy")
def hull(points, count, out):  # type: ignore[no-untyped-def]
    """Write the hull of the first `count` points (x, y; sorted in place) to `out`, in order around it; return its size."""
    for k in range(1, count):
        x, y = points[k, 0], points[k, 1]
        j = k - 1
        while j >= 0 and (points[j, 0] > x or (points[j, 0] == x and points[j, 1] > y)):
            points[j + 1, 0], points[j + 1, 1] = points[j, 0], points[j, 1]
            j -= 1
        points[j + 1, 0], points[j + 1, 1] = x, y
    size = 0
    for way in range(2):
        start = size
        for step in range(count):
            k = step if way == 0 else count - 1 - step
            x, y = points[k, 0], points[k, 1]
            while size >= start + 2 and (out[size - 1, 0] - out[size - 2, 0]) * (y - out[size - 2, 1]) <= (
                out[size - 1, 1] - out[size - 2, 1]
            ) * (x - out[size - 2, 0]):
                size -= 1
            out[size, 0], out[size, 1] = x, y
            size += 1
        size -= 1
    return size
