"""How often a real street has an odd level before a date on which nothing happened: the rate that explains the counts best.

    python -m bench.evaluation.odd --data FOLDER [--first 90]

For each case of the placebo benchmark (nothing put in) the Bayes factors of the odd levels of the treated street, by itself, are
added up; the rate per week is where the likelihood of all cases is greatest. Printed for all towns and with each of them left out,
with the rates that are less likely by a factor of at most e^1.92 (a 95 % interval, were the dates independent: they are not).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import pandas as pd
from bench.evaluation.data import Case, Panel, data_folder, read_cases, read_panels

from telstraat_analytics.designs.series import prepare, street
from telstraat_analytics.errors import AnalysisError
from telstraat_analytics.frames import as_counts
from telstraat_analytics.measure import Measure
from telstraat_analytics.model.step import odd_evidence
from telstraat_analytics.question import Question

RATES = np.exp(np.linspace(np.log(1e-5), np.log(0.03), 200))
WITHIN = 1.92


def evidence(panel: Panel, case: Case) -> tuple[float, int] | None:
    """Return the sum of Bayes factors of the street's odd levels and how many were tried, or None where the data are refused."""
    measure = Measure(
        "none",
        case.date.date(),
        (case.sensor,),
        timezone=panel.timezone,
        before_days=case.pre_days,
        after_days=case.post_days,
    )
    question = Question(case.class_name, hours=panel.hours)
    near = panel.frame[panel.frame["segment"] == case.sensor]
    try:
        prepared = prepare(as_counts(near, "raw"), measure)
        own = street(prepared, case.sensor, measure, question)
    except AnalysisError:
        return None
    if own is None or not (own.weeks.number < 0).any() or not (own.weeks.number >= 0).any():
        return None
    return odd_evidence(own.weeks, question.variance_prior, prepared.span.date)


def best(rows: pd.DataFrame) -> str:
    """Return the likeliest rate with those that are nearly as likely."""
    total, tried = (rows[name].to_numpy(float) for name in ("evidence", "tried"))
    likelihood = np.log((1 + RATES[:, None] * total) / (1 + RATES[:, None] * tried)).sum(axis=1)
    near = RATES[likelihood > likelihood.max() - WITHIN]
    return f"{RATES[likelihood.argmax()]:.4f} ({near[0]:.4f} to {near[-1]:.4f})"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of the shared data (else TELSTRAAT_DATA, else beside the repository)")
    parser.add_argument("--first", type=int, help="take so many cases of a fixed random order (all by default)")
    args = parser.parse_args(argv)
    folder = data_folder(args.data)
    panels, cases = read_panels(folder), read_cases(folder / "placebo_cases.csv")
    rows = []
    for which in np.random.default_rng(0).permutation(len(cases))[: args.first]:
        case = cases[int(which)]
        answer = evidence(panels[case.panel], case)
        if answer is not None:
            rows.append({"town": case.panel, "evidence": answer[0], "tried": answer[1]})
    table = pd.DataFrame(rows)
    print(f"all {len(table)} cases: {best(table)}")
    for name in sorted(table["town"].unique()):
        print(f"without {name}: {best(table[table['town'] != name])}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
