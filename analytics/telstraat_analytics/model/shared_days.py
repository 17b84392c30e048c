"""How much of what days do is shared between streets: learnt from the days themselves, starting from published correlations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from telstraat_analytics.model.priors import SHARED_DAYS, VariancePrior
from telstraat_analytics.model.weeks import Floats, Weeks


def shared_days(streets: Sequence[Weeks], variance_prior: VariancePrior) -> Floats:
    """Return the correlation of days between streets, shrunk towards the published one. Shape (n, n)."""
    n = len(streets)
    out = np.eye(n)
    days = np.unique(np.concatenate([weeks.shocks.index.to_numpy() for weeks in streets]))
    table = np.full((n, len(days)), np.nan)
    for row, weeks in enumerate(streets):
        table[row, np.searchsorted(days, weeks.shocks.index.to_numpy())] = weeks.shocks.to_numpy(float)
    seen = ~np.isnan(table)
    for i in range(n):
        for j in range(i):
            both = table[[i, j]][:, seen[i] & seen[j]]
            known = 0.85 * both.shape[1]
            enough = both.shape[1] > 5 and both.std(axis=1).min() > 0
            own = float(np.corrcoef(both)[0, 1]) if enough else variance_prior.shared
            out[i, j] = out[j, i] = (known * own + SHARED_DAYS * variance_prior.shared) / (known + SHARED_DAYS)
    return np.clip(out, 0.02, 1.0)


def definite(correlation: Floats) -> Floats:
    """Return the nearest correlation that is well away from being singular. Shape (n, n)."""
    values, vectors = np.linalg.eigh(correlation)
    mended = (vectors * np.maximum(values, 0.05)) @ vectors.T
    scale = np.sqrt(np.diag(mended))
    return np.asarray(mended / scale[:, None] / scale[None, :], dtype=float)
