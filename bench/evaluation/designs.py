"""Which ways of moving the model should allow: chosen on three towns, reported on the fourth, town by town.

    python -m bench.evaluation.designs --data FOLDER [--every 4]

At effect 0, without the calibration by placebo dates. The choice goes by the interval score (width plus forty times what
a miss is off, smaller is better), so that neither wide nor overconfident intervals win.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd
from bench.evaluation.data import Case, Panel, data_folder, read_cases, read_panels

from telstraat_analytics.designs.one_street import controls_for, too_little
from telstraat_analytics.designs.series import prepare, street
from telstraat_analytics.frames import as_counts
from telstraat_analytics.measure import Measure
from telstraat_analytics.model.noise_models import NOISE_MODELS, NoiseModel
from telstraat_analytics.model.priors import MEMORIES_WEEKS, SEASON_CONTRASTS, WEEK_SHOCKS
from telstraat_analytics.model.step import fit_steps
from telstraat_analytics.quality.inspect import impossible
from telstraat_analytics.question import Question

DESIGNS: dict[str, tuple[NoiseModel, ...]] = {
    "memories only": tuple(NoiseModel(memory) for memory in MEMORIES_WEEKS),
    "and week shocks": tuple(NoiseModel(*values) for values in product(MEMORIES_WEEKS, WEEK_SHOCKS)),
    "and season contrast": tuple(
        NoiseModel(values, 0.0, contrast) for values, contrast in product(MEMORIES_WEEKS, SEASON_CONTRASTS)
    ),
    "both": NOISE_MODELS,
}
MISS = 2 / 0.05
THIRD_LESS = float(np.log(0.7))


def run_case(panel: Panel, case: Case) -> list[dict[str, object]]:
    """Return one row per design: estimate and interval on the log scale; none where the data are refused."""
    near = as_counts(panel.frame[panel.frame["segment"].isin([case.sensor, *case.controls])], "raw", 3600)
    measure = Measure(
        "placebo",
        case.date.date(),
        (case.sensor,),
        case.controls,
        timezone=panel.timezone,
        before_days=case.pre_days,
        after_days=case.post_days,
    )
    question = Question(case.class_name, hours=panel.hours)
    prepared = prepare(near, measure)
    own = street(prepared, case.sensor, measure, question)
    if own is None or impossible(prepared.findings, case.sensor, question.columns, prepared.span):
        return []
    if too_little(own, case.sensor, prepared, question):
        return []
    others = [control.weeks for control in controls_for(own, prepared, measure, question)]
    rows: list[dict[str, object]] = []
    for name, noise_models in DESIGNS.items():
        steps = fit_steps(
            [own.weeks], others, question.variance_prior, prepared.span.date, noise_models=noise_models
        ).steps
        low, high = steps.quantile(0.025), steps.quantile(0.975)
        score = high - low + MISS * max(low, 0.0) + MISS * max(-high, 0.0)
        rows.append({"town": case.panel, "design": name, "at": steps.mean(), "low": low, "high": high, "score": score})
    return rows


def left_out(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per town: the design that was best on the others, and how it does here."""
    scores = rows.pivot_table(index="town", columns="design", values="score")
    lines = []
    for town in scores.index:
        best = scores.drop(index=town).mean().idxmin()
        here = rows[(rows["town"] == town) & (rows["design"] == best)]
        lines.append(
            {
                "town": town,
                "chosen on the others": best,
                "cases": len(here),
                "coverage": 100 * ((here["low"] <= 0) & (here["high"] >= 0)).mean(),
                "median error": 100 * np.expm1(here["at"]).abs().median(),
                "rmse": 100 * float(np.sqrt((here["at"] ** 2).mean())),
                "power -30 %": 100 * (here["high"] + THIRD_LESS < 0).mean(),
            }
        )
    return pd.DataFrame(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Compare the designs from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of the shared data (else TELSTRAAT_DATA, else beside the repository)")
    parser.add_argument("--every", type=int, default=1, help="take every n-th case")
    args = parser.parse_args(argv)
    folder = data_folder(args.data)
    panels = read_panels(folder)
    cases = read_cases(folder / "placebo_cases.csv")[:: args.every]
    rows = pd.DataFrame([row for case in cases for row in run_case(panels[case.panel], case)])
    print(rows.pivot_table(index="design", columns="town", values="score", margins=True).round(3).to_string())
    print(left_out(rows).round(1).to_string(index=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
