"""Notices when the middle of a track crosses the counting line, and decides which crossings count.

             LEFT     │ margin │     RIGHT
    ──────────────────┼────────┼──────────────────   a track is on the side it surely is on; it has crossed when it is
       on LEFT   ──►     line      ──► on RIGHT      surely on the other. Lingering in the margin is nothing.

A crossing waits REPORT_AFTER_S before it is reported: if the track turns back it is forgotten, and if it was only a
fragment of something larger that crosses with it, it is rejected.

Thresholds without a reason of their own were chosen on the clips with truth and on simulated streets (docs/counting.md).
"""

from __future__ import annotations

import numpy as np

from telstraat_device.counting.crossings.line import WorkingLine
from telstraat_device.counting.tracking.assignment import CONFIRM_S, STATIONARY_BELOW
from telstraat_device.counting.tracking.measure_track import measure_track
from telstraat_device.counting.tracking.state import TrackerState
from telstraat_device.counting.tracking.track import Rejection, Side, Track
from telstraat_device.native.kernel import kernel

COAST_S = 0.6  # a track that is not found lives on for so long: a sign post, a gap between frames
FLICKER_S = 0.12  # and so long when it was hardly ever found
SETTLED_FRAMES = 4
REPORT_AFTER_S = 0.5
STILL_BELOW = 0.06  # share of its pixels that change from frame to frame
STILL_WITHIN = 0.5  # of its size, from where it appeared

MARGIN, MARGIN_PX = 0.08, 0.7  # of the extent across the line, and pixels, to either side of it
CONFIRM_FRAMES = 3
MOVED_MIN, MOVED_MIN_PX = 0.35, 1.0  # of its smaller side, and pixels, from where it appeared
BESIDE_LINE = 0.25  # of the extent along the line, by which its middle may pass beside an end
TINY = 1e-6  # instead of a division by zero, and of a distance of 0, which says "unknown"

TOGETHER_S = 0.8  # fragments of one thing cross within
REACH, GAP_PX = 0.15, 1.0  # of the larger side, and pixels, between fragments
STACKED_SHARE, STACKED_OVERLAP = 0.5, 0.5  # of the larger's area; of the narrower width
INSIDE = 0.6  # of the smaller size, in both directions
BESIDE_SHARE, OF_ITS_OWN_S = 0.25, 0.8  # of the larger's area; a motorcycle beside a lorry was alone for longer than a
# mirror that shows apart from it
TOWED_SHARE, TOWED_SLIP = 0.3, 0.08  # of the larger's area; and of its speed
TOWED_GROUND, TOWED_GAP = 0.3, 0.4  # of its own height, between the lower edges; of its own width, to the larger

HEADWAY_S = 0.6  # two that go one way on one path are never less apart: a car takes as long for its length and a gap
AT_ONCE_S = 0.25
DARK_SLIP = 0.6  # of the faster's speed
DARK_GAP, DARK_OVERLAP = 0.15, 0.25  # of the breadth across their way: between lamps at once; shared by lamps in turn
STREAK, STREAK_MOVING = 4.0, 0.3  # width over height, and movement, of light that a lamp ahead throws
LONG_STREAK, LONG_STREAK_MOVING = 6.0, 0.45  # longer than a bus for its height; a tram's lit windows change more
FAINT_SHARE, FAINT_S = 0.4, 1.5  # of the least area: a person far away, when it was alone for so long by day


@kernel
def signed_distance(line: WorkingLine, x: float, y: float) -> float:
    """Return the distance of a point from the line drawn on for ever, negative on its left-hand side."""
    return float(((line.x2 - line.x1) * (y - line.y1) - (line.y2 - line.y1) * (x - line.x1)) / line.length)


@kernel
def place_along(line: WorkingLine, x: float, y: float) -> float:
    """Return where along the line a point's foot is: 0 at the first end, 1 at the second."""
    product = (x - line.x1) * (line.x2 - line.x1) + (y - line.y1) * (line.y2 - line.y1)
    return float(product / (line.length * line.length))


@kernel
def extent_across(line: WorkingLine, w: float, h: float) -> float:
    """Return how far a box of this size reaches in the direction across the line."""
    return float((abs(line.x2 - line.x1) * h + abs(line.y2 - line.y1) * w) / line.length)


@kernel
def extent_along(line: WorkingLine, w: float, h: float) -> float:
    """Return how much of the line a box of this size covers, in line lengths."""
    return float((abs(line.x2 - line.x1) * w + abs(line.y2 - line.y1) * h) / (line.length * line.length))


