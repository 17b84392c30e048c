"""Streets together: least squares under many covariances at once, week after week.

Movements forget at a constant rate, so the weeks of all streets are whitened by one Kalman filter whose state is the level of every
street: blocks as large as there are streets, instead of a factorisation as large as all their weeks, and every noise model, sharing
and size in one pass. Answers to the calendar are columns with a prior, which is the same as their covariance. The result is that of
least squares under the covariance of all weeks, up to rounding (tests/analytics/test_together.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from telstraat_analytics.model.level_shifts import SPREAD, Added, log_factor
from telstraat_analytics.model.noise_models import NoiseModel
from telstraat_analytics.model.weeks import Floats, Ints

AT_ONCE = 54  # covariances: their whitened columns stay within some ten megabytes


@dataclass(frozen=True)
class JointWeeks:
    """Weeks of several streets, one street below the other.

    Attributes
    ----------
    street, number
        Shape (n,): place of the street of each week, and weeks from the date.
    level, noise
        Shape (n,): levels, and variances of what a week is off by chance.
    alike
        Shape (streets, streets), correlation of that chance between streets in one week.
    X, precision
        Shapes (n, p) and (p, p): columns of what is estimated, and the precision of their prior around zero.
    """

    street: Ints
    number: Ints
    level: Floats
    noise: Floats
    alike: Floats
    X: Floats
    precision: Floats


@dataclass(frozen=True)
class Solved:
    """Least squares under one covariance.

    Attributes
    ----------
    beta, covariance
        Coefficients and their covariance, shapes (p,) and (p, p).
    likelihood
        Restricted log likelihood, up to a constant of the weeks.
    """

    beta: Floats
    covariance: Floats
    likelihood: float


def solved(weeks: JointWeeks, C: Floats, noise_model: NoiseModel, moving: Floats) -> list[tuple[Solved, Added]]:
    """Solve least squares under each covariance of the steps, without an odd level and with each of them added alone.

    Parameters
    ----------
    weeks
        Of all streets.
    C
        Shape (n, k), the columns of odd levels.
    noise_model
        How streets move.
    moving
        Shape (b, streets, streets), covariances of the steps from week to week.

    Returns
    -------
    list of tuple
        One per covariance.
    """
    out: list[tuple[Solved, Added]] = []
    for first in range(0, len(moving), AT_ONCE):
        out += _solved(weeks, C, noise_model, moving[first : first + AT_ONCE])
    return out


def _solved(weeks: JointWeeks, C: Floats, noise_model: NoiseModel, moving: Floats) -> list[tuple[Solved, Added]]:
    p = weeks.X.shape[1]
    white, log_sd = _whitened(weeks, np.column_stack([weeks.X, weeks.level, C]), noise_model, moving)
    y, shifts = white[:, :, p : p + 1], white[:, :, p + 1 :]
    known = white[:, :, :p].transpose(0, 2, 1) @ white
    gram, right, across = known[:, :, :p] + weeks.precision, known[:, :, p : p + 1], known[:, :, p + 1 :]
    inner = np.linalg.cholesky(gram)
    half = np.linalg.inv(inner)
    covariance = half.transpose(0, 2, 1) @ half
    beta = covariance @ right
    misfit = (y**2).sum(axis=(1, 2)) - (right * beta).sum(axis=(1, 2))
    likelihood = -log_sd - np.log(np.diagonal(inner, axis1=1, axis2=2)).sum(axis=1) - 0.5 * misfit
    pull = covariance @ across
    precision = np.einsum("bnk,bnk->bk", shifts, shifts) - np.einsum("bpk,bpk->bk", across, pull)
    score = (y.transpose(0, 2, 1) @ shifts)[:, 0] - (beta.transpose(0, 2, 1) @ across)[:, 0]
    factor, total = log_factor(score, precision), precision + 1 / SPREAD**2
    size, variance = score / total, 1 / total
    return [
        (
            Solved(beta[each, :, 0], covariance[each], float(likelihood[each])),
            Added(factor[each], size[each], variance[each], pull[each]),
        )
        for each in range(len(moving))
    ]


def _whitened(weeks: JointWeeks, columns: Floats, noise_model: NoiseModel, moving: Floats) -> tuple[Floats, Floats]:
    """Return columns whitened under each covariance, shape (b, n, q) in the order of weeks, and the sum of the log standard deviations."""
    order = np.lexsort((weeks.street, weeks.number))
    number, begins = np.unique(weeks.number[order], return_index=True)
    scale = noise_model.scale(number)
    keeps = np.exp(-np.diff(number, append=number[-1] + 1) / noise_model.memory_weeks)
    usual = noise_model.memory_weeks / 2 * moving
    streets, q = moving.shape[1], columns.shape[1]
    out = np.empty((len(moving), len(order), q))
    log_sd = np.zeros(len(moving))
    spread, state = usual, np.zeros((len(moving), streets, q))
    for week, rows in enumerate(np.split(order, begins[1:])):
        seen = weeks.street[rows]
        every = len(rows) == streets
        sd = np.sqrt(weeks.noise[rows])
        chance = weeks.alike[np.ix_(seen, seen)] * sd[:, None] * sd[None, :]
        alone = (scale[week] * noise_model.shock) ** 2 * (moving if every else moving[:, seen[:, None], seen])
        across = spread if every else spread[:, :, seen]
        total = scale[week] ** 2 * (across if every else across[:, seen]) + alone + chance
        L = np.linalg.cholesky(total)
        log_sd += np.log(np.diagonal(L, axis1=1, axis2=2)).sum(axis=1)
        half = np.linalg.inv(L)
        here = half @ (columns[rows] - scale[week] * (state if every else state[:, seen]))
        out[:, begins[week] : begins[week] + len(rows)] = here
        gain = scale[week] * (across @ half.transpose(0, 2, 1))
        state = keeps[week] * (state + gain @ here)
        spread = usual + keeps[week] ** 2 * (spread - gain @ gain.transpose(0, 2, 1) - usual)
    return out, log_sd
