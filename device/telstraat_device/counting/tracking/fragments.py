"""Makes one track of pieces that move as one: head and legs of a person, cab and box of a lorry, a bicycle and its rider."""

from __future__ import annotations

import numpy as np

from telstraat_device.counting.tracking.track_table import (
    AGE,
    ALIVE,
    AREA,
    ARMED,
    BIRTH_X,
    BIRTH_Y,
    FIRST_ARMED,
    ID,
    JOIN_ID,
    JOIN_S,
    MISSED,
    OWN_S,
    PENDING,
    SIDE,
    VX,
    VY,
    H,
    Table,
    W,
    X,
    Y,
)
from telstraat_device.native.kernel import kernel

JOIN_AFTER_S = 0.15
SETTLED_S = 0.5  # two that were both alone for so long are two
OF_ITS_OWN_S = 0.8  # a small one that was alone for so long is none of the large one's pieces
APART_PX = 12.0


@kernel
def belong(tracks: Table, a: int, b: int, same_blob: bool) -> bool:
    """Tell whether track b, the smaller, looks like a piece of a in this frame."""
    aw, ah, bw, bh = tracks[a, W], tracks[a, H], tracks[b, W], tracks[b, H]
    gap_x = abs(tracks[a, X] - tracks[b, X]) - 0.5 * (aw + bw)
    gap_y = abs(tracks[a, Y] - tracks[b, Y]) - 0.5 * (ah + bh)
    high = ah + bh + gap_y
    stacked = -gap_x > 0.6 * min(aw, bw) and gap_y < 0.12 * high + 1.0
    stacked = stacked and min(tracks[a, OWN_S], tracks[b, OWN_S]) < SETTLED_S
    small = bw * bh < 0.3 * aw * ah and gap_x < 0.1 * aw + 1.0 and gap_y < 0.1 * ah + 1.0
    small = small and tracks[b, OWN_S] < OF_ITS_OWN_S
    inside = same_blob and -gap_x > 0.7 * bw and -gap_y > 0.7 * bh
    apart = np.hypot(tracks[a, VX] - tracks[b, VX], tracks[a, VY] - tracks[b, VY])
    together = apart < 0.3 * np.hypot(tracks[a, VX], tracks[a, VY]) + 0.15 * max(bw, bh)
    return bool((stacked or small or inside) and together)


@kernel
def unite(tracks: Table, a: int, b: int) -> None:
    """End track b in a: one box around both, and the side that the older came from."""
    x0 = min(tracks[a, X] - 0.5 * tracks[a, W], tracks[b, X] - 0.5 * tracks[b, W])
    y0 = min(tracks[a, Y] - 0.5 * tracks[a, H], tracks[b, Y] - 0.5 * tracks[b, H])
    x1 = max(tracks[a, X] + 0.5 * tracks[a, W], tracks[b, X] + 0.5 * tracks[b, W])
    y1 = max(tracks[a, Y] + 0.5 * tracks[a, H], tracks[b, Y] + 0.5 * tracks[b, H])
    tracks[a, X], tracks[a, Y], tracks[a, W], tracks[a, H] = 0.5 * (x0 + x1), 0.5 * (y0 + y1), x1 - x0, y1 - y0
    tracks[a, AREA] += tracks[b, AREA]
    tracks[a, SIDE] = 0.0  # the middle has jumped: that is no crossing
    uncrossed = tracks[a, PENDING] == 0.0 and tracks[a, ARMED] == tracks[a, FIRST_ARMED]
    if tracks[b, AGE] > tracks[a, AGE] and uncrossed:
        tracks[a, FIRST_ARMED] = tracks[a, ARMED] = tracks[b, FIRST_ARMED]
        tracks[a, BIRTH_X], tracks[a, BIRTH_Y] = tracks[b, BIRTH_X], tracks[b, BIRTH_Y]
    tracks[b, ALIVE] = 0.0


@kernel
def join(tracks: Table, blob_of: Table, dt: float) -> None:  # noqa: C901 - a rule a line
    """Unite tracks that have belonged together for JOIN_AFTER_S."""
    n = tracks.shape[0]
    for i in range(n):
        if tracks[i, ALIVE] == 0.0 or tracks[i, MISSED] > 0.0:
            continue
        for j in range(i + 1, n):
            if tracks[j, ALIVE] == 0.0 or tracks[j, MISSED] > 0.0:
                continue
            if abs(tracks[i, X] - tracks[j, X]) - 0.5 * (tracks[i, W] + tracks[j, W]) > APART_PX:
                continue
            if abs(tracks[i, Y] - tracks[j, Y]) - 0.5 * (tracks[i, H] + tracks[j, H]) > APART_PX:
                continue
            a, b = i, j
            if tracks[i, W] * tracks[i, H] < tracks[j, W] * tracks[j, H]:
                a, b = j, i
            if belong(tracks, a, b, blob_of[i] == blob_of[j]):
                if tracks[b, JOIN_ID] == tracks[a, ID]:
                    tracks[b, JOIN_S] += dt
                else:
                    tracks[b, JOIN_ID], tracks[b, JOIN_S] = tracks[a, ID], dt
                if tracks[b, JOIN_S] > JOIN_AFTER_S:
                    unite(tracks, a, b)
                    if b == i:
                        break
            elif tracks[b, JOIN_ID] == tracks[a, ID]:
                tracks[b, JOIN_S] = max(0.0, tracks[b, JOIN_S] - dt)
