"""The step at the date: generalised least squares over weekly levels, averaged over how streets may move.

Level of street i in week t:

    level = mean_i + season_i(t) + breaks_i(t) + movement_i(t) + noise_i(t) + step_i * [t >= 0]

Movement forgets over a memory of weeks, has a part that belongs to a single week, may be larger in the other half of the
year than around the date, and is shared between streets. None of that is chosen: it is averaged over, weighted by how
well it explains the data (restricted likelihood times prior). That makes intervals as wide as streets really move.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular
from scipy.optimize import brentq
from scipy.special import stdtr

from telstraat_analytics.model.priors import (
    CALENDAR_SHARED,
    CONTRAST_SPREAD,
    MEMORIES_WEEKS,
    SEASON_CONTRASTS,
    SEASON_SHARED,
    SHARED_DAYS,
    SHARING_POWERS,
    WARMEST_DAY_OF_YEAR,
    WEEK_SHOCKS,
    Motion,
)
from telstraat_analytics.model.threads import one_thread
from telstraat_analytics.model.weeks import Floats, Ints, Weeks

SIZES = np.exp(np.linspace(-1.5, 1.8, 9))  # multiples of the prior week step that are tried
NEGLIGIBLE = 0.01  # of the best weight: not worth a factorisation
LIKELIEST = 4  # ways that placebo dates are tried with: all of them would cost ten times as much and say the same
DEGREES = 30.0  # of the Student t of a component: the noise variances are estimates, too
FLAT = 1e-9
SEVERAL_SPREAD = 0.35  # with several treated streets their sizes are known from each alone; this much may still be off
WEEKS_OF_YEAR = 365.25 / 7
DAY_OVERLAP = 0.95  # two streets rarely lose the same days


@dataclass(frozen=True)
class Way:
    """A way in which a street may move.

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
        K = self.memory_weeks / 2 * np.exp(-lag / self.memory_weeks) + self.shock**2 * (lag == 0)
        away = (1 - np.cos(2 * np.pi * number / WEEKS_OF_YEAR)) / 2
        scale = self.contrast**away
        return np.asarray(K * scale[:, None] * scale[None, :], dtype=float)


WAYS = tuple(Way(*one) for one in product(MEMORIES_WEEKS, WEEK_SHOCKS, SEASON_CONTRASTS))


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
        return float(self.weight @ stdtr(DEGREES, (value - self.centre[:, step]) / scale))

    def quantile(self, share: float, step: int = 0, stretch: float = 1.0) -> float:
        """Return a quantile of one step; `stretch` widens the distribution around its mean."""
        mean, sd = self.mean(step), self.sd(step)
        found = brentq(lambda value: self.below(value, step) - share, mean - 15 * sd, mean + 15 * sd, xtol=1e-6)
        return mean + stretch * (float(found) - mean)


@dataclass(frozen=True)
class Expected:
    """What would have been: the level of each treated week without the step, with its standard deviation."""

    number: Ints
    level: Floats
    sd: Floats


@dataclass(frozen=True)
class StepFit:
    """The steps of the treated streets, what was expected of the first of them, and the likeliest ways of moving."""

    steps: Mixture
    expected: tuple[Expected, ...]
    shared_days: Floats
    ways: tuple[Way, ...]


_Component = tuple[Floats, Floats, float, Way, float, Floats]


@dataclass(frozen=True)
class _Stack:
    """All streets' weeks, one below the other."""

    street: Ints
    number: Ints
    level: Floats
    noise: Floats
    breaks: Floats
    X: Floats
    precision: Floats
    treated: int
    streets: int
    right: Floats  # X and level beside each other

    @property
    def same(self) -> NDArray[np.bool_]:
        return np.asarray(self.street[:, None] == self.street[None, :])


