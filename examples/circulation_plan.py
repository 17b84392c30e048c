"""A circulation plan in two streets: what changed, where the traffic went, and what speaks against believing it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from telstraat_analytics import Measure, Question, evaluate
from telstraat_analytics.report.sentence import check_sentence
from telstraat_contract.languages import LANGUAGES

DATE = dt.date(2025, 9, 22)
STREETS = {"1001": -0.4, "1002": -0.35, "1003": 0.15, "1004": 0.0, "1005": 0.0}


def counts() -> pd.DataFrame:
    """Draw cars per hour for 120 days; from the date on, streets change by what stands in STREETS."""
    rng = np.random.default_rng(7)
    hours = pd.date_range("2025-06-23", periods=120 * 24, freq="h", tz="Europe/Brussels")
    days = hours.normalize().tz_localize(None)
    light = hours[(hours.hour >= 7) & (hours.hour < 20)]
    frames = []
    for segment, change in STREETS.items():
        level = dict(zip(days.unique(), np.exp(np.cumsum(rng.normal(0, 0.02, days.nunique()))), strict=True))
        day = light.normalize().tz_localize(None)
        mean = 120 * np.array([level[one] for one in day]) * np.where(day >= pd.Timestamp(DATE), 1 + change, 1.0)
        frames.append(pd.DataFrame({"segment": segment, "start": light.tz_convert("UTC"), "car": rng.poisson(mean)}))
    return pd.concat(frames, ignore_index=True)


def main() -> None:
    """Evaluate and print."""
    measure = Measure(
        "Circulation plan",
        DATE,
        treated=("1001", "1002"),
        boundary=("1003",),
        controls=("1004", "1005"),
        before_days=56,
        after_days=28,
    )
    answer = evaluate(counts(), measure, Question("car"), counts="raw")
    for language in LANGUAGES:
        print(answer.sentence(language))
    print(answer.table().round(2).to_string())
    for result in answer.doubts:
        print(f"{result.verdict}: {check_sentence(result, 'en')}")


if __name__ == "__main__":
    main()
