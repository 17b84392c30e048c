"""The step at the date: generalised least squares over weekly levels, averaged over how streets may move.

Level of street i in week t:

    level = mean_i + season_i(t) + breaks_i(t) + movement_i(t) + noise_i(t) + step_i * [t >= 0]

Movement forgets over a memory of weeks, has a part that belongs to a single week, may be larger in the other half of the
year than around the date, and is shared between streets. None of that is chosen: it is averaged over, weighted by how
well it explains the data (restricted likelihood times prior). That makes intervals as wide as streets really move.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from telstraat_analytics.model.kalman import StreetWeeks, explained
from telstraat_analytics.model.level_shifts import (
    RATE,
    SPEAKS_FOR,
    Added,
    LevelShift,
    columns,
    log_evidence,
    shifts_of,
)
from telstraat_analytics.model.noise_models import NOISE_MODELS, NoiseModel
from telstraat_analytics.model.posterior import Expected, Mixture, ShiftEvidence, StepFit
from telstraat_analytics.model.priors import (
    CALENDAR_SHARED,
    SEASON_SHARED,
    SHARING_POWERS,
    WARMEST_DAY_OF_YEAR,
    VariancePrior,
)
from telstraat_analytics.model.shared_days import definite, shared_days
from telstraat_analytics.model.threads import one_thread
from telstraat_analytics.model.together import JointWeeks, Solved, solved
from telstraat_analytics.model.weeks import Floats, Ints, Weeks

SIZES = np.exp(np.linspace(-1.5, 1.8, 9))  # multiples of the prior week step that are tried
NOTHING = 1e-6  # weight of all components together that are left out: seen in no digit
NEGLIGIBLE = 0.01  # of the best weight: not worth a factorisation
LIKELIEST = (
    4  # noise models that placebo dates are tried with: all of them would cost ten times as much and say the same
)
FLAT = 1e-9
SEVERAL_SPREAD = 0.35  # with several treated streets their sizes are known from each alone; this much may still be off
DAY_OVERLAP = 0.95  # two streets rarely lose the same days


@dataclass(frozen=True)
class _SingleStreet:
    """One street by itself: log posterior weights of its movement, shape (noise models, sizes), and odd levels worth trying."""

    weight: Floats
    shifts: tuple[LevelShift, ...]


LATEST_MAX = 192
_LATEST: dict[tuple[object, ...], tuple[Weeks, dict[NoiseModel, tuple[Floats, Floats]]]] = {}
"""What streets by themselves have said last, per noise model: log posterior weights of sizes, and log Bayes factors of odd levels."""


@dataclass(frozen=True)
class _Fitted:
    """All streets under one noise model: without an odd level, and what each of them changes."""

    solved: Solved
    log_weight: float
    noise_model: NoiseModel
    size: float
    moving: Floats  # covariance of the steps from week to week between streets
    change: Added


@dataclass(frozen=True)
class _Entries:
    """Components of the mixture, arrays of one length: which fit, with which odd level (-1: none), how much of it stays."""

    fit: Ints
    shift: Ints
    stays: Floats
    log_weight: Floats

    @property
    def best(self) -> int:
        return int(np.argmax(self.log_weight))


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

    @property
    def same(self) -> NDArray[np.bool_]:
        return np.asarray(self.street[:, None] == self.street[None, :])


@one_thread()
def fit_steps(
    treated: Sequence[Weeks],
    controls: Sequence[Weeks],
    variance_prior: VariancePrior,
    date: pd.Timestamp,
    *,
    southern: bool = False,
    noise_models: Sequence[NoiseModel] = NOISE_MODELS,
    steps_only: bool = False,
) -> StepFit:
    """Estimate the step of every treated street at the date.

    Parameters
    ----------
    treated
        Weekly levels of the treated streets, weeks before and after the date.
    controls
        Weekly levels of streets on which nothing was done; may be empty.
    variance_prior
        How such streets move (prior).
    date
        First day of the time after.
    southern
        Whether the warm half of the year is November to April.
    noise_models
        Over which is averaged.
    steps_only
        Leave out what is expected week by week: who asks for the steps alone need not wait for it.

    Returns
    -------
    StepFit
        Posterior of the steps on the scale of `Weeks.level`.
    """
    streets = [*treated, *controls]
    stack = _stacked(streets, len(treated), variance_prior, date, southern=southern)
    singles, noise_models = _singles(streets, len(treated), variance_prior, date, southern, noise_models)
    shifts = [shift for street in singles for shift in street.shifts]
    shared = shared_days(streets, variance_prior)
    weights = [street.weight for street in singles]
    fits = list(_fits(stack, weights, shared, variance_prior, noise_models, shifts))
    entries = _entries(fits, shifts)
    mixture = _mixture(fits, shifts, entries, stack.treated)
    best = entries.best
    held: dict[NoiseModel, float] = dict.fromkeys(noise_models, 0.0)
    for fit, share in zip(fits, np.bincount(entries.fit, mixture.weight, len(fits)), strict=True):
        held[fit.noise_model] += float(share)
    likeliest = tuple(sorted(held, key=lambda noise_model: -held[noise_model])[:LIKELIEST])
    likely = fits[entries.fit[best]]
    expected: tuple[Expected, ...] = ()
    if not steps_only:
        V = _signal(stack, likely, shared, variance_prior)
        expected = _without_step(stack, likely, V, int(entries.shift[best]), shifts, mixture, treated, variance_prior)
    shifts_found = tuple(_level_shift(place, fits, shifts, entries, mixture) for place in range(len(treated)))
    return StepFit(mixture, expected, shared, likeliest, shifts_found)


def _singles(
    streets: Sequence[Weeks],
    treated: int,
    variance_prior: VariancePrior,
    date: pd.Timestamp,
    southern: bool,
    noise_models: Sequence[NoiseModel],
) -> tuple[list[_SingleStreet], Sequence[NoiseModel]]:
    """Return every street by itself, and the noise models worth trying: a single treated street rules out those that do not fit it."""
    singles = []
    if treated == 1:
        first = _single(0, streets[0], variance_prior, date, southern, noise_models, treated=True)
        row_of = dict(zip(noise_models, first.weight, strict=True))
        best = first.weight.max()
        noise_models = [model for model in noise_models if np.exp(row_of[model].max() - best) > NEGLIGIBLE]
        singles = [_SingleStreet(np.array([row_of[model] for model in noise_models]), first.shifts)]
    for place in range(len(singles), len(streets)):
        is_treated = place < treated
        singles.append(_single(place, streets[place], variance_prior, date, southern, noise_models, treated=is_treated))
    return singles, noise_models


def _season(number: Ints, date: pd.Timestamp, southern: bool) -> Floats:
    middle = date.to_datetime64().astype("datetime64[D]") + (number * 7 + 3)
    day_of_year = (middle - middle.astype("datetime64[Y]").astype("datetime64[D]")).astype(int) + 1
    warmest = WARMEST_DAY_OF_YEAR + (182 if southern else 0)
    return np.asarray(np.cos(2 * np.pi * (day_of_year - warmest) / 365.25), dtype=float)


def _stacked(
    streets: Sequence[Weeks], treated: int, variance_prior: VariancePrior, date: pd.Timestamp, *, southern: bool
) -> _Stack:
    street = np.concatenate([np.full(len(weeks.number), n, dtype=np.int64) for n, weeks in enumerate(streets)])
    number = np.concatenate([weeks.number for weeks in streets])
    breaks = np.concatenate([weeks.breaks for weeks in streets])
    level = np.concatenate([weeks.level for weeks in streets]) - variance_prior.year_end * breaks[:, 0]
    season = _season(number, date, southern)
    n = len(streets)
    X = np.zeros((len(number), 2 * n + treated))
    X[np.arange(len(number)), street] = 1.0
    X[np.arange(len(number)), n + street] = season
    for target in range(treated):
        X[:, 2 * n + target] = (street == target) & (number >= 0)
    precision = FLAT * np.eye(X.shape[1])
    share = SEASON_SHARED * np.ones((n, n)) + (1 - SEASON_SHARED) * np.eye(n)
    precision[n : 2 * n, n : 2 * n] += np.linalg.inv(variance_prior.season_amplitude**2 * share)
    noise = np.concatenate([weeks.noise for weeks in streets])
    return _Stack(street, number, level, noise, breaks, X, precision, treated, n)


def _calendar(breaks: Floats, variance_prior: VariancePrior) -> Floats:
    year_end = variance_prior.year_end_sd**2 * np.outer(breaks[:, 0], breaks[:, 0])
    return np.asarray(year_end + variance_prior.school_break_sd**2 * np.outer(breaks[:, 1], breaks[:, 1]), dtype=float)


def _prior_of_size(sizes: Floats | np.float64, spread: float) -> Floats:
    return np.asarray(-0.5 * (np.log(sizes) / spread) ** 2, dtype=float)


def _single(
    place: int,
    weeks: Weeks,
    variance_prior: VariancePrior,
    date: pd.Timestamp,
    southern: bool,
    noise_models: Sequence[NoiseModel],
    *,
    treated: bool,
) -> _SingleStreet:
    """Return what one street's own weeks say about its movement, and the odd levels that they speak for.

    Placebo streets, answers without one control and other streets with the same controls ask again, so the latest are remembered.
    """
    shifts = shifts_of(weeks.number, treated=treated)
    key = (id(weeks), variance_prior, date, southern, treated)
    _, known = _LATEST.setdefault(key, (weeks, {}))  # holding on to the weeks, nothing else gets their id
    _LATEST[key] = _LATEST.pop(key)
    while len(_LATEST) > LATEST_MAX:
        del _LATEST[next(iter(_LATEST))]
    new = [noise_model for noise_model in noise_models if noise_model not in known]
    if new:
        every = _explained(weeks, shifts, variance_prior, date, new, southern=southern, treated=treated)
        known.update(zip(new, zip(*every, strict=True), strict=True))
    plain, factor = (np.array(rows) for rows in zip(*(known[noise_model] for noise_model in noise_models), strict=True))
    share = np.exp(plain - plain.max())[:, :, None]
    mean = (share * np.exp(np.minimum(factor, 300.0))).sum(axis=(0, 1)) / share.sum()
    worth = [shift for shift, size in zip(shifts, mean, strict=True) if size > SPEAKS_FOR]
    return _SingleStreet(
        plain + log_evidence(factor), tuple(dataclasses.replace(shift, street=place) for shift in worth)
    )


def _explained(
    weeks: Weeks,
    shifts: Sequence[LevelShift],
    variance_prior: VariancePrior,
    date: pd.Timestamp,
    noise_models: Sequence[NoiseModel],
    *,
    southern: bool,
    treated: bool,
) -> tuple[Floats, Floats]:
    """Return log posterior weights of a street's movement, shape (noise models, sizes), and log Bayes factors, (noise models, sizes, shifts)."""
    stack = _stacked([weeks], int(treated), variance_prior, date, southern=southern)
    holidays = np.diag([variance_prior.year_end_sd**-2, variance_prior.school_break_sd**-2])
    street = StreetWeeks(
        stack.number,
        stack.level,
        stack.noise,
        np.column_stack([stack.X, stack.breaks]),
        _beside(stack.precision, holidays),
    )
    C = np.array([shift.column for shift in shifts]).reshape(len(shifts), len(stack.number)).T
    seen = explained(street, C, noise_models, variance_prior.week_step * SIZES)
    prior = np.array([noise_model.log_prior for noise_model in noise_models])[:, None]
    return seen.likelihood + prior + _prior_of_size(SIZES, variance_prior.week_step_spread), seen.factor


