"""Cars per bin of speed, and the speed that 85 % of them stay below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from telstraat_contract.road_users import SPEED_BIN_KMH, SPEED_BINS

COARSE_BINS = 8
"""Some of others' counts tell speeds in bins of 10 km/h: 0-10 to 60-70, and above."""


def bin_kmh(bins: Sequence[float]) -> int:
    """Return how wide the bins of a histogram are."""
    return 2 * SPEED_BIN_KMH if len(bins) == COARSE_BINS else SPEED_BIN_KMH


def coarse(bins: Sequence[float]) -> list[float]:
    """Return a histogram in bins of 10 km/h."""
    if len(bins) == COARSE_BINS:
        return list(bins)
    return [*(sum(bins[2 * n : 2 * n + 2]) for n in range(COARSE_BINS - 1)), sum(bins[2 * COARSE_BINS - 2 :])]


def added_bins(histograms: Iterable[Sequence[float]]) -> list[float]:
    """Return the cars of several histograms per bin, in the coarsest of their bins; 25 of 0 without any."""
    histograms = list(histograms)
    if any(len(bins) == COARSE_BINS for bins in histograms):
        histograms = [coarse(bins) for bins in histograms]
    return [sum(cars) for cars in zip(*histograms, strict=True)] or [0] * SPEED_BINS


def v85_kmh(bins: Sequence[float]) -> float | None:
    """Return the speed that 85 % of the cars stay below, on a grid of 0.5 km/h; None without cars.

    The cumulative curve at 0, 5, ... 125 km/h is interpolated linearly (the open bin counts as 120-125); the answer is
    the grid point whose cumulative share is nearest to 85 %, the lowest one on a plateau.
    With 8 bins of 10 km/h nothing is known above 70: None when V85 lies there.
    """
    cars_all = sum(bins)
    if cars_all <= 0:
        return None
    if len(bins) == COARSE_BINS and sum(bins[:-1]) < 0.85 * cars_all:
        return None
    best, best_distance = 0.0, float("inf")
    below = 0.0
    width_kmh = bin_kmh(bins)
    steps = width_kmh * 2
    for index, cars in enumerate(bins):
        for step in range(steps + 1):
            distance = abs((below + cars * step / steps) / cars_all - 0.85)
            if distance < best_distance - 1e-12:
                best, best_distance = index * width_kmh + step / 2, distance
        below += cars
    return best
