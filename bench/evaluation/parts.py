"""Coverage of an answer's parts, hours and directions, on dates on which nothing happened.

    python -m bench.evaluation.parts --data FOLDER [--first 120] [--parts 2] [--only part] [--minutes 20] [--rows ROWS]

Of each case of the placebo benchmark some hours (and directions, where they were counted), drawn by a fixed seed, are answered in
two ways: as `evaluate(by=...)` does, the interval as much wider as placebo dates of the whole answer ask for; and as a question of
its own, with placebo dates of its own. Printed for both: errors, coverage, false claims, widths, the share of intervals that would lie
below zero were 30 % removed, and the interval score (docs/bench/evaluation.md).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from bench.evaluation.data import Case, Panel, data_folder, read_cases, read_panels
from bench.evaluation.scores import scored, summary

from telstraat_analytics.designs.one_street import answer_for
from telstraat_analytics.designs.parts import asked_parts
from telstraat_analytics.designs.series import prepare
from telstraat_analytics.effect import Effect
from telstraat_analytics.errors import AnalysisError
from telstraat_analytics.frames import as_counts
from telstraat_analytics.measure import Measure
from telstraat_analytics.question import Question

WAYS = ("part", "own")
REMOVED = 0.7


def answered_parts(panel: Panel, case: Case, parts: int, ways: Sequence[str]) -> Iterator[tuple[str, str, Effect]]:
    """Yield some parts of a case's answer: which, in which way it was answered, and its effect."""
    near = panel.frame[panel.frame["segment"].isin([case.sensor, *case.controls])]
    measure = Measure(
        "none",
        case.date.date(),
        (case.sensor,),
        tuple(name for name in case.controls if name != case.sensor),
        timezone=panel.timezone,
        before_days=case.pre_days,
        after_days=case.post_days,
    )
    question = Question(case.class_name, hours=panel.hours)
    try:
        prepared = prepare(as_counts(near, "raw"), measure)
        whole = answer_for(prepared, case.sensor, measure, question)
    except AnalysisError:
        return
    if whole.effect is None:
        return
    every = list(asked_parts(prepared, whole, question, ("hour", "direction")))
    for which in np.random.default_rng(case.number).permutation(len(every))[:parts]:
        part = every[int(which)]
        for way in ways:
            if way == "part":
                effect = part.effect(prepared, case.sensor, measure, whole.stretch)
            else:
                effect = answer_for(prepared, case.sensor, measure, part.question).effect
            if effect is not None:
                yield f"{part.by} {part.key}", way, effect


def run(
    data: Path, first: int | None, parts: int, ways: Sequence[str], minutes: float | None, rows_file: Path | None
) -> pd.DataFrame:
    """Answer the parts of case after case in a fixed random order; what is in the file is taken from there."""
    panels, cases = read_panels(data), read_cases(data / "placebo_cases.csv")
    known = pd.read_csv(rows_file) if rows_file is not None and rows_file.exists() else pd.DataFrame(columns=["case"])
    tables, done = [known] if len(known) else [], {*known["case"]}
    until = time.monotonic() + 60 * minutes if minutes else float("inf")
    for number, which in enumerate(np.random.default_rng(0).permutation(len(cases))[:first]):
        case = cases[int(which)]
        if time.monotonic() > until:
            print(f"stopped after {number} cases", file=sys.stderr)
            break
        if case.number in done:
            continue
        rows = [
            {
                "estimator": way,
                "case": case.number,
                "part": part,
                "panel": case.panel,
                "series": f"{case.sensor}/{case.class_name}",
                "cls": case.class_name,
                "truth": 0.0,
                "effect": effect.estimate,
                "low": effect.low,
                "high": effect.high,
            }
            for part, way, effect in answered_parts(panels[case.panel], case, parts, ways)
        ]
        if rows:
            tables.append(pd.DataFrame(rows))
            if rows_file is not None:
                tables[-1].to_csv(rows_file, mode="a", header=not rows_file.exists(), index=False)
    return pd.concat(tables, ignore_index=True)


def line(rows: pd.DataFrame) -> dict[str, float]:
    """Return the scores of one way; power as the share of intervals that, were a third removed, would lie below zero."""
    low, high = np.log1p(rows["low"].clip(lower=-0.999)), np.log1p(rows["high"])
    off = np.maximum(np.maximum(low, -high), 0.0)
    line = summary(scored(rows))
    return {
        **{
            name: line[name]
            for name in ("cases", "rmse", "median_error", "coverage_0", "false_positives", "width", "se_x")
        },
        "power_30": 100 * float((high + np.log(REMOVED) < 0).mean()),
        "score": float((high - low + 40 * off).mean()),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Print the scores of both ways."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of the shared data (else TELSTRAAT_DATA, else beside the repository)")
    parser.add_argument("--first", type=int, help="take so many cases of a fixed random order (all by default)")
    parser.add_argument("--parts", type=int, default=2, help="of each case")
    parser.add_argument("--only", choices=WAYS, help="answer in one way")
    parser.add_argument("--minutes", type=float, help="stop after so long")
    parser.add_argument("--rows", type=Path, help="keep the rows here, and go on from there")
    args = parser.parse_args(argv)
    ways = [args.only] if args.only else WAYS
    rows = run(data_folder(args.data), args.first, args.parts, ways, args.minutes, args.rows)
    groups = {"": rows, **{f" {name}": part for name, part in rows.groupby("cls")}}
    lines = {f"{way}{name}": line(part[part["estimator"] == way]) for name, part in groups.items() for way in ways}
    pd.set_option("display.width", 220, "display.max_columns", 30)
    print(pd.DataFrame(lines).T.round(2).to_string())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
