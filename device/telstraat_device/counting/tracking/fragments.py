"""Merges fragments that move as one into one track: head and legs of a person, cab and box of a lorry, bicycle and rider.

Thresholds without a reason of their own were chosen on the clips with truth and on simulated streets (docs/counting.md).
"""

from __future__ import annotations

import numpy as np

from telstraat_device.counting.tracking.state import TrackerState
from telstraat_device.counting.tracking.track import Side, Track
from telstraat_device.native.kernel import kernel

MERGE_AFTER_S = 0.15
TWO_OBJECTS_S = 0.5  # two that were both alone for so long are two
OF_ITS_OWN_S = 0.8  # a small one that was alone for so long is none of the large one's fragments
APART_PX = 12.0  # what is farther apart is not looked at

STACKED_OVERLAP, STACKED_GAP = 0.6, 0.12  # of the narrower width that overlaps; of the height of both, between them
SMALL_SHARE, SMALL_GAP = 0.3, 0.1  # of the larger's area; of its size, between them
INSIDE = 0.7  # of the smaller's size that lies in the larger
GAP_PX = 1.0  # more, for the rounding of boxes
SLIP, SLIP_SIZE = 0.3, 0.15  # of the larger's speed, and sizes of the smaller per second, by which speeds may differ


@kernel
def is_fragment(larger: Track, smaller: Track, same_blob: bool) -> bool:
    """Return whether a track looks like a fragment of a larger one in this frame."""
    gap_x = abs(larger.x - smaller.x) - 0.5 * (larger.w + smaller.w)
    gap_y = abs(larger.y - smaller.y) - 0.5 * (larger.h + smaller.h)
    height = larger.h + smaller.h + gap_y
    stacked = -gap_x > STACKED_OVERLAP * min(larger.w, smaller.w) and gap_y < STACKED_GAP * height + GAP_PX
    stacked = stacked and min(larger.alone_s, smaller.alone_s) < TWO_OBJECTS_S
    small = smaller.w * smaller.h < SMALL_SHARE * larger.w * larger.h
    small = small and gap_x < SMALL_GAP * larger.w + GAP_PX and gap_y < SMALL_GAP * larger.h + GAP_PX
    small = small and smaller.alone_s < OF_ITS_OWN_S
    inside = same_blob and -gap_x > INSIDE * smaller.w and -gap_y > INSIDE * smaller.h
    slip = np.hypot(larger.vx - smaller.vx, larger.vy - smaller.vy)
    together = slip < SLIP * np.hypot(larger.vx, larger.vy) + SLIP_SIZE * max(smaller.w, smaller.h)
    return bool((stacked or small or inside) and together)


@kernel
def merge(track: Track, fragment: Track) -> None:
    """End a fragment in its track: one box around both, and the side that the older came from."""
    x0 = min(track.x - 0.5 * track.w, fragment.x - 0.5 * fragment.w)
    y0 = min(track.y - 0.5 * track.h, fragment.y - 0.5 * fragment.h)
    x1 = max(track.x + 0.5 * track.w, fragment.x + 0.5 * fragment.w)
    y1 = max(track.y + 0.5 * track.h, fragment.y + 0.5 * fragment.h)
    track.x, track.y, track.w, track.h = 0.5 * (x0 + x1), 0.5 * (y0 + y1), x1 - x0, y1 - y0
    track.area += fragment.area
    track.distance = 0.0  # the middle has jumped: that is no crossing
    uncrossed = track.pending == Side.NONE and track.side == track.first_side
    if fragment.age_s > track.age_s and uncrossed:
        track.first_side = track.side = fragment.first_side
        track.birth_x, track.birth_y = fragment.birth_x, fragment.birth_y
    fragment.alive = False


@kernel
def far_apart(a: Track, b: Track) -> bool:
    """Return whether two boxes have more than APART_PX between them."""
    gap_x = abs(a.x - b.x) - 0.5 * (a.w + b.w)
    gap_y = abs(a.y - b.y) - 0.5 * (a.h + b.h)
    return bool(gap_x > APART_PX or gap_y > APART_PX)


@kernel
def merge_when_sure(track: Track, fragment: Track, fits: bool, dt_s: float) -> bool:
    """Count for how long a fragment fits its track, and merge it after MERGE_AFTER_S; return whether that happened."""
    if not fits:
        if fragment.fragment_of == track.id:
            fragment.fragment_s = max(0.0, fragment.fragment_s - dt_s)
        return False
    if fragment.fragment_of == track.id:
        fragment.fragment_s += dt_s
    else:
        fragment.fragment_of, fragment.fragment_s = track.id, dt_s
    if fragment.fragment_s > MERGE_AFTER_S:
        merge(track, fragment)
        return True
    return False


@kernel
def merge_fragments(state: TrackerState) -> None:
    """Merge tracks that have belonged together for MERGE_AFTER_S, pair by pair."""
    tracks = state.tracks
    for i in range(len(tracks)):
        if not tracks[i].alive or tracks[i].missed_s > 0.0:
            continue
        for j in range(i + 1, len(tracks)):
            if not tracks[j].alive or tracks[j].missed_s > 0.0 or far_apart(tracks[i], tracks[j]):
                continue
            a, b = i, j
            if tracks[i].w * tracks[i].h < tracks[j].w * tracks[j].h:
                a, b = j, i
            fits = is_fragment(tracks[a], tracks[b], state.blob_of[i] == state.blob_of[j])
            if merge_when_sure(tracks[a], tracks[b], fits, state.dt_s) and b == i:
                break