@kernel
def is_towed(a: Track, b: Track, gap_x: float) -> bool:
    """Return whether `b` tows `a`: a trailer, the box of a cargo bicycle. It moves exactly as `b` does, on one ground."""
    small, large = a.measured, b.measured
    speed = np.hypot(large.vx, large.vy)
    slip = np.hypot(small.vx - large.vx, small.vy - large.vy)
    off_ground = abs(small.y + 0.5 * small.h - large.y - 0.5 * large.h)
    return bool(
        slip < TOWED_SLIP * speed
        and off_ground < TOWED_GROUND * small.h + GAP_PX
        and abs(gap_x) < TOWED_GAP * small.w + GAP_PX
    )


@kernel
def is_fragment_of(a: Track, b: Track) -> bool:
    """Return whether what crossed as `a` was only a fragment of the larger thing that crossed as `b`."""
    small, large = a.measured, b.measured
    aw, ah, bw, bh = small.w, small.h, large.w, large.h
    if a.crossed != b.crossed or abs(a.crossed_s - b.crossed_s) > TOGETHER_S or aw * ah >= bw * bh:
        return False
    later_s = a.crossed_s - b.crossed_s
    gap_x = abs(small.x - large.x - large.vx * later_s) - 0.5 * (aw + bw)
    gap_y = abs(small.y - large.y - large.vy * later_s) - 0.5 * (ah + bh)
    reach = REACH * max(bw, bh) + GAP_PX
    if gap_x > reach or gap_y > reach:
        return False
    part = aw * ah / (bw * bh)
    stacked = -gap_x > STACKED_OVERLAP * min(aw, bw)
    inside = -gap_x > INSIDE * min(aw, bw) and -gap_y > INSIDE * min(ah, bh)
    beside = part < BESIDE_SHARE and a.alone_s < OF_ITS_OWN_S
    towed = part < TOWED_SHARE and is_towed(a, b, gap_x)
    return bool(beside or (part < STACKED_SHARE and stacked) or inside or towed)


@kernel
def same_vehicle_in_the_dark(first: Track, second: Track, share: float) -> bool:
    """Return whether two crossings were lamps and outlines of one vehicle in the dark.

    What crosses beside each other is apart across its way. The smaller may have up to `share` of the larger's area.
    """
    a, b = first.measured, second.measured
    late_s = abs(first.crossed_s - second.crossed_s)
    area_a, area_b = a.w * a.h, b.w * b.h
    if first.crossed != second.crossed or late_s > HEADWAY_S or min(area_a, area_b) > share * max(area_a, area_b):
        return False
    speed_a, speed_b = np.hypot(a.vx, a.vy), np.hypot(b.vx, b.vy)
    if np.hypot(a.vx - b.vx, a.vy - b.vy) > DARK_SLIP * max(speed_a, speed_b):
        return False
    vx, vy, speed = (b.vx, b.vy, speed_b) if area_b > area_a else (a.vx, a.vy, speed_a)
    ux, uy = vx / max(speed, TINY), vy / max(speed, TINY)
    apart = abs((a.x - b.x) * uy - (a.y - b.y) * ux)
    breadth_a, breadth_b = abs(uy) * a.w + abs(ux) * a.h, abs(uy) * b.w + abs(ux) * b.h
    gap = apart - 0.5 * (breadth_a + breadth_b)
    if late_s < AT_ONCE_S:
        return bool(gap < DARK_GAP * max(breadth_a, breadth_b) + GAP_PX)
    return bool(gap < -DARK_OVERLAP * min(breadth_a, breadth_b))


@kernel
def is_streak_of_light(track: Track) -> bool:
    """Return whether what crossed looks like light that a lamp throws on the street."""
    flatness = track.measured.w / max(track.measured.h, 1.0)
    if flatness > LONG_STREAK:
        return bool(track.moving_max < LONG_STREAK_MOVING)
    return bool(flatness > STREAK and track.moving_max < STREAK_MOVING)


@kernel
def is_too_small(track: Track, area_min: float, dark: bool) -> bool:
    """Return whether what crossed is too small to be an object."""
    if track.at_line.area >= area_min:
        return False
    lasts = track.alone_s >= FAINT_S and not dark
    return bool(track.at_line.area < FAINT_SHARE * area_min or not lasts)


@kernel
def is_fragment_of_any(state: TrackerState, i: int) -> bool:
    """Return whether a crossing is a fragment of one that waits too, or of one that has counted."""
    tracks, recent, share = state.tracks, state.recent, state.dark_share
    for j in range(len(tracks)):
        if j != i and tracks[j].alive and tracks[j].pending != Side.NONE:
            measure_track(state, j)
            a, b = tracks[i].at_line, tracks[j].at_line
            smaller = a.w * a.h < b.w * b.h
            lamps = smaller and same_vehicle_in_the_dark(tracks[i], tracks[j], share)
            if lamps or is_fragment_of(tracks[i], tracks[j]):
                return True
    for j in range(len(recent)):
        if recent[j].crossed == Side.NONE:
            continue
        if is_fragment_of(tracks[i], recent[j]) or same_vehicle_in_the_dark(tracks[i], recent[j], share):
            return True
    return False