def _beside(*blocks: Floats) -> Floats:
    """Return square blocks along the diagonal, and zeros beside them."""
    ends = np.cumsum([len(block) for block in blocks])
    out = np.zeros((ends[-1], ends[-1]))
    for block, end in zip(blocks, ends, strict=True):
        out[end - len(block) : end, end - len(block) : end] = block
    return out


@one_thread()
def odd_evidence(weeks: Weeks, variance_prior: VariancePrior, date: pd.Timestamp) -> tuple[float, int]:
    """Return the sum of the Bayes factors of a treated street's odd levels, by its own weeks alone, and how many were tried."""
    shifts = shifts_of(weeks.number, treated=True)
    if not shifts:
        return 0.0, 0
    plain, factor = _explained(weeks, shifts, variance_prior, date, NOISE_MODELS, southern=False, treated=True)
    share = np.exp(plain - plain.max())
    return float((share * np.exp(np.minimum(factor, 300.0)).sum(axis=-1)).sum() / share.sum()), len(shifts)


def _fits(
    stack: _Stack,
    weights: list[Floats],
    shared: Floats,
    variance_prior: VariancePrior,
    noise_models: Sequence[NoiseModel],
    shifts: Sequence[LevelShift],
) -> Iterator[_Fitted]:
    """Yield all streets' fit for every noise model that is worth trying."""
    C = columns(shifts, stack.street)
    weeks = _joint(stack, shared, variance_prior)
    estimated = stack.X.shape[1]
    sharing = [definite(shared**power) for power in (SHARING_POWERS if stack.streets > 1 else (1.0,))]
    single = stack.treated == 1
    spread = variance_prior.week_step_spread if single else SEVERAL_SPREAD
    likely = np.exp(weights[0] - weights[0].max()) if single else np.ones_like(weights[0])
    tried: list[tuple[NoiseModel, np.float64, Floats, Floats]] = []
    for row, noise_model in enumerate(noise_models):
        typical = np.array([_typical_size(weight[row]) for weight in weights])
        for column, size in enumerate(SIZES):
            if likely[row, column] < NEGLIGIBLE or (not single and abs(np.log(size)) > 2.5 * SEVERAL_SPREAD):
                continue
            sizes = typical.copy()
            sizes[: stack.treated] = size if single else typical[: stack.treated] * size
            tried += [(noise_model, size, sizes, correlation) for correlation in sharing]
    moving = variance_prior.week_step**2 * np.array(
        [correlation * sizes[:, None] * sizes[None, :] for _, _, sizes, correlation in tried]
    )
    for (noise_model, size, _, _), covariance, (all_of_it, change) in zip(
        tried, moving, solved(weeks, C, [each[0] for each in tried], moving), strict=True
    ):
        solution = Solved(
            all_of_it.beta[:estimated], all_of_it.covariance[:estimated, :estimated], all_of_it.likelihood
        )
        weight = solution.likelihood + float(_prior_of_size(size, spread)) + noise_model.log_prior
        change = dataclasses.replace(change, pull=change.pull[:estimated])
        yield _Fitted(solution, weight, noise_model, size, covariance, change)


