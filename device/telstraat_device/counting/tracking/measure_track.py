r"""Sums up what was seen of a track around the line: box, speed, growth, fill, wobble, and what was cut as shadow.

Only frames in which it was alone in its blob are used, and of each only the edges that do not touch the picture's border:
a long vehicle that never is in the picture as a whole has a speed and a length all the same.

    place │        ╱ front edge          two lines with one slope (the speed); their distance at the time of the line
          │   ╱  ╱                       is the length
          │ ╱  ╱ rear edge
          └──────── time
"""

from __future__ import annotations

import numpy as np

from telstraat_device.counting.tracking.track_table import (
    AT_BORDER,
    AT_CUT_BOTTOM,
    AT_CUT_LEFT,
    AT_CUT_RIGHT,
    AT_CUT_TOP,
    AT_FILL,
    AT_H,
    AT_T,
    AT_W,
    AT_X,
    AT_Y,
    CUT_BOTTOM,
    CUT_LEFT,
    CUT_RIGHT,
    CUT_TOP,
    FOOT,
    FOOT_V,
    GROWTH,
    GROWTH_ERROR,
    HISTORY_N,
    LINE_AREA,
    LINE_H,
    LINE_VX,
    LINE_VY,
    LINE_W,
    LINE_X,
    LINE_Y,
    PENDING_T,
    SOLID_FILL,
    SOLID_H,
    SOLID_N,
    SOLID_VX,
    SOLID_VY,
    SOLID_W,
    SOLID_WOBBLE,
    SOLID_X,
    SOLID_Y,
    Table,
)
from telstraat_device.native.kernel import kernel

AROUND_S = 0.6  # frames around the line that tell size and speed
WOBBLE_FRAMES = 6
EDGE_FRAMES = 3
FOOT_FRAMES = 4
GROWTH_FRAMES = 6
TIMES_SPREAD = 0.005  # sum of squared seconds around their mean, below which times are one moment
GROWTH_TIMES_SPREAD = 0.1
MEDIANS = 7  # rows of scratch: width, height, fill, and the four cuts
LEFT, TOP, RIGHT, BOTTOM = 1, 2, 4, 8  # sides of the box that touch the border, added up


@kernel
def median(values: Table, count: int) -> float:
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
def edge(history: Table, i: int, kept: int, at_s: float, side: int) -> tuple[int, float, float, float, float]:
    """Return of one side of the box, where it is seen: frames, mean time, mean place, and sums of t t and of t place."""
    n = 0
    st, sp, stt, stp = 0.0, 0.0, 0.0, 0.0
    for k in range(kept):
        t = history[i, k, AT_T] - at_s
        if abs(t) > AROUND_S or int(history[i, k, AT_BORDER]) & side != 0:
            continue
        if side in (LEFT, RIGHT):
            place = history[i, k, AT_X] + (0.5 if side == RIGHT else -0.5) * history[i, k, AT_W]
        else:
            place = history[i, k, AT_Y] + (0.5 if side == BOTTOM else -0.5) * history[i, k, AT_H]
        n += 1
        st, sp, stt, stp = st + t, sp + place, stt + t * t, stp + t * place
    if n == 0:
        return 0, 0.0, 0.0, 0.0, 0.0
    return n, st / n, sp / n, stt - st * st / n, stp - st * sp / n


@kernel
def two_edges(history: Table, i: int, kept: int, at_s: float, one: int, other: int) -> tuple[bool, float, float, float]:
    """Return whether two opposite sides were seen, their common speed, and where each was at the time of the line."""
    n, t, place, tt, tp = edge(history, i, kept, at_s, one)
    n2, t2, place2, tt2, tp2 = edge(history, i, kept, at_s, other)
    if n < EDGE_FRAMES or n2 < EDGE_FRAMES or tt + tt2 < TIMES_SPREAD:
        return False, 0.0, 0.0, 0.0
    speed = (tp + tp2) / (tt + tt2)
    return True, speed, place - speed * t, place2 - speed * t2


@kernel
def wobble(history: Table, i: int, kept: int, at_s: float) -> float:
    """Return the spread of the widths around a straight line over time, over their mean; 0 is unknown."""
    n = 0
    st, sw, stt, stw, sww = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(kept):
        t, w = history[i, k, AT_T] - at_s, history[i, k, AT_W]
        if abs(t) <= AROUND_S and history[i, k, AT_BORDER] == 0.0:
            n += 1
            st, sw, stt, stw, sww = st + t, sw + w, stt + t * t, stw + t * w, sww + w * w
    if n < WOBBLE_FRAMES:
        return 0.0
    var_t = stt / n - (st / n) ** 2
    slope_part = (stw / n - st * sw / n**2) ** 2 / max(var_t, 1e-9)
    rest = sww / n - (sw / n) ** 2 - slope_part
    return float(np.sqrt(max(rest, 0.0)) * n / max(sw, 1.0))


