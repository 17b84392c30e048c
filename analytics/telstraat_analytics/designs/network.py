"""Several streets at once: the change of the area, and where the traffic went, with the uncertainty of the sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from telstraat_analytics.designs.one_street import StreetAnswer
from telstraat_analytics.designs.series import CONTROLS_MAX, Prepared
from telstraat_analytics.designs.year import steps_of
from telstraat_analytics.effect import POWER, Effect, Unit
from telstraat_analytics.measure import Measure
from telstraat_analytics.model.posterior import DEGREES, Mixture
from telstraat_analytics.model.step import fit_steps
from telstraat_analytics.model.weeks import Floats
from telstraat_analytics.question import Question

DRAWS = 4000
NOISE_MODELS_MAX = 4  # each the likeliest of one street: many streets together are slow to try
SEED = 20220816


@dataclass(frozen=True)
class Flow:
    """A difference of crossings per comparable day, with its 95 % interval."""

    per_day: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Return plain numbers."""
        return {"per_day": self.per_day, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Network:
    """What happened to the area.

    Attributes
    ----------
    area
        Change of the sum over the treated streets; of what is no count, the mean of their changes.
    treated, boundary
        Crossings per day that came or went, on the treated streets and on the boundary; None for what is no count.
    balance
        Their sum: below zero, traffic evaporated; crossings of counted streets, not trips.
    moved_share
        Share of what left the treated streets that is found on the boundary, with its interval; None when nothing left.
    """

    area: Effect
    treated: Flow | None
    boundary: Flow | None
    balance: Flow | None
    moved_share: tuple[float, float, float] | None

    def to_dict(self) -> dict[str, object]:
        """Return plain numbers."""
        return {
            "area": self.area.to_dict(),
            "treated": self.treated.to_dict() if self.treated else None,
            "boundary": self.boundary.to_dict() if self.boundary else None,
            "balance": self.balance.to_dict() if self.balance else None,
            "moved_share": self.moved_share,
        }


def network(
    prepared: Prepared,
    treated: Sequence[StreetAnswer],
    boundary: Sequence[StreetAnswer],
    measure: Measure,
    question: Question,
) -> Network | None:
    """Evaluate the sum of several streets.

    Parameters
    ----------
    prepared
        What `telstraat_analytics.designs.series.prepare` returned.
    treated, boundary
        Answers of single streets; refused ones stay outside the sum.
    measure, question
        What was done, and what is asked.

    Returns
    -------
    Network or None
        None when fewer than two streets have an answer.
    """
    inside = [answer for answer in treated if answer.effect is not None and answer.street is not None]
    edge = [
        answer for answer in boundary if answer.effect is not None and answer.street is not None and question.is_count
    ]
    if not inside or len(inside) + len(edge) < 2:
        return None
    streets = [answer.street.weeks for answer in (*inside, *edge) if answer.street is not None]
    seen: dict[str, object] = {}
    donors = [
        other
        for answer in (*inside, *edge)
        for other in answer.donors
        if not (other.segment in seen or seen.update({other.segment: 1}))
    ]
    others = [control.weeks for control in donors[:CONTROLS_MAX]]
    if question.against == "last year":
        years = [answer.year for answer in (*inside, *edge) if answer.year is not None]
        known = {ratio.segment: ratio for year in years for ratio in year.controls}
        quiet = [ratio for year in years for ratio in year.quiet]
        steps = steps_of([year.own for year in years], list(known.values()), question.variance_prior, quiet)
        return _sums(steps, 1.0, inside, edge, question)
    noise_models = list(
        dict.fromkeys(answer.fit.noise_models[0] for answer in (*inside, *edge) if answer.fit is not None)
    )[:NOISE_MODELS_MAX]
    date, southern = prepared.span.date, measure.days.southern
    fit = fit_steps(
        streets, others, question.variance_prior, date, southern=southern, noise_models=noise_models, steps_only=True
    )
    wider = float(np.mean([answer.stretch for answer in (*inside, *edge)]))
    return _sums(fit.steps, wider, inside, edge, question)


def _sums(
    steps: Mixture, wider: float, inside: Sequence[StreetAnswer], edge: Sequence[StreetAnswer], question: Question
) -> Network:
    """Return what the steps of all streets together say about their sums."""
    draws = _draws(steps, wider)
    observed = np.array([answer.effect.observed for answer in (*inside, *edge) if answer.effect is not None])
    if not question.is_count:
        return Network(_mean(observed, draws, question), None, None, None, None)
    changes = observed * (1 - np.exp(-draws))
    split = len(inside)
    lost = changes[:, :split].sum(axis=1)
    area = _area(observed[:split], draws[:, :split])
    headline = area if split > 1 else inside[0].effect
    assert headline is not None, "streets inside have an effect"
    gone = _flow(lost, headline.observed - headline.expected)
    if not edge:
        return Network(area, gone, None, None, None)
    gained = changes[:, split:].sum(axis=1)
    came = _flow(
        gained, sum(answer.effect.observed - answer.effect.expected for answer in edge if answer.effect is not None)
    )
    moved = _share(gained, lost, -came.per_day / gone.per_day) if gone.per_day < 0 else None
    return Network(area, gone, came, _flow(lost + gained, gone.per_day + came.per_day), moved)


def _draws(steps: Mixture, wider: float) -> Floats:
    """Return draws of all steps together, shape (DRAWS, steps); the same for the same posterior."""
    rng = np.random.default_rng(SEED)
    which = rng.choice(len(steps.weight), size=DRAWS, p=steps.weight)
    k = steps.centre.shape[1]
    roots = np.linalg.cholesky(steps.covariance + 1e-12 * np.eye(k))
    normal = rng.standard_normal((DRAWS, k))
    tails = np.sqrt(DEGREES / rng.chisquare(DEGREES, DRAWS))[:, None]
    middle = steps.weight @ steps.centre
    raw = steps.centre[which] + np.einsum("dij,dj->di", roots[which], normal) * tails
    return np.asarray(middle + wider * (raw - middle), dtype=float)


def _flow(values: Floats, middle: float) -> Flow:
    """Return the interval of a flow around its middle, which is observed less expected as the answers say: they add up."""
    low, high = np.quantile(values, [0.025, 0.975])
    return Flow(middle, min(float(low), middle), max(float(high), middle))


def _share(gained: Floats, lost: Floats, middle: float) -> tuple[float, float, float]:
    real = lost < 0
    if not real.any():
        return middle, -np.inf, np.inf
    low, high = np.quantile(-gained[real] / lost[real], [0.025, 0.975])
    return middle, min(float(low), middle), max(float(high), middle)


def _mean(observed: Floats, draws: Floats, question: Question) -> Effect:
    """Return the mean change of speeds or shares, every street counting alike."""
    unit: Unit = "km/h" if question.what == "v85" else "points"
    changes = draws if unit == "km/h" else observed - 1 / (1 + np.exp(draws - np.log(observed / (1 - observed))))
    mean = changes.mean(axis=1)
    low, middle, high = np.quantile(mean, [0.025, 0.5, 0.975])
    hidden = float((ndtri(0.975) + ndtri(POWER)) * mean.std())
    level = float(observed.mean())
    chance = float(np.mean(np.abs(mean - middle) >= abs(middle)))
    return Effect(
        float(middle), float(low), float(high), unit, level, level - float(middle), max(chance, 1 / DRAWS), -hidden
    )


def _area(observed: Floats, draws: Floats) -> Effect:
    expected = (observed * np.exp(-draws)).sum(axis=1)
    relative = observed.sum() / expected - 1
    low, middle, high = np.quantile(relative, [0.025, 0.5, 0.975])
    logs = np.log1p(relative)
    size = abs(float(np.median(logs)))
    chance = float(np.mean(np.abs(logs - np.median(logs)) >= size))
    hidden = float((ndtri(0.975) + ndtri(POWER)) * logs.std())
    total = float(observed.sum())
    return Effect(
        float(middle),
        float(low),
        float(high),
        "relative",
        total,
        total / (1 + float(middle)),
        max(chance, 1 / DRAWS),
        float(np.expm1(-hidden)),
    )
