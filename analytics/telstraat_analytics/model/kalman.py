"""One street by itself: how well each noise model explains its weeks, and what speaks for each of its odd levels.

A street's movement forgets at a constant rate, so its weeks are whitened one after the other by a Kalman filter instead of by a
factorisation, for all noise models and sizes at once. The result is the same as that of least squares under their covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from telstraat_analytics.model.level_shifts import log_factor
from telstraat_analytics.model.noise_models import NoiseModel
from telstraat_analytics.model.weeks import Floats, Ints


@dataclass(frozen=True)
class Explained:
    """What one street's weeks say.

    Attributes
    ----------
    likelihood
        Shape (noise models, sizes), restricted log likelihood without an odd level, up to a constant of the street.
    factor
        Shape (noise models, sizes, k), logarithm of the Bayes factor of each odd level against none.
    """

    likelihood: Floats
    factor: Floats


@dataclass(frozen=True)
class StreetWeeks:
    """Weeks of one street, in their order.

    Attributes
    ----------
    number
        Weeks from the date, shape (n,), rising.
    level, noise
        Shape (n,): levels, and variances of what a week is off by chance.
    X, precision
        Shapes (n, p) and (p, p): columns of what is estimated, and the precision of their prior around zero.
    """

    number: Ints
    level: Floats
    noise: Floats
    X: Floats
    precision: Floats


@dataclass(frozen=True)
class _Filter:
    """Whitening under every noise model and size, arrays of shape (n, b)."""

    sd: Floats
    gain: Floats
    scale: Floats
    keeps: Floats

    def white(self, columns: Floats) -> Floats:
        """Return columns of shape (m, q) over the last m weeks (zero before) whitened, shape (m, b, q)."""
        first = len(self.sd) - len(columns)
        out = np.empty((len(columns), self.sd.shape[1], columns.shape[1]))
        state = np.zeros(out.shape[1:])
        for week, column in enumerate(columns, first):
            here = out[week - first]
            np.multiply(state, -self.scale[week, :, None], out=here)
            here += column
            state += self.gain[week, :, None] * here
            state *= self.keeps[week, :, None]
            here /= self.sd[week, :, None]
        return out


def _filter(street: StreetWeeks, noise_models: Sequence[NoiseModel], steps: Floats) -> _Filter:
    """Return the filter for every noise model and week step, noise models outermost."""
    each, count = len(steps), len(noise_models) * len(steps)
    variance = np.tile(steps**2, len(noise_models))
    memory = np.repeat([noise_model.memory_weeks for noise_model in noise_models], each)
    shock = np.repeat([noise_model.shock for noise_model in noise_models], each)
    scale = np.repeat(np.array([noise_model.scale(street.number) for noise_model in noise_models]).T, each, axis=1)
    keeps = np.exp(-np.diff(street.number, append=street.number[-1] + 1)[:, None] / memory)
    usual = variance * memory / 2
    own = scale**2 * shock**2 * variance + street.noise[:, None]
    sd, gain = np.empty((2, len(own), count))
    spread = usual
    for week, alone in enumerate(own):
        total = scale[week] ** 2 * spread + alone
        sd[week] = np.sqrt(total)
        gain[week] = scale[week] * spread / total
        spread = usual + keeps[week] ** 2 * (spread * alone / total - usual)
    return _Filter(sd, gain, scale, keeps)


def explained(street: StreetWeeks, C: Floats, noise_models: Sequence[NoiseModel], steps: Floats) -> Explained:
    """Return how well every noise model and week step explains a street's weeks, and the Bayes factors of odd levels.

    Parameters
    ----------
    street
        Its weeks.
    C
        Shape (n, k), the columns of its odd levels; each is added alone.
    noise_models
        Of moving.
    steps
        Standard deviations of the step from week to week, on the scale of levels.

    Returns
    -------
    Explained
        As least squares under the covariance of the movement gives it.
    """
    begins = int(np.argmax(C.any(axis=1))) if C.any() else len(C)
    filtered = _filter(street, noise_models, steps)
    white = filtered.white(np.column_stack([street.X, street.level])).transpose(1, 0, 2)
    X, y = white[:, :, :-1], white[:, :, -1:]
    shift = filtered.white(C[begins:]).transpose(1, 0, 2)
    gram = X.transpose(0, 2, 1) @ X + street.precision
    across = white[:, begins:].transpose(0, 2, 1) @ shift
    right = X.transpose(0, 2, 1) @ y
    solution = np.linalg.solve(gram, np.concatenate([right, across[:, :-1]], axis=2))
    beta, pull = solution[:, :, :1], solution[:, :, 1:]
    misfit = (y**2).sum(axis=(1, 2)) - (right * beta).sum(axis=(1, 2))
    likelihood = -np.log(filtered.sd).sum(axis=0) - 0.5 * np.linalg.slogdet(gram)[1] - 0.5 * misfit
    known = np.einsum("bnk,bnk->bk", shift, shift) - np.einsum("bpk,bpk->bk", across[:, :-1], pull)
    score = across[:, -1] - np.einsum("bpk,bp->bk", across[:, :-1], beta[:, :, 0])
    shape = len(noise_models), len(steps)
    return Explained(likelihood.reshape(shape), log_factor(score, known).reshape(*shape, C.shape[1]))
