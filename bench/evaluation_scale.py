"""Time and memory of an evaluation: 1, 100, 1,000 streets with two years of hours each, as JSON and as a plot.

python -m bench.evaluation_scale --streets 1 --streets 100 [--svg OUT.svg] [--json OUT]
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.evaluation_data import write_json

from telstraat_analytics import Measure, Question, evaluate

YEARS = 2
DATE = dt.date(2025, 9, 22)
CONTROLS = 3


def street(segment: str, rng: np.random.Generator) -> pd.DataFrame:
    """Return two years of hourly counts of one street."""
    hours = pd.date_range(
        pd.Timestamp(DATE) - pd.Timedelta(days=365 * YEARS - 56), periods=365 * YEARS * 24, freq="h", tz="UTC"
    )
    hours = hours[(hours.hour >= 6) & (hours.hour < 20)]
    level = np.exp(np.cumsum(rng.normal(0, 0.005, len(hours))))
    mean = np.asarray(100 * level / level.mean())
    counts = {
        name: rng.poisson(mean * share)
        for name, share in (("car", 1.0), ("bike", 0.4), ("heavy", 0.1), ("pedestrian", 0.2))
    }
    return pd.DataFrame({"segment": segment, "start": hours, "uptime": 1.0, **counts})


def measured(streets: int) -> dict[str, float]:
    """Evaluate each of so many streets against three controls; return seconds and the peak of memory."""
    rng = np.random.default_rng(1)
    controls = [street(f"control-{number}", rng) for number in range(CONTROLS)]
    names = tuple(f"control-{number}" for number in range(CONTROLS))
    worst, begun = 0.0, time.perf_counter()
    for number in range(streets):
        frame = pd.concat([street(f"street-{number}", rng), *controls], ignore_index=True)
        since = time.perf_counter()
        evaluate(
            frame, Measure("scale", DATE, (f"street-{number}",), names, timezone="UTC"), Question("car"), counts="raw"
        )
        worst = max(worst, time.perf_counter() - since)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"streets": streets, "seconds": time.perf_counter() - begun, "slowest_s": worst, "peak_mb": peak}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streets", type=int, action="append", help="1, 100 and 1000 if not given")
    parser.add_argument("--svg", help="draw it here")
    parser.add_argument("--json", help="write it here")
    args = parser.parse_args(argv)
    rows = [measured(one) for one in args.streets or (1, 100, 1000)]
    table = pd.DataFrame(rows)
    print(table.round(2).to_string(index=False))
    if args.json:
        write_json(args.json, rows)
    if args.svg:
        import altair as alt
        import vl_convert

        line = alt.Chart(alt.InlineData(values=rows)).mark_line(point=True)
        x = alt.X("streets:Q", scale=alt.Scale(type="log"), title="streets, two years each")
        chart = line.encode(x=x, y=alt.Y("seconds:Q", scale=alt.Scale(type="log"))) | line.encode(
            x=x, y=alt.Y("peak_mb:Q", title="peak MB")
        )
        Path(args.svg).write_text(vl_convert.vegalite_to_svg(chart.to_dict()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
