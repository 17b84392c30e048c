"""Notices when the middle of a track passes the counting line, and decides which passages count.

          side -1     │ margin │     side +1
    ──────────────────┼────────┼──────────────────   a track is armed on the side it surely is on; it has passed when
       armed -1  ──►     line      ──► armed +1        it is surely on the other. Lingering in the margin is nothing.

A passage waits EMIT_S before it is reported: if the track turns back it is forgotten, and if it was only a piece of
something larger that passes with it, it is refused.
"""

from __future__ import annotations

import numpy as np

from telstraat_device.counting.tracking.assignment import CONFIRM_S, MOVING_MIN
from telstraat_device.counting.tracking.measure_track import settle
from telstraat_device.counting.tracking.track_table import (
    AGE,
    ALIVE,
    AREA,
    ARMED,
    BIRTH_X,
    BIRTH_Y,
    COUNTED,
    CROSSED,
    CROSSED_T,
    DARK_SHARE,
    FIRST_ARMED,
    HEIGHT,
    ID,
    LINE_AREA,
    LINE_H,
    LINE_VX,
    LINE_VY,
    LINE_W,
    LINE_X,
    LINE_Y,
    MISSED,
    MOVED,
    MOVING,
    NOW_DT,
    NOW_T,
    OTHER,
    OWN_S,
    PENDING,
    PENDING_ALONG,
    PENDING_T,
    PIECE,
    REFUSED,
    SEEN,
    SIDE,
    SMALL,
    SMALLEST,
    SOLID_H,
    SOLID_VX,
    SOLID_VY,
    SOLID_W,
    SOLID_X,
    SOLID_Y,
    STILL,
    STILL_S,
    STREAK_OF_LIGHT,
    VX,
    VY,
    WIDTH,
    ZERO_ALONG,
    ZERO_T,
    H,
    Table,
    W,
    X,
    Y,
)
from telstraat_device.native.kernel import kernel

COAST_S = 0.6  # a track that is not found lives on for so long: a sign post, a gap between frames
FLICKER_S = 0.12
EMIT_S = 0.5
STILL_BELOW = 0.06
TOGETHER_S = 0.8
HEADWAY_S = 0.6
AT_ONCE_S = 0.25
STREAK, STREAK_MOVING = 4.0, 0.3  # width over height, and movement, of light that a lamp ahead throws
LONG_STREAK, LONG_STREAK_MOVING = 6.0, 0.45  # longer than a bus for its height; a tram's lit windows change more
DRAWN_SHARE, DRAWN_SLIP = 0.3, 0.08  # of the larger's area; and of its speed
FAINT_SHARE, FAINT_S = 0.4, 1.5  # of the least area: a person far away, when it was alone for so long by day
OF_ITS_OWN_S = 0.8  # a motorcycle beside a lorry was alone for longer than a mirror that shows apart from it


@kernel
def signed_distance(line: Table, x: float, y: float) -> float:
    """Return the distance from the line, negative on its left-hand side; line: x1, y1, x2, y2, length."""
    return float(((line[2] - line[0]) * (y - line[1]) - (line[3] - line[1]) * (x - line[0])) / line[4])


@kernel
def along(line: Table, x: float, y: float) -> float:
    """Return the place along the line, 0 to 1 between its ends."""
    return float(((x - line[0]) * (line[2] - line[0]) + (y - line[1]) * (line[3] - line[1])) / (line[4] * line[4]))


@kernel
def extent_across(line: Table, w: float, h: float) -> float:
    """Return how far a box of this size reaches in the direction across the line."""
    return float((abs(line[2] - line[0]) * h + abs(line[3] - line[1]) * w) / line[4])


@kernel
def extent_along(line: Table, w: float, h: float) -> float:
    """Return how much of the line a box of this size covers, in line lengths."""
    return float((abs(line[2] - line[0]) * w + abs(line[3] - line[1]) * h) / (line[4] * line[4]))


@kernel
def piece_of(a: Table, b: Table) -> bool:
    """Tell whether what crossed as `a` was only a piece of the larger thing that crossed as `b` (rows of tracks)."""
    aw, ah, bw, bh = a[SOLID_W], a[SOLID_H], b[SOLID_W], b[SOLID_H]
    if a[CROSSED] != b[CROSSED] or abs(a[CROSSED_T] - b[CROSSED_T]) > TOGETHER_S or aw * ah >= bw * bh:
        return False
    later = a[CROSSED_T] - b[CROSSED_T]
    gap_x = abs(a[SOLID_X] - b[SOLID_X] - b[SOLID_VX] * later) - 0.5 * (aw + bw)
    gap_y = abs(a[SOLID_Y] - b[SOLID_Y] - b[SOLID_VY] * later) - 0.5 * (ah + bh)
    reach = 0.15 * max(bw, bh) + 1.0
    if gap_x > reach or gap_y > reach:
        return False
    part = aw * ah / (bw * bh)
    stacked = -gap_x > 0.5 * min(aw, bw)
    inside = -gap_x > 0.6 * min(aw, bw) and -gap_y > 0.6 * min(ah, bh)
    beside = part < 0.25 and a[OWN_S] < OF_ITS_OWN_S
    return bool(beside or (part < 0.5 and stacked) or inside or (part < DRAWN_SHARE and drawn_by(a, b, gap_x)))


