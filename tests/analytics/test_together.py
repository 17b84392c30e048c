"""Streets together: the filter over their weeks says what least squares under the covariance of all their weeks says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.analytics.dense import least_squares

from telstraat_analytics.model import step
from telstraat_analytics.model.level_shifts import candidates, columns
from telstraat_analytics.model.noise_models import NOISE_MODELS
from telstraat_analytics.model.priors import VARIANCE_PRIORS
from telstraat_analytics.model.shared_days import shared_days
from telstraat_analytics.model.weeks import Weeks

DATE = pd.Timestamp("2025-09-22")
GAPS = ((-20, -15), (-30, -28), (-8, -7), (2, 3))


def town(streets: int, kind: str) -> list[Weeks]:
    """Streets of different lengths that move together, each with weeks of its own missing and some missing everywhere."""
    rng = np.random.default_rng(3)
    variance_prior = VARIANCE_PRIORS[kind]
    together = rng.normal(0, variance_prior.week_step, 80).cumsum()
    out = []
    for place in range(streets):
        number = np.setdiff1d(np.arange(-60 + 5 * place, 9 - place), np.arange(*GAPS[place % len(GAPS)]))
        number = np.setdiff1d(number, [-40, -39, -12])
        level = 5 + together[number + 60] + rng.normal(0, 0.7 * variance_prior.week_step, len(number)).cumsum()
        level += 0.5 * (place == 1) * ((number >= -6) & (number < 0))
        breaks = np.column_stack([(number // 2 == -19) * 0.7, np.isin(number, [-11, -10, -9]) * 1.0])
        noise = variance_prior.day_noise**2 * rng.uniform(0.05, 0.5, len(number))
        days = pd.Series(rng.normal(size=7 * len(number)), index=(7 * number[:, None] + np.arange(7)).ravel())
        out.append(Weeks(f"{place}", number, level, noise, breaks, days, np.ones(7), 0.3, variance_prior.day_noise))
    return out


@pytest.mark.parametrize("kind", ["car", "bike"])
@pytest.mark.parametrize(("streets", "treated"), [(1, 1), (4, 1), (5, 3)])
def test_every_fit_of_several_streets_is_the_one_of_least_squares(kind: str, streets: int, treated: int) -> None:
    variance_prior, weeks = VARIANCE_PRIORS[kind], town(streets, kind)
    stack = step._stacked(weeks, treated, variance_prior, DATE, southern=False)
    shared = shared_days(weeks, variance_prior)
    shifts = [
        shift
        for place, street in enumerate(weeks)
        for shift in candidates(place, street.number, treated=place < treated)[::5]
    ]
    singles, models = step._singles(weeks, treated, variance_prior, DATE, False, NOISE_MODELS[::7])
    fits = list(step._fits(stack, [single.weight for single in singles], shared, variance_prior, models, shifts))
    assert len(fits) >= 9
    C = columns(shifts, stack.street)
    dense = [
        least_squares(stack.X, stack.level, stack.precision, step._signal(stack, fit, shared, variance_prior), C)
        for fit in fits
    ]
    for fit, usual in zip(fits, dense, strict=True):
        assert fit.solved.beta == pytest.approx(usual.beta, rel=1e-8, abs=1e-9)
        assert fit.solved.covariance == pytest.approx(usual.covariance, rel=1e-8, abs=1e-10)
        for name in ("factor", "size", "variance", "pull"):
            assert getattr(fit.change, name) == pytest.approx(getattr(usual, name), rel=1e-8, abs=1e-8)
    likelihood = np.array([fit.solved.likelihood for fit in fits])
    expected = np.array([usual.likelihood for usual in dense])
    assert likelihood - likelihood[0] == pytest.approx(expected - expected[0], abs=1e-7)
