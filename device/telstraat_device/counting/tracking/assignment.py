"""Finds each track again in the blobs of a new frame: predict, assign, correct.

one box over one blob       the object is there
one box over several blobs  its fragments, or a split
several boxes in one blob   a merge: each box follows the picture under it
a blob without a box        a new track

Boxes are predicted at constant speed. A track takes the blob with the largest intersection over union; one that overlaps
none takes the nearest free blob of about its size. Thresholds without a reason of their own were chosen on the clips
with truth and on simulated streets (docs/counting.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from telstraat_device.counting.foreground.blobs import Blob, Blobs
from telstraat_device.counting.tracking.block_matching import Box, match_block
from telstraat_device.counting.tracking.state import Pictures, TrackerState
from telstraat_device.counting.tracking.track import (
    BORDER_BOTTOM,
    BORDER_LEFT,
    BORDER_RIGHT,
    BORDER_TOP,
    HISTORY,
    Side,
    Track,
)
from telstraat_device.native.kernel import kernel

CONFIRM_S = 0.12  # what lives shorter is a flicker
SEPARATE_S = 0.3  # what was alone in its blob for so long is an object of its own
VAGUE_S = 0.2  # what shared its blob for so long without that is none
SAME_AGE_S = 0.1
STATIONARY_BELOW = 0.08  # share of its pixels that change from frame to frame; a wandering shadow changes none

IOU_MIN = 0.05
IOU_SWALLOWED = 0.3  # of a box that lies in a larger blob
NEAR, NEAR_YOUNG = 0.8, 1.5  # box sizes within which a lost track looks for a blob; more while its speed is unknown
NEAR_PX = 4.0
YOUNG_FRAMES = 3
AREA_RATIO_MIN, AREA_RATIO_MAX = 0.3, 3.3  # of that blob to the track
TAKEN = 100  # instead of a number of tracks: the blob is a fragment of a track, or began one

# The least gains of the correction, for a box that was found often; before, 1 over the number of frames.
POSITION_GAIN, SPEED_GAIN, SIZE_GAIN = 0.6, 0.2, 0.25
MOVING_RATE = 4.0  # per second, of the smoothed share of changing pixels
MERGED_POSITION_GAIN, MERGED_SPEED_GAIN = 0.6, 0.2
WHOLE_PIXEL = 0.75  # blocks are matched to whole pixels: what differs less from the prediction does not differ
MATCH_MAX = 30.0  # mean grey levels by which a block may differ from the frame before
BLOCK_HALF = 0.4  # of the box, to either side of its middle: without the street around it
INSET = 0.3  # of its size, by which the middle of a merged box stays inside the blob

FRAGMENT_INSIDE = 0.5  # share of a blob inside the box of a track that makes it a fragment
FRAGMENT_GAP_X, FRAGMENT_GAP_Y, FRAGMENT_GAP_PX = 0.06, 0.08, 2.0  # of the box, and pixels, between fragments
GROWTH_MAX, GROWTH_PX = 1.03, 1.0  # of the box, and pixels, to which a fragment may let it grow
SPLIT_SHARE = 0.3  # of the larger blob: what lies in the box, is no fragment and is as large starts a track
DUPLICATE_SHARE, YOUNG_SHARE = 0.15, 0.5  # of the larger box: what is smaller, or young and smaller, is no object


@kernel
def overlap(ax0: float, ay0: float, ax1: float, ay1: float, bx0: float, by0: float, bx1: float, by1: float) -> float:
    """Return the area that two boxes share."""
    w = min(ax1, bx1) - max(ax0, bx0)
    h = min(ay1, by1) - max(ay0, by0)
    return w * h if w > 0.0 and h > 0.0 else 0.0


@kernel
def start_track(state: TrackerState, blob: Blob) -> int:
    """Start a track on a blob; return its row, or -1 when there is none left."""
    for row in range(len(state.tracks)):
        if not state.tracks[row].alive:
            state.tracks[row] = state.blank
            track = state.tracks[row]
            track.alive = True
            track.id = state.next_id
            state.next_id += 1
            track.x = track.birth_x = 0.5 * (blob.x0 + blob.x1)
            track.y = track.birth_y = 0.5 * (blob.y0 + blob.y1)
            track.w = blob.x1 - blob.x0
            track.h = blob.y1 - blob.y0
            track.area = blob.area
            track.moving = blob.changed
            track.frames = 1
            return row
    return -1


@kernel
def predict(state: TrackerState) -> None:
    """Move every track on by the time since the last frame, at constant speed."""
    for i in range(len(state.tracks)):
        track = state.tracks[i]
        if track.alive:
            track.x += track.vx * state.dt_s
            track.y += track.vy * state.dt_s
            track.age_s += state.dt_s


@kernel
def best_overlap(track: Track, blobs: Blobs) -> int:
    """Return the blob that a track's box fits best, or -1."""
    w, h = track.w, track.h
    x0, y0 = track.x - 0.5 * w, track.y - 0.5 * h
    best, choice = IOU_MIN, -1
    for b in range(len(blobs)):
        blob = blobs[b]
        shared = overlap(x0, y0, x0 + w, y0 + h, blob.x0, blob.y0, blob.x1, blob.y1)
        if shared > 0.0:
            size = (blob.x1 - blob.x0) * (blob.y1 - blob.y0)
            iou = shared / (size + w * h - shared)
            if shared > 0.5 * w * h and size > w * h:
                moved = np.hypot(track.x - track.birth_x, track.y - track.birth_y)
                if track.moving_max < STATIONARY_BELOW and moved < 0.5 * max(w, h) and size > 2.0 * w * h:
                    continue  # a stain on the street that something large drives over
                iou = max(iou, IOU_SWALLOWED)
            if iou > best:
                best, choice = iou, b
    return choice


