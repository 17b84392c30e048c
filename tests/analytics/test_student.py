"""The distribution function of the mixture's components."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtr

from telstraat_analytics.model.posterior import DEGREES, student_below


def test_the_finite_series_is_the_distribution_of_a_student_t() -> None:
    value = np.concatenate([[0.0, 1e-9, -1e-9, 1e12, -1e12], np.linspace(-12, 12, 1001)])
    assert DEGREES % 2 == 0, "the series is that of an even number of degrees of freedom"
    assert np.abs(student_below(value) - stdtr(DEGREES, value)).max() < 1e-14
