"""Simulated fleets with known truth: how often nothing is claimed, whether a planted effect is covered, what was moved.

    python -m bench.evaluation_fleet --towns 25 --effect -0.2 [--shifted 0.4] [--json OUT]

Promises E1 and E2 with large numbers: 25 towns of 20 streets are 500 streets. Streets, seasons, holidays, weather, gaps
and sensors come from the simulator, not from the model that is tested.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.evaluation_data import write_json

from telstraat_analytics import Measure, Question, evaluate_all
from telstraat_firmware_sim.fleet import FleetSettings, made_up_fleet, made_up_measure

CLASSES = ("pedestrian", "bike", "car", "heavy")
BEFORE_DAYS, AFTER_DAYS = 56, 28
MEAN_PER_DAY_MIN = 30.0


def one_town(seed: int, effect: float, shifted: float, days: int) -> list[dict[str, object]]:
    """Return one row per treated street and class of a simulated town."""
    start = date(2024, 3, 1) + timedelta(days=37 * seed % 300)
    settings = FleetSettings(sensors=12, start=start, days=days, seed=seed)
    plain = made_up_fleet(settings)
    from_day = start + timedelta(days=days - AFTER_DAYS)
    planted = made_up_measure(plain.towns, from_day, dict.fromkeys(CLASSES, effect), shifted=shifted)
    fleet = made_up_fleet(settings, (planted,)) if effect else plain
    frame = fleet.hourly("raw")
    known = set(frame["segment"])
    treated = tuple(name for name in planted.streets if name in known)
    boundary = tuple(name for name in planted.shifted_to if name in known) if shifted else ()
    controls = tuple(sorted(known - {*treated, *boundary}))
    measure = Measure(
        planted.name,
        from_day,
        treated,
        controls,
        boundary,
        "Europe/Brussels",
        before_days=BEFORE_DAYS,
        after_days=AFTER_DAYS,
    )
    weather = fleet.weather_days(plain.towns[0].name)
    rows: list[dict[str, object]] = []
    for answer in evaluate_all(frame, measure, [Question(name) for name in CLASSES], counts="raw", weather=weather):
        rows += [
            {
                "town": seed,
                "cls": answer.question.what,
                "truth": effect,
                "estimate": one.effect.estimate,
                "low": one.effect.low,
                "high": one.effect.high,
            }
            for one in answer.streets
            if one.effect is not None and one.effect.expected >= MEAN_PER_DAY_MIN
        ]
    return rows


def summary(rows: pd.DataFrame) -> dict[str, float]:
    """Return coverage, claims, bias and error of a group of rows."""
    error = np.log1p(rows["estimate"]) - np.log1p(rows["truth"])
    return {
        "answers": len(rows),
        "coverage": 100 * float(((rows["low"] <= rows["truth"]) & (rows["truth"] <= rows["high"])).mean()),
        "claimed": 100 * float(((rows["low"] > 0) | (rows["high"] < 0)).mean()),
        "bias": 100 * float(error.mean()),
        "rmse": 100 * float(np.sqrt((error**2).mean())),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--towns", type=int, default=5)
    parser.add_argument("--effect", type=float, default=-0.2, help="0 for promise E1")
    parser.add_argument("--shifted", type=float, default=0.0, help="share of what left that drives on the boundary")
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--json")
    args = parser.parse_args(argv)
    rows = pd.DataFrame(
        [row for seed in range(args.towns) for row in one_town(seed, args.effect, args.shifted, args.days)]
    )
    lines = {"all": summary(rows)} | {str(name): summary(part) for name, part in rows.groupby("cls")}
    print(pd.DataFrame(lines).T.round(1).to_string())
    if args.json:
        write_json(args.json, lines)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
