"""The noise models: how streets may move by themselves, all of which are averaged over."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from telstraat_analytics.model.priors import CONTRAST_SPREAD, MEMORIES_WEEKS, SEASON_CONTRASTS, WEEK_SHOCKS
from telstraat_analytics.model.weeks import Floats, Ints

WEEKS_OF_YEAR = 365.25 / 7


@dataclass(frozen=True)
class NoiseModel:
    """How the level of a street moves by itself from week to week.

    Attributes
    ----------
    memory_weeks
        How long its level remembers.
    shock
        Standard deviation of what a single week has to itself, in week steps.
    contrast
        How many times more it moves half a year away from the date than around it.
    """

    memory_weeks: float
    shock: float = 0.0
    contrast: float = 1.0

    @property
    def log_prior(self) -> float:
        """Return the logarithm of its prior weight."""
        return -0.5 * float(np.log(self.contrast) / CONTRAST_SPREAD) ** 2

    def covariance(self, number: Ints) -> Floats:
        """Return the covariance of the movement in these weeks, for a step of one a week."""
        lag = np.abs(number[:, None] - number[None, :])
        by_lag = np.arange(int(lag.max(initial=0)) + 1)
        K = (self.memory_weeks / 2 * np.exp(-by_lag / self.memory_weeks) + self.shock**2 * (by_lag == 0))[lag]
        scale = self.scale(number)
        return np.asarray(K * scale[:, None] * scale[None, :], dtype=float)

    def scale(self, number: Ints) -> Floats:
        """Return how many times as much it moves in these weeks as around the date."""
        away = (1 - np.cos(2 * np.pi * number / WEEKS_OF_YEAR)) / 2
        return np.asarray(self.contrast**away, dtype=float)


NOISE_MODELS = tuple(NoiseModel(*values) for values in product(MEMORIES_WEEKS, WEEK_SHOCKS, SEASON_CONTRASTS))
