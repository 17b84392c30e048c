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

ALIVE, ID, X, Y, W, H, VX, VY = range(8)
AGE, SEEN, MISSED, BIRTH_T, BIRTH_X, BIRTH_Y = range(8, 14)
ARMED, FIRST_ARMED, SIDE, ZERO_T, ZERO_ALONG, INHERITED = range(14, 20)
PENDING, PENDING_T, PENDING_ALONG, MERGED_S, AREA = range(20, 25)
SUM_N, SUM_W, SUM_H, SUM_AREA, SUM_SPEED, MAX_W, MAX_H, PATH = range(25, 33)
LINE_W, LINE_H, LINE_AREA, LINE_VX, LINE_VY, LINE_X, LINE_Y = range(33, 40)
TRACK_COLUMNS = 40

COAST_S = 0.6
CONFIRM_S = 0.12
EMIT_S = 0.5


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
def follow(  # noqa: C901 - one call a frame
    tracks: Table,
    blobs: Table,
    count: int,
    line: Table,
    frame: Table,
    links: Table,
    events: Table,
) -> int:
    """Move all tracks on by one frame; write finished crossings to `events` and return how many.

    line : x1, y1, x2, y2, length; frame : t_s, dt_s, next track number, width, height (number is raised here).
    """
    t_s, dt = frame[0], frame[1]
    n = tracks.shape[0]
    links[:, :] = 0
    for i in range(n):
        if tracks[i, ALIVE] != 0.0:
            tracks[i, X] += tracks[i, VX] * dt
            tracks[i, Y] += tracks[i, VY] * dt
            tracks[i, AGE] += dt
    # which boxes lie over which blobs
    linked_t = np.zeros(n, np.int32)
    linked_b = np.zeros(max(count, 1), np.int32)
    for i in range(n):
        if tracks[i, ALIVE] == 0.0:
            continue
        w, h = tracks[i, W], tracks[i, H]
        x0, y0 = tracks[i, X] - 0.5 * w, tracks[i, Y] - 0.5 * h
        for b in range(count):
            shared = overlap(x0, y0, x0 + w, y0 + h, blobs[b, 0], blobs[b, 1], blobs[b, 2], blobs[b, 3])
            if shared > 0.0:
                blob_area = (blobs[b, 2] - blobs[b, 0]) * (blobs[b, 3] - blobs[b, 1])
                if shared > 0.3 * min(blob_area, w * h):
                    links[i, b] = 1
                    linked_t[i] += 1
                    linked_b[b] += 1
    # tracks without a blob take the nearest free one within reach
    for i in range(n):
        if tracks[i, ALIVE] == 0.0 or linked_t[i] > 0:
            continue
        size = max(tracks[i, W], tracks[i, H])
        reach = (1.5 if tracks[i, SEEN] < 3.0 else 0.8) * size + 4.0
        best, best_b = reach, -1
        for b in range(count):
            if linked_b[b] == 0:
                d = np.hypot(
                    0.5 * (blobs[b, 0] + blobs[b, 2]) - tracks[i, X], 0.5 * (blobs[b, 1] + blobs[b, 3]) - tracks[i, Y]
                )
                ratio = blobs[b, 4] / max(tracks[i, AREA], 1.0)
                if d < best and 0.3 < ratio < 3.3:
                    best, best_b = d, b
        if best_b >= 0:
            links[i, best_b] = 1
            linked_t[i] = 1
            linked_b[best_b] = 1
    # in a merge, a track that is young or a small piece of a much larger one ends in the larger one
    for b in range(count):
        if linked_b[b] < 2:
            continue
        largest, oldest = 0.0, 0.0
        for i in range(n):
            if links[i, b] != 0:
                largest = max(largest, tracks[i, W] * tracks[i, H])
                oldest = max(oldest, tracks[i, SEEN])
        for i in range(n):
            if links[i, b] != 0 and linked_t[i] == 1:
                area = tracks[i, W] * tracks[i, H]
                if (area < 0.15 * largest or (tracks[i, AGE] < CONFIRM_S and area < 0.5 * largest)) and tracks[
                    i, PENDING
                ] == 0.0:
                    tracks[i, ALIVE] = 0.0
                    links[i, b] = 0
                    linked_b[b] -= 1
                    linked_t[i] = 0
    # correct the tracks
    number = frame[2]
    for i in range(n):
        if tracks[i, ALIVE] == 0.0:
            continue
        own, shared_b = 0, -1
        x0, y0, x1, y1, area = 1e9, 1e9, -1e9, -1e9, 0.0
        best, best_b = 0.0, -1
        for b in range(count):
            if links[i, b] == 0:
                continue
            if linked_b[b] == 1:
                own += 1
                x0, y0 = min(x0, blobs[b, 0]), min(y0, blobs[b, 1])
                x1, y1 = max(x1, blobs[b, 2]), max(y1, blobs[b, 3])
                area += blobs[b, 4]
                if blobs[b, 4] > best:
                    best, best_b = blobs[b, 4], b
            else:
                shared_b = b
        if own > 0:
            if own > 1 and (x1 - x0) * (y1 - y0) > 1.6 * tracks[i, W] * tracks[i, H]:
                for b in range(count):
                    if links[i, b] != 0 and linked_b[b] == 1 and b != best_b:
                        links[i, b] = 0
                        linked_b[b] = 0
                        if blobs[b, 4] > 0.3 * best:
                            row = free_row(tracks)
                            if row >= 0:
                                begin(tracks, row, number, blobs[b], t_s)
                                number += 1.0
                                tracks[row, VX], tracks[row, VY] = tracks[i, VX], tracks[i, VY]
                                tracks[row, BIRTH_X], tracks[row, BIRTH_Y] = tracks[i, BIRTH_X], tracks[i, BIRTH_Y]
                                tracks[row, FIRST_ARMED] = tracks[row, ARMED] = tracks[i, FIRST_ARMED]
                                tracks[row, SIDE] = tracks[i, FIRST_ARMED]
                                tracks[row, ZERO_T], tracks[row, ZERO_ALONG] = tracks[i, ZERO_T], tracks[i, ZERO_ALONG]
                                tracks[row, INHERITED] = 1.0
                                linked_b[b] = 100
                x0, y0, x1, y1 = blobs[best_b, 0], blobs[best_b, 1], blobs[best_b, 2], blobs[best_b, 3]
                area = best
            measure(tracks, i, x0, y0, x1, y1, area, dt)
        elif shared_b >= 0:
            b = shared_b
            w, h = tracks[i, W], tracks[i, H]
            near_x, near_y = 0.25 * w + 1.0, 0.25 * h + 1.0
            dl, dr = blobs[b, 0] - (tracks[i, X] - 0.5 * w), blobs[b, 2] - (tracks[i, X] + 0.5 * w)
            dt_, db = blobs[b, 1] - (tracks[i, Y] - 0.5 * h), blobs[b, 3] - (tracks[i, Y] + 0.5 * h)
            dx = dl if abs(dl) < abs(dr) else dr
            dy = dt_ if abs(dt_) < abs(db) else db
            if abs(dx) < near_x:
                tracks[i, X] += 0.4 * dx
                tracks[i, VX] += 0.08 * dx / dt
            if abs(dy) < near_y:
                tracks[i, Y] += 0.4 * dy
                tracks[i, VY] += 0.08 * dy / dt
            tracks[i, X] = min(
                max(tracks[i, X], blobs[b, 0] + 0.3 * min(w, blobs[b, 2] - blobs[b, 0])),
                blobs[b, 2] - 0.3 * min(w, blobs[b, 2] - blobs[b, 0]),
            )
            tracks[i, Y] = min(
                max(tracks[i, Y], blobs[b, 1] + 0.3 * min(h, blobs[b, 3] - blobs[b, 1])),
                blobs[b, 3] - 0.3 * min(h, blobs[b, 3] - blobs[b, 1]),
            )
            tracks[i, MERGED_S] += dt
            tracks[i, MISSED] = 0.0
        else:
            tracks[i, MISSED] += dt
    # new tracks
    for b in range(count):
        if linked_b[b] == 0:
            row = free_row(tracks)
            if row >= 0:
                begin(tracks, row, number, blobs[b], t_s)
                number += 1.0
    frame[2] = number
    # the line, and the end of tracks
    done = 0
    for i in range(n):
        if tracks[i, ALIVE] == 0.0:
            continue
        x, y = tracks[i, X], tracks[i, Y]
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
                    a = tracks[i, ZERO_ALONG]
                    edge = (
                        0.25
                        * (abs(line[2] - line[0]) * tracks[i, W] + abs(line[3] - line[1]) * tracks[i, H])
                        / (line[4] * line[4])
                    )
                    if -edge <= a <= 1.0 + edge:
                        if tracks[i, PENDING] != 0.0:
                            tracks[i, PENDING] = 0.0
                        else:
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
            if done < events.shape[0]:
                events[done, :] = tracks[i, :]
                done += 1
            tracks[i, PENDING] = 0.0
        if dead:
            tracks[i, ALIVE] = 0.0
    return done


class Tracks:
    """All that moves in the picture now; `table` has a row a track, living where its ALIVE is not 0."""

    def __init__(self, line: Table, width: int, height: int, max_blobs: int) -> None:
        self.table: Table = np.zeros((MAX_TRACKS, TRACK_COLUMNS))
        self.events: Table = np.zeros((MAX_EVENTS, TRACK_COLUMNS))
        self._line = line
        self._frame: Table = np.array([0.0, 0.0, 1.0, float(width), float(height)])
        self._links: Table = np.zeros((MAX_TRACKS, max_blobs), np.uint8)

    def follow(self, blobs: Table, count: int, t_s: float, dt_s: float) -> int:
        """Move on by one frame; return how many crossings were finished (`events[:n]`)."""
        self._frame[0], self._frame[1] = t_s, dt_s
        return int(follow(self.table, blobs, count, self._line, self._frame, self._links, self.events))