@kernel
def drawn_by(a: Table, b: Table, gap_x: float) -> bool:
    """Tell whether `a` hangs on `b`: a trailer, the box of a cargo bicycle. It moves exactly as `b` does, on one ground."""
    pace = np.hypot(b[SOLID_VX], b[SOLID_VY])
    slip = np.hypot(a[SOLID_VX] - b[SOLID_VX], a[SOLID_VY] - b[SOLID_VY])
    off_ground = abs(a[SOLID_Y] + 0.5 * a[SOLID_H] - b[SOLID_Y] - 0.5 * b[SOLID_H])
    return bool(
        slip < DRAWN_SLIP * pace and off_ground < 0.3 * a[SOLID_H] + 1.0 and abs(gap_x) < 0.4 * a[SOLID_W] + 1.0
    )


@kernel
def one_in_the_dark(a: Table, b: Table, share: float) -> bool:
    """Tell whether two crossings were lamps and outlines of one vehicle in the dark (rows of tracks).

    Two that go one way on one path are never less than HEADWAY_S apart: a car takes as long for its own length and a
    gap. What crosses beside each other is apart across its way. The smaller may have up to `share` of the larger's area.
    """
    late = abs(a[CROSSED_T] - b[CROSSED_T])
    area_a, area_b = a[SOLID_W] * a[SOLID_H], b[SOLID_W] * b[SOLID_H]
    if a[CROSSED] != b[CROSSED] or late > HEADWAY_S or min(area_a, area_b) > share * max(area_a, area_b):
        return False
    pace_a, pace_b = np.hypot(a[SOLID_VX], a[SOLID_VY]), np.hypot(b[SOLID_VX], b[SOLID_VY])
    if np.hypot(a[SOLID_VX] - b[SOLID_VX], a[SOLID_VY] - b[SOLID_VY]) > 0.6 * max(pace_a, pace_b):
        return False
    vx, vy, pace = (b[SOLID_VX], b[SOLID_VY], pace_b) if area_b > area_a else (a[SOLID_VX], a[SOLID_VY], pace_a)
    ux, uy = vx / max(pace, 1e-6), vy / max(pace, 1e-6)
    apart = abs((a[SOLID_X] - b[SOLID_X]) * uy - (a[SOLID_Y] - b[SOLID_Y]) * ux)
    broad_a, broad_b = abs(uy) * a[SOLID_W] + abs(ux) * a[SOLID_H], abs(uy) * b[SOLID_W] + abs(ux) * b[SOLID_H]
    gap = apart - 0.5 * (broad_a + broad_b)
    if late < AT_ONCE_S:
        return bool(gap < 0.15 * max(broad_a, broad_b) + 1.0)
    return bool(gap < -0.25 * min(broad_a, broad_b))


@kernel
def is_streak(track: Table) -> bool:
    """Tell whether what crossed looks like light that a lamp throws on the street (a row of tracks)."""
    flat = track[SOLID_W] / max(track[SOLID_H], 1.0)
    if flat > LONG_STREAK:
        return bool(track[MOVED] < LONG_STREAK_MOVING)
    return bool(flat > STREAK and track[MOVED] < STREAK_MOVING)


@kernel
def too_small(track: Table, frame: Table) -> bool:
    """Tell whether what crossed is too small to be an object (a row of tracks)."""
    if track[LINE_AREA] >= frame[SMALLEST]:
        return False
    lasts = track[OWN_S] >= FAINT_S and frame[DARK_SHARE] == 0.0
    return bool(track[LINE_AREA] < FAINT_SHARE * frame[SMALLEST] or not lasts)


@kernel
def judge(tracks: Table, i: int, frame: Table, recent: Table, history: Table, scratch: Table) -> int:
    """Say whether a passage counts, or why not."""
    settle(tracks, history, scratch, i)
    if tracks[i, MOVED] < MOVING_MIN:
        return STILL
    if too_small(tracks[i], frame):
        return SMALL
    if frame[DARK_SHARE] != 0.0 and is_streak(tracks[i]):
        return STREAK_OF_LIGHT
    for j in range(tracks.shape[0]):
        if j != i and tracks[j, ALIVE] != 0.0 and tracks[j, PENDING] != 0.0:
            settle(tracks, history, scratch, j)
            smaller = tracks[i, LINE_W] * tracks[i, LINE_H] < tracks[j, LINE_W] * tracks[j, LINE_H]
            lamps = smaller and one_in_the_dark(tracks[i], tracks[j], frame[DARK_SHARE])
            if lamps or piece_of(tracks[i], tracks[j]):
                tracks[i, OTHER] = tracks[j, ID]
                return PIECE
    for j in range(recent.shape[0]):
        if recent[j, CROSSED] == 0.0:
            continue
        if piece_of(tracks[i], recent[j]) or one_in_the_dark(tracks[i], recent[j], frame[DARK_SHARE]):
            tracks[i, OTHER] = recent[j, ID]
            return PIECE
    return COUNTED