@kernel
def nearest_free(track: Track, blobs: Blobs, tracks_of: Any) -> int:
    """Return the nearest blob of about a track's size that no track is assigned to, or -1."""
    best = (NEAR_YOUNG if track.frames < YOUNG_FRAMES else NEAR) * max(track.w, track.h) + NEAR_PX
    choice = -1
    for b in range(len(blobs)):
        if tracks_of[b] == 0:
            blob = blobs[b]
            dx = 0.5 * (blob.x0 + blob.x1) - track.x
            dy = 0.5 * (blob.y0 + blob.y1) - track.y
            ratio = blob.area / max(track.area, 1.0)
            if np.hypot(dx, dy) < best and AREA_RATIO_MIN < ratio < AREA_RATIO_MAX:
                best, choice = np.hypot(dx, dy), b
    return choice


@kernel
def assign(state: TrackerState, blobs: Blobs) -> None:
    """Assign a blob to each track, and count the tracks of each blob."""
    state.blob_of[:] = -1
    state.tracks_of[:] = 0
    for i in range(len(state.tracks)):
        if state.tracks[i].alive:
            b = best_overlap(state.tracks[i], blobs)
            if b >= 0:
                state.blob_of[i] = b
                state.tracks_of[b] += 1
    for i in range(len(state.tracks)):
        if state.tracks[i].alive and state.blob_of[i] < 0:
            b = nearest_free(state.tracks[i], blobs, state.tracks_of)
            if b >= 0:
                state.blob_of[i] = b
                state.tracks_of[b] = 1


@kernel
def longest_separate(state: TrackerState, b: int) -> int:
    """Return the track of a blob that was alone in one for longest, the larger of two as long, or -1."""
    keeper = -1
    for i in range(len(state.tracks)):
        track = state.tracks[i]
        if state.blob_of[i] == b and track.alive:
            best = state.tracks[keeper]
            longer = keeper < 0 or track.alone_s > best.alone_s + SAME_AGE_S
            alike = keeper >= 0 and abs(track.alone_s - best.alone_s) <= SAME_AGE_S
            if longer or (alike and track.w * track.h > best.w * best.h):
                keeper = i
    return keeper


