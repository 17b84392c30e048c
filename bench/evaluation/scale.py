"""Time and memory of evaluations: streets with two years of hours each, one after the other, as a table and as a plot.

    python -m bench.evaluation.scale --streets 1000 [--minutes 15] [--svg OUT.svg] [--json OUT]

Every street is evaluated for cars against three controls, with all checks. Seconds are processor time, without that of
making the counts up.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from bench.evaluation.data import write_json

from telstraat_analytics import Measure, Question, evaluate

YEARS = 2
DATE = dt.date(2025, 9, 22)
CONTROLS = 3
AFTER_DAYS = 56


def street(segment: str, rng: np.random.Generator) -> pd.DataFrame:
    """Return two years of hourly counts of one street."""
    first = pd.Timestamp(DATE) - pd.Timedelta(days=365 * YEARS - AFTER_DAYS)
    hours = pd.date_range(first, periods=365 * YEARS * 24, freq="h", tz="UTC")
    hours = hours[(hours.hour >= 6) & (hours.hour < 20)]
    level = np.exp(np.cumsum(rng.normal(0, 0.005, len(hours))))
    mean = np.asarray(100 * level / level.mean())
    counts = {
        name: rng.poisson(mean * share)
        for name, share in (("car", 1.0), ("bike", 0.4), ("heavy", 0.1), ("pedestrian", 0.2))
    }
    return pd.DataFrame({"segment": segment, "start": hours, "uptime": 1.0, **counts})


def measured(streets: int, minutes: float | None) -> Iterator[dict[str, float]]:
    """Evaluate street after street; yield seconds so far, the slowest street and the peak of memory after each."""
    rng = np.random.default_rng(1)
    names = tuple(f"control-{number}" for number in range(CONTROLS))
    controls = [street(name, rng) for name in names]
    until = time.monotonic() + 60 * minutes if minutes else float("inf")
    total = slowest = 0.0
    for number in range(1, streets + 1):
        name = f"street-{number}"
        frame = pd.concat([street(name, rng), *controls], ignore_index=True)
        measure = Measure("scale", DATE, (name,), names, timezone="UTC", after_days=AFTER_DAYS)
        since = time.process_time()
        evaluate(frame, measure, Question("car"), counts="raw")
        spent = time.process_time() - since
        total, slowest = total + spent, max(slowest, spent)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield {"streets": number, "seconds": total, "slowest_s": slowest, "peak_mb": peak}
        if time.monotonic() > until:
            print(f"stopped after {number} of {streets} streets", file=sys.stderr)
            return


def draw(rows: Sequence[dict[str, float]], path: str) -> None:
    """Draw time and memory over the number of streets."""
    import altair as alt
    import vl_convert

    line = alt.Chart(alt.InlineData(values=list(rows))).mark_line(point=True).properties(width=260, height=200)
    x = alt.X("streets:Q", scale=alt.Scale(type="log"), title="streets, two years each")
    seconds = alt.Y("seconds:Q", scale=alt.Scale(type="log"), title="seconds of one core")
    peak = alt.Y("peak_mb:Q", scale=alt.Scale(zero=True), title="peak of memory, MB")
    chart = line.encode(x=x, y=seconds) | line.encode(x=x, y=peak)
    Path(path).write_text(vl_convert.vegalite_to_svg(chart.to_dict()), encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streets", type=int, default=1000)
    parser.add_argument("--minutes", type=float, help="stop after so long")
    parser.add_argument("--svg", help="draw it here")
    parser.add_argument("--json", help="write it here")
    args = parser.parse_args(argv)
    every = list(measured(args.streets, args.minutes))
    printed = {int(row) for row in np.geomspace(1, len(every), 7).round()} | {1, 10, 100, len(every)}
    rows = [row for row in every if row["streets"] in printed]
    print(pd.DataFrame(rows).round(2).to_string(index=False))
    if args.json:
        write_json(args.json, rows)
    if args.svg:
        draw(rows, args.svg)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