@kernel
def rejection_of(state: TrackerState, i: int) -> int:
    """Return why a crossing does not count, Rejection.NONE if it does."""
    measure_track(state, i)
    track, dark = state.tracks[i], state.dark_share != 0.0
    if track.moving_max < STATIONARY_BELOW:
        return Rejection.STATIONARY
    if is_too_small(track, state.area_min, dark):
        return Rejection.TOO_SMALL
    if dark and is_streak_of_light(track):
        return Rejection.STREAK_OF_LIGHT
    if is_fragment_of_any(state, i):
        return Rejection.FRAGMENT
    return Rejection.NONE


@kernel
def note_middle(track: Track, line: WorkingLine, t_s: float, dt_s: float) -> float:
    """Note when and where a track's middle passes the line; return its signed distance."""
    distance = signed_distance(line, track.x, track.y)
    before = track.distance
    if before != 0.0 and (distance < 0.0) != (before < 0.0):
        passed = abs(before) + abs(distance)
        track.on_line_s = t_s - dt_s * abs(distance) / max(passed, TINY)
        track.on_line_along = place_along(line, track.x, track.y)
    track.distance = distance if distance != 0.0 else TINY
    return distance


@kernel
def is_confirmed(track: Track) -> bool:
    """Return whether a track has lived and moved for long enough to cross anything."""
    moved = np.hypot(track.x - track.birth_x, track.y - track.birth_y)
    far = moved > MOVED_MIN * min(track.w, track.h) + MOVED_MIN_PX
    return bool(track.age_s >= CONFIRM_S and track.frames >= CONFIRM_FRAMES and far)


@kernel
def note_crossing(track: Track, side: int) -> None:
    """Let a crossing to a side wait to be reported, with box and speed of this moment."""
    track.pending = track.crossed = side
    track.pending_s = track.crossed_s = track.on_line_s
    at_line = track.at_line
    at_line.x, at_line.y, at_line.w, at_line.h = track.x, track.y, track.w, track.h
    at_line.area, at_line.vx, at_line.vy = track.area, track.vx, track.vy


@kernel
def update_side(track: Track, line: WorkingLine, t_s: float, dt_s: float) -> None:
    """Update the side that a track surely is on, and note a crossing when it changes between the line's ends."""
    distance = note_middle(track, line, t_s, dt_s)
    if abs(distance) <= MARGIN * extent_across(line, track.w, track.h) + MARGIN_PX:
        return
    side = Side.RIGHT if distance > 0.0 else Side.LEFT
    if track.side == Side.NONE:
        track.side = side
        if track.first_side == Side.NONE:
            track.first_side = side
    if side == track.side or not is_confirmed(track):
        return
    track.side = side
    if track.on_line_s == 0.0:
        track.on_line_s, track.on_line_along = t_s, place_along(line, track.x, track.y)
    beside = BESIDE_LINE * extent_along(line, track.w, track.h)
    if not -beside <= track.on_line_along <= 1.0 + beside:
        return
    if track.pending != Side.NONE:  # back again before the first crossing was reported
        track.pending = track.crossed = Side.NONE
        return
    note_crossing(track, side)


@kernel
def has_ended(track: Track, width: int, height: int) -> bool:
    """Return whether a track has left the picture, or was not found for too long."""
    outside = track.x < 0.0 or track.y < 0.0 or track.x > width or track.y > height
    return bool(outside or track.missed_s > (COAST_S if track.frames > SETTLED_FRAMES else FLICKER_S))


@kernel
def find_crossings(state: TrackerState) -> int:
    """Find crossings, decide those that have waited long enough, and end lost tracks; return the number of events."""
    events = 0
    for i in range(len(state.tracks)):
        track = state.tracks[i]
        if not track.alive:
            continue
        update_side(track, state.line, state.t_s, state.dt_s)
        moved = np.hypot(track.x - track.birth_x, track.y - track.birth_y)
        still = track.moving < STILL_BELOW and moved < STILL_WITHIN * max(track.w, track.h)
        track.still_s = track.still_s + state.dt_s if still else 0.0
        ends = has_ended(track, state.width, state.height)
        if track.pending != Side.NONE and (ends or state.t_s - track.pending_s > REPORT_AFTER_S):
            track.rejection = rejection_of(state, i)
            if events < len(state.events):
                state.events[events] = track
                events += 1
            if track.rejection == Rejection.NONE:
                state.recent[track.id % len(state.recent)] = track
            track.pending = Side.NONE
        if ends:
            track.alive = False
    return events
