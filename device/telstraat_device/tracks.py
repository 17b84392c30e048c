"""Follows objects from frame to frame and notices when the middle of one passes the counting line.

Every track has a box that moves on with its velocity. A blob under one box is that object; several blobs under one box
are its pieces, or a split; one blob under several boxes is a merge, in which each box is held by the edges it shares
with the blob. All state is one table, a row a track, so that a frame is one call.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Table = NDArray[Any]  # float64 (rows, columns) unless told otherwise

MAX_TRACKS = 96
MAX_EVENTS = 64

# columns of a track
ALIVE, ID, X, Y, W, H, VX, VY = range(0, 8)
AGE, SEEN, MISSED, BIRTH_T, BIRTH_X, BIRTH_Y, AREA, MERGED_S = range(8, 16)
ARMED, FIRST_ARMED, SIDE, ZERO_T, ZERO_ALONG, INHERITED = range(16, 22)
PENDING, PENDING_T, PENDING_ALONG, CROSSED, CROSSED_T, REFUSED, OTHER = range(22, 29)
LINE_W, LINE_H, LINE_AREA, LINE_VX, LINE_VY, LINE_X, LINE_Y = range(29, 36)
JOIN_ID, JOIN_S, MOVING, STILL_S, OWN_S, LENGTH, HISTORY_N = range(36, 43)
SOLID_W, SOLID_H, SOLID_VX, SOLID_VY, SOLID_N, SOLID_FILL, MOVED, SOLID_X, SOLID_Y = range(43, 52)
TRACK_COLUMNS = 52
COUNTED, STILL, SMALL, PIECE = range(4)  # in REFUSED: why a crossing was not counted

RECENT = 32
HISTORY = 40  # frames that are kept of each track
AROUND_S = 0.6
COAST_S = 0.6
CONFIRM_S = 0.12
EMIT_S = 0.5
ALONE_S = 0.3  # what was seen alone for so long is an object of its own
VAGUE_S = 0.2
SETTLED_S = 0.5
JOIN_AFTER_S = 0.15
STILL_AFTER_S = 1.0
MOVING_MIN = 0.08
AREA_MIN = 0.0009  # of the picture: a crossing smaller than this is no object


@njit(cache=True, error_model="numpy", nogil=True)
def overlap(ax0: float, ay0: float, ax1: float, ay1: float, bx0: float, by0: float, bx1: float, by1: float) -> float:
    """Return the area that two boxes share."""
    w = min(ax1, bx1) - max(ax0, bx0)
    h = min(ay1, by1) - max(ay0, by0)
    return w * h if w > 0.0 and h > 0.0 else 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def signed_distance(line: Table, x: float, y: float) -> float:
    """Return the distance from the line, negative on its left-hand side; line: x1, y1, x2, y2, length."""
    return float(((line[2] - line[0]) * (y - line[1]) - (line[3] - line[1]) * (x - line[0])) / line[4])


@njit(cache=True, error_model="numpy", nogil=True)
def along(line: Table, x: float, y: float) -> float:
    """Return the place along the line, 0 to 1 between its ends."""
    return float(((x - line[0]) * (line[2] - line[0]) + (y - line[1]) * (line[3] - line[1])) / (line[4] * line[4]))


@njit(cache=True, error_model="numpy", nogil=True)
def extent_across(line: Table, w: float, h: float) -> float:
    """Return how far a box of this size reaches in the direction across the line."""
    return float((abs(line[2] - line[0]) * h + abs(line[3] - line[1]) * w) / line[4])


@njit(cache=True, error_model="numpy", nogil=True)
def begin(tracks: Table, row: int, number: float, blob: Table, t_s: float) -> None:
    """Begin a track on a blob."""
    tracks[row, :] = 0.0
    tracks[row, ALIVE] = 1.0
    tracks[row, ID] = number
    tracks[row, X] = 0.5 * (blob[0] + blob[2])
    tracks[row, Y] = 0.5 * (blob[1] + blob[3])
    tracks[row, W] = blob[2] - blob[0]
    tracks[row, H] = blob[3] - blob[1]
    tracks[row, AREA] = blob[4]
    tracks[row, BIRTH_T] = t_s
    tracks[row, BIRTH_X] = tracks[row, X]
    tracks[row, BIRTH_Y] = tracks[row, Y]
    tracks[row, SEEN] = 1.0
    tracks[row, MOVING] = blob[7]


@njit(cache=True, error_model="numpy", nogil=True)
def free_row(tracks: Table) -> int:
    """Return a row without a track, or -1."""
    for i in range(tracks.shape[0]):
        if tracks[i, ALIVE] == 0.0:
            return i
    return -1


@njit(cache=True, error_model="numpy", nogil=True)
def measure(tracks: Table, i: int, x0: float, y0: float, x1: float, y1: float, area: float, dt: float) -> None:
    """Correct a predicted track by the box that it was found in."""
    seen = tracks[i, SEEN]
    a = max(0.6, 1.0 / (seen + 1.0))
    b = max(0.2, 1.0 / (seen + 0.5)) if seen > 1.0 else 1.0
    dx = 0.5 * (x0 + x1) - tracks[i, X]
    dy = 0.5 * (y0 + y1) - tracks[i, Y]
    tracks[i, X] += a * dx
    tracks[i, Y] += a * dy
    gap = dt + tracks[i, MISSED]
    tracks[i, VX] += min(b, 1.0) * dx / gap
    tracks[i, VY] += min(b, 1.0) * dy / gap
    c = max(0.25, 1.0 / (seen + 1.0))
    tracks[i, W] += c * (x1 - x0 - tracks[i, W])
    tracks[i, H] += c * (y1 - y0 - tracks[i, H])
    tracks[i, AREA] += c * (area - tracks[i, AREA])
    tracks[i, SEEN] += 1.0
    tracks[i, MISSED] = 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def shift(
    before: Table, now: Table, width: int, height: int, box: tuple[float, float, float, float], dx: float, dy: float
) -> tuple[int, int, float]:
    """Return by how many pixels the picture inside a box of the frame before has moved, and the mean difference left.

    Searched within 3 pixels of the expected (dx, dy), on up to 12 x 12 points of the box.
    """
    x0, y0 = max(box[0], 0.0), max(box[1], 0.0)
    x1, y1 = min(box[2], width - 1.0), min(box[3], height - 1.0)
    step_x, step_y = max(1.0, (x1 - x0) / 12.0), max(1.0, (y1 - y0) / 12.0)
    best, best_dx, best_dy = 1e9, int(round(dx)), int(round(dy))
    middle_x, middle_y = best_dx, best_dy
    for try_dy in range(middle_y - 3, middle_y + 4):
        for try_dx in range(middle_x - 3, middle_x + 4):
            total, points = 0, 0
            y = y0
            while y <= y1:
                yy = int(y) + try_dy
                if 0 <= yy < height:
                    x = x0
                    while x <= x1:
                        xx = int(x) + try_dx
                        if 0 <= xx < width:
                            total += abs(np.int32(before[int(y) * width + int(x)]) - np.int32(now[yy * width + xx]))
                            points += 1
                        x += step_x
                y += step_y
            if points >= 12:
                away = abs(try_dx - dx) + abs(try_dy - dy)
                mean = total / points + 0.15 * away
                if mean < best:
                    best, best_dx, best_dy = mean, try_dx, try_dy
    return best_dx, best_dy, best


@njit(cache=True, error_model="numpy", nogil=True)
def hold(tracks: Table, i: int, blob: Table, before: Table, now: Table, width: int, height: int, dt: float) -> None:
    """Move a track that shares its blob with others by what the picture under it does."""
    w, h = tracks[i, W], tracks[i, H]
    vx, vy = tracks[i, VX] * dt, tracks[i, VY] * dt
    x, y = tracks[i, X] - vx, tracks[i, Y] - vy
    dx, dy, left = shift(before, now, width, height, (x - 0.4 * w, y - 0.4 * h, x + 0.4 * w, y + 0.4 * h), vx, vy)
    if left < 30.0:
        if abs(dx - vx) > 0.75:
            tracks[i, X] += 0.6 * (dx - vx)
            tracks[i, VX] += 0.2 * (dx - vx) / dt
        if abs(dy - vy) > 0.75:
            tracks[i, Y] += 0.6 * (dy - vy)
            tracks[i, VY] += 0.2 * (dy - vy) / dt
    inset_x, inset_y = 0.3 * min(w, blob[2] - blob[0]), 0.3 * min(h, blob[3] - blob[1])
    tracks[i, X] = min(max(tracks[i, X], blob[0] + inset_x), blob[2] - inset_x)
    tracks[i, Y] = min(max(tracks[i, Y], blob[1] + inset_y), blob[3] - inset_y)
    tracks[i, MERGED_S] += dt
    tracks[i, MISSED] = 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def join(tracks: Table, blob_of: Table, dt: float) -> None:
    """Make one track of pieces that move as one: stacked, or a small one at a large one, for long enough."""
    n = tracks.shape[0]
    for i in range(n):
        if tracks[i, ALIVE] == 0.0 or tracks[i, MISSED] > 0.0:
            continue
        for j in range(i + 1, n):
            if tracks[j, ALIVE] == 0.0 or tracks[j, MISSED] > 0.0:
                continue
            gap_x = abs(tracks[i, X] - tracks[j, X]) - 0.5 * (tracks[i, W] + tracks[j, W])
            gap_y = abs(tracks[i, Y] - tracks[j, Y]) - 0.5 * (tracks[i, H] + tracks[j, H])
            if gap_x > 12.0 or gap_y > 12.0:
                continue
            a, b = i, j  # b is the smaller
            if tracks[i, W] * tracks[i, H] < tracks[j, W] * tracks[j, H]:
                a, b = j, i
            aw, ah, bw, bh = tracks[a, W], tracks[a, H], tracks[b, W], tracks[b, H]
            high = max(tracks[a, Y] + 0.5 * ah, tracks[b, Y] + 0.5 * bh) - min(
                tracks[a, Y] - 0.5 * ah, tracks[b, Y] - 0.5 * bh
            )
            wide = max(tracks[a, X] + 0.5 * aw, tracks[b, X] + 0.5 * bw) - min(
                tracks[a, X] - 0.5 * aw, tracks[b, X] - 0.5 * bw
            )
            stacked = -gap_x > 0.6 * min(aw, bw) and gap_y < 0.12 * high + 1.0
            stacked = stacked and min(tracks[a, OWN_S], tracks[b, OWN_S]) < SETTLED_S
            piece = bw * bh < 0.3 * aw * ah and gap_x < 0.1 * aw + 1.0 and gap_y < 0.1 * ah + 1.0
            same = blob_of[i] == blob_of[j] and -gap_x > 0.7 * bw and -gap_y > 0.7 * bh
            apart = np.hypot(tracks[a, VX] - tracks[b, VX], tracks[a, VY] - tracks[b, VY])
            speed = np.hypot(tracks[a, VX], tracks[a, VY])
            together = apart < 0.3 * speed + 0.15 * max(bw, bh)
            if (stacked or piece or same) and together:
                if tracks[b, JOIN_ID] == tracks[a, ID]:
                    tracks[b, JOIN_S] += dt
                else:
                    tracks[b, JOIN_ID], tracks[b, JOIN_S] = tracks[a, ID], dt
                if tracks[b, JOIN_S] > JOIN_AFTER_S:
                    x0 = min(tracks[a, X] - 0.5 * aw, tracks[b, X] - 0.5 * bw)
                    y0 = min(tracks[a, Y] - 0.5 * ah, tracks[b, Y] - 0.5 * bh)
                    tracks[a, X], tracks[a, Y], tracks[a, W], tracks[a, H] = (
                        x0 + 0.5 * wide,
                        y0 + 0.5 * high,
                        wide,
                        high,
                    )
                    tracks[a, AREA] += tracks[b, AREA]
                    tracks[a, SIDE] = 0.0
                    if (
                        tracks[b, AGE] > tracks[a, AGE]
                        and tracks[a, PENDING] == 0.0
                        and tracks[a, ARMED] == tracks[a, FIRST_ARMED]
                    ):
                        tracks[a, FIRST_ARMED] = tracks[b, FIRST_ARMED]
                        tracks[a, ARMED] = tracks[b, FIRST_ARMED]
                        tracks[a, BIRTH_X], tracks[a, BIRTH_Y] = tracks[b, BIRTH_X], tracks[b, BIRTH_Y]
                    tracks[b, ALIVE] = 0.0
                    if b == i:
                        break
            elif tracks[b, JOIN_ID] == tracks[a, ID]:
                tracks[b, JOIN_S] = max(0.0, tracks[b, JOIN_S] - dt)


@njit(cache=True, error_model="numpy", nogil=True)
def piece_of(a: Table, b: Table) -> bool:
    """Tell whether what crossed as `a` was only a piece of the larger thing that crossed as `b` (rows of tracks)."""
    aw, ah, bw, bh = a[SOLID_W], a[SOLID_H], b[SOLID_W], b[SOLID_H]
    if a[CROSSED] != b[CROSSED] or abs(a[CROSSED_T] - b[CROSSED_T]) > 0.8 or aw * ah >= bw * bh:
        return False
    later = a[CROSSED_T] - b[CROSSED_T]
    gap_x = abs(a[SOLID_X] - b[SOLID_X] - b[SOLID_VX] * later) - 0.5 * (aw + bw)
    gap_y = abs(a[SOLID_Y] - b[SOLID_Y] - b[SOLID_VY] * later) - 0.5 * (ah + bh)
    size = max(bw, bh)
    part = aw * ah / (bw * bh)
    if gap_x > 0.15 * size + 1.0 or gap_y > 0.15 * size + 1.0:
        return False
    stacked = -gap_x > 0.5 * min(aw, bw)
    inside = -gap_x > 0.6 * min(aw, bw) and -gap_y > 0.6 * min(ah, bh)
    return bool(part < 0.25 or (part < 0.5 and stacked) or inside)


@njit(cache=True, error_model="numpy", nogil=True)
def remember(tracks: Table, history: Table, i: int, blob: Table, t_s: float, width: float, height: float) -> None:
    """Keep the box without shadow that a track was found in alone: t, x, y, w, h, area, touches the border."""
    slot = int(tracks[i, HISTORY_N]) % history.shape[1]
    history[i, slot, 0] = t_s
    history[i, slot, 1] = 0.5 * (blob[8] + blob[10])
    history[i, slot, 2] = 0.5 * (blob[9] + blob[11])
    history[i, slot, 3] = blob[10] - blob[8]
    history[i, slot, 4] = blob[11] - blob[9]
    history[i, slot, 5] = blob[12]
    history[i, slot, 6] = blob[0] <= 1.0 or blob[1] <= 1.0 or blob[2] >= width - 1.0 or blob[3] >= height - 1.0
    tracks[i, HISTORY_N] += 1.0


@njit(cache=True, error_model="numpy", nogil=True)
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


@njit(cache=True, error_model="numpy", nogil=True)
def settle(tracks: Table, history: Table, i: int) -> None:
    """Sum up how large and how fast a track was around the line, from the frames in which it was seen alone."""
    kept = min(int(tracks[i, HISTORY_N]), history.shape[1])
    wide, high, fill = np.empty(kept), np.empty(kept), np.empty(kept)
    count, n = 0, 0
    st, sx, sy, stt, stx, sty = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(kept):
        t = history[i, k, 0] - tracks[i, PENDING_T]
        if abs(t) > AROUND_S:
            continue
        n += 1
        x, y = history[i, k, 1], history[i, k, 2]
        st, sx, sy, stt, stx, sty = st + t, sx + x, sy + y, stt + t * t, stx + t * x, sty + t * y
        if history[i, k, 6] == 0.0:
            wide[count], high[count] = history[i, k, 3], history[i, k, 4]
            fill[count] = history[i, k, 5] / max(1.0, history[i, k, 3] * history[i, k, 4])
            count += 1
    tracks[i, SOLID_W], tracks[i, SOLID_H] = tracks[i, LINE_W], tracks[i, LINE_H]
    tracks[i, SOLID_VX], tracks[i, SOLID_VY] = tracks[i, LINE_VX], tracks[i, LINE_VY]
    tracks[i, SOLID_N], tracks[i, SOLID_FILL] = (
        count,
        tracks[i, LINE_AREA] / max(1.0, tracks[i, LINE_W] * tracks[i, LINE_H]),
    )
    if count >= 3:
        tracks[i, SOLID_W], tracks[i, SOLID_H] = median(wide, count), median(high, count)
        tracks[i, SOLID_FILL] = median(fill, count)
    tracks[i, SOLID_X], tracks[i, SOLID_Y] = tracks[i, LINE_X], tracks[i, LINE_Y]
    spread = n * stt - st * st
    if n >= 4 and spread > 0.02 * n * n * 0.02:
        tracks[i, SOLID_VX] = (n * stx - st * sx) / spread
        tracks[i, SOLID_VY] = (n * sty - st * sy) / spread
        tracks[i, SOLID_X] = (sx - tracks[i, SOLID_VX] * st) / n
        tracks[i, SOLID_Y] = (sy - tracks[i, SOLID_VY] * st) / n


@njit(cache=True, error_model="numpy", nogil=True)
def follow(  # noqa: C901 - one call a frame
    tracks: Table,
    blobs: Table,
    count: int,
    line: Table,
    frame: Table,
    before: Table,
    now: Table,
    recent: Table,
    history: Table,
    events: Table,
) -> int:
    """Move all tracks on by one frame; write finished crossings to `events` and return how many.

    line : x1, y1, x2, y2, length; frame : t_s, dt_s, next track number, width, height (number is raised here).
    """
    t_s, dt = frame[0], frame[1]
    n = tracks.shape[0]
    for i in range(n):
        if tracks[i, ALIVE] != 0.0:
            tracks[i, X] += tracks[i, VX] * dt
            tracks[i, Y] += tracks[i, VY] * dt
            tracks[i, AGE] += dt
            tracks[i, LENGTH] += np.hypot(tracks[i, VX], tracks[i, VY]) * dt
    # the blob of each track is the one that its box fits best
    blob_of = np.full(n, -1, np.int32)
    claims = np.zeros(max(count, 1), np.int32)
    for i in range(n):
        if tracks[i, ALIVE] == 0.0:
            continue
        w, h = tracks[i, W], tracks[i, H]
        x0, y0 = tracks[i, X] - 0.5 * w, tracks[i, Y] - 0.5 * h
        best = 0.05
        for b in range(count):
            shared = overlap(x0, y0, x0 + w, y0 + h, blobs[b, 0], blobs[b, 1], blobs[b, 2], blobs[b, 3])
            if shared > 0.0:
                blob_area = (blobs[b, 2] - blobs[b, 0]) * (blobs[b, 3] - blobs[b, 1])
                fit = shared / (blob_area + w * h - shared)
                if shared > 0.5 * w * h and blob_area > w * h:
                    fit = max(fit, 0.3)  # swallowed by a larger blob: a merge
                if fit > best:
                    best, blob_of[i] = fit, b
        if blob_of[i] >= 0:
            claims[blob_of[i]] += 1
    # tracks without a blob take the nearest free one within reach
    for i in range(n):
        if tracks[i, ALIVE] == 0.0 or blob_of[i] >= 0:
            continue
        size = max(tracks[i, W], tracks[i, H])
        best = (1.5 if tracks[i, SEEN] < 3.0 else 0.8) * size + 4.0
        for b in range(count):
            if claims[b] == 0:
                d = np.hypot(
                    0.5 * (blobs[b, 0] + blobs[b, 2]) - tracks[i, X], 0.5 * (blobs[b, 1] + blobs[b, 3]) - tracks[i, Y]
                )
                ratio = blobs[b, 4] / max(tracks[i, AREA], 1.0)
                if d < best and 0.3 < ratio < 3.3:
                    best, blob_of[i] = d, b
        if blob_of[i] >= 0:
            claims[blob_of[i]] = 1
    # in a merge, what was hardly ever seen alone, or is a small part, belongs to the one that was
    for b in range(count):
        if claims[b] < 2:
            continue
        keeper = -1
        for i in range(n):
            if blob_of[i] == b and tracks[i, ALIVE] != 0.0:
                better = keeper < 0 or tracks[i, OWN_S] > tracks[keeper, OWN_S] + 0.1
                alike = keeper >= 0 and abs(tracks[i, OWN_S] - tracks[keeper, OWN_S]) <= 0.1
                if better or (alike and tracks[i, W] * tracks[i, H] > tracks[keeper, W] * tracks[keeper, H]):
                    keeper = i
        for i in range(n):
            if i == keeper or blob_of[i] != b or tracks[i, ALIVE] == 0.0:
                continue
            part = tracks[i, W] * tracks[i, H] / max(1.0, tracks[keeper, W] * tracks[keeper, H])
            young = tracks[i, AGE] < CONFIRM_S and part < 0.5
            vague = tracks[i, OWN_S] < ALONE_S and tracks[i, MERGED_S] > VAGUE_S
            if (young or vague or part < 0.15) and tracks[i, PENDING] == 0.0:
                if tracks[keeper, FIRST_ARMED] != tracks[i, FIRST_ARMED] and tracks[i, AGE] > tracks[keeper, AGE]:
                    if tracks[keeper, CROSSED] == 0.0 and tracks[i, CROSSED] == 0.0:
                        tracks[keeper, FIRST_ARMED] = tracks[keeper, ARMED] = tracks[i, FIRST_ARMED]
                tracks[i, ALIVE] = 0.0
                blob_of[i] = -1
                claims[b] -= 1
    # correct the tracks
    number = frame[2]
    for i in range(n):
        if tracks[i, ALIVE] == 0.0:
            continue
        b = blob_of[i]
        if b < 0:
            tracks[i, MISSED] += dt
            continue
        w, h = tracks[i, W], tracks[i, H]
        if claims[b] == 1:
            x0, y0, x1, y1, area = blobs[b, 0], blobs[b, 1], blobs[b, 2], blobs[b, 3], blobs[b, 4]
            px0, py0, px1, py1 = (
                tracks[i, X] - 0.5 * w,
                tracks[i, Y] - 0.5 * h,
                tracks[i, X] + 0.5 * w,
                tracks[i, Y] + 0.5 * h,
            )
            for k in range(count):
                if claims[k] != 0:
                    continue
                shared = overlap(px0, py0, px1, py1, blobs[k, 0], blobs[k, 1], blobs[k, 2], blobs[k, 3])
                if shared < 0.5 * (blobs[k, 2] - blobs[k, 0]) * (blobs[k, 3] - blobs[k, 1]):
                    continue
                ux0, uy0, ux1, uy1 = (
                    min(x0, blobs[k, 0]),
                    min(y0, blobs[k, 1]),
                    max(x1, blobs[k, 2]),
                    max(y1, blobs[k, 3]),
                )
                gap_x = max(x0, blobs[k, 0]) - min(x1, blobs[k, 2])
                gap_y = max(y0, blobs[k, 1]) - min(y1, blobs[k, 3])
                fits = ux1 - ux0 <= 1.03 * w + 1.0 and uy1 - uy0 <= 1.03 * h + 1.0
                if fits and gap_x <= 0.06 * w + 2.0 and gap_y <= 0.08 * h + 2.0:
                    x0, y0, x1, y1 = ux0, uy0, ux1, uy1
                    area += blobs[k, 4]
                    claims[k] = 100
                elif blobs[k, 4] > 0.3 * blobs[b, 4]:
                    row = free_row(tracks)
                    if row >= 0:
                        begin(tracks, row, number, blobs[k], t_s)
                        number += 1.0
                        tracks[row, VX], tracks[row, VY] = tracks[i, VX], tracks[i, VY]
                        claims[k] = 100
            measure(tracks, i, x0, y0, x1, y1, area, dt)
            tracks[i, OWN_S] += dt
            remember(tracks, history, i, blobs[b], t_s, frame[3], frame[4])
            tracks[i, MOVING] += min(1.0, 4.0 * dt) * (blobs[b, 7] - tracks[i, MOVING])
            tracks[i, MOVED] = max(tracks[i, MOVED], tracks[i, MOVING])
        else:
            hold(tracks, i, blobs[b], before, now, int(frame[3]), int(frame[4]), dt)
    # new tracks
    for b in range(count):
        if claims[b] == 0:
            row = free_row(tracks)
            if row >= 0:
                begin(tracks, row, number, blobs[b], t_s)
                number += 1.0
    frame[2] = number
    join(tracks, blob_of, dt)
    # the line, and the end of tracks
    done = 0
    for i in range(n):
        if tracks[i, ALIVE] == 0.0:
            continue
        x, y = tracks[i, X], tracks[i, Y]
        if tracks[i, MOVING] < 0.06 and np.hypot(x - tracks[i, BIRTH_X], y - tracks[i, BIRTH_Y]) < 0.5 * max(
            tracks[i, W], tracks[i, H]
        ):
            tracks[i, STILL_S] += dt
        else:
            tracks[i, STILL_S] = 0.0
        s = signed_distance(line, x, y)
        reach = extent_across(line, tracks[i, W], tracks[i, H])
        margin = 0.08 * reach + 0.7
        before = tracks[i, SIDE]
        if before != 0.0 and (s < 0.0) != (before < 0.0):
            part = abs(before) / max(abs(before) + abs(s), 1e-6)
            tracks[i, ZERO_T] = t_s - dt * (1.0 - part)
            tracks[i, ZERO_ALONG] = along(line, x, y)
        tracks[i, SIDE] = s if s != 0.0 else 1e-6
        side = -1.0 if s < -margin else (1.0 if s > margin else 0.0)
        if side != 0.0:
            if tracks[i, ARMED] == 0.0:
                tracks[i, ARMED] = side
                if tracks[i, FIRST_ARMED] == 0.0:
                    tracks[i, FIRST_ARMED] = side
            elif side != tracks[i, ARMED]:
                moved = np.hypot(x - tracks[i, BIRTH_X], y - tracks[i, BIRTH_Y])
                if (
                    tracks[i, AGE] >= CONFIRM_S
                    and tracks[i, SEEN] >= 3.0
                    and moved > 0.35 * min(tracks[i, W], tracks[i, H]) + 1.0
                ):
                    tracks[i, ARMED] = side
                    if tracks[i, ZERO_T] == 0.0:
                        tracks[i, ZERO_T], tracks[i, ZERO_ALONG] = t_s, along(line, x, y)
                    a = tracks[i, ZERO_ALONG]
                    edge = (
                        0.25
                        * (abs(line[2] - line[0]) * tracks[i, W] + abs(line[3] - line[1]) * tracks[i, H])
                        / (line[4] * line[4])
                    )
                    if -edge <= a <= 1.0 + edge:
                        if tracks[i, PENDING] != 0.0:
                            tracks[i, PENDING] = 0.0
                            tracks[i, CROSSED] = 0.0
                        else:
                            tracks[i, CROSSED], tracks[i, CROSSED_T] = side, tracks[i, ZERO_T]
                            tracks[i, PENDING] = side
                            tracks[i, PENDING_T] = tracks[i, ZERO_T]
                            tracks[i, PENDING_ALONG] = a
                            tracks[i, LINE_W], tracks[i, LINE_H], tracks[i, LINE_AREA] = (
                                tracks[i, W],
                                tracks[i, H],
                                tracks[i, AREA],
                            )
                            tracks[i, LINE_VX], tracks[i, LINE_VY] = tracks[i, VX], tracks[i, VY]
                            tracks[i, LINE_X], tracks[i, LINE_Y] = x, y
        outside = x < 0.0 or y < 0.0 or x > frame[3] or y > frame[4]
        dead = tracks[i, MISSED] > (COAST_S if tracks[i, SEEN] > 4.0 else 0.12) or outside
        if tracks[i, PENDING] != 0.0 and (dead or t_s - tracks[i, PENDING_T] > EMIT_S):
            refused = COUNTED
            settle(tracks, history, i)
            if tracks[i, MOVED] < MOVING_MIN:
                refused = STILL
            elif tracks[i, LINE_AREA] < frame[5]:
                refused = SMALL
            else:
                for j in range(n):
                    if (
                        j != i
                        and tracks[j, ALIVE] != 0.0
                        and tracks[j, CROSSED] != 0.0
                        and piece_of(tracks[i], tracks[j])
                    ):
                        refused, tracks[i, OTHER] = PIECE, tracks[j, ID]
                for j in range(recent.shape[0]):
                    if recent[j, CROSSED] != 0.0 and piece_of(tracks[i], recent[j]):
                        refused, tracks[i, OTHER] = PIECE, recent[j, ID]
            tracks[i, REFUSED] = refused
            if done < events.shape[0]:
                events[done, :] = tracks[i, :]
                done += 1
            if refused == COUNTED:
                recent[int(tracks[i, ID]) % recent.shape[0], :] = tracks[i, :]
            tracks[i, PENDING] = 0.0
        if dead:
            tracks[i, ALIVE] = 0.0
    return done


class Tracks:
    """All that moves in the picture now; `table` has a row a track, living where its ALIVE is not 0."""

    def __init__(self, line: Table, width: int, height: int) -> None:
        self.table: Table = np.zeros((MAX_TRACKS, TRACK_COLUMNS))
        self.events: Table = np.zeros((MAX_EVENTS, TRACK_COLUMNS))
        self._line = line
        self._history: Table = np.zeros((MAX_TRACKS, HISTORY, 7))
        self._recent: Table = np.zeros((RECENT, TRACK_COLUMNS))
        self._frame: Table = np.array([0.0, 0.0, 1.0, width, height, AREA_MIN * width * height], np.float64)

    def follow(self, blobs: Table, count: int, before: Table, now: Table, t_s: float, dt_s: float) -> int:
        """Move on by one frame; return how many crossings were finished (`events[:n]`)."""
        self._frame[0], self._frame[1] = t_s, dt_s
        return int(
            follow(
                self.table, blobs, count, self._line, self._frame, before, now, self._recent, self._history, self.events
            )
        )

    def still(self) -> Table:
        """Return the boxes (x0, y0, x1, y1) of what never moved from where it appeared."""
        rows = self.table[(self.table[:, ALIVE] != 0.0) & (self.table[:, STILL_S] > STILL_AFTER_S)]
        half_w, half_h = rows[:, W] / 2, rows[:, H] / 2
        return np.stack([rows[:, X] - half_w, rows[:, Y] - half_h, rows[:, X] + half_w, rows[:, Y] + half_h], axis=1)
