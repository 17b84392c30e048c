r"""Measures a track around the line: box, speed, growth, fill, wobble, and what was cut off as shadow.

Only frames in which it was alone in its blob are used, and of each only the edges that do not touch the picture's border:
a long vehicle that never is in the picture as a whole has a speed and a length all the same.

    place │        ╱ front edge          least squares: two lines with one slope (the speed); their distance at the
          │   ╱  ╱                       time of the line is the length
          │ ╱  ╱ rear edge
          └──────── time
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.tracking.state import TrackerState
from telstraat_device.counting.tracking.track import (
    BORDER_BOTTOM,
    BORDER_LEFT,
    BORDER_RIGHT,
    BORDER_TOP,
    HISTORY,
    Appearance,
)
from telstraat_device.native.kernel import kernel

AROUND_S = 0.6  # frames around the line in which size and speed are measured
EDGE_FRAMES = 3  # the fewest for a median or an edge
WOBBLE_FRAMES = 6
FOOT_FRAMES = 4
GROWTH_FRAMES = 6
TIMES_SPREAD = 0.005  # sum of squared seconds around their mean, below which times are one moment
GROWTH_TIMES_SPREAD = 0.1
LENGTH_MIN_PX = 2.0  # between two edges; less is noise
LEAST_VARIANCE, LEAST_ERROR = 1e-9, 1e-6  # instead of a division by zero, and of an error that would say "unknown"
W, H, FILL, CUT_LEFT, CUT_TOP, CUT_RIGHT, CUT_BOTTOM = range(7)  # rows of `TrackerState.columns`


@kernel
def median(values: NDArray[np.float64], count: int) -> float:
    """Return the middle of the first `count` values; sorts them."""
    for k in range(1, count):
        value = values[k]
        j = k
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value
    return float(values[count // 2])


@kernel
def is_whole(appearance: Appearance, at_s: float) -> bool:
    """Return whether the whole box was in the picture, AROUND_S around the time of the line."""
    return bool(abs(appearance.t_s - at_s) <= AROUND_S and appearance.border == 0)


@kernel
def edge_place(appearance: Appearance, edge: int) -> float:
    """Return where one edge of the box was, x or y; edge : a BORDER_* flag."""
    if edge in (BORDER_LEFT, BORDER_RIGHT):
        return appearance.x + (0.5 if edge == BORDER_RIGHT else -0.5) * appearance.w
    return appearance.y + (0.5 if edge == BORDER_BOTTOM else -0.5) * appearance.h


@kernel
def edge_moments(appearances: Any, at_s: float, edge: int) -> tuple[int, float, float, float, float]:
    """Return moments of an edge over the frames in which it is inside the picture.

    They are: number of frames, mean time (seconds from `at_s`), mean place, and the sums of squares of time and of
    products of time and place around these means.
    """
    n = 0
    st, sp, stt, stp = 0.0, 0.0, 0.0, 0.0
    for k in range(len(appearances)):
        t = appearances[k].t_s - at_s
        if abs(t) > AROUND_S or appearances[k].border & edge != 0:
            continue
        place = edge_place(appearances[k], edge)
        n += 1
        st, sp, stt, stp = st + t, sp + place, stt + t * t, stp + t * place
    if n == 0:
        return 0, 0.0, 0.0, 0.0, 0.0
    return n, st / n, sp / n, stt - st * st / n, stp - st * sp / n


@kernel
def fit_opposite_edges(appearances: Any, at_s: float, first: int, second: int) -> tuple[bool, float, float, float]:
    """Fit two opposite edges with one speed; return whether both were visible, the speed, and their places at `at_s`."""
    n, t, place, tt, tp = edge_moments(appearances, at_s, first)
    n2, t2, place2, tt2, tp2 = edge_moments(appearances, at_s, second)
    if n < EDGE_FRAMES or n2 < EDGE_FRAMES or tt + tt2 < TIMES_SPREAD:
        return False, 0.0, 0.0, 0.0
    speed = (tp + tp2) / (tt + tt2)
    return True, speed, place - speed * t, place2 - speed * t2


@kernel
def wobble(appearances: Any, at_s: float) -> float:
    """Return the spread of the widths around a straight line over time, over their mean; 0 is unknown."""
    n = 0
    st, sw, stt, stw, sww = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(len(appearances)):
        if is_whole(appearances[k], at_s):
            t, w = appearances[k].t_s - at_s, appearances[k].w
            n += 1
            st, sw, stt, stw, sww = st + t, sw + w, stt + t * t, stw + t * w, sww + w * w
    if n < WOBBLE_FRAMES:
        return 0.0
    var_t = stt / n - (st / n) ** 2
    slope_part = (stw / n - st * sw / n**2) ** 2 / max(var_t, LEAST_VARIANCE)
    rest = sww / n - (sw / n) ** 2 - slope_part
    return float(np.sqrt(max(rest, 0.0)) * n / max(sw, 1.0))


@kernel
def growth(appearances: Any, at_s: float) -> tuple[float, float]:
    """Return how the height grows, as a share per second, and the standard error; an error of 0 is unknown.

    The slope of log(height) over time by ordinary least squares.
    """
    n = 0
    st, sh, stt, sth, shh = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(len(appearances)):
        if is_whole(appearances[k], at_s):
            t, h = appearances[k].t_s - at_s, np.log(max(appearances[k].h, 1.0))
            n += 1
            st, sh, stt, sth, shh = st + t, sh + h, stt + t * t, sth + t * h, shh + h * h
    if n < GROWTH_FRAMES:
        return 0.0, 0.0
    tt, th, hh = stt - st * st / n, sth - st * sh / n, shh - sh * sh / n
    if tt < GROWTH_TIMES_SPREAD:
        return 0.0, 0.0
    rest = max(hh - th * th / tt, 0.0)
    return th / tt, max(LEAST_ERROR, float(np.sqrt(rest / (n - 2) / tt)))


@kernel
def measure_sizes(state: TrackerState, i: int, appearances: Any) -> None:
    """Measure size, fill and cuts as medians over the whole boxes; of too few, size and fill are those tracked."""
    measured, at_line, columns = state.tracks[i].measured, state.tracks[i].at_line, state.columns
    count = 0
    for k in range(len(appearances)):
        box = appearances[k]
        if is_whole(box, state.tracks[i].pending_s):
            columns[W, count], columns[H, count], columns[FILL, count] = box.w, box.h, box.fill
            columns[CUT_LEFT, count], columns[CUT_TOP, count] = box.cut_left, box.cut_top
            columns[CUT_RIGHT, count], columns[CUT_BOTTOM, count] = box.cut_right, box.cut_bottom
            count += 1
    measured.appearances = count
    if count >= EDGE_FRAMES:
        measured.w, measured.h = median(columns[W], count), median(columns[H], count)
        measured.fill = median(columns[FILL], count)
        measured.cut_left, measured.cut_top = median(columns[CUT_LEFT], count), median(columns[CUT_TOP], count)
        measured.cut_right = median(columns[CUT_RIGHT], count)
        measured.cut_bottom = median(columns[CUT_BOTTOM], count)
    else:
        measured.w, measured.h = at_line.w, at_line.h
        measured.fill = at_line.area / max(1.0, at_line.w * at_line.h)
        measured.cut_left = measured.cut_top = measured.cut_right = measured.cut_bottom = 0.0


@kernel
def measure_speed(state: TrackerState, i: int, appearances: Any) -> None:
    """Measure place and speed from the edges; where these were not visible, they are those tracked."""
    measured, at_line, at_s = state.tracks[i].measured, state.tracks[i].at_line, state.tracks[i].pending_s
    few = measured.appearances < EDGE_FRAMES
    measured.x, measured.y, measured.vx, measured.vy = at_line.x, at_line.y, at_line.vx, at_line.vy
    across, vx, left, right = fit_opposite_edges(appearances, at_s, BORDER_LEFT, BORDER_RIGHT)
    if across:
        measured.vx, measured.x = vx, 0.5 * (left + right)
        if few and right - left > LENGTH_MIN_PX:
            measured.w = right - left
    measured.foot, measured.v_foot = measured.y + 0.5 * measured.h, measured.vy
    down, vy, top, bottom = fit_opposite_edges(appearances, at_s, BORDER_TOP, BORDER_BOTTOM)
    if down:
        measured.vy, measured.y = vy, 0.5 * (top + bottom)
        measured.foot, measured.v_foot = bottom, vy
        if few and bottom - top > LENGTH_MIN_PX:
            measured.h = bottom - top
    n, t, place, tt, tp = edge_moments(appearances, at_s, BORDER_BOTTOM)
    if n >= FOOT_FRAMES and tt > TIMES_SPREAD:
        measured.foot, measured.v_foot = place - tp / tt * t, tp / tt


@kernel
def measure_track(state: TrackerState, i: int) -> None:
    """Measure how large and how fast a track was around the line; where it was never alone, as it was tracked."""
    track = state.tracks[i]
    appearances = state.history[i, : min(track.history_count, HISTORY)]
    measure_sizes(state, i, appearances)
    measure_speed(state, i, appearances)
    track.measured.wobble = wobble(appearances, track.pending_s)
    track.measured.growth, track.measured.growth_error = growth(appearances, track.pending_s)
