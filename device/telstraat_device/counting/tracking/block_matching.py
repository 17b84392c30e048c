"""How the picture inside a box has moved since the frame before: block matching by the sum of absolute differences.

All whole-pixel moves within SEARCH_PX of the predicted one are tried on a sparse grid of points (full search, Barjatya,
"Block matching algorithms for motion estimation", 2004); a move costs a little for every pixel that it differs from the
prediction, so that an even surface stays with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.foreground.pixels import add_differences
from telstraat_device.counting.tracking.state import MOVES, MOVES_PADDED, SEARCH_PX, Pictures
from telstraat_device.native.kernel import kernel

Box = tuple[float, float, float, float]  # x0, y0, x1, y1
Step = tuple[float, float]

POINTS = 12  # of the grid, in each direction; and the fewest on which a move is judged
DRIFT_COST = 0.15  # grey levels for every pixel that a move differs from the prediction
NO_MATCH = 1e9


@kernel
def differences_inside(pictures: Pictures, block: Box, step: Step, first_move: int, sums: NDArray[np.uint16]) -> int:
    """Sum the differences of all moves at once, where none leaves the picture; return the number of points.

    sums : uint16 (MOVES * MOVES_PADDED,), a row of moves in a row; first_move : by how many pixels of the flat picture
    the first move shifts.
    """
    sums[:] = 0
    points = 0
    y = block[1]
    while y <= block[3]:
        x = block[0]
        while x <= block[2]:
            at = int(y) * pictures.width + int(x)
            add_differences(pictures.current, at + first_move, pictures.width, pictures.previous[at], sums)
            points += 1
            x += step[0]
        y += step[1]
    return points


@kernel
def difference_of_move(pictures: Pictures, block: Box, step: Step, dx: int, dy: int) -> tuple[int, int]:
    """Return the sum of differences of one move, and the number of points that it leaves in the picture."""
    total: Any = 0
    points = 0
    y = block[1]
    while y <= block[3]:
        row = int(y) + dy
        if 0 <= row < pictures.height:
            x = block[0]
            while x <= block[2]:
                column = int(x) + dx
                if 0 <= column < pictures.width:
                    before = np.int64(pictures.previous[int(y) * pictures.width + int(x)])
                    total += abs(before - np.int64(pictures.current[row * pictures.width + column]))
                    points += 1
                x += step[0]
        y += step[1]
    return total, points


@kernel
def match_block(pictures: Pictures, box: Box, dx: float, dy: float, sums: NDArray[np.uint16]) -> tuple[int, int, float]:
    """Return the move of a box's content since the frame before, and the mean difference that it leaves, drift included.

    dx, dy : the predicted move, in pixels; sums : scratch, as for `differences_inside`.
    """
    width, height = pictures.width, pictures.height
    x0, y0 = max(box[0], 0.0), max(box[1], 0.0)
    x1, y1 = min(box[2], width - 1.0), min(box[3], height - 1.0)
    block, step = (x0, y0, x1, y1), (max(1.0, (x1 - x0) / POINTS), max(1.0, (y1 - y0) / POINTS))
    first_dx, first_dy = int(np.floor(dx + 0.5)) - SEARCH_PX, int(np.floor(dy + 0.5)) - SEARCH_PX
    best, best_dx, best_dy = NO_MATCH, first_dx + SEARCH_PX, first_dy + SEARCH_PX
    inside = int(x0) + first_dx >= 0 and int(x1) + first_dx + MOVES_PADDED <= width
    inside = inside and int(y0) + first_dy >= 0 and int(y1) + first_dy + MOVES <= height
    points_inside = differences_inside(pictures, block, step, first_dy * width + first_dx, sums) if inside else 0
    for row in range(MOVES):
        for column in range(MOVES):
            try_dx, try_dy = first_dx + column, first_dy + row
            total: Any = np.int64(sums[MOVES_PADDED * row + column])
            points = points_inside
            if not inside:
                total, points = difference_of_move(pictures, block, step, try_dx, try_dy)
            if points >= POINTS:
                mean = total / points + DRIFT_COST * (abs(try_dx - dx) + abs(try_dy - dy))
                if mean < best:
                    best, best_dx, best_dy = mean, try_dx, try_dy
    return best_dx, best_dy, best