@one_thread()
def fit_steps(
    treated: Sequence[Weeks],
    controls: Sequence[Weeks],
    motion: Motion,
    date: pd.Timestamp,
    *,
    southern: bool = False,
    ways: Sequence[Way] = WAYS,
) -> StepFit:
    """Estimate the step of every treated street at the date.

    Parameters
    ----------
    treated
        Weekly levels of the treated streets, weeks before and after the date.
    controls
        Weekly levels of streets on which nothing was done; may be empty.
    motion
        How such streets move (prior).
    date
        First day of the time after.
    southern
        Whether the warm half of the year is November to April.
    ways
        In which streets may move.

    Returns
    -------
    StepFit
        Posterior of the steps on the scale of `Weeks.level`.
    """
    streets = [*treated, *controls]
    stack = _stacked(streets, len(treated), motion, date, southern=southern)
    alone = [_size_alone(one, motion, date, southern, ways, treated=True) for one in treated]
    if len(treated) == 1:
        worth = [
            way for way, row in zip(ways, alone[0], strict=True) if np.exp(row.max() - alone[0].max()) > NEGLIGIBLE
        ]
        alone = [alone[0][[way in worth for way in ways]]]
        ways = worth
    alone += [_size_alone(one, motion, date, southern, ways) for one in controls]
    shared = _shared_days(streets, motion)
    components = list(_components(stack, alone, shared, motion, ways))
    weight = np.exp(np.array([one[2] for one in components]) - max(one[2] for one in components))
    weight = weight / weight.sum()
    mixture = Mixture(
        np.array([one[0] for one in components]),
        np.array([one[1] for one in components]),
        weight,
        float(weight @ [one[3].memory_weeks for one in components]),
        float(weight @ [one[4] for one in components]),
    )
    best = components[int(np.argmax(weight))]
    held: dict[Way, float] = dict.fromkeys(ways, 0.0)
    for one, share in zip(components, weight, strict=True):
        held[one[3]] += float(share)
    likeliest = tuple(sorted(held, key=lambda way: -held[way])[:LIKELIEST])
    expected = _without_step(stack, best[5], mixture, treated, motion)
    return StepFit(mixture, expected, shared, likeliest)


def _season(number: Ints, date: pd.Timestamp, southern: bool) -> Floats:
    middle = date + pd.to_timedelta(number * 7 + 3, unit="D")
    warmest = WARMEST_DAY_OF_YEAR + (182 if southern else 0)
    return np.asarray(np.cos(2 * np.pi * (np.asarray(middle.day_of_year) - warmest) / 365.25), dtype=float)


def _stacked(streets: Sequence[Weeks], treated: int, motion: Motion, date: pd.Timestamp, *, southern: bool) -> _Stack:
    street = np.concatenate([np.full(len(one.number), n, dtype=np.int64) for n, one in enumerate(streets)])
    number = np.concatenate([one.number for one in streets])
    breaks = np.concatenate([one.breaks for one in streets])
    level = np.concatenate([one.level for one in streets]) - motion.year_end * breaks[:, 0]
    season = _season(number, date, southern)
    n = len(streets)
    X = np.zeros((len(number), 2 * n + treated))
    X[np.arange(len(number)), street] = 1.0
    X[np.arange(len(number)), n + street] = season
    for one in range(treated):
        X[:, 2 * n + one] = (street == one) & (number >= 0)
    precision = FLAT * np.eye(X.shape[1])
    share = SEASON_SHARED * np.ones((n, n)) + (1 - SEASON_SHARED) * np.eye(n)
    precision[n : 2 * n, n : 2 * n] += np.linalg.inv(motion.season_amplitude**2 * share)
    noise = np.concatenate([one.noise for one in streets])
    return _Stack(street, number, level, noise, breaks, X, precision, treated, n, np.column_stack([X, level]))


def _calendar(breaks: Floats, motion: Motion) -> Floats:
    year_end = motion.year_end_sd**2 * np.outer(breaks[:, 0], breaks[:, 0])
    return np.asarray(year_end + motion.school_break_sd**2 * np.outer(breaks[:, 1], breaks[:, 1]), dtype=float)


def _prior_of_size(size: float, spread: float) -> float:
    return -0.5 * float(np.log(size) / spread) ** 2


