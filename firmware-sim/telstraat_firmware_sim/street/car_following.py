"""How one vehicle drives behind another: Newell's car following with bounded acceleration, and stops."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

STEP_S = 0.2
REACTION_STEPS = 6  # 1.2 s behind, Newell's time shift
ACCELERATION_MS2 = 1.6
BRAKING_MS2 = 2.4


@njit(cache=True)
def drive(
    first_step: int,
    wish_ms: float,
    length_m: float,
    stop_m: float,
    stop_steps: int,
    lead_m: NDArray[np.float64],
    lead_first_step: int,
    gap_m: float,
) -> NDArray[np.float64]:
    """Give the distance of the vehicle's front from its entry at every step until it passes `length_m`.

    `lead_m` is the same of the vehicle ahead (empty: none) and `gap_m` its length plus the gap kept when standing;
    the vehicle stops at `stop_m` for `stop_steps` (0: does not stop).
    """
    limit = 20_000
    out = np.empty(limit, dtype=np.float64)
    out[0] = 0.0
    place = 0.0
    speed = wish_ms
    waiting = stop_steps
    count = 1
    while place < length_m and count < limit:
        step = first_step + count
        speed = min(speed + ACCELERATION_MS2 * STEP_S, wish_ms)
        if waiting > 0:
            left = stop_m - place
            if left < 0.2:
                waiting -= 1
                speed = 0.0
            else:
                speed = min(speed, max(0.3, np.sqrt(2.0 * BRAKING_MS2 * left)))
        seen = step - REACTION_STEPS - lead_first_step
        if 0 <= seen < lead_m.size:
            speed = min(speed, max(0.0, (lead_m[seen] - gap_m - place) / STEP_S))
        elif seen < 0 and lead_m.size > 0:
            speed = min(speed, max(0.0, (lead_m[0] - gap_m - place) / STEP_S))
        place += speed * STEP_S
        out[count] = place
        count += 1
    return out[:count].copy()
