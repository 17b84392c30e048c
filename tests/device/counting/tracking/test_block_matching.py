"""How the picture inside a box has moved, against trying every move at every place."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from telstraat_device.counting.foreground.background import plane
from telstraat_device.counting.tracking.block_matching import POINTS, match_block
from telstraat_device.counting.tracking.state import MOVES, MOVES_PADDED, SEARCH_PX, Pictures

WIDTH, HEIGHT = 90, 60


def places(first: float, last: float) -> list[int]:
    """Return where a box is looked at along one side of it."""
    pixels, at = [], first
    while at <= last:
        pixels.append(int(at))
        at += max(1.0, (last - first) / POINTS)
    return pixels


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.floats(-20, 80), st.floats(-20, 50), st.floats(5, 60), st.floats(5, 50)),
    st.tuples(st.floats(-9, 9), st.floats(-9, 9)),
)
def test_the_best_move_is_the_one_that_trying_all_of_them_finds(
    seed: int, where: tuple[float, float, float, float], expected: tuple[float, float]
) -> None:
    rng = np.random.default_rng(seed)
    before, now = plane(WIDTH * HEIGHT), plane(WIDTH * HEIGHT)
    before[:] = rng.integers(0, 256, before.size)
    moved = rng.integers(-5, 6, 2)
    now[:] = np.roll(before.reshape(HEIGHT, WIDTH), (moved[1], moved[0]), (0, 1)).ravel()
    x, y, w, h = where
    dx, dy = expected
    xs, ys = places(max(x, 0.0), min(x + w, WIDTH - 1.0)), places(max(y, 0.0), min(y + h, HEIGHT - 1.0))
    middle_x, middle_y = int(np.floor(dx + 0.5)), int(np.floor(dy + 0.5))
    best = (1e9, middle_x, middle_y)
    for try_dy in range(middle_y - SEARCH_PX, middle_y + SEARCH_PX + 1):
        for try_dx in range(middle_x - SEARCH_PX, middle_x + SEARCH_PX + 1):
            differences = [
                abs(int(before[b * WIDTH + a]) - int(now[(b + try_dy) * WIDTH + a + try_dx]))
                for b in ys
                for a in xs
                if 0 <= a + try_dx < WIDTH and 0 <= b + try_dy < HEIGHT
            ]
            if len(differences) >= POINTS:
                left = sum(differences) / len(differences) + 0.15 * (abs(try_dx - dx) + abs(try_dy - dy))
                if left < best[0]:
                    best = left, try_dx, try_dy
    sums: NDArray[np.uint16] = np.zeros(MOVES * MOVES_PADDED, np.uint16)
    pictures = Pictures(before, now, WIDTH, HEIGHT)
    best_dx, best_dy, left = match_block(pictures, (x, y, x + w, y + h), dx, dy, sums)
    assert (left, best_dx, best_dy) == best
