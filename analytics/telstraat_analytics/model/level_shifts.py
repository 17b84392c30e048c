"""An odd level: weeks before the date in which a street stood apart from what it was before, alone among its neighbours.

Counts cannot say whether a street would have gone back to its usual level or stayed where it was: both give the same weeks
before, and only the measure's own step tells them apart. So both are kept, with equal weight, and an answer covers the two
wherever the weeks speak for an odd level. How likely there is one is a Bayes factor per week at which it may have begun,
inside every noise model, times how often streets do that; nothing is switched on or off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np

from telstraat_analytics.model.weeks import Floats, Ints

RATE = 0.004
"""How likely an odd level begins in a given week: once in five years. Counts of four towns on dates without a measure are likeliest
at 0.002, up to 0.007 (docs/decisions/029); they were chosen for being quiet, so it is a little more."""

SPREAD = 0.5
"""Standard deviation of its size in logs: two thirds lie between 40 % less and 65 % more."""

SINCE_WEEKS = 26
"""What has lasted for half a year is the usual level."""

USUAL_WEEKS_MIN = 3
NEAR_WEEKS = 2
DRIFT_WEEKS = (4, 6, 8, 10, 13, 16, 20, 26)
"""How long before the date a drift may have begun: a sensor that learns, a shop that fills up."""

SPEAKS_FOR = 1.0  # Bayes factor from which a beginning is tried together with the other streets
Kind = Literal["level", "drift"]


@dataclass(frozen=True)
class LevelShift:
    """A level shift or drift that a street may have had before the date.

    Attributes
    ----------
    street
        Its place among the streets.
    kind
        ``level``: all at once; ``drift``: a little more every week.
    first
        Week from the date in which it begins.
    column
        Shape (weeks of the street,), what it adds per unit of its size.
    readings
        Per reading its share, and how much of the size is taken from the step: of the street itself, or of every treated
        street where it is a street without a step.
    """

    street: int
    kind: Kind
    first: int
    column: Floats = field(repr=False)
    readings: tuple[tuple[float, float], ...] = ((1.0, 0.0),)


def candidates(street: int, number: Ints, *, treated: bool) -> list[LevelShift]:
    """Return the level shifts that a street may have had.

    Parameters
    ----------
    street
        Its place among the streets.
    number
        Its weeks from the date.
    treated
        Whether it has a step at the date: then what comes before may stay, go back, or (a drift) go on. A street without
        one may have been odd until the date, or from some week on.

    Returns
    -------
    list of LevelShift
        Empty when there are too few weeks.
    """
    before = number < 0
    begins = [
        int(week) for week in number[before & (number >= -SINCE_WEEKS)] if (number < week).sum() >= USUAL_WEEKS_MIN
    ]
    readings: tuple[tuple[float, float], ...] = ((0.5, 0.0), (0.5, 1.0)) if treated else ((1.0, 0.0),)
    out = [LevelShift(street, "level", week, ((number >= week) & before).astype(float), readings) for week in begins]
    for weeks in DRIFT_WEEKS:
        if (number < -weeks).sum() < USUAL_WEEKS_MIN:
            continue
        grown = np.clip((number + weeks + 0.5) / weeks, 0.0, None)
        if treated:
            goes_on = float(grown[~before].mean()) if (~before).any() else 1.0
            readings = ((0.25, 0.0), (0.5, 1.0), (0.25, goes_on))
            out.append(LevelShift(street, "drift", -weeks, grown * before, readings))
        else:
            out.append(LevelShift(street, "drift", -weeks, np.minimum(grown, 1.0)))
    if not treated:
        later = [int(week) for week in number if week >= -SINCE_WEEKS and (number < week).sum() >= USUAL_WEEKS_MIN]
        out += [
            LevelShift(street, "level", week, (number >= week).astype(float), _own_or_shared(number, week))
            for week in later
        ]
    return out


LATEST_MAX = 64


def shifts_of(number: Ints, *, treated: bool) -> tuple[LevelShift, ...]:
    """Return the level shifts that a street with these weeks may have had, as street 0; streets of a town mostly have the same weeks."""
    return _shifts_of(number.tobytes(), treated)


@lru_cache(maxsize=LATEST_MAX)
def _shifts_of(number: bytes, treated: bool) -> tuple[LevelShift, ...]:
    return tuple(candidates(0, np.frombuffer(number, dtype=np.int64), treated=treated))


def _own_or_shared(number: Ints, week: int) -> tuple[tuple[float, float], ...]:
    """Return the readings of a step of a control: its own, or, near the date and later, one of the whole town.

    What the town did at the date cannot be told from the measure; a town that stepped earlier would have taken the street along.
    """
    after = number[number >= 0]
    if week < -NEAR_WEEKS or not len(after):
        return ((1.0, 0.0),)
    return ((0.5, 0.0), (0.5, float((after >= week).mean())))


def columns(shifts: Sequence[LevelShift], street: Ints) -> Floats:
    """Return the columns of odd levels over all streets' weeks, shape (weeks, odds)."""
    out = np.zeros((len(street), len(shifts)))
    for number, shift in enumerate(shifts):
        out[street == shift.street, number] = shift.column
    return out


@dataclass(frozen=True)
class Added:
    """What each odd level, added alone, changes.

    Attributes
    ----------
    factor
        Shape (k,), logarithm of the Bayes factor against none.
    size, variance
        Shape (k,), posterior mean and variance of its size.
    pull
        Shape (p, k): coefficients change by ``-pull * size``, their covariance by ``pull pull' * variance``.
    """

    factor: Floats
    size: Floats
    variance: Floats
    pull: Floats


def log_factor(score: Floats, known: Floats) -> Floats:
    """Return the logarithm of the Bayes factor of a size of which the weeks know this much (a precision), with this score."""
    precision = known + 1 / SPREAD**2
    return np.asarray(0.5 * score**2 / precision - 0.5 * np.log(precision * SPREAD**2), dtype=float)


def log_evidence(factor: Floats) -> Floats:
    """Return by how much the evidence of a street grows, in logs, when it may have shifted as one of the last axis."""
    return np.asarray(np.log1p(RATE * np.exp(np.minimum(factor, 500.0)).sum(axis=-1)), dtype=float)
