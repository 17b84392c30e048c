"""Last year's same weeks on years without a measure: how often nothing is claimed, and what would have been seen.

    python -m bench.evaluation.year --data FOLDER [--towns 12] [--rows ROWS]

Real counts: the Fremont Bridge's two sidewalks (no control; the years of the pandemic, 2020 to 2022, left out, since there
every street had something done to it) and the streets of Chateaubourg that were counted for more than a year, each with the others as
controls, once their sensors have learnt. Simulated towns: streets with three controls. Nothing was done anywhere; power is the share of
intervals that would lie below zero had traffic fallen by so much (the interval moved in logs, which is what a fall does to it).
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from bench.evaluation.data import data_folder, read_panels
from bench.evaluation.fleet import CLASSES, ZONE, school_calendar

from telstraat_analytics import Calendar, Measure, Question
from telstraat_analytics.designs.one_street import answer_for
from telstraat_analytics.designs.series import prepare
from telstraat_analytics.frames import as_counts
from telstraat_firmware_sim.fleet.fleet import FleetSettings, made_up_fleet

AFTER_DAYS = 42
QUIET_YEARS = (2015, 2016, 2017, 2018, 2019, 2024)
STREETS_YEAR = ("ch_ParisMarché", "ch_RteVitré", "ch_Burel", "ch_rueVallee")
SIMULATED_DAYS = 365 + 35 + AFTER_DAYS
FALLS = (0.1, 0.16, 0.3)


def row(place: str, frame: pd.DataFrame, measure: Measure, question: Question) -> dict[str, object] | None:
    """Return what is said of a street on which nothing was done; None where it is refused."""
    answer = answer_for(prepare(frame, measure), measure.treated[0], measure, question)
    if answer.effect is None:
        return None
    effect = answer.effect
    return {"place": place, "what": question.what, "at": effect.estimate, "low": effect.low, "high": effect.high}


def fremont(folder: Path) -> Iterator[dict[str, object] | None]:
    """Yield both sidewalks every eight weeks of the quiet years."""
    panel = read_panels(folder)["fremont"]
    frame = as_counts(panel.frame, "raw", 3600)
    for year in QUIET_YEARS:
        for week in range(6, 46, 8):
            date = dt.date.fromisocalendar(year, week, 1)
            for side in ("fre_east", "fre_west"):
                near = frame[frame["segment"] == side]
                measure = Measure("none", date, (side,), timezone=panel.timezone, after_days=AFTER_DAYS)
                yield row("fremont", near, measure, Question("bike", hours=panel.hours, against="last year"))


def chateaubourg(folder: Path) -> Iterator[dict[str, object] | None]:
    """Yield every street and class from the spring of 2022 on, every three weeks."""
    panel = read_panels(folder)["chateaubourg"]
    frame = as_counts(panel.frame, "raw", 3600)
    for week in range(13, 28, 3):
        date = dt.date.fromisocalendar(2022, week, 1)
        for name in STREETS_YEAR:
            others = tuple(street for street in STREETS_YEAR if street != name)
            measure = Measure("none", date, (name,), others, timezone=panel.timezone, after_days=28)
            for what in CLASSES:
                yield row("chateaubourg", frame, measure, Question(what, hours=panel.hours, against="last year"))


def simulated(towns: int) -> Iterator[dict[str, object] | None]:
    """Yield streets of made-up towns, each asked for one class by turns."""
    for seed in range(towns):
        start = dt.date(2023, 1, 2) + dt.timedelta(days=int(np.random.default_rng(seed).integers(365)))
        settings = FleetSettings(sensors=6, start=start, days=SIMULATED_DAYS, seed=seed)
        fleet = made_up_fleet(settings)
        demand = fleet.demand(fleet.towns[0].name)
        frame = as_counts(fleet.hourly("raw"), "raw")
        names = sorted({*frame["segment"]})
        date = start + dt.timedelta(days=SIMULATED_DAYS - AFTER_DAYS)
        known: Calendar = school_calendar(demand)
        for number, name in enumerate(names[:3]):
            what = CLASSES[(seed + number) % len(CLASSES)]
            measure = Measure(
                "none", date, (name,), tuple(names[3:]), timezone=ZONE, calendar=known, after_days=AFTER_DAYS
            )
            yield row("simulated", frame, measure, Question(what, against="last year"))


def summary(rows: pd.DataFrame) -> dict[str, float]:
    """Return coverage of no change, claims, errors and power of the answers of one kind."""
    low, high = np.log1p(rows["low"]), np.log1p(rows["high"])
    power = {f"power -{round(100 * fall)} %": 100 * float((high + np.log1p(-fall) < 0).mean()) for fall in FALLS}
    covered = float(((low <= 0) & (high >= 0)).mean())
    return {
        "answers": len(rows),
        "coverage": 100 * covered,
        "claimed": 100 - 100 * covered,
        "median error": 100 * float(rows["at"].abs().median()),
        "rmse": 100 * float(np.sqrt((np.log1p(rows["at"]) ** 2).mean())),
        "width": 100 * float((rows["high"] - rows["low"]).median()),
        **power,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of the shared data (else TELSTRAAT_DATA, else beside the repository)")
    parser.add_argument("--towns", type=int, default=12, help="simulated towns, three streets each")
    parser.add_argument("--rows", type=Path, help="write every answer here (CSV)")
    args = parser.parse_args(argv)
    folder = data_folder(args.data)
    answers = [*fremont(folder), *chateaubourg(folder), *simulated(args.towns)]
    rows = pd.DataFrame([answer for answer in answers if answer is not None])
    if args.rows:
        rows.to_csv(args.rows, index=False)
    lines = {"all": summary(rows)}
    for (place, what), part in rows.groupby(["place", "what"]):
        lines[f"{place}, {what}"] = summary(part)
    print(f"{len(answers) - len(rows)} refused\n{pd.DataFrame(lines).T.round(1).to_string()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