def _solve(stack: _Stack, V: Floats) -> tuple[Floats, Floats, float]:
    """Return coefficients, their covariance and the restricted log likelihood under covariance `V`."""
    L, wrong = lapack.dpotrf(V, lower=1, clean=0)
    if wrong:
        raise np.linalg.LinAlgError(f"covariance of {len(V)} weeks is not positive definite at {wrong}")
    white, _ = lapack.dtrtrs(L, stack.right, lower=1)
    Xs, ys = white[:, :-1], white[:, -1]
    gram = Xs.T @ Xs + stack.precision
    inner, _ = lapack.dpotrf(gram, lower=1, clean=0)
    right = Xs.T @ ys
    coefficients, _ = lapack.dpotrs(inner, right, lower=1)
    covariance, _ = lapack.dpotrs(inner, np.eye(len(gram)), lower=1)
    likelihood = -np.log(np.diag(L)).sum() - np.log(np.diag(inner)).sum()
    likelihood -= 0.5 * (ys @ ys - coefficients @ right)
    return coefficients, covariance, float(likelihood)


def _size_alone(
    weeks: Weeks, motion: Motion, date: pd.Timestamp, southern: bool, ways: Sequence[Way], *, treated: bool = False
) -> Floats:
    """Return log posterior weights, shape (ways, sizes), of one street's movement from its own weeks."""
    stack = _stacked([weeks], int(treated), motion, date, southern=southern)
    calendar = _calendar(stack.breaks, motion) + np.diag(stack.noise)
    out = np.empty((len(ways), len(SIZES)))
    for row, way in enumerate(ways):
        K = motion.week_step**2 * way.covariance(stack.number)
        for column, size in enumerate(SIZES):
            likelihood = _solve(stack, size**2 * K + calendar)[2]
            out[row, column] = likelihood + _prior_of_size(size, motion.week_step_spread) + way.log_prior
    return out


def _shared_days(streets: Sequence[Weeks], motion: Motion) -> Floats:
    """Return the correlation of days between streets, shrunk towards the published one. Shape (n, n)."""
    n = len(streets)
    out = np.eye(n)
    days = np.unique(np.concatenate([one.shocks.index.to_numpy() for one in streets]))
    table = np.full((n, len(days)), np.nan)
    for row, one in enumerate(streets):
        table[row, np.searchsorted(days, one.shocks.index.to_numpy())] = one.shocks.to_numpy(float)
    seen = ~np.isnan(table)
    for i in range(n):
        for j in range(i):
            both = table[[i, j]][:, seen[i] & seen[j]]
            known = 0.85 * both.shape[1]
            enough = both.shape[1] > 5 and both.std(axis=1).min() > 0
            own = float(np.corrcoef(both)[0, 1]) if enough else motion.shared
            out[i, j] = out[j, i] = (known * own + SHARED_DAYS * motion.shared) / (known + SHARED_DAYS)
    return np.clip(out, 0.02, 1.0)


def _definite(correlation: Floats) -> Floats:
    values, vectors = np.linalg.eigh(correlation)
    mended = (vectors * np.maximum(values, 0.05)) @ vectors.T
    scale = np.sqrt(np.diag(mended))
    return np.asarray(mended / scale[:, None] / scale[None, :], dtype=float)


