"""Hints of through traffic: how many of the cars that come by chance past one sensor are seen at another in the same hour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from telstraat_analytics.days import local_table

SIDES = ("lft", "rgt")
HOURS_MIN = 200
DRAWS = 400
SEED = 11


@dataclass(frozen=True)
class Passing:
    """How one direction of a street goes with one direction of another.

    Attributes
    ----------
    first_side, second_side
        ``lft`` or ``rgt``.
    share
        Of 100 cars more than usual at the first, so many more are seen at the second in the same hour.
    low, high
        95 % interval, from drawing whole days.
    hours
        Hours in which both were seen.
    """

    first_side: str
    second_side: str
    share: float
    low: float
    high: float
    hours: int

    @property
    def hint(self) -> bool:
        """Tell whether it is more than chance. No proof: a queue or a game next door moves both streets, too."""
        return self.low > 0


def through_traffic(frame: pd.DataFrame, first: str, second: str, timezone: str, column: str = "car") -> list[Passing]:
    """Look for traffic that passes two sensors.

    What both streets have in common with the clock is taken out (their own mean of every hour of the week) and with the
    day (their own level of the day), and what all four pairs of directions share within the hour, such as a shower: the mean
    of the two that go together least. What is left of the first is compared with what is left of the second: traffic that
    passes both shows in both within the hour.

    Parameters
    ----------
    frame
        Raw hourly counts with directions.
    first, second
        The two streets.
    timezone
        Of the streets.
    column
        Which counts.

    Returns
    -------
    list of Passing
        For each pair of directions, the likeliest first; empty with fewer than 200 common hours or without directions.
    """
    tables = [local_table(frame, segment, timezone).set_index("start") for segment in (first, second)]
    if any(f"{column}_{side}" not in table for table in tables for side in SIDES):
        return []
    common = tables[0].index.intersection(tables[1].index)
    if len(common) < HOURS_MIN:
        return []
    left, right = (table.loc[common] for table in tables)
    days = left["day"].factorize()[0]
    own, beside = ({side: _unusual(table, f"{column}_{side}") for side in SIDES} for table in (left, right))
    pairs = [(side, other) for side in SIDES for other in SIDES]
    slopes = np.column_stack([_slopes(own[side], beside[other], days) for side, other in pairs])
    alike = slopes[0].argsort()[: len(pairs) // 2]
    slopes -= slopes[:, alike].mean(axis=1, keepdims=True)
    low, high = np.quantile(slopes[1:], [0.025, 0.975], axis=0)
    passings = [
        Passing(*pair, float(slopes[0, place]), float(low[place]), float(high[place]), len(common))
        for place, pair in enumerate(pairs)
    ]
    return sorted(passings, key=lambda passing: passing.share, reverse=True)


def _unusual(table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return what each hour had more than usual for its hour of the week and its day."""
    rate = (table[column] / table["uptime"]).to_numpy(float)
    hour = (table["day"].dt.day_of_week * 24 + table["hour"]).to_numpy()
    usual = pd.Series(rate).groupby(hour).transform("mean").to_numpy()
    day = table["day"].to_numpy()
    sums = pd.DataFrame({"rate": rate, "usual": usual}).groupby(day).transform("sum")
    return np.asarray(rate - usual * (sums["rate"] / sums["usual"].clip(lower=1e-9)).to_numpy(), dtype=float)


def _slopes(own: NDArray[np.float64], beside: NDArray[np.float64], days: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the slope of the second on the first, then the same for draws of whole days.

    A car that passes both is one more at both, also where chance sent it: nothing is corrected for the noise of counting.
    """
    count = int(days.max()) + 1
    products = np.bincount(days, own * beside, count)
    squares = np.bincount(days, own * own, count)
    drawn = np.random.default_rng(SEED).integers(0, count, (DRAWS, count))
    whole = products.sum() / max(squares.sum(), 1e-9)
    return np.append(whole, products[drawn].sum(axis=1) / np.maximum(squares[drawn].sum(axis=1), 1e-9))
