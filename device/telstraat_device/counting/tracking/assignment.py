"""Finds each track again in the blobs of a new frame.

one box over one blob       the object is there
one box over several blobs  its pieces, or a split
several boxes in one blob   a merge: each box follows the picture under it
a blob without a box        a new track
"""

from __future__ import annotations

from typing import Any

import numpy as np

from telstraat_device.counting.foreground.blobs import AREA as BLOB_AREA
from telstraat_device.counting.foreground.blobs import (
    CHANGED,
    SOLID,
    SOLID_X0,
    SOLID_X1,
    SOLID_Y0,
    SOLID_Y1,
    X0,
    X1,
    Y0,
    Y1,
)
from telstraat_device.counting.foreground.pixels import add_gaps
from telstraat_device.counting.tracking.track_table import (
    AGE,
    ALIVE,
    AREA,
    ARMED,
    AT_AREA,
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
    BIRTH_X,
    BIRTH_Y,
    CROSSED,
    FIRST_ARMED,
    HEIGHT,
    HISTORY_N,
    ID,
    MERGED_S,
    MISSED,
    MOVED,
    MOVING,
    NEXT_ID,
    NOW_DT,
    NOW_T,
    OWN_S,
    PENDING,
    SEEN,
    VX,
    VY,
    WIDTH,
    H,
    Table,
    W,
    X,
    Y,
)
from telstraat_device.native.kernel import kernel

Box = tuple[float, float, float, float]  # x0, y0, x1, y1
Step = tuple[float, float]

CONFIRM_S = 0.12  # what lives shorter is a flicker
ALONE_S = 0.3  # what was seen alone for so long is an object of its own
VAGUE_S = 0.2
FIT_MIN = 0.05  # shared area over area of both
SWALLOWED = 0.3  # the fit of a box that lies in a larger blob
TAKEN = 100  # claims of a blob that was taken as a piece or for a new track
MOVING_MIN = 0.08  # share of its pixels that changed from frame to frame; a wandering shadow has none
SEARCH_PX = 3  # as `add_gaps` has it: 7 rows of 7 moves
GAPS = 8 * (2 * SEARCH_PX + 1)
POINTS = 12
MATCH_MAX = 30.0  # mean grey levels by which the picture under a box may differ from the frame before


@kernel
def overlap(ax0: float, ay0: float, ax1: float, ay1: float, bx0: float, by0: float, bx1: float, by1: float) -> float:
    """Return the area that two boxes share."""
    w = min(ax1, bx1) - max(ax0, bx0)
    h = min(ay1, by1) - max(ay0, by0)
    return w * h if w > 0.0 and h > 0.0 else 0.0


@kernel
def begin(tracks: Table, blob: Table, frame: Table) -> int:
    """Begin a track on a blob; return its row, or -1 when the table is full."""
    for row in range(tracks.shape[0]):
        if tracks[row, ALIVE] == 0.0:
            tracks[row, :] = 0.0
            tracks[row, ALIVE] = 1.0
            tracks[row, ID] = frame[NEXT_ID]
            frame[NEXT_ID] += 1.0
            tracks[row, X] = tracks[row, BIRTH_X] = 0.5 * (blob[X0] + blob[X1])
            tracks[row, Y] = tracks[row, BIRTH_Y] = 0.5 * (blob[Y0] + blob[Y1])
            tracks[row, W] = blob[X1] - blob[X0]
            tracks[row, H] = blob[Y1] - blob[Y0]
            tracks[row, AREA] = blob[BLOB_AREA]
            tracks[row, MOVING] = blob[CHANGED]
            tracks[row, SEEN] = 1.0
            return row
    return -1


