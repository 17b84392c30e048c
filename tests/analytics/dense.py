"""Least squares under a covariance that is written down and factorised whole: what faster ways must agree with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from telstraat_analytics.model.level_shifts import SPREAD, log_factor
from telstraat_analytics.model.weeks import Floats


@dataclass(frozen=True)
class Dense:
    """Coefficients, their covariance and the restricted log likelihood, and what each odd level, added alone, changes."""

    beta: Floats
    covariance: Floats
    likelihood: float
    factor: Floats
    size: Floats
    variance: Floats
    pull: Floats


def least_squares(X: Floats, level: Floats, precision: Floats, V: Floats, C: Floats) -> Dense:
    """Return least squares of levels on columns X, with a prior of this precision, under the covariance V of the weeks."""
    white = solve_triangular(L := cholesky(V, lower=True), np.column_stack([X, level, C]), lower=True)
    p = X.shape[1]
    Xs, ys, shifts = white[:, :p], white[:, p], white[:, p + 1 :]
    gram = Xs.T @ Xs + precision
    covariance = np.asarray(np.linalg.inv(gram), dtype=float)
    beta = np.asarray(np.linalg.solve(gram, Xs.T @ ys), dtype=float)
    likelihood = -np.log(np.diag(L)).sum() - 0.5 * np.linalg.slogdet(gram)[1] - 0.5 * (ys @ ys - beta @ Xs.T @ ys)
    across = Xs.T @ shifts
    pull = covariance @ across
    known = (shifts**2).sum(axis=0) - (across * pull).sum(axis=0)
    score = shifts.T @ ys - across.T @ beta
    total = known + 1 / SPREAD**2
    return Dense(beta, covariance, float(likelihood), log_factor(score, known), score / total, 1 / total, pull)