def _joint(stack: _Stack, shared: Floats, variance_prior: VariancePrior) -> JointWeeks:
    """Return all streets' weeks as they are whitened: what the calendar does is estimated with a prior beside the rest."""
    n = stack.streets
    answers = np.zeros((len(stack.level), 2 * n))
    answers[np.arange(len(answers)), stack.street] = stack.breaks[:, 0]
    answers[np.arange(len(answers)), n + stack.street] = stack.breaks[:, 1]
    known = np.linalg.inv(np.where(np.eye(n) > 0, 1.0, CALENDAR_SHARED))
    spreads = (variance_prior.year_end_sd, variance_prior.school_break_sd)
    precision = _beside(stack.precision, *(known / spread**2 for spread in spreads))
    alike = np.where(np.eye(n) > 0, 1.0, definite(shared) * DAY_OVERLAP)
    X = np.column_stack([stack.X, answers])
    return JointWeeks(stack.street, stack.number, stack.level, stack.noise, alike, X, precision)


def _signal(stack: _Stack, fit: _Fitted, shared: Floats, variance_prior: VariancePrior) -> Floats:
    """Return the covariance of the weeks under one fit."""
    moved = fit.moving[np.ix_(stack.street, stack.street)] * fit.noise_model.covariance(stack.number)
    return np.asarray(moved + _fixed(stack, shared, variance_prior), dtype=float)