@kernel
def measure(tracks: Table, i: int, x0: float, y0: float, x1: float, y1: float, area: float, dt: float) -> None:
    """Correct a predicted track by the box that it was found in: the surer, the less."""
    seen = tracks[i, SEEN]
    place = max(0.6, 1.0 / (seen + 1.0))
    speed = max(0.2, 1.0 / (seen + 0.5)) if seen > 1.0 else 1.0
    size = max(0.25, 1.0 / (seen + 1.0))
    dx = 0.5 * (x0 + x1) - tracks[i, X]
    dy = 0.5 * (y0 + y1) - tracks[i, Y]
    gap = dt + tracks[i, MISSED]
    tracks[i, X] += place * dx
    tracks[i, Y] += place * dy
    tracks[i, VX] += speed * dx / gap
    tracks[i, VY] += speed * dy / gap
    tracks[i, W] += size * (x1 - x0 - tracks[i, W])
    tracks[i, H] += size * (y1 - y0 - tracks[i, H])
    tracks[i, AREA] += size * (area - tracks[i, AREA])
    tracks[i, SEEN] += 1.0
    tracks[i, OWN_S] += dt
    tracks[i, MISSED] = 0.0


@kernel
def remember(tracks: Table, history: Table, i: int, blob: Table, frame: Table) -> None:
    """Keep the box without shadow that a track was found in alone."""
    slot = int(tracks[i, HISTORY_N]) % history.shape[1]
    history[i, slot, AT_T] = frame[NOW_T]
    history[i, slot, AT_X] = 0.5 * (blob[SOLID_X0] + blob[SOLID_X1])
    history[i, slot, AT_Y] = 0.5 * (blob[SOLID_Y0] + blob[SOLID_Y1])
    history[i, slot, AT_W] = blob[SOLID_X1] - blob[SOLID_X0]
    history[i, slot, AT_H] = blob[SOLID_Y1] - blob[SOLID_Y0]
    history[i, slot, AT_AREA] = blob[SOLID]
    history[i, slot, AT_FILL] = blob[BLOB_AREA] / max(1.0, (blob[X1] - blob[X0]) * (blob[Y1] - blob[Y0]))
    history[i, slot, AT_CUT_LEFT], history[i, slot, AT_CUT_TOP] = blob[SOLID_X0] - blob[X0], blob[SOLID_Y0] - blob[Y0]
    history[i, slot, AT_CUT_RIGHT], history[i, slot, AT_CUT_BOTTOM] = (
        blob[X1] - blob[SOLID_X1],
        blob[Y1] - blob[SOLID_Y1],
    )
    border = (1.0 if blob[X0] <= 1.0 else 0.0) + (2.0 if blob[Y0] <= 1.0 else 0.0)
    border += (4.0 if blob[X1] >= frame[WIDTH] - 1.0 else 0.0) + (8.0 if blob[Y1] >= frame[HEIGHT] - 1.0 else 0.0)
    history[i, slot, AT_BORDER] = border
    tracks[i, HISTORY_N] += 1.0
    tracks[i, MOVING] += min(1.0, 4.0 * frame[NOW_DT]) * (blob[CHANGED] - tracks[i, MOVING])
    tracks[i, MOVED] = max(tracks[i, MOVED], tracks[i, MOVING])


@kernel
def gaps_within(before: Table, now: Table, width: int, box: Box, step: Step, at: int, gaps: Table) -> int:
    """Add up the differences for all moves of up to SEARCH_PX, none of which leaves the picture; return of how many places.

    gaps : uint16 (GAPS,), 8 for each row of moves, the last one unused; at : by how much the first move shifts a place.
    """
    gaps[:GAPS] = 0
    points = 0
    y = box[1]
    while y <= box[3]:
        x = box[0]
        while x <= box[2]:
            place = int(y) * width + int(x)
            add_gaps(now, place + at, width, before[place], gaps, 0)
            points += 1
            x += step[0]
        y += step[1]
    return points


