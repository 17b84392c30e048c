"""Dates on which nothing happened: what the method would have claimed there, and how far to trust its own intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from telstraat_analytics.model.noise_models import NOISE_MODELS, NoiseModel
from telstraat_analytics.model.priors import VariancePrior
from telstraat_analytics.model.step import fit_steps
from telstraat_analytics.model.weeks import Weeks

WEEKS_AFTER_MAX = 4  # a placebo looks as far ahead as most first evaluations do
WEEKS_BEFORE_MIN = 3
PLACEBOS_MAX = 6
TRUST = 20.0  # the model's own intervals weigh as much as so many placebo dates


@dataclass(frozen=True)
class Placebo:
    """One date on which nothing happened.

    Attributes
    ----------
    segment
        The street that was treated as if.
    date
        The date.
    effect
        What was found, on the scale of the levels.
    sd
        With what standard deviation.
    claimed
        Whether the 95 % interval excluded zero.
    """

    segment: str
    date: pd.Timestamp
    effect: float
    sd: float
    claimed: bool

    @property
    def surprise(self) -> float:
        """Return the effect in standard deviations."""
        return self.effect / self.sd


def placebos_in_time(
    target: Weeks,
    others: Sequence[Weeks],
    variance_prior: VariancePrior,
    date: pd.Timestamp,
    after: int,
    *,
    southern: bool = False,
    noise_models: Sequence[NoiseModel] = NOISE_MODELS,
) -> list[Placebo]:
    """Evaluate earlier dates in the time before, where nothing was done.

    Parameters
    ----------
    target
        Weekly levels of the street to test.
    others
        Streets to compare with.
    variance_prior
        Prior of their movement.
    date
        The date of the real measure; only weeks before it are used.
    after
        Weeks after the real date; a placebo uses as many, at most four.
    southern
        Whether the warm half of the year is November to April.
    noise_models
        Over which is averaged.

    Returns
    -------
    list of Placebo
        Latest first; their times after do not overlap. At most six.
    """
    past = target.between(-10_000, -1)
    span = max(1, min(after, WEEKS_AFTER_MAX))
    placebos: list[Placebo] = []
    for back in range(span, len(past.number), span):
        if len(placebos) == PLACEBOS_MAX:
            break
        shifted = _seen_from(past, back, span)
        if (shifted.number < 0).sum() < WEEKS_BEFORE_MIN or (shifted.number >= 0).sum() < max(1, span // 2):
            continue
        donors = [_seen_from(control, back, span) for control in others]
        donors = [
            control
            for control in donors
            if (control.number < 0).sum() >= WEEKS_BEFORE_MIN and (control.number >= 0).any()
        ]
        earlier = date - pd.Timedelta(weeks=back)
        placebos.append(
            _placebo(shifted, donors, variance_prior, earlier, southern=southern, noise_models=noise_models)
        )
    return placebos


LATEST_MAX = 128
_LATEST: dict[tuple[int, int, int], tuple[Weeks, Weeks]] = {}
"""What `_seen_from` has answered last: many streets are compared with the same controls."""


def _seen_from(weeks: Weeks, back: int, span: int) -> Weeks:
    """Return weeks numbered from a date `back` weeks earlier, up to `span` weeks after it."""
    key = (id(weeks), back, span)
    if key not in _LATEST:
        while len(_LATEST) >= LATEST_MAX:
            del _LATEST[next(iter(_LATEST))]
        _LATEST[key] = weeks, weeks.between(-10_000, -back + span - 1).shifted(-back)
    return _LATEST[key][1]


def placebos_in_space(
    controls: Sequence[Weeks],
    variance_prior: VariancePrior,
    date: pd.Timestamp,
    *,
    southern: bool = False,
    noise_models: Sequence[NoiseModel] = NOISE_MODELS,
) -> list[Placebo]:
    """Evaluate every control street as if it had been treated at the real date.

    Parameters
    ----------
    controls
        Weekly levels of streets on which nothing was done.
    variance_prior
        Prior of their movement.
    date
        The real date.
    southern
        Whether the warm half of the year is November to April.
    noise_models
        Over which is averaged.

    Returns
    -------
    list of Placebo
        One per control with weeks on both sides.
    """
    placebos = []
    for number, control in enumerate(controls):
        if (control.number < 0).sum() < WEEKS_BEFORE_MIN or not (control.number >= 0).any():
            continue
        others = [*controls[:number], *controls[number + 1 :]]
        placebos.append(_placebo(control, others, variance_prior, date, southern=southern, noise_models=noise_models))
    return placebos


def stretch(placebos: Sequence[Placebo]) -> float:
    """Return the factor for the width of intervals that placebo dates ask for, held back by trust in the model.

    Parameters
    ----------
    placebos
        Of the treated street before the measure and of streets without one.

    Returns
    -------
    float
        1 where placebos behave as the model says; root of the mean squared surprise where there are many.
    """
    if not placebos:
        return 1.0
    squares = np.minimum(np.square([placebo.surprise for placebo in placebos]), 9.0)
    return float(np.sqrt((TRUST + squares.sum()) / (TRUST + len(squares))))


def _placebo(
    target: Weeks,
    others: Sequence[Weeks],
    variance_prior: VariancePrior,
    date: pd.Timestamp,
    *,
    southern: bool,
    noise_models: Sequence[NoiseModel],
) -> Placebo:
    steps = fit_steps(
        [target], others, variance_prior, date, southern=southern, noise_models=noise_models, steps_only=True
    ).steps
    claimed = steps.quantile(0.025) > 0 or steps.quantile(0.975) < 0
    return Placebo(target.segment, date, steps.mean(), steps.sd(), claimed)
