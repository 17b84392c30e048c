"""Planning: how long one must count before and after, on how many streets, to see a wanted effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from telstraat_analytics.errors import QuestionError
from telstraat_analytics.model.noise_models import NOISE_MODELS, WEEKS_OF_YEAR, NoiseModel
from telstraat_analytics.model.priors import (
    DAY_MEMORY,
    MEMORIES_WEEKS,
    SEASON_SHARED,
    WEEK_SHOCKS,
    VariancePrior,
    prior_of,
)
from telstraat_analytics.model.threads import one_thread
from telstraat_analytics.model.weeks import Floats, Ints
from telstraat_analytics.report.numbers import digits_for
from telstraat_analytics.report.sentence import percent
from telstraat_analytics.words import word
from telstraat_contract.languages import LANGUAGES
from telstraat_contract.road_users import CLASSES

WEEKS = (2, 4, 6, 8, 12, 16, 26)
SENSORS = (1, 2, 3, 5)
POWER_WANTED = 0.8
WANTED_MIN = 0.001
"""A smaller change is asked for by mistake: no count of a street shows it."""

SIZE_SPREAD = 0.6  # log spread of week steps between streets, from the published quartiles


@dataclass(frozen=True)
class Plan:
    """What counting can show.

    Attributes
    ----------
    what
        Which traffic.
    target
        The effect one wants to see, e.g. -0.2.
    per_day
        Crossings per comparable day of one street.
    controls
        Streets without a measure that are counted, too.
    table
        Columns sensors, weeks (before and after each), detectable (with a power of 80 %, up or down as `target`), power
        (of seeing `target`).
    """

    what: str
    target: float
    per_day: float
    controls: int
    table: pd.DataFrame = field(repr=False)

    def weeks_needed(self, sensors: int = 1, power: float = POWER_WANTED) -> int | None:
        """Return the fewest weeks before and after with which the wanted effect is seen so often; None if none is enough.

        Parameters
        ----------
        sensors
            Treated streets that are counted.
        power
            How often the wanted effect must be seen.

        Returns
        -------
        int or None
            Weeks on each side.
        """
        rows = self.table[(self.table["sensors"] == sensors) & (self.table["power"] >= power)]
        return int(rows["weeks"].min()) if len(rows) else None

    def sentence(self, language: str = "en") -> str:
        """Return the plan as a sentence, in a language of `LANGUAGES`."""
        numbers = sorted(int(sensors) for sensors in self.table["sensors"].unique())
        enough = next((sensors for sensors in numbers if self.weeks_needed(sensors) is not None), None)
        longest = self.table[self.table["sensors"] == numbers[-1]].iloc[-1]
        change = word("plan.fall" if self.target < 0 else "plan.rise", language, size=_percent(self.target, language))
        given = {"what": word(self.what, language), "change": change, "controls": self.controls}
        if enough is None:
            detectable = _percent(longest["detectable"], language)
            return word(
                "plan_never", language, **given, weeks=int(longest["weeks"]), sensors=numbers[-1], found=detectable
            )
        weeks = self.weeks_needed(enough)
        if enough == numbers[0]:
            return word("plan_weeks", language, **given, weeks=weeks, sensors=enough)
        fewer = numbers[numbers.index(enough) - 1]
        return word(
            "plan_more", language, **given, weeks=weeks, sensors=enough, fewer=fewer, longest=int(longest["weeks"])
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "what": self.what,
            "wanted": self.target,
            "per_day": self.per_day,
            "controls": self.controls,
            "sentence": {language: self.sentence(language) for language in LANGUAGES},
            "table": self.table.to_dict("records"),
        }


def plan(
    what: str = "car",
    target: float = -0.2,
    per_day: float = 1000.0,
    *,
    controls: int = 2,
    sensors: Sequence[int] = SENSORS,
    weeks: Sequence[int] = WEEKS,
    variance_prior: VariancePrior | None = None,
) -> Plan:
    """Plan a count before a measure is taken.

    Parameters
    ----------
    what
        A class of `telstraat_contract.road_users.CLASSES`.
    target
        The effect one wants to see; -0.2 is 20 % less.
    per_day
        Crossings per comparable day on one street.
    controls
        Streets without a measure that are counted, too.
    sensors
        Numbers of treated streets with a sensor.
    weeks
        Weeks before and, as many, after.
    variance_prior
        How the street moves, where it is known better than from other streets.

    Returns
    -------
    Plan
        Power and smallest detectable change for every combination.
    """
    if what not in CLASSES:
        raise QuestionError(f"a plan for {what!r} is not possible; it is one of {', '.join(CLASSES)}")
    if not (-0.99 < target < 5 and abs(target) >= WANTED_MIN):
        raise QuestionError(f"wanted is {target}; give a change such as -0.2 for 20 % less")
    moves = variance_prior or prior_of(what)
    rows = []
    for count in sensors:
        for length in weeks:
            sds = expected_sds(moves, per_day, length, controls, count)
            power = power_of(float(np.log1p(target)), sds)
            least = brentq(lambda step, sds=sds: power_of(step, sds) - POWER_WANTED, 1e-4, 10 * sds.max())
            rows.append(
                {
                    "sensors": count,
                    "weeks": length,
                    "detectable": float(np.expm1(np.sign(target) * least)),
                    "power": power,
                }
            )
    return Plan(what, target, per_day, controls, pd.DataFrame(rows))


def _percent(change: float, language: str) -> str:
    """Return the size of a change, with as many decimals as it takes not to be written as zero."""
    return percent(abs(change), language, digits=digits_for((100 * change,), 0))


def power_of(step: float, sds: Floats) -> float:
    """Return how often a step is seen, in its own direction, on streets that are known so well.

    Parameters
    ----------
    step
        On the log scale.
    sds
        Standard deviations of the estimate on streets of which each is as likely as the others.

    Returns
    -------
    float
        0 to 1.
    """
    return float(np.mean(ndtr(abs(step) / sds - ndtri(0.975))))


def expected_sds(variance_prior: VariancePrior, per_day: float, weeks: int, controls: int, sensors: int) -> Floats:
    """Return the standard deviations that an evaluation will have, on the log scale, for streets that differ.

    Parameters
    ----------
    variance_prior
        How such streets move.
    per_day
        Crossings per day.
    weeks
        Before, and as many after.
    controls, sensors
        Streets without and with the measure; the answer is for the mean of the latter.

    Returns
    -------
    numpy.ndarray
        Of the mean step, for every size of movement and noise model that is as likely as the others: the street's own
        is not known yet.
    """
    sizes = np.exp(ndtri([0.1, 0.3, 0.5, 0.7, 0.9]) * SIZE_SPREAD)
    day = (1 + 2 * sum((1 - lag / 7) * DAY_MEMORY**lag for lag in range(1, 7))) / 7
    noise = variance_prior.day_noise**2 * day + 1 / max(7 * per_day, 1.0)
    number = np.arange(-weeks, weeks)
    noise_models = [NoiseModel(memory, shock) for memory in MEMORIES_WEEKS for shock in WEEK_SHOCKS]
    return np.array(
        [
            step_sd(number, noise, variance_prior, float(size), controls, sensors, noise_model)
            for size in sizes
            for noise_model in noise_models
        ]
    )


@one_thread()
def step_sd(
    number: Ints,
    noise: float,
    variance_prior: VariancePrior,
    size: float,
    controls: int,
    treated: int,
    noise_model: NoiseModel = NOISE_MODELS[-1],
) -> float:
    """Return the standard deviation of the mean step of streets that all move alike, before anything is counted.

    Parameters
    ----------
    number
        Weeks from the date.
    noise
        Variance of one week's level from days and counting.
    variance_prior
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
    season = variance_prior.season_amplitude * np.sin(2 * np.pi * week / WEEKS_OF_YEAR)
    V = between(variance_prior.shared) * (size * variance_prior.week_step) ** 2 * noise_model.covariance(week)
    V = V + noise * (week[:, None] == week[None, :]) * between(variance_prior.shared)
    V = V + between(SEASON_SHARED) * np.outer(season, season) / 2
    white = solve_triangular(np.linalg.cholesky(V + 1e-12 * np.eye(len(V))), X, lower=True)
    return float(np.sqrt(np.linalg.inv(white.T @ white)[-1, -1]))