@kernel
def gap_of(
    before: Table, now: Table, width: int, height: int, box: Box, step: Step, try_dx: int, try_dy: int
) -> tuple[int, int]:
    """Return the sum of differences for one move, and of how many places: those that it leaves in the picture."""
    total: Any = 0
    points = 0
    y = box[1]
    while y <= box[3]:
        yy = int(y) + try_dy
        if 0 <= yy < height:
            x = box[0]
            while x <= box[2]:
                xx = int(x) + try_dx
                if 0 <= xx < width:
                    total += abs(np.int64(before[int(y) * width + int(x)]) - np.int64(now[yy * width + xx]))
                    points += 1
                x += step[0]
        y += step[1]
    return total, points


@kernel
def shift(
    before: Table, now: Table, width: int, height: int, box: Box, dx: float, dy: float, gaps: Table
) -> tuple[int, int, float]:
    """Return by how many pixels the picture inside a box of the frame before has moved, and the mean difference left.

    Searched within SEARCH_PX of the expected (dx, dy), on up to POINTS x POINTS places of the box.
    """
    x0, y0 = max(box[0], 0.0), max(box[1], 0.0)
    x1, y1 = min(box[2], width - 1.0), min(box[3], height - 1.0)
    inside, step = (x0, y0, x1, y1), (max(1.0, (x1 - x0) / POINTS), max(1.0, (y1 - y0) / POINTS))
    first_dx, first_dy = int(np.floor(dx + 0.5)) - SEARCH_PX, int(np.floor(dy + 0.5)) - SEARCH_PX
    best, best_dx, best_dy = 1e9, first_dx + SEARCH_PX, first_dy + SEARCH_PX
    within = int(x0) + first_dx >= 0 and int(x1) + first_dx + 8 <= width
    within = within and int(y0) + first_dy >= 0 and int(y1) + first_dy + 7 <= height
    all_points = gaps_within(before, now, width, inside, step, first_dy * width + first_dx, gaps) if within else 0
    for row in range(2 * SEARCH_PX + 1):
        for column in range(2 * SEARCH_PX + 1):
            try_dx, try_dy = first_dx + column, first_dy + row
            total: Any = np.int64(gaps[8 * row + column])
            points = all_points
            if not within:
                total, points = gap_of(before, now, width, height, inside, step, try_dx, try_dy)
            if points >= POINTS:
                mean = total / points + 0.15 * (abs(try_dx - dx) + abs(try_dy - dy))
                if mean < best:
                    best, best_dx, best_dy = mean, try_dx, try_dy
    return best_dx, best_dy, best


@kernel
def hold(tracks: Table, i: int, blob: Table, before: Table, now: Table, frame: Table, gaps: Table) -> None:
    """Move a track that shares its blob with others by what the picture under it does."""
    w, h, dt = tracks[i, W], tracks[i, H], frame[NOW_DT]
    vx, vy = tracks[i, VX] * dt, tracks[i, VY] * dt
    x, y = tracks[i, X] - vx, tracks[i, Y] - vy
    box = (x - 0.4 * w, y - 0.4 * h, x + 0.4 * w, y + 0.4 * h)
    dx, dy, left = shift(before, now, int(frame[WIDTH]), int(frame[HEIGHT]), box, vx, vy, gaps)
    if left < MATCH_MAX:
        if abs(dx - vx) > 0.75:  # whole pixels are found: less is not known
            tracks[i, X] += 0.6 * (dx - vx)
            tracks[i, VX] += 0.2 * (dx - vx) / dt
        if abs(dy - vy) > 0.75:
            tracks[i, Y] += 0.6 * (dy - vy)
            tracks[i, VY] += 0.2 * (dy - vy) / dt
    inset_x, inset_y = 0.3 * min(w, blob[X1] - blob[X0]), 0.3 * min(h, blob[Y1] - blob[Y0])
    tracks[i, X] = min(max(tracks[i, X], blob[X0] + inset_x), blob[X1] - inset_x)
    tracks[i, Y] = min(max(tracks[i, Y], blob[Y0] + inset_y), blob[Y1] - inset_y)
    tracks[i, MERGED_S] += dt
    tracks[i, MISSED] = 0.0


