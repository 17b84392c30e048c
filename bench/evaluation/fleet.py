"""Simulated fleets with known truth: how often nothing is claimed, and whether a planted effect is covered, displacement included.

    python -m bench.evaluation.fleet --streets 500 --effect -0.2 --shifted 0.4 [--rows ROWS] [--json OUT]

Promises E1 (`--effect 0`) and E2 with large numbers. Streets, seasons, holidays, weather, gaps and sensors come from the
simulator, not from the model that is tested; the truth is what the simulator expects with and without the measure.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
from bench.evaluation.data import write_json

from telstraat_analytics import Calendar, Measure, Question
from telstraat_analytics.designs.one_street import answer_for
from telstraat_analytics.designs.series import prepare
from telstraat_analytics.frames import as_counts
from telstraat_analytics.weather import read_weather
from telstraat_firmware_sim.demand.demand import Demand
from telstraat_firmware_sim.fleet.fleet import FleetSettings, made_up_fleet, made_up_measure

CLASSES = ("pedestrian", "bike", "car", "heavy")
ZONE = "Europe/Brussels"
SENSORS = 10
CONTROLS = 3
BEFORE_DAYS, AFTER_DAYS = 56, 28
MEAN_PER_DAY_MIN = 30.0  # as in the placebo benchmark
FIRST_DAY = date(2023, 1, 2)
YEARS_DAYS = 730


def one_town(seed: int, effect: float, shifted: float, days: int) -> list[dict[str, object]]:
    """Return one row per treated and boundary street of a simulated town, each asked for a class by turns."""
    start = FIRST_DAY + timedelta(days=int(np.random.default_rng(seed).integers(YEARS_DAYS)))
    from_day = start + timedelta(days=days - AFTER_DAYS)
    settings = FleetSettings(sensors=SENSORS, start=start, days=days, seed=seed)
    town = made_up_fleet(settings).towns
    planted = made_up_measure(town, from_day, dict.fromkeys(CLASSES, effect), shifted=shifted)
    fleet = made_up_fleet(settings, (planted,))
    demand = fleet.demand(town[0].name)
    frame = as_counts(fleet.hourly("raw"), "raw")
    moved = tuple(planted.shifted_to) if shifted and effect else ()
    others = [name for name in sorted({*frame["segment"]}) if name not in {*planted.streets, *moved}]
    weather = read_weather(fleet.weather_days(town[0].name))
    rows: list[dict[str, object]] = []
    for number, name in enumerate((*planted.streets, *moved[:1])):
        class_name = CLASSES[(seed + number) % len(CLASSES)]
        measure = Measure(
            planted.name,
            from_day,
            (name,),
            tuple(others[:CONTROLS]),
            timezone=ZONE,
            calendar=school_calendar(demand),
            before_days=BEFORE_DAYS,
            after_days=AFTER_DAYS,
        )
        begun = time.process_time()
        answer = answer_for(prepare(frame, measure, weather), name, measure, Question(class_name))
        if answer.effect is None or answer.effect.expected < MEAN_PER_DAY_MIN:
            continue
        rows.append(
            {
                "seed": seed,
                "street": name,
                "kind": "treated" if name in planted.streets else "boundary",
                "cls": class_name,
                "date": from_day.isoformat(),
                "truth": truth(demand, name, class_name, from_day),
                "estimate": answer.effect.estimate,
                "low": answer.effect.low,
                "high": answer.effect.high,
                "seconds": time.process_time() - begun,
            }
        )
    return rows


def school_calendar(demand: Demand) -> Calendar:
    """Return the calendar that a deployment there would have: the simulator's own school holidays."""
    named = [day for day, name in demand.calendar.holidays if name == "school holiday"]
    return Calendar("BE", school=tuple((day, day) for day in named))


def truth(demand: Demand, street: str, class_name: str, from_day: date) -> float:
    """Return the relative change of what is expected to pass from a day on."""
    after = demand.calendar.quarter_of(from_day, ZONE)
    at = CLASSES.index(class_name)
    whole = demand.street(street)
    return float(whole.expected_with[after:, at].sum() / whole.expected_without[after:, at].sum() - 1)


def run(
    streets: int, effect: float, shifted: float, days: int, rows_file: Path | None, minutes: float | None
) -> pd.DataFrame:
    """Simulate town after town until so many treated streets have an answer; goes on where the file `kept` ends."""
    done = pd.read_csv(rows_file) if rows_file is not None and rows_file.exists() else pd.DataFrame()
    rows: list[dict[str, object]] = [{str(key): row[key] for key in row} for row in done.to_dict("records")]
    until = time.monotonic() + 60 * minutes if minutes else float("inf")
    for seed in count(int(done["seed"].max()) + 1 if len(done) else 0):
        answered = sum(row["kind"] == "treated" for row in rows)
        if answered >= streets or time.monotonic() > until:
            print(f"{answered} treated streets in {seed} towns", file=sys.stderr)
            return pd.DataFrame(rows)
        new = one_town(seed, effect, shifted, days)
        rows += new
        if rows_file is not None and new:
            pd.DataFrame(new).to_csv(rows_file, mode="a", header=not rows_file.exists(), index=False)
    raise AssertionError("unreachable")


def summary(rows: pd.DataFrame) -> dict[str, float]:
    """Return coverage with the Monte Carlo error of two standard deviations, claims, bias, error, and time of a street."""
    error = np.log1p(rows["estimate"]) - np.log1p(rows["truth"])
    covered = float(((rows["low"] <= rows["truth"]) & (rows["truth"] <= rows["high"])).mean())
    return {
        "answers": len(rows),
        "coverage": 100 * covered,
        "plus or minus": 200 * float(np.sqrt(max(covered * (1 - covered), 0.01) / len(rows))),
        "claimed": 100 * float(((rows["low"] > 0) | (rows["high"] < 0)).mean()),
        "bias": 100 * float(error.mean()),
        "rmse": 100 * float(np.sqrt((error**2).mean())),
        "median width": 100 * float((rows["high"] - rows["low"]).median()),
        "seconds": float(rows["seconds"].median()),
        "slowest_s": float(rows["seconds"].max()),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streets", type=int, default=60, help="treated streets")
    parser.add_argument("--effect", type=float, default=-0.2, help="0 for promise E1")
    parser.add_argument("--shifted", type=float, default=0.0, help="share of what left that drives on the boundary")
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--rows", type=Path, help="keep every answer here (CSV); a run goes on where it stopped")
    parser.add_argument("--minutes", type=float, help="stop after so long")
    parser.add_argument("--json")
    args = parser.parse_args(argv)
    rows = run(args.streets, args.effect, args.shifted, args.days, args.rows, args.minutes)
    lines: dict[str, dict[str, float]] = {}
    for kind, part in rows.groupby("kind"):
        lines |= {str(kind): summary(part)} | {
            f"{kind} {name}": summary(class_part) for name, class_part in part.groupby("cls")
        }
    print(pd.DataFrame(lines).T.round(1).to_string())
    if args.json:
        write_json(args.json, lines)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
