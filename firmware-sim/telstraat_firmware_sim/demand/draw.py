"""Draw what really passed, and what a sensor makes of it: one crossing at a time, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from telstraat_firmware_sim.demand.profiles import CLASSES, SEEN

SEEN_CLASSES = len(SEEN)
BIKE, CAR, HEAVY = (CLASSES.index(name) for name in ("bike", "car", "heavy"))


def passing(
    rng: np.random.Generator, expected: npt.NDArray[np.float64], extra: npt.NDArray[np.float64]
) -> npt.NDArray[np.int32]:
    """Draw counts around `expected` (quarter, class, direction): variance = mean + extra[class] mean^2, extra common to both ways."""
    out = np.zeros(expected.shape, dtype=np.int32)
    _draw(rng, expected, extra, out)
    return out


def seen(
    rng: np.random.Generator,
    passed: npt.NDArray[np.int32],
    observed: npt.NDArray[np.float64],
    mode: npt.NDArray[np.int8],
    gain: npt.NDArray[np.float64],
    booked: npt.NDArray[np.float64],
    taken_for_heavy: npt.NDArray[np.float64],
    motorcycles: float,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Ask every crossing whether it was observed, detected, and as what.

    Parameters
    ----------
    passed : int32 (quarter, class, direction)
    observed : float64 (quarter,): share of the quarter that was observed
    mode : int8 (quarter,): which table of `booked` holds
    gain : float64 (quarter, class): multiplies detection; above 1 it cannot find more than there is
    booked : float64 (mode, class, seen class): chance to be booked as; what is missing to 1 is not detected
    taken_for_heavy : float64 (quarter,): share of the cars booked as cars that are booked as heavy instead
    motorcycles : share of detected bikes that are told to be motorcycles

    Returns
    -------
    counts : int32 (quarter, seen class, direction)
    motorcycle : int32 (quarter, direction), of which
    """
    counts = np.zeros((len(passed), SEEN_CLASSES, 2), dtype=np.int32)
    motorcycle = np.zeros((len(passed), 2), dtype=np.int32)
    table = np.cumsum(booked, axis=2)
    state = int(rng.integers(1, 2**63 - 1))
    _thin(np.uint64(state), passed, observed, mode, gain, table, taken_for_heavy, motorcycles, counts, motorcycle)
    return counts, motorcycle


@njit(cache=True, nogil=True)
def _draw(
    rng: np.random.Generator,
    expected: npt.NDArray[np.float64],
    extra: npt.NDArray[np.float64],
    out: npt.NDArray[np.int32],
) -> None:
    quarters, classes, directions = expected.shape
    for c in range(classes):
        shape = 1.0 / extra[c] if extra[c] > 0 else 0.0
        for q in range(quarters):
            if expected[q, c].max() <= 0.0:
                continue
            level = rng.standard_gamma(shape) / shape if shape > 0.0 else 1.0
            for d in range(directions):
                out[q, c, d] = rng.poisson(expected[q, c, d] * level)


@njit(cache=True, nogil=True)
def _uniform(state: np.uint64) -> tuple[np.uint64, float]:
    """Return the next state and a number in [0, 1): xorshift64*, good enough to toss a coin for each of 10^9 crossings."""
    state ^= state >> np.uint64(12)
    state ^= state << np.uint64(25)
    state ^= state >> np.uint64(27)
    mixed = state * np.uint64(2685821657736338717)
    return state, float(mixed >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True)
def _thin(
    state: np.uint64,
    passed: npt.NDArray[np.int32],
    observed: npt.NDArray[np.float64],
    mode: npt.NDArray[np.int8],
    gain: npt.NDArray[np.float64],
    table: npt.NDArray[np.float64],
    taken_for_heavy: npt.NDArray[np.float64],
    motorcycles: float,
    counts: npt.NDArray[np.int32],
    motorcycle: npt.NDArray[np.int32],
) -> None:
    quarters, classes, directions = passed.shape
    for q in range(quarters):
        share = observed[q]
        if share <= 0.0:
            continue
        for c in range(classes):
            scale = 1.0 / (share * gain[q, c]) if gain[q, c] > 0.0 else np.inf
            row = table[mode[q], c]
            for d in range(directions):
                for _ in range(passed[q, c, d]):
                    state, u = _uniform(state)
                    u *= scale
                    if u >= row[SEEN_CLASSES - 1]:
                        continue
                    for s in range(SEEN_CLASSES):
                        if u < row[s]:
                            booked = s
                            if c == CAR and s == CAR and taken_for_heavy[q] > 0.0:
                                state, v = _uniform(state)
                                booked = HEAVY if v < taken_for_heavy[q] else CAR
                            counts[q, booked, d] += 1
                            if c == BIKE and s == BIKE and motorcycles > 0.0:
                                state, v = _uniform(state)
                                if v < motorcycles:
                                    motorcycle[q, d] += 1
                            break