@kernel
def claim(tracks: Table, blobs: Table, count: int, blob_of: Table, claims: Table) -> None:  # noqa: C901
    """Give each track the blob that its box fits best, or the nearest free one; count the claims on each blob."""
    n = tracks.shape[0]
    blob_of[:] = -1
    claims[:] = 0
    for i in range(n):
        if tracks[i, ALIVE] == 0.0:
            continue
        w, h = tracks[i, W], tracks[i, H]
        x0, y0 = tracks[i, X] - 0.5 * w, tracks[i, Y] - 0.5 * h
        best = FIT_MIN
        for b in range(count):
            shared = overlap(x0, y0, x0 + w, y0 + h, blobs[b, X0], blobs[b, Y0], blobs[b, X1], blobs[b, Y1])
            if shared > 0.0:
                size = (blobs[b, X1] - blobs[b, X0]) * (blobs[b, Y1] - blobs[b, Y0])
                fit = shared / (size + w * h - shared)
                if shared > 0.5 * w * h and size > w * h:
                    away = np.hypot(tracks[i, X] - tracks[i, BIRTH_X], tracks[i, Y] - tracks[i, BIRTH_Y])
                    if tracks[i, MOVED] < MOVING_MIN and away < 0.5 * max(w, h) and size > 2.0 * w * h:
                        continue  # a stain on the street that something large drives over
                    fit = max(fit, SWALLOWED)
                if fit > best:
                    best, blob_of[i] = fit, b
        if blob_of[i] >= 0:
            claims[blob_of[i]] += 1
    for i in range(n):
        if tracks[i, ALIVE] == 0.0 or blob_of[i] >= 0:
            continue
        best = (1.5 if tracks[i, SEEN] < 3.0 else 0.8) * max(tracks[i, W], tracks[i, H]) + 4.0
        for b in range(count):
            if claims[b] == 0:
                dx = 0.5 * (blobs[b, X0] + blobs[b, X1]) - tracks[i, X]
                dy = 0.5 * (blobs[b, Y0] + blobs[b, Y1]) - tracks[i, Y]
                ratio = blobs[b, BLOB_AREA] / max(tracks[i, AREA], 1.0)
                if np.hypot(dx, dy) < best and 0.3 < ratio < 3.3:
                    best, blob_of[i] = np.hypot(dx, dy), b
        if blob_of[i] >= 0:
            claims[blob_of[i]] = 1


@kernel
def keep_one(tracks: Table, b: int, blob_of: Table, claims: Table) -> None:
    """In a merge, what was hardly ever seen alone, or is a small part, ends in the track that was seen alone longest."""
    n = tracks.shape[0]
    keeper = -1
    for i in range(n):
        if blob_of[i] == b and tracks[i, ALIVE] != 0.0:
            longer = keeper < 0 or tracks[i, OWN_S] > tracks[keeper, OWN_S] + 0.1
            alike = keeper >= 0 and abs(tracks[i, OWN_S] - tracks[keeper, OWN_S]) <= 0.1
            if longer or (alike and tracks[i, W] * tracks[i, H] > tracks[keeper, W] * tracks[keeper, H]):
                keeper = i
    for i in range(n):
        if i == keeper or blob_of[i] != b or tracks[i, ALIVE] == 0.0 or tracks[i, PENDING] != 0.0:
            continue
        part = tracks[i, W] * tracks[i, H] / max(1.0, tracks[keeper, W] * tracks[keeper, H])
        young = tracks[i, AGE] < CONFIRM_S and part < 0.5
        vague = tracks[i, OWN_S] < ALONE_S and tracks[i, MERGED_S] > VAGUE_S
        if young or vague or part < 0.15:
            older = tracks[i, AGE] > tracks[keeper, AGE] and tracks[i, FIRST_ARMED] != tracks[keeper, FIRST_ARMED]
            if older and tracks[keeper, CROSSED] == 0.0 and tracks[i, CROSSED] == 0.0:
                tracks[keeper, FIRST_ARMED] = tracks[keeper, ARMED] = tracks[i, FIRST_ARMED]
            tracks[i, ALIVE] = 0.0
            blob_of[i] = -1
            claims[b] -= 1