@kernel
def suppress_duplicates(state: TrackerState, b: int) -> None:
    """In a merge, end what was hardly ever alone, or is a small part, in favour of what was alone for longest."""
    k = longest_separate(state, b)
    keeper = state.tracks[k]
    for i in range(len(state.tracks)):
        track = state.tracks[i]
        if i == k or state.blob_of[i] != b or not track.alive or track.pending != Side.NONE:
            continue
        part = track.w * track.h / max(1.0, keeper.w * keeper.h)
        young = track.age_s < CONFIRM_S and part < YOUNG_SHARE
        vague = track.alone_s < SEPARATE_S and track.merged_s > VAGUE_S
        if young or vague or part < DUPLICATE_SHARE:
            older = track.age_s > keeper.age_s and track.first_side != keeper.first_side
            if older and keeper.crossed == Side.NONE and track.crossed == Side.NONE:
                keeper.first_side = keeper.side = track.first_side
            track.alive = False
            state.blob_of[i] = -1
            state.tracks_of[b] -= 1


@kernel
def correct(track: Track, box: Box, area: float, dt_s: float) -> None:
    """Correct a predicted track by the box that it was found in: the more often it was found, the less."""
    x0, y0, x1, y1 = box
    frames = track.frames
    position_gain = max(POSITION_GAIN, 1.0 / (frames + 1.0))
    speed_gain = max(SPEED_GAIN, 1.0 / (frames + 0.5)) if frames > 1 else 1.0
    size_gain = max(SIZE_GAIN, 1.0 / (frames + 1.0))
    dx = 0.5 * (x0 + x1) - track.x
    dy = 0.5 * (y0 + y1) - track.y
    since_s = dt_s + track.missed_s
    track.x += position_gain * dx
    track.y += position_gain * dy
    track.vx += speed_gain * dx / since_s
    track.vy += speed_gain * dy / since_s
    track.w += size_gain * (x1 - x0 - track.w)
    track.h += size_gain * (y1 - y0 - track.h)
    track.area += size_gain * (area - track.area)
    track.frames += 1
    track.alone_s += dt_s
    track.missed_s = 0.0


@kernel
def remember(state: TrackerState, i: int, blob: Blob) -> None:
    """Add the box without shadow of a track that is alone in its blob to its history."""
    track = state.tracks[i]
    appearance = state.history[i, track.history_count % HISTORY]
    appearance.t_s = state.t_s
    appearance.x = 0.5 * (blob.solid_x0 + blob.solid_x1)
    appearance.y = 0.5 * (blob.solid_y0 + blob.solid_y1)
    appearance.w = blob.solid_x1 - blob.solid_x0
    appearance.h = blob.solid_y1 - blob.solid_y0
    appearance.fill = blob.area / max(1.0, (blob.x1 - blob.x0) * (blob.y1 - blob.y0))
    appearance.cut_left = blob.solid_x0 - blob.x0
    appearance.cut_top = blob.solid_y0 - blob.y0
    appearance.cut_right = blob.x1 - blob.solid_x1
    appearance.cut_bottom = blob.y1 - blob.solid_y1
    border = (BORDER_LEFT if blob.x0 <= 1.0 else 0) + (BORDER_TOP if blob.y0 <= 1.0 else 0)
    border += BORDER_RIGHT if blob.x1 >= state.width - 1.0 else 0
    border += BORDER_BOTTOM if blob.y1 >= state.height - 1.0 else 0
    appearance.border = border
    track.history_count += 1
    track.moving += min(1.0, MOVING_RATE * state.dt_s) * (blob.changed - track.moving)
    track.moving_max = max(track.moving_max, track.moving)


