"""Streets together: least squares under many covariances at once, week after week.

Movements forget at a constant rate, so the weeks of all streets are whitened by one Kalman filter whose state is the level of every
street: blocks as large as there are streets, instead of a factorisation as large as all their weeks, and every noise model, sharing
and size in one pass. Answers to the calendar are columns with a prior, which is the same as their covariance. The result is that of
least squares under the covariance of all weeks, up to rounding (tests/analytics/test_together.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
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


@dataclass(frozen=True)
class _Columns:
    """What is whitened, one row per week and street, the earliest first.

    Attributes
    ----------
    street, sd
        Shape (n,): of each row its street, and what it is off by chance.
    number, begins
        The weeks, and the row with which each begins.
    table
        Shape (n, 1 + p + k): the level, what is estimated, odd levels. The columns of each kind stand in the order in which they begin.
    first
        Shape (1 + p + k,), rising: the rows before are zero in this and in all later columns, and stay zero when whitened.
    estimated, odd
        Shapes (p,) and (k,): where each column of `JointWeeks.X` and each odd level stands among its kind.
    """

    street: Ints
    sd: Floats
    number: Ints
    begins: Ints
    table: Floats
    first: Ints
    estimated: Ints
    odd: Ints

    @classmethod
    def of(cls, weeks: JointWeeks, C: Floats) -> _Columns:
        """Return the columns of weeks and of their odd levels."""
        order = np.lexsort((weeks.street, weeks.number))
        number, begins = np.unique(weeks.number[order], return_index=True)
        (X, X_first, estimated), (odd_levels, odd_first, odd) = (
            _earliest_first(weeks.X[order]),
            _earliest_first(C[order]),
        )
        table = np.column_stack([weeks.level[order], X, odd_levels])
        first = np.concatenate([[0], np.minimum(X_first, odd_first.min(initial=len(order))), odd_first])
        sd = np.sqrt(weeks.noise[order])
        return cls(weeks.street[order], sd, number, begins, table, first, estimated, odd)


def _earliest_first(columns: Floats) -> tuple[Floats, Ints, Ints]:
    """Return columns in the order in which they begin, the row with which each does, and where each of the old ones stands now."""
    first = np.where(columns.any(axis=0), (columns != 0).argmax(axis=0), len(columns))
    order = np.argsort(first, kind="stable")
    return columns[:, order], first[order], np.argsort(order, kind="stable")


def solved(
    weeks: JointWeeks, C: Floats, noise_models: Sequence[NoiseModel], moving: Floats
) -> list[tuple[Solved, Added]]:
    """Solve least squares under each covariance of the movements, without an odd level and with each of them added alone.

    Parameters
    ----------
    weeks
        Of all streets.
    C
        Shape (n, k), the columns of odd levels.
    noise_models
        How streets move under each covariance, b of them.
    moving
        Shape (b, streets, streets), covariances of the steps from week to week.

    Returns
    -------
    list of tuple
        One per covariance.
    """
    columns = _Columns.of(weeks, C)
    out: list[tuple[Solved, Added]] = []
    for first in range(0, len(moving), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        out += _solved(weeks, columns, *_whitened(weeks, columns, noise_models[part], moving[part]))
    return out


def _solved(weeks: JointWeeks, columns: _Columns, white: Floats, log_sd: Floats) -> list[tuple[Solved, Added]]:
    p = weeks.X.shape[1]
    begins = columns.first[p + 1] if len(columns.odd) else len(columns.table)
    known = white[:, :, : p + 1].transpose(0, 2, 1) @ white[:, :, : p + 1]
    late = white[:, begins:]
    shifts = late[:, :, p + 1 :]
    against = (late[:, :, : p + 1].transpose(0, 2, 1) @ shifts)[:, :, columns.odd]
    place = 1 + columns.estimated
    gram, right = known[:, place[:, None], place] + weeks.precision, known[:, place, :1]
    across = against[:, place]
    inner = np.linalg.cholesky(gram)
    half = np.linalg.inv(inner)
    covariance = half.transpose(0, 2, 1) @ half
    beta = covariance @ right
    misfit = known[:, 0, 0] - (right * beta).sum(axis=(1, 2))
    likelihood = -log_sd - np.log(np.diagonal(inner, axis1=1, axis2=2)).sum(axis=1) - 0.5 * misfit
    pull = covariance @ across
    squares = np.einsum("bnk,bnk->bk", shifts, shifts)[:, columns.odd]
    precision = squares - np.einsum("bpk,bpk->bk", across, pull)
    score = against[:, 0] - (beta.transpose(0, 2, 1) @ across)[:, 0]
    factor, total = log_factor(score, precision), precision + 1 / SPREAD**2
    size, variance = score / total, 1 / total
    return [
        (
            Solved(beta[each, :, 0], covariance[each], float(likelihood[each])),
            Added(factor[each], size[each], variance[each], pull[each]),
        )
        for each in range(len(white))
    ]


def _whitened(
    weeks: JointWeeks, columns: _Columns, noise_models: Sequence[NoiseModel], moving: Floats
) -> tuple[Floats, Floats]:
    """Return columns whitened under each covariance, shape (b, n, 1 + p + k), and the sum of the log standard deviations."""
    memory, shock = np.array([(each.memory_weeks, each.shock) for each in noise_models]).T[:, :, None, None]
    unlike = {each: each.scale(columns.number) for each in noise_models}
    scales = np.array([unlike[each] for each in noise_models]).T[:, :, None, None]
    keeps = np.exp(-np.diff(columns.number, append=columns.number[-1] + 1)[:, None, None, None] / memory)
    usual = memory / 2 * moving
    streets, q = moving.shape[1], columns.table.shape[1]
    out = np.zeros((len(moving), len(columns.table), q))
    log_sd = np.zeros(len(moving))
    spread, states = usual, np.zeros((len(moving), streets, q))
    for week, (begin, end) in enumerate(itertools.pairwise((*columns.begins, len(columns.table)))):
        seen, scale = columns.street[begin:end], scales[week]
        every = end - begin == streets
        chance = weeks.alike[seen[:, None], seen] * columns.sd[begin:end, None] * columns.sd[begin:end]
        alone = (scale * shock) ** 2 * (moving if every else moving[:, seen[:, None], seen])
        across = spread if every else spread[:, :, seen]
        total = scale**2 * (across if every else across[:, seen]) + alone + chance
        L = np.sqrt(total) if end - begin == 1 else np.linalg.cholesky(total)
        log_sd += np.log(np.diagonal(L, axis1=1, axis2=2)).sum(axis=1)
        half = 1 / L if end - begin == 1 else np.linalg.inv(L)
        begun = int(np.searchsorted(columns.first, end))
        state = states[:, :, :begun]
        here = half @ (columns.table[begin:end, :begun] - scale * (state if every else state[:, seen]))
        out[:, begin:end, :begun] = here
        gain = scale * (across @ half.transpose(0, 2, 1))
        state += gain @ here
        state *= keeps[week]
        spread = usual + keeps[week] ** 2 * (spread - gain @ gain.transpose(0, 2, 1) - usual)
    return out, log_sd
