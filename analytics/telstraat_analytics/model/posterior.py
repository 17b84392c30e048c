"""What a fit says: the steps, what was expected without them, and what speaks for an odd level before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from telstraat_analytics.model.level_shifts import Kind
from telstraat_analytics.model.noise_models import NoiseModel
from telstraat_analytics.model.weeks import Floats, Ints

DEGREES = 30.0  # of the Student t of a component: the noise variances are estimates, too
SERIES = np.cumprod([1.0, *((2 * k - 1) / (2 * k) for k in range(1, int(DEGREES) // 2))])


def student_below(value: Floats) -> Floats:
    """Return the distribution function of a Student t with `DEGREES` (an even number), absolutely exact to rounding.

    Abramowitz and Stegun 26.7.4: a finite series, ten times as fast as the incomplete beta function.
    """
    near = DEGREES / (DEGREES + value**2)
    total = np.full_like(near, SERIES[-1])
    for coefficient in SERIES[-2::-1]:
        total *= near
        total += coefficient
    return np.asarray(0.5 + 0.5 * value / np.sqrt(DEGREES + value**2) * total, dtype=float)


@dataclass(frozen=True)
class Mixture:
    """The posterior of the steps: a weighted mixture of Student t distributions.

    Attributes
    ----------
    centre
        Shape (m, k): components, steps.
    covariance
        Shape (m, k, k).
    weight
        Shape (m,), sums to 1.
    memory_weeks, size
        Posterior means: how long the streets remember, how large their week step is against the published one.
    """

    centre: Floats
    covariance: Floats
    weight: Floats
    memory_weeks: float
    size: float

    def mean(self, step: int = 0) -> float:
        """Return the mean of one step."""
        return float(self.weight @ self.centre[:, step])

    def sd(self, step: int = 0) -> float:
        """Return the standard deviation of one step."""
        inside = self.covariance[:, step, step]
        return float(np.sqrt(self.weight @ (inside + (self.centre[:, step] - self.mean(step)) ** 2)))

    def below(self, value: float, step: int = 0) -> float:
        """Return the probability that the step is smaller than `value`."""
        scale = np.sqrt(self.covariance[:, step, step])
        return float(self.weight @ student_below((value - self.centre[:, step]) / scale))

    def quantile(self, share: float, step: int = 0, stretch: float = 1.0) -> float:
        """Return a quantile of one step; `stretch` widens the distribution around its mean."""
        mean, sd = self.mean(step), self.sd(step)
        root = brentq(lambda value: self.below(value, step) - share, mean - 15 * sd, mean + 15 * sd, xtol=1e-6)
        return mean + stretch * (float(root) - mean)


@dataclass(frozen=True)
class Expected:
    """What would have been: the level of each treated week without the step, with its standard deviation."""

    number: Ints
    level: Floats
    sd: Floats


@dataclass(frozen=True)
class ShiftEvidence:
    """What speaks for an odd level before the date on a treated street.

    Attributes
    ----------
    probability
        That there was one, after the counts.
    kind
        ``level`` (all at once) or ``drift``, whichever is likelier.
    first
        The likeliest week, from the date, in which it began.
    size
        By how much the last weeks before stand apart from the usual, on the scale of levels, if it began then.
    against_usual, against_last
        The step against the street's usual level, and against its last weeks before, if it began then.
    """

    probability: float
    kind: Kind
    first: int
    size: float
    against_usual: float
    against_last: float


@dataclass(frozen=True)
class StepFit:
    """The steps of the treated streets, what was expected of each, and the likeliest noise models.

    Attributes
    ----------
    steps
        Posterior of the steps.
    expected
        Per treated street.
    shared_days
        Correlation of days between streets, shape (n, n).
    noise_models
        The likeliest.
    shift
        Per treated street what speaks for an odd level before the date; None where nothing does.
    """

    steps: Mixture
    expected: tuple[Expected, ...]
    shared_days: Floats
    noise_models: tuple[NoiseModel, ...]
    shift: tuple[ShiftEvidence | None, ...]
