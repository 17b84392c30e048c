"""The placebo benchmark of the evaluation: real counts, dates on which nothing happened, known effects put in.

    python -m bench.evaluation --data FOLDER [--first 90] [--only telstraat] [--rows ROWS] [--json OUT]

Protocol: for every case the counts of one sensor and class are thinned binomially after the date (0, -10, -30 %); every
estimator gets the same counts; `ln((1 + estimate) / (1 + truth))` is scored. Deterministic.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from bench.evaluation.causalimpact import PACKAGE, CausalImpact
from bench.evaluation.data import Case, Panel, data_folder, read_cases, read_own_panel, read_panels, thinned, write_json
from bench.evaluation.peers import PEERS, Days, Estimate, case_days
from bench.evaluation.scores import bootstrap, scored, summary, table

EFFECTS = (0.0, -0.1, -0.3)
OURS = "telstraat"


Estimator = Callable[[Days], Estimate | None]


def run_case(panel: Panel, case: Case, effect: float, peers: Mapping[str, Estimator | None]) -> list[dict[str, object]]:
    """Return one row per estimator of a case at one effect; None among the peers is ours, which takes the hours."""
    rows: list[dict[str, object]] = []
    if peers:
        frame = thinned(panel, case, effect)
        days = case_days(frame, panel, case)
        for name, peer in peers.items():
            begun = time.perf_counter()
            estimate = peer(days) if peer is not None else _ours(frame, panel, case)
            if estimate is None:
                continue
            rows.append(
                {
                    "estimator": name,
                    "case": case.number,
                    "panel": case.panel,
                    "series": f"{case.sensor}/{case.class_name}",
                    "cls": case.class_name,
                    "controls": len(case.controls),
                    "truth": effect,
                    "effect": estimate.effect,
                    "low": estimate.low,
                    "high": estimate.high,
                    "seconds": time.perf_counter() - begun,
                }
            )
    return rows


def _ours(frame: pd.DataFrame, panel: Panel, case: Case) -> Estimate | None:
    from bench.evaluation.ours import estimate

    return estimate(frame, panel, case)


def run(
    cases: Sequence[Case],
    panels: dict[str, Panel],
    estimators: Mapping[str, Estimator | None],
    *,
    effects: Sequence[float] = EFFECTS,
    first: int | None = None,
    rows_file: Path | None = None,
    minutes: float | None = None,
) -> pd.DataFrame:
    """Run the cases in a fixed random order, so that the first of them are a fair sample, and return scored rows.

    What is in the file `kept` is taken from there; new rows are added to it case by case.
    """
    keys = ["case", "estimator", "truth"]
    known = pd.read_csv(rows_file) if rows_file is not None and rows_file.exists() else pd.DataFrame(columns=keys)
    rows: list[dict[str, object]] = [{str(key): row[key] for key in row} for row in known.to_dict("records")]
    done = set(known[keys].itertuples(index=False, name=None))
    until = time.monotonic() + 60 * minutes if minutes else float("inf")
    for number, which in enumerate(np.random.default_rng(0).permutation(len(cases))[:first], 1):
        case = cases[int(which)]
        if time.monotonic() > until:
            print(f"stopped after {number - 1} of {len(cases)} cases", file=sys.stderr)
            break
        new = []
        for effect in effects:
            missing = {
                name: estimator for name, estimator in estimators.items() if (case.number, name, effect) not in done
            }
            new += run_case(panels[case.panel], case, effect, missing)
        rows += new
        if rows_file is not None and new:
            pd.DataFrame(new).to_csv(rows_file, mode="a", header=not rows_file.exists(), index=False)
        if number % 20 == 0:
            print(f"{number} of {len(cases)} cases", file=sys.stderr, flush=True)
    return scored(pd.DataFrame(rows))


def show(rows: pd.DataFrame) -> dict[str, object]:
    """Print the tables and return them for the JSON."""
    pd.set_option("display.width", 220, "display.max_columns", 30)
    parts = {
        "all cases": rows,
        "cases with a control": rows[rows["controls"] > 0],
        "cases without a control": rows[rows["controls"] == 0],
    }
    content: dict[str, object] = {}
    for title, part in parts.items():
        if part.empty:
            continue
        lines = table(part)
        print(f"\n{title}\n{lines.round(1).to_string()}")
        by_class = table(part, lambda group: group["cls"])
        print(f"\n{title}, by class\n{by_class.round(1).to_string()}")
        content[title] = {"overall": lines.to_dict("index"), "by class": by_class.to_dict("index")}
        drawn = {str(name): bootstrap(group) for name, group in part.groupby("estimator", sort=False)}
        spans = pd.DataFrame(
            {
                name: {what: f"{low:.0f} to {high:.0f}" for what, (low, high) in group.items()}
                for name, group in drawn.items()
            }
        ).T
        print(f"\n{title}, 95 % intervals from drawing whole series\n{spans.to_string()}")
        content[f"{title}, bootstrap over series"] = drawn
    speed = rows.groupby("estimator")["seconds"].agg(["median", "max"])
    print(f"\nseconds per fit\n{speed.round(3).to_string()}")
    for name, group in rows.groupby("estimator"):
        by_town = {str(town): summary(part) for town, part in group.groupby("panel")}
        print(f"\n{name}, by town\n{pd.DataFrame(by_town).T.round(1).to_string()}")
    return content


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of the shared data (else TELSTRAAT_DATA, else beside the repository)")
    parser.add_argument("--cases", help="CSV of cases; the shared data's own by default")
    parser.add_argument("--panel", action="append", default=[], help="a further town: NAME=FILE.csv,ZONE,FIRST-LAST")
    parser.add_argument("--first", type=int, help="take so many cases of the fixed random order (all by default)")
    parser.add_argument("--effects", help="e.g. 0,-0.3 (0,-0.1,-0.3 by default)")
    parser.add_argument("--only", action="append", help="estimators to run (all by default)")
    parser.add_argument("--causalimpact", help="also pycausalimpact, run by the python of an environment of its own")
    parser.add_argument("--json", help="write the scores here")
    parser.add_argument("--rows", type=Path, help="keep every estimate here (CSV); what is there is not computed again")
    parser.add_argument("--minutes", type=float, help="stop after so long")
    args = parser.parse_args(argv)
    own = {panel.name: panel for panel in map(read_own_panel, args.panel)}
    folder = None if own and args.cases else data_folder(args.data)
    panels = own | (read_panels(folder) if folder else {})
    cases = read_cases(Path(args.cases) if args.cases else Path(folder or ".") / "placebo_cases.csv")
    estimators: dict[str, Estimator | None] = {OURS: None, **PEERS}
    if args.causalimpact:
        estimators[PACKAGE] = CausalImpact(args.causalimpact)
    unknown = set(args.only or ()) - set(estimators)
    if unknown:
        parser.error(f"--only {', '.join(sorted(unknown))}: there are {', '.join(estimators)}")
    chosen = {name: estimator for name, estimator in estimators.items() if not args.only or name in args.only}
    effects = tuple(map(float, args.effects.split(","))) if args.effects else EFFECTS
    rows = run(cases, panels, chosen, effects=effects, first=args.first, rows_file=args.rows, minutes=args.minutes)
    content = show(rows)
    if args.json:
        write_json(args.json, content)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