def _components(
    stack: _Stack, alone: list[Floats], shared: Floats, motion: Motion, ways: Sequence[Way]
) -> Iterator[_Component]:
    """Yield (steps, covariance, log weight, memory, size, V) for every way of moving that is worth trying."""
    index = np.ix_(stack.street, stack.street)
    scatter = np.sqrt(stack.noise)
    same_week = stack.number[:, None] == stack.number[None, :]
    common = np.where(stack.same, 0.0, _definite(shared)[index] * DAY_OVERLAP) * same_week
    fixed = common * scatter[:, None] * scatter[None, :] + np.diag(stack.noise)
    fixed = fixed + _calendar(stack.breaks, motion) * np.where(stack.same, 1.0, CALENDAR_SHARED)
    powers = SHARING_POWERS if stack.streets > 1 else (1.0,)
    sharing = [_definite(shared**power)[index] for power in powers]
    single = stack.treated == 1
    likely = np.exp(alone[0] - alone[0].max()) if single else np.ones_like(alone[0])
    for row, way in enumerate(ways):
        K = motion.week_step**2 * way.covariance(stack.number)
        typical = np.array([_typical_size(one[row]) for one in alone])
        for column, size in enumerate(SIZES):
            if likely[row, column] < NEGLIGIBLE:
                continue
            sizes = typical.copy()
            sizes[: stack.treated] = size if single else typical[: stack.treated] * size
            spread = motion.week_step_spread if single else SEVERAL_SPREAD
            if not single and abs(np.log(size)) > 2.5 * SEVERAL_SPREAD:
                continue
            scale = sizes[stack.street]
            for correlation in sharing:
                V = correlation * scale[:, None] * scale[None, :] * K + fixed
                beta, cov, likelihood = _solve(stack, V)
                k = stack.treated
                weight = likelihood + _prior_of_size(size, spread) + way.log_prior
                yield beta[-k:], cov[-k:, -k:], weight, way, size, V


def _typical_size(weights: Floats) -> float:
    share = np.exp(weights - weights.max())
    return float(np.exp(share @ np.log(SIZES) / share.sum()))


@one_thread()
def step_sd(
    number: Ints, noise: float, motion: Motion, size: float, controls: int, treated: int, way: Way = WAYS[-1]
) -> float:
    """Return the standard deviation of the mean step of streets that all move alike, before anything is counted.

    Parameters
    ----------
    number
        Weeks from the date.
    noise
        Variance of one week's level from days and counting.
    motion
        How such streets move.
    size
        Multiple of its week step.
    controls, treated
        Streets without and with the measure.
    way
        In which they move.

    Returns
    -------
    float
        On the scale of levels; the season may differ by an eighth of a year between the two sides. Streets that move
        alike are worth their means, so that two series say it all however many streets there are.
    """
    counts = np.array([treated, controls] if controls else [treated], dtype=float)
    kind = np.repeat(np.arange(len(counts)), len(number))
    week = np.tile(number, len(counts))
    same = kind[:, None] == kind[None, :]
    of_mean = 1 / counts[kind][:, None] * same

    def between(shared: float) -> Floats:
        return np.asarray(of_mean * (1 - shared) + shared, dtype=float)

    X = np.zeros((len(week), len(counts) + 1))
    X[np.arange(len(week)), kind] = 1.0
    X[:, -1] = (kind == 0) & (week >= 0)
    season = motion.season_amplitude * np.sin(2 * np.pi * week / WEEKS_OF_YEAR)
    V = between(motion.shared) * (size * motion.week_step) ** 2 * way.covariance(week)
    V = V + noise * (week[:, None] == week[None, :]) * between(motion.shared)
    V = V + between(SEASON_SHARED) * np.outer(season, season) / 2
    white = solve_triangular(np.linalg.cholesky(V + 1e-12 * np.eye(len(V))), X, lower=True)
    return float(np.sqrt(np.linalg.inv(white.T @ white)[-1, -1]))


def _without_step(
    stack: _Stack, V: Floats, mixture: Mixture, treated: Sequence[Weeks], motion: Motion
) -> tuple[Expected, ...]:
    """Return the smoothed level of each treated street with its step taken out, and the usual of the year's end put back."""
    beta, _, _ = _solve(stack, V)
    rest = stack.level - stack.X @ beta
    signal = V - np.diag(stack.noise)
    smooth = signal @ np.linalg.solve(V, rest)
    base = stack.X.copy()
    base[:, -stack.treated :] = 0.0
    level = base @ beta + smooth + motion.year_end * stack.breaks[:, 0]
    out = []
    for number, weeks in enumerate(treated):
        here = stack.street == number
        sd = np.where(weeks.number >= 0, mixture.sd(number), np.sqrt(stack.noise[here]))
        out.append(Expected(weeks.number, level[here], np.asarray(sd, dtype=float)))
    return tuple(out)