def _fixed(stack: _Stack, shared: Floats, variance_prior: VariancePrior) -> Floats:
    """Return the part of the covariance of the weeks that does not depend on how streets move: chance, and the calendar."""
    index = np.ix_(stack.street, stack.street)
    scatter = np.sqrt(stack.noise)
    same_week = stack.number[:, None] == stack.number[None, :]
    common = np.where(stack.same, 0.0, definite(shared)[index] * DAY_OVERLAP) * same_week
    fixed = common * scatter[:, None] * scatter[None, :] + np.diag(stack.noise)
    return np.asarray(
        fixed + _calendar(stack.breaks, variance_prior) * np.where(stack.same, 1.0, CALENDAR_SHARED), dtype=float
    )


def _entries(fits: Sequence[_Fitted], shifts: Sequence[LevelShift]) -> _Entries:
    """Return every component of the mixture that is worth keeping: each fit without, and with each odd level as it may be read."""
    plain = np.array([fit.log_weight for fit in fits])[:, None]
    readings = [(which, share, stays) for which, shift in enumerate(shifts) for share, stays in shift.readings]
    which = np.array([-1, *(reading[0] for reading in readings)])
    stays = np.array([0.0, *(reading[2] for reading in readings)])
    factor = np.array([fit.change.factor for fit in fits])
    shares = np.log([RATE * reading[1] for reading in readings])
    logs = np.concatenate([plain, plain + factor[:, which[1:]] + shares], axis=1)
    fit, column = np.nonzero(_worth(logs))
    return _Entries(fit, which[column], stays[column], logs[fit, column])


