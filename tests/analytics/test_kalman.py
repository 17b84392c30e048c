"""One street by itself: the filter over its weeks says what least squares under their covariance says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from tests.analytics.dense import least_squares
from tests.analytics.streets import MEASURE, ZONE, town

from telstraat_analytics import Measure, Question, evaluate
from telstraat_analytics.model import step
from telstraat_analytics.model.level_shifts import candidates
from telstraat_analytics.model.noise_models import NOISE_MODELS
from telstraat_analytics.model.priors import VARIANCE_PRIORS
from telstraat_analytics.model.weeks import Weeks

DATE = pd.Timestamp("2025-09-22")


def street(kind: str, shift: float) -> Weeks:
    """A street of a year with a gap of five weeks, holidays, and an odd level before the date."""
    rng = np.random.default_rng(7)
    number = np.setdiff1d(np.arange(-52, 5), np.arange(-20, -15))
    variance_prior = VARIANCE_PRIORS[kind]
    level = 5 + rng.normal(0, variance_prior.week_step, len(number)).cumsum() + shift * ((number >= -6) & (number < 0))
    breaks = np.column_stack([(number // 2 == -20) * 0.7, np.isin(number, [-10, -9, -8]) * 1.0])
    noise = variance_prior.day_noise**2 * rng.uniform(0.05, 0.5, len(number))
    return Weeks(kind, number, level, noise, breaks, pd.Series(dtype=float), np.ones(7), 0.3, variance_prior.day_noise)


@pytest.mark.parametrize("treated", [True, False])
@pytest.mark.parametrize(("kind", "shift"), [("car", 0.0), ("bike", 0.6), ("v85", -4.0)])
def test_every_way_and_size_is_weighed_as_least_squares_weighs_it(kind: str, shift: float, treated: bool) -> None:
    weeks, variance_prior = street(kind, shift), VARIANCE_PRIORS[kind]
    shifts = candidates(0, weeks.number, treated=treated)
    plain, factor = step._explained(weeks, shifts, variance_prior, DATE, NOISE_MODELS, southern=False, treated=treated)
    stack = step._stacked([weeks], int(treated), variance_prior, DATE, southern=False)
    fixed = step._calendar(stack.breaks, variance_prior) + np.diag(stack.noise)
    C = np.column_stack([item.column for item in shifts])
    usual, expected = np.empty_like(plain), np.empty_like(factor)
    for row, noise_model in enumerate(NOISE_MODELS):
        K = variance_prior.week_step**2 * noise_model.covariance(stack.number)
        for column, size in enumerate(step.SIZES):
            dense = least_squares(stack.X, stack.level, stack.precision, size**2 * K + fixed, C)
            prior = step._prior_of_size(size, variance_prior.week_step_spread) + noise_model.log_prior
            usual[row, column] = dense.likelihood + prior
            expected[row, column] = dense.factor
    assert np.ptp(expected.reshape(3, 3, 5, len(step.SIZES), -1), axis=2).max() > 0.5, "contrasts of seasons matter"
    assert plain - plain.max() == pytest.approx(usual - usual.max(), abs=1e-6)
    assert factor == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_a_street_too_short_for_an_odd_level_is_still_weighed() -> None:
    weeks, variance_prior = street("car", 0.0).between(-2, 1), VARIANCE_PRIORS["car"]
    assert candidates(0, weeks.number, treated=True) == []
    single = step._single(0, weeks, variance_prior, DATE, False, NOISE_MODELS, treated=True)
    assert single.shifts == ()
    assert np.isfinite(single.weight).all()


def test_what_was_weighed_before_changes_nothing_of_what_is_weighed_now() -> None:
    weeks, variance_prior = street("bike", 0.6), VARIANCE_PRIORS["bike"]
    step._single(2, weeks, variance_prior, DATE, False, NOISE_MODELS[3:20:4], treated=True)
    step._single(0, weeks, variance_prior, DATE, False, NOISE_MODELS[3:20:4], treated=False)
    after = step._single(1, weeks, variance_prior, DATE, False, NOISE_MODELS, treated=True)
    alone = step._single(1, dataclasses.replace(weeks), variance_prior, DATE, False, NOISE_MODELS, treated=True)
    assert after.weight == pytest.approx(alone.weight, rel=1e-12)
    assert [(shift.street, shift.kind, shift.first) for shift in after.shifts] == [
        (1, shift.kind, shift.first) for shift in alone.shifts
    ]
    assert any(shift.first == -6 for shift in after.shifts)


def test_what_is_left_out_as_negligible_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = town(4, ("a", "b", "c", "d"), before=400)
    measure = Measure("m", MEASURE, ("a",), ("b", "c", "d"), timezone=ZONE, after_days=28)
    answers = []
    for negligible in (step.NEGLIGIBLE, 1e-9):
        monkeypatch.setattr(step, "NEGLIGIBLE", negligible)
        effect = evaluate(frame, measure, Question("car", hours=tuple(range(8, 19)))).effect
        assert effect is not None
        answers.append([effect.estimate, effect.low, effect.high])
    assert answers[0] == pytest.approx(answers[1], abs=0.005)