@kernel
def follow_alone(state: TrackerState, i: int, b: int, blobs: Blobs) -> None:
    """Correct a track that is alone in its blob, with free blobs in its box as its fragments; others start tracks."""
    track, main = state.tracks[i], blobs[b]
    w, h = track.w, track.h
    x0, y0, x1, y1, area = main.x0, main.y0, main.x1, main.y1, main.area
    left, top, right, bottom = track.x - 0.5 * w, track.y - 0.5 * h, track.x + 0.5 * w, track.y + 0.5 * h
    for k in range(len(blobs)):
        if state.tracks_of[k] != 0:
            continue
        blob = blobs[k]
        shared = overlap(left, top, right, bottom, blob.x0, blob.y0, blob.x1, blob.y1)
        if shared < FRAGMENT_INSIDE * (blob.x1 - blob.x0) * (blob.y1 - blob.y0):
            continue
        ux0, uy0 = min(x0, blob.x0), min(y0, blob.y0)
        ux1, uy1 = max(x1, blob.x1), max(y1, blob.y1)
        near = max(x0, blob.x0) - min(x1, blob.x1) <= FRAGMENT_GAP_X * w + FRAGMENT_GAP_PX
        near = near and max(y0, blob.y0) - min(y1, blob.y1) <= FRAGMENT_GAP_Y * h + FRAGMENT_GAP_PX
        if near and ux1 - ux0 <= GROWTH_MAX * w + GROWTH_PX and uy1 - uy0 <= GROWTH_MAX * h + GROWTH_PX:
            x0, y0, x1, y1 = ux0, uy0, ux1, uy1
            area += blob.area
            state.tracks_of[k] = TAKEN
        elif blob.area > SPLIT_SHARE * main.area:
            row = start_track(state, blob)
            if row >= 0:
                state.tracks[row].vx, state.tracks[row].vy = track.vx, track.vy
                state.tracks_of[k] = TAKEN
    correct(track, (x0, y0, x1, y1), area, state.dt_s)
    remember(state, i, main)


@kernel
def follow_merged(state: TrackerState, track: Track, blob: Blob, pictures: Pictures) -> None:
    """Move a track that shares its blob with others by what the picture under it does."""
    w, h, dt_s = track.w, track.h, state.dt_s
    vx, vy = track.vx * dt_s, track.vy * dt_s
    x, y = track.x - vx, track.y - vy
    block = (x - BLOCK_HALF * w, y - BLOCK_HALF * h, x + BLOCK_HALF * w, y + BLOCK_HALF * h)
    dx, dy, difference = match_block(pictures, block, vx, vy, state.differences)
    if difference < MATCH_MAX:
        if abs(dx - vx) > WHOLE_PIXEL:
            track.x += MERGED_POSITION_GAIN * (dx - vx)
            track.vx += MERGED_SPEED_GAIN * (dx - vx) / dt_s
        if abs(dy - vy) > WHOLE_PIXEL:
            track.y += MERGED_POSITION_GAIN * (dy - vy)
            track.vy += MERGED_SPEED_GAIN * (dy - vy) / dt_s
    inset_x, inset_y = INSET * min(w, blob.x1 - blob.x0), INSET * min(h, blob.y1 - blob.y0)
    track.x = min(max(track.x, blob.x0 + inset_x), blob.x1 - inset_x)
    track.y = min(max(track.y, blob.y0 + inset_y), blob.y1 - inset_y)
    track.merged_s += dt_s
    track.missed_s = 0.0


@kernel
def predict_and_assign(state: TrackerState, blobs: Blobs, pictures: Pictures) -> None:
    """Move all tracks on by one frame."""
    predict(state)
    assign(state, blobs)
    for b in range(len(blobs)):
        if state.tracks_of[b] >= 2:
            suppress_duplicates(state, b)
    for i in range(len(state.tracks)):
        track = state.tracks[i]
        if not track.alive:
            continue
        b = state.blob_of[i]
        if b < 0:
            if track.age_s > 0.0:  # not one that started in this very frame
                track.missed_s += state.dt_s
        elif state.tracks_of[b] == 1:
            follow_alone(state, i, b, blobs)
        else:
            follow_merged(state, track, blobs[b], pictures)
    for b in range(len(blobs)):
        if state.tracks_of[b] == 0:
            start_track(state, blobs[b])