@kernel
def cross(tracks: Table, i: int, line: Table, t_s: float, dt: float) -> None:
    """Arm a track on its side of the line, and note a passage when it is surely on the other."""
    x, y = tracks[i, X], tracks[i, Y]
    s = signed_distance(line, x, y)
    before = tracks[i, SIDE]
    if before != 0.0 and (s < 0.0) != (before < 0.0):
        tracks[i, ZERO_T] = t_s - dt * abs(s) / max(abs(before) + abs(s), 1e-6)
        tracks[i, ZERO_ALONG] = along(line, x, y)
    tracks[i, SIDE] = s if s != 0.0 else 1e-6
    margin = 0.08 * extent_across(line, tracks[i, W], tracks[i, H]) + 0.7
    if abs(s) <= margin:
        return
    side = 1.0 if s > 0.0 else -1.0
    if tracks[i, ARMED] == 0.0:
        tracks[i, ARMED] = side
        if tracks[i, FIRST_ARMED] == 0.0:
            tracks[i, FIRST_ARMED] = side
    if side == tracks[i, ARMED]:
        return
    moved = np.hypot(x - tracks[i, BIRTH_X], y - tracks[i, BIRTH_Y])
    if tracks[i, AGE] < CONFIRM_S or tracks[i, SEEN] < 3.0 or moved <= 0.35 * min(tracks[i, W], tracks[i, H]) + 1.0:
        return
    tracks[i, ARMED] = side
    if tracks[i, ZERO_T] == 0.0:
        tracks[i, ZERO_T], tracks[i, ZERO_ALONG] = t_s, along(line, x, y)
    edge = 0.25 * extent_along(line, tracks[i, W], tracks[i, H])
    if not -edge <= tracks[i, ZERO_ALONG] <= 1.0 + edge:
        return
    if tracks[i, PENDING] != 0.0:  # back again before the first passage was reported
        tracks[i, PENDING] = tracks[i, CROSSED] = 0.0
        return
    tracks[i, PENDING] = tracks[i, CROSSED] = side
    tracks[i, PENDING_T] = tracks[i, CROSSED_T] = tracks[i, ZERO_T]
    tracks[i, PENDING_ALONG] = tracks[i, ZERO_ALONG]
    tracks[i, LINE_W], tracks[i, LINE_H], tracks[i, LINE_AREA] = tracks[i, W], tracks[i, H], tracks[i, AREA]
    tracks[i, LINE_VX], tracks[i, LINE_VY], tracks[i, LINE_X], tracks[i, LINE_Y] = tracks[i, VX], tracks[i, VY], x, y


@kernel
def passages(
    tracks: Table, line: Table, frame: Table, recent: Table, history: Table, scratch: Table, events: Table
) -> int:
    """Cross the line, report what has waited long enough and end what is lost; return how many rows of `events`."""
    t_s, dt = frame[NOW_T], frame[NOW_DT]
    done = 0
    for i in range(tracks.shape[0]):
        if tracks[i, ALIVE] == 0.0:
            continue
        cross(tracks, i, line, t_s, dt)
        x, y = tracks[i, X], tracks[i, Y]
        away = np.hypot(x - tracks[i, BIRTH_X], y - tracks[i, BIRTH_Y])
        rests = tracks[i, MOVING] < STILL_BELOW and away < 0.5 * max(tracks[i, W], tracks[i, H])
        tracks[i, STILL_S] = tracks[i, STILL_S] + dt if rests else 0.0
        outside = x < 0.0 or y < 0.0 or x > frame[WIDTH] or y > frame[HEIGHT]
        ends = outside or tracks[i, MISSED] > (COAST_S if tracks[i, SEEN] > 4.0 else FLICKER_S)
        if tracks[i, PENDING] != 0.0 and (ends or t_s - tracks[i, PENDING_T] > EMIT_S):
            tracks[i, REFUSED] = judge(tracks, i, frame, recent, history, scratch)
            if done < events.shape[0]:
                events[done, :] = tracks[i, :]
                done += 1
            if tracks[i, REFUSED] == COUNTED:
                recent[int(tracks[i, ID]) % recent.shape[0], :] = tracks[i, :]
            tracks[i, PENDING] = 0.0
        if ends:
            tracks[i, ALIVE] = 0.0
    return done