def _worth(logs: Floats) -> NDArray[np.bool_]:
    """Tell which weights are kept: all but the smallest, that together are seen in no digit."""
    weight = np.exp(logs - logs.max())
    ranked = np.sort(weight, axis=None)
    small = int(np.searchsorted(np.cumsum(ranked), NOTHING * ranked.sum()))
    return np.asarray(weight >= ranked[small])


def _mixture(fits: Sequence[_Fitted], shifts: Sequence[LevelShift], entries: _Entries, treated: int) -> Mixture:
    """Return the posterior of the steps.

    An odd level of size a that stays makes the step against it smaller by a, and shares its uncertainty.
    """
    centre = np.array([fitted.solved.beta[-treated:] for fitted in fits])[entries.fit]
    covariance = np.array([fitted.solved.covariance[-treated:, -treated:] for fitted in fits])[entries.fit]
    with_shift = np.flatnonzero(entries.shift >= 0)
    if len(with_shift):
        fit, shift = entries.fit[with_shift], entries.shift[with_shift]
        pull = np.array([fitted.change.pull[-treated:] for fitted in fits])[fit, :, shift]
        own = np.array([level.street for level in shifts])[shift]
        touched = (own[:, None] == np.arange(treated)) | (own[:, None] >= treated)
        pull = pull + touched * entries.stays[with_shift, None]
        centre[with_shift] -= np.array([fitted.change.size for fitted in fits])[fit, shift][:, None] * pull
        variance = np.array([fitted.change.variance for fitted in fits])[fit, shift]
        covariance[with_shift] += variance[:, None, None] * pull[:, :, None] * pull[:, None, :]
    weight = np.exp(entries.log_weight - entries.log_weight.max())
    weight = weight / weight.sum()
    memory = np.array([fitted.noise_model.memory_weeks for fitted in fits], dtype=float)
    size = np.array([fitted.size for fitted in fits])
    return Mixture(centre, covariance, weight, float(weight @ memory[entries.fit]), float(weight @ size[entries.fit]))


def _level_shift(
    place: int, fits: Sequence[_Fitted], shifts: Sequence[LevelShift], entries: _Entries, mixture: Mixture
) -> ShiftEvidence | None:
    """Return what speaks for an odd level of one treated street."""
    own = np.array([shift.street for shift in shifts] + [-1])[entries.shift] == place
    if not own.any():
        return None
    held = np.zeros((len(shifts), len(fits)))
    np.add.at(held, (entries.shift[own], entries.fit[own]), mixture.weight[own])
    likeliest = int(np.argmax(held.sum(axis=1)))
    share = held[likeliest] / held[likeliest].sum()
    size = np.array([fitted.change.size[likeliest] for fitted in fits])
    step = np.array([fitted.solved.beta[-mixture.centre.shape[1] + place] for fitted in fits])
    pull = np.array([fitted.change.pull[-mixture.centre.shape[1] + place, likeliest] for fitted in fits])
    usual, mean = float(share @ (step - size * pull)), float(share @ size)
    shift = shifts[likeliest]
    return ShiftEvidence(float(held.sum()), shift.kind, shift.first, mean, usual, usual - mean)


def _typical_size(weights: Floats) -> float:
    share = np.exp(weights - weights.max())
    return float(np.exp(share @ np.log(SIZES) / share.sum()))


def _without_step(
    stack: _Stack,
    fit: _Fitted,
    V: Floats,
    which: int,
    shifts: Sequence[LevelShift],
    mixture: Mixture,
    treated: Sequence[Weeks],
    variance_prior: VariancePrior,
) -> tuple[Expected, ...]:
    """Return the smoothed level of each treated street with its step taken out, and the usual of the year's end put back."""
    beta, shift = fit.solved.beta, np.zeros(len(stack.level))
    if which >= 0:
        size = fit.change.size[which]
        beta = beta - size * fit.change.pull[:, which]
        shift = size * columns([shifts[which]], stack.street)[:, 0]
    rest = stack.level - stack.X @ beta - shift
    signal = V - np.diag(stack.noise)
    smooth = signal @ np.linalg.solve(V, rest)
    level = stack.X @ beta + shift + smooth + variance_prior.year_end * stack.breaks[:, 0]
    out = []
    for number, weeks in enumerate(treated):
        here = stack.street == number
        after = weeks.number >= 0
        sd = np.where(after, mixture.sd(number), np.sqrt(stack.noise[here]))
        out.append(Expected(weeks.number, level[here] - mixture.mean(number) * after, np.asarray(sd, dtype=float)))
    return tuple(out)
