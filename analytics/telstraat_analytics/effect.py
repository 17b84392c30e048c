"""The answer in numbers: an effect with its interval, what it is relative to, and what could have been seen at all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri

from telstraat_analytics.model.posterior import Mixture
from telstraat_analytics.values import from_log_odds

Unit = Literal["relative", "km/h", "points"]
POWER = 0.8  # the usual power of a detectable change
LEAST: dict[Unit, float] = {"relative": 1e-4, "km/h": 1e-2, "points": 1e-4}
"""What is written as zero with two decimals is not claimed."""


def direction_of(estimate: float, low: float, high: float, least: float = 0.0) -> int:
    """Return which way a change goes beyond doubt: the one rule for every sentence, chart and letter.

    Parameters
    ----------
    estimate, low, high
        The change and its interval.
    least
        A change that may be smaller than this is none.

    Returns
    -------
    int
        1 up, -1 down; 0 where the interval leaves it open, contradicts the estimate or is no number.
    """
    values = (estimate, low, high)
    if math.isinf(estimate) or any(map(math.isnan, values)):
        return 0
    return 1 if min(values) > least else -1 if max(values) < -least else 0


@dataclass(frozen=True)
class Effect:
    """A change against what would have been expected.

    Attributes
    ----------
    estimate, low, high
        The change and its 95 % interval. ``relative``: -0.23 is 23 % less; ``km/h``: a difference; ``points``: a
        difference of shares, 0.05 is five percentage points.
    unit
        Which of these.
    observed, expected
        Per comparable day (counts), in km/h (V85), or a share.
    chance
        How often a change at least as large, up or down, comes about without a measure, by the same model.
    detectable
        The smallest decrease that these data would have shown four times out of five.
    """

    estimate: float
    low: float
    high: float
    unit: Unit
    observed: float
    expected: float
    chance: float
    detectable: float

    @property
    def direction(self) -> int:
        """Return 1 where it rose, -1 where it fell, 0 where that cannot be told from chance."""
        return direction_of(self.estimate, self.low, self.high, LEAST[self.unit])

    @property
    def claimed(self) -> bool:
        """Tell whether the interval leaves out no change."""
        return self.direction != 0

    def to_dict(self) -> dict[str, object]:
        """Return plain numbers."""
        return {
            "estimate": self.estimate,
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "observed": self.observed,
            "expected": self.expected,
            "chance": self.chance,
            "detectable": self.detectable,
            "claimed": self.claimed,
        }


def effect_of(steps: Mixture, which: int, observed_level: float, what: str, stretch: float) -> Effect:
    """Turn a step of levels into an effect.

    Parameters
    ----------
    steps
        Posterior of the steps.
    which
        Which step.
    observed_level
        Mean level of the time after (log count, km/h, or log odds).
    what
        What was asked (`telstraat_analytics.question.Question.what`).
    stretch
        Factor for the width, from placebo dates.

    Returns
    -------
    Effect
        With a 95 % interval.
    """
    middle = steps.mean(which)
    low, high = steps.quantile(0.025, which, stretch), steps.quantile(0.975, which, stretch)
    chance = by_chance(steps, which, stretch)
    hidden = (ndtri(0.975) + ndtri(POWER)) * steps.sd(which) * stretch
    if what == "v85":
        return Effect(middle, low, high, "km/h", observed_level, observed_level - middle, chance, -float(hidden))
    if what == "above_limit" or what.endswith("_share"):
        share = from_log_odds(observed_level)
        points = [share - from_log_odds(observed_level - value) for value in (middle, low, high)]
        seen = from_log_odds(observed_level - middle - float(hidden)) - from_log_odds(observed_level - middle)
        return Effect(points[0], points[1], points[2], "points", share, share - points[0], chance, seen)
    observed = float(np.exp(observed_level))
    return Effect(
        float(np.expm1(middle)),
        float(np.expm1(low)),
        float(np.expm1(high)),
        "relative",
        observed,
        observed / float(np.exp(middle)),
        chance,
        float(np.expm1(-hidden)),
    )


def by_chance(steps: Mixture, which: int, stretch: float = 1.0) -> float:
    """Return how often nothing looks at least as much like something as this does.

    Parameters
    ----------
    steps
        Posterior of the steps.
    which
        Which step.
    stretch
        Factor for the width.

    Returns
    -------
    float
        Two-sided tail probability of the step's size under no change.
    """
    mean = steps.mean(which)
    size = abs(mean) / stretch
    return steps.below(mean - size, which) + 1 - steps.below(mean + size, which)


def mean_level_after(number: np.ndarray, level: np.ndarray, noise: np.ndarray) -> float:
    """Return the mean level of the weeks after the date, weighted by how well each is known."""
    after = number >= 0
    return float(np.average(level[after], weights=1 / (noise[after] + np.median(noise))))


def weeks_table(
    number: np.ndarray, level: np.ndarray, expected: np.ndarray, sd: np.ndarray, date: pd.Timestamp, what: str
) -> pd.DataFrame:
    """Return observed and expected per week, on the scale that people read.

    Parameters
    ----------
    number
        Week numbers from the date.
    level, expected, sd
        Levels seen and expected, and the standard deviation of what was expected.
    date
        First day of week 0.
    what
        What was asked.

    Returns
    -------
    pandas.DataFrame
        Columns week (its first day), after, observed, expected, low, high.
    """
    scale = np.exp if not (what in {"v85", "above_limit"} or what.endswith("_share")) else np.asarray
    if what == "above_limit" or what.endswith("_share"):
        scale = np.vectorize(from_log_odds, otypes=[float])
    return pd.DataFrame(
        {
            "week": date + pd.to_timedelta(number * 7, unit="D"),
            "after": number >= 0,
            "observed": scale(level),
            "expected": scale(expected),
            "low": scale(expected - 1.96 * sd),
            "high": scale(expected + 1.96 * sd),
        }
    )
