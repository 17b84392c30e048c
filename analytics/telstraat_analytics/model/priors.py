"""How streets move when nothing is done to them: the structural constants, each with where it comes from.

Spread and movement are published medians and quartiles over some 140 sensors and several hundred counters of many towns, or
judgements, a few of which were changed after seeing the placebo benchmark (docs/evaluation.md says which).
"""

from __future__ import annotations

from dataclasses import dataclass

from telstraat_contract.road_users import CLASSES


@dataclass(frozen=True)
class VariancePrior:
    """How the level of one kind of traffic moves, on the log scale (speed: in its own unit).

    Attributes
    ----------
    week_step
        Standard deviation of the step of the level from one week to the next.
    week_step_spread
        Standard deviation of the logarithm of `week_step` between streets.
    day_noise
        Standard deviation of a day around its week.
    season_amplitude
        Standard deviation of the yearly wave's half height (its phase is the one of light and warmth).
    year_end, year_end_sd
        Mean and standard deviation of the change in the weeks around New Year.
    school_break_sd
        Standard deviation of the change in the long school holidays.
    shared
        Correlation of two streets of one town from day to day.
    """

    week_step: float
    day_noise: float
    season_amplitude: float
    year_end: float
    year_end_sd: float
    school_break_sd: float
    shared: float
    week_step_spread: float = 0.9


# week_step, day_noise: the recipe of the published variability study of 145 window sensors (steps of a weekly random
# walk 0.08 / 0.10 / 0.05 / 0.12, days 0.26 / 0.23 / 0.155 / 0.32). Quartiles of week-to-week change between sensors span
# a factor 2 to 2.4, a log spread of 0.6; 0.9 leaves room for kinds of street that were not in that study.
# season_amplitude: monthly factors of permanent counters in temperate towns: cars within some 10 %, bicycles up to
# a factor of two to three between January and June; centred on zero, so that it widens and never shifts an answer.
# year_end: a working week without work: lorries and commuting by bicycle fall by a third or more, cars by less.
# shared: the same study: 0.32-0.36 car, 0.36-0.40 bicycle, 0.30 heavy, 0.18 pedestrian.
VARIANCE_PRIORS: dict[str, VariancePrior] = {
    "pedestrian": VariancePrior(0.08, 0.26, 0.20, -0.20, 0.30, 0.30, 0.20),
    "bike": VariancePrior(0.10, 0.23, 0.30, -0.40, 0.30, 0.15, 0.40),
    "car": VariancePrior(0.05, 0.155, 0.06, -0.15, 0.12, 0.07, 0.35),
    "heavy": VariancePrior(0.12, 0.32, 0.10, -0.40, 0.30, 0.15, 0.30),
    # Speed has no published variability study at this grain: V85 in km/h, shares in log odds. Wide on purpose.
    "v85": VariancePrior(0.5, 1.5, 0.5, 0.0, 1.0, 0.5, 0.2, 1.2),
    "share": VariancePrior(0.08, 0.25, 0.10, 0.0, 0.20, 0.10, 0.2, 1.2),
}
UNSTUDIED = VariancePrior(0.12, 0.32, 0.30, -0.25, 0.40, 0.30, 0.20)
"""Of a class that no study has counted: the widest of each, the least that is shared, so that no answer about it is too sure."""

DAY_MEMORY = 0.3
"""Prior of the correlation from one day to the next inside a week (residual correlation at 24 h is 0.07 to 0.12 given
the week, 0.25 to 0.5 for daily totals; the series' own estimate is added to it)."""

DAY_MEMORY_DAYS = 40
"""Weight of that prior, in days."""

SHARED_DAYS = 20
"""Weight of the prior of `VariancePrior.shared`, in days."""

MEMORIES_WEEKS = (3.0, 8.0, 30.0)
"""How long a street's level remembers: from a fortnight's roadworks to the slow growth of a neighbourhood."""

WEEK_SHOCKS = (0.0, 1.5, 3.0)
"""What a single week has to itself (a wet week, a match, a lorry that parks before the window), as multiples of the week
step: none, about as large as the step, and clearly larger. A judgement; which of them holds is learnt from the street."""

SEASON_CONTRASTS = (0.25, 0.5, 1.0, 2.0, 4.0)
CONTRAST_SPREAD = 0.7
"""How much more a street moves in the other half of the year than around the date: bicycles and people on foot move more
in winter than in summer. Tried from a quarter to four times, with a log spread of a factor two; learnt from the street."""

SHARING_POWERS = (1.0, 0.6, 0.3)
"""Slow movements are shared more than days are: correlation of days to one of these powers."""

CALENDAR_SHARED = 0.6
SEASON_SHARED = 0.8
"""Share of the answer to holidays and to the season that streets of a town have in common."""

WARMEST_DAY_OF_YEAR = 200
"""Mid July, north of the equator; half a year later south of it."""

HISTORY_DAYS = 765
CONTROL_HISTORY_DAYS = 400
"""How far back the model looks: on the street itself two years and the same weeks of the year before, so that each season
was seen twice; on streets it is compared with one year, since older weeks of theirs say little about it and cost time."""

PUBLISHED_SCHEME = -0.33
"""Median change of motor traffic inside 46 London low-traffic neighbourhoods (Thomas and Aldred): a scale to plan with."""


def prior_of(road_user: str) -> VariancePrior:
    """Return the variance prior of one class: one that nobody has studied moves as much as any that was."""
    return VARIANCE_PRIORS.get(road_user, UNSTUDIED)


def motion_of(columns: tuple[str, ...]) -> VariancePrior:
    """Return the variance prior of a sum of classes: the one of its most frequent kind.

    Parameters
    ----------
    columns
        Names of classes, with or without direction (``car``, ``car_lft``).

    Returns
    -------
    Motion
        Of ``car`` where it is among them, else of the first.
    """
    names = [column.split("_")[0] for column in columns]
    for name in ("car", "bike", *CLASSES):
        if name in names:
            return prior_of(name)
    return VARIANCE_PRIORS[names[0]] if names and names[0] in VARIANCE_PRIORS else VARIANCE_PRIORS["car"]
