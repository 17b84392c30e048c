"""Known events in the shared data: published changes reproduced, a lockdown, and failures of sensors that are no effects.

python -m bench.evaluation.events --data FOLDER
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from bench.evaluation.data import data_folder, read_panels

from telstraat_analytics import Measure, Question, as_counts, evaluate
from telstraat_analytics.days import local_table
from telstraat_analytics.quality.health import health
from telstraat_store import read_counts

LOCKDOWN = dt.date(2021, 4, 3)
FAILURES = (  # town, segment, first day, class: what a person would ask when the numbers fall
    ("karlsruhe", "9000010417", dt.date(2026, 4, 19), "car"),
    ("karlsruhe", "9000008311", dt.date(2026, 7, 11), "car"),
    ("karlsruhe", "9000008652", dt.date(2025, 12, 21), "car"),
    ("karlsruhe", "9000008652", dt.date(2026, 1, 13), "car"),
    ("chateaubourg", "ParisMarché", dt.date(2021, 3, 8), "heavy"),
    ("chateaubourg", "Burel", dt.date(2021, 6, 7), "heavy"),
    ("chateaubourg", "rueVignes", dt.date(2022, 3, 7), "bike"),
)
DRIFT = tuple(dt.date(2025, 8, 25) + dt.timedelta(weeks=weeks) for weeks in range(0, 7, 2))
MONTREAL = "America/Toronto"
ZONES = {"karlsruhe": "Europe/Berlin", "chateaubourg": "Europe/Paris"}


def fremont(folder: Path) -> dict[str, float]:
    """Return what was published of the bridge's counter, from its file."""
    table = pd.read_csv(folder / "fremont_bridge" / "fremont_bridge_hourly.csv.gz").drop_duplicates("Date")
    day = pd.to_datetime(table["Date"], format="%m/%d/%Y %I:%M:%S %p").dt.normalize()
    total = table.filter(like="Total").iloc[:, 0].groupby(day).sum()
    weekend = pd.Series(pd.DatetimeIndex(total.index).day_of_week >= 5, index=total.index)

    def crossings(part: pd.Series, first: str, last: str) -> float:
        return float(part[first:last].sum())

    april = [crossings(total, f"{year}-04-01", f"{year}-04-30") for year in range(2013, 2020)]
    sunny = [crossings(total[weekend], f"{year}-04-01", f"{year}-04-30") for year in range(2013, 2020)]
    work = total[~weekend]
    return {
        "crossings 2019": float(total["2019"].sum()),
        "crossings 2023": float(total["2023"].sum()),
        "1-14 May 2020 against 2019": total["2020-05-01":"2020-05-14"].sum() / total["2019-05-01":"2019-05-14"].sum()
        - 1,
        "the same, workdays": crossings(work, "2020-05-01", "2020-05-14") / crossings(work, "2019-05-01", "2019-05-14")
        - 1,
        "April 2020 against 2013-19": crossings(total, "2020-04-01", "2020-04-30") / (sum(april) / len(april)) - 1,
        "the same, weekends": crossings(total[weekend], "2020-04-01", "2020-04-30") / (sum(sunny) / len(sunny)) - 1,
    }


def learned(frame: pd.DataFrame) -> list[tuple[str, dt.date]]:
    """Return every sensor of Chateaubourg that had to learn, with the first day on which it told large vehicles from cars."""
    counts = as_counts(frame)
    days: list[tuple[str, dt.date]] = []
    for segment in sorted({*counts["segment"]}):
        findings = health(segment, local_table(counts, segment, ZONES["chateaubourg"]))
        ends = [finding.last + pd.Timedelta(days=1) for finding in findings if finding.kind == "learning"]
        days += [(segment, day.date()) for day in ends]
    return days


def beside_a_counter(folder: Path) -> pd.DataFrame:
    """Return Montreal's sensors with the city's bicycle counter in the same street, hourly, raw."""
    table = pd.read_csv(folder / "telraam_montreal" / "ecocounter_terrebonne_hourly.csv.gz")
    start = pd.to_datetime(table["Time"]).dt.tz_localize(MONTREAL, ambiguous="NaT", nonexistent="NaT")
    bikes = table["Rue Terrebonne Cyclist"].astype(float)
    counter = pd.DataFrame({"segment": "counter", "start": start.dt.tz_convert("UTC"), "uptime": 1.0, "bike": bikes})
    return pd.concat([read_panels(folder)["montreal"].frame, counter.dropna(subset=["start"])], ignore_index=True)


def answer_in_words(frame: pd.DataFrame, measure: Measure, question: Question, *, raw: bool = False) -> str:
    """Return what a person reads: the change with its interval and the failed checks, or the refusal."""
    answer = evaluate(frame, measure, question, counts="raw" if raw else "corrected")
    if answer.effect is None:
        return f"refused: {'; '.join(answer.refused)}"
    failed = [check.name for check in answer.doubts if check.verdict.name == "FAILED"]
    effect = answer.effect
    claim = "a claim" if effect.low > 0 or effect.high < 0 else "no claim"
    size = f"{effect.estimate:+.1%} ({effect.low:+.1%} to {effect.high:+.1%})"
    return f"{size}, {claim}, failed checks: {', '.join(failed) or 'none'}"


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line per event."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of the shared data (else TELSTRAAT_DATA, else beside the repository)")
    folder = data_folder(parser.parse_args(argv).data)
    for name, value in fremont(folder).items():
        print(f"{name}: {value:,.0f}" if abs(value) > 2 else f"{name}: {value:+.1%}")
    frames = {
        town: read_counts([folder / f"telraam_{town}" / f"{town}_hourly.csv.gz"], zone) for town, zone in ZONES.items()
    }
    lockdown = Measure("lockdown", LOCKDOWN, ("ParisMarché",), timezone="Europe/Paris", before_days=42, after_days=28)
    for what in ("motor", "car"):
        answer = answer_in_words(frames["chateaubourg"], lockdown, Question(what))
        print(f"lockdown at ParisMarché, {what}: {answer}", flush=True)
    for town, segment, day, what in FAILURES:
        others = tuple(sorted({*frames[town]["segment"]} - {segment}))
        measure = Measure("failure", day, (segment,), others, timezone=ZONES[town], before_days=42, after_days=28)
        print(
            f"{town} {segment} from {day}, {what}: {answer_in_words(frames[town], measure, Question(what))}", flush=True
        )
    for segment, day in learned(frames["chateaubourg"]):
        measure = Measure("learnt", day, (segment,), timezone=ZONES["chateaubourg"], before_days=28, after_days=28)
        answer = answer_in_words(frames["chateaubourg"], measure, Question("heavy"))
        print(f"chateaubourg {segment}, learnt on {day}, heavy: {answer}", flush=True)
    drifting = beside_a_counter(folder)
    for segment in ("mtl_east", "mtl_west"):
        for day in DRIFT:
            measure = Measure("drift", day, (segment,), ("counter",), timezone=MONTREAL, before_days=28, after_days=28)
            answer = answer_in_words(drifting, measure, Question("bike", hours=tuple(range(8, 16))), raw=True)
            print(f"{segment}, gain drifting against the city's counter, {day}, bike: {answer}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