@kernel
def growth(history: Table, i: int, kept: int, at_s: float) -> tuple[float, float]:
    """Return how the height grows, as a share in a second, and the standard error; an error of 0 is unknown."""
    n = 0
    st, sh, stt, sth, shh = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(kept):
        t = history[i, k, AT_T] - at_s
        if abs(t) <= AROUND_S and history[i, k, AT_BORDER] == 0.0:
            h = np.log(max(history[i, k, AT_H], 1.0))
            n += 1
            st, sh, stt, sth, shh = st + t, sh + h, stt + t * t, sth + t * h, shh + h * h
    if n < GROWTH_FRAMES:
        return 0.0, 0.0
    tt, th, hh = stt - st * st / n, sth - st * sh / n, shh - sh * sh / n
    if tt < GROWTH_TIMES_SPREAD:
        return 0.0, 0.0
    rest = max(hh - th * th / tt, 0.0)
    return th / tt, max(1e-6, float(np.sqrt(rest / (n - 2) / tt)))


@kernel
def settle(tracks: Table, history: Table, scratch: Table, i: int) -> None:
    """Sum up how large and how fast a track was around the line; where it was never alone, as it was tracked."""
    kept, at_s = min(int(tracks[i, HISTORY_N]), history.shape[1]), tracks[i, PENDING_T]
    count = 0
    for k in range(kept):
        if abs(history[i, k, AT_T] - at_s) <= AROUND_S and history[i, k, AT_BORDER] == 0.0:
            scratch[0, count], scratch[1, count] = history[i, k, AT_W], history[i, k, AT_H]
            scratch[2, count] = history[i, k, AT_FILL]
            scratch[3, count], scratch[4, count] = history[i, k, AT_CUT_LEFT], history[i, k, AT_CUT_TOP]
            scratch[5, count], scratch[6, count] = history[i, k, AT_CUT_RIGHT], history[i, k, AT_CUT_BOTTOM]
            count += 1
    tracks[i, SOLID_N] = count
    tracks[i, SOLID_W], tracks[i, SOLID_H] = tracks[i, LINE_W], tracks[i, LINE_H]
    tracks[i, SOLID_VX], tracks[i, SOLID_VY] = tracks[i, LINE_VX], tracks[i, LINE_VY]
    tracks[i, SOLID_X], tracks[i, SOLID_Y] = tracks[i, LINE_X], tracks[i, LINE_Y]
    tracks[i, SOLID_FILL] = tracks[i, LINE_AREA] / max(1.0, tracks[i, LINE_W] * tracks[i, LINE_H])
    tracks[i, CUT_LEFT] = tracks[i, CUT_TOP] = tracks[i, CUT_RIGHT] = tracks[i, CUT_BOTTOM] = 0.0
    if count >= EDGE_FRAMES:
        tracks[i, SOLID_W], tracks[i, SOLID_H] = median(scratch[0], count), median(scratch[1], count)
        tracks[i, SOLID_FILL] = median(scratch[2], count)
        tracks[i, CUT_LEFT], tracks[i, CUT_TOP] = median(scratch[3], count), median(scratch[4], count)
        tracks[i, CUT_RIGHT], tracks[i, CUT_BOTTOM] = median(scratch[5], count), median(scratch[6], count)
    across, vx, left, right = two_edges(history, i, kept, at_s, LEFT, RIGHT)
    if across:
        tracks[i, SOLID_VX], tracks[i, SOLID_X] = vx, 0.5 * (left + right)
        if count < EDGE_FRAMES and right - left > 2.0:
            tracks[i, SOLID_W] = right - left
    tracks[i, FOOT] = tracks[i, SOLID_Y] + 0.5 * tracks[i, SOLID_H]
    tracks[i, FOOT_V] = tracks[i, SOLID_VY]
    down, vy, top, bottom = two_edges(history, i, kept, at_s, TOP, BOTTOM)
    if down:
        tracks[i, SOLID_VY], tracks[i, SOLID_Y] = vy, 0.5 * (top + bottom)
        tracks[i, FOOT], tracks[i, FOOT_V] = bottom, vy
        if count < EDGE_FRAMES and bottom - top > 2.0:
            tracks[i, SOLID_H] = bottom - top
    n, t, place, tt, tp = edge(history, i, kept, at_s, BOTTOM)
    if n >= FOOT_FRAMES and tt > TIMES_SPREAD:
        tracks[i, FOOT], tracks[i, FOOT_V] = place - tp / tt * t, tp / tt
    tracks[i, SOLID_WOBBLE] = wobble(history, i, kept, at_s)
    tracks[i, GROWTH], tracks[i, GROWTH_ERROR] = growth(history, i, kept, at_s)