@kernel
def correct(
    tracks: Table, i: int, b: int, blobs: Table, count: int, claims: Table, history: Table, frame: Table
) -> None:
    """Correct a track that is alone in its blob, with further blobs in its box as its pieces; others begin tracks."""
    w, h = tracks[i, W], tracks[i, H]
    x0, y0, x1, y1, area = blobs[b, X0], blobs[b, Y0], blobs[b, X1], blobs[b, Y1], blobs[b, BLOB_AREA]
    left, top, right, bottom = (
        tracks[i, X] - 0.5 * w,
        tracks[i, Y] - 0.5 * h,
        tracks[i, X] + 0.5 * w,
        tracks[i, Y] + 0.5 * h,
    )
    for k in range(count):
        if claims[k] != 0:
            continue
        shared = overlap(left, top, right, bottom, blobs[k, X0], blobs[k, Y0], blobs[k, X1], blobs[k, Y1])
        if shared < 0.5 * (blobs[k, X1] - blobs[k, X0]) * (blobs[k, Y1] - blobs[k, Y0]):
            continue
        ux0, uy0 = min(x0, blobs[k, X0]), min(y0, blobs[k, Y0])
        ux1, uy1 = max(x1, blobs[k, X1]), max(y1, blobs[k, Y1])
        near = max(x0, blobs[k, X0]) - min(x1, blobs[k, X1]) <= 0.06 * w + 2.0
        near = near and max(y0, blobs[k, Y0]) - min(y1, blobs[k, Y1]) <= 0.08 * h + 2.0
        if near and ux1 - ux0 <= 1.03 * w + 1.0 and uy1 - uy0 <= 1.03 * h + 1.0:
            x0, y0, x1, y1 = ux0, uy0, ux1, uy1
            area += blobs[k, BLOB_AREA]
            claims[k] = TAKEN
        elif blobs[k, BLOB_AREA] > 0.3 * blobs[b, BLOB_AREA]:
            row = begin(tracks, blobs[k], frame)
            if row >= 0:
                tracks[row, VX], tracks[row, VY] = tracks[i, VX], tracks[i, VY]
                claims[k] = TAKEN
    measure(tracks, i, x0, y0, x1, y1, area, frame[NOW_DT])
    remember(tracks, history, i, blobs[b], frame)


@kernel
def follow(
    tracks: Table,
    blobs: Table,
    count: int,
    frame: Table,
    before: Table,
    now: Table,
    history: Table,
    blob_of: Table,
    claims: Table,
    gaps: Table,
) -> None:
    """Move all tracks on by one frame.

    before, now : uint8 (pixels,), the working pictures; blob_of : int32 (MAX_TRACKS,) and claims : int32 (MAX_BLOBS,)
    are written here; gaps : scratch.
    """
    n = tracks.shape[0]
    for i in range(n):
        if tracks[i, ALIVE] != 0.0:
            tracks[i, X] += tracks[i, VX] * frame[NOW_DT]
            tracks[i, Y] += tracks[i, VY] * frame[NOW_DT]
            tracks[i, AGE] += frame[NOW_DT]
    claim(tracks, blobs, count, blob_of, claims)
    for b in range(count):
        if claims[b] >= 2:
            keep_one(tracks, b, blob_of, claims)
    for i in range(n):
        if tracks[i, ALIVE] == 0.0 or tracks[i, SEEN] == 0.0:
            continue
        b = blob_of[i]
        if b < 0:
            if tracks[i, AGE] > 0.0:  # not one that began in this very frame
                tracks[i, MISSED] += frame[NOW_DT]
        elif claims[b] == 1:
            correct(tracks, i, b, blobs, count, claims, history, frame)
        else:
            hold(tracks, i, blobs[b], before, now, frame, gaps)
    for b in range(count):
        if claims[b] == 0:
            begin(tracks, blobs[b], frame)
