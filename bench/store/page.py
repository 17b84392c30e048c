"""Writes what `bench.store` found to a page with tables and a plot.

python -m bench.store.page plain.json [timescale.json] --page docs/bench/store.md --plot docs/images/store.svg
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

Run = dict[str, Any]

HEAD = """# The store: room and time

Written by `python -m bench.store.page` from runs of `python -m bench.store` (see there for what is loaded and how).
Times are of the API's own functions, from the question to rows in Python, over random streets. **Processor** is the time of
Python and of the database's process together: it hardly depends on what else the machine does. **p50 and p99** are waiting
times, and do: the last column of the first table says how busy the machine was (processes that want one of its cores).
"""


def name_of(run: Run) -> str:
    """Return the back end's name and version."""
    server = run["server"].split()[0]
    return f"TimescaleDB {run['timescaledb']} on PostgreSQL {server}" if run["timescaledb"] else f"PostgreSQL {server}"


def size_of(size: dict[str, Any]) -> str:
    """Return how a size is called: sensors and time."""
    time = f"{size['days'] / 365:g} years" if size["days"] >= 365 else f"{size['days']:g} days"
    return f"{size['sensors']:,} x {time}"


def table(heads: list[str], rows: list[list[str]]) -> list[str]:
    """Return a table in Markdown, the first column to the left."""
    marks = ["---", *["---:"] * (len(heads) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (heads, marks, *rows)] + [""]


def room(runs: list[Run]) -> list[str]:
    """Return the table of sizes."""
    heads = ["sensors x time", "reports", "bytes a report", "of which index", "compressed", "bytes an hour",
             "loaded/s", "added up/s", "compressed/s", "load"]  # fmt: skip
    lines = ["## Room", ""]
    for run in runs:
        rows = [
            [size_of(size), f"{size['reports']:,}", f"{size['total_bytes']:.0f}", f"{size['index_bytes']:.0f}",
             f"{size['compressed_bytes']:.1f}" if size["compressed_bytes"] else "",
             f"{size['hour_bytes']:.0f}", f"{size['load_per_s']:,.0f}", f"{size['rollup_per_s']:,.0f}",
             f"{size['compress_per_s']:,.0f}" if size["compress_per_s"] else "", f"{size['machine_load']:.0f}"]
            for size in run["sizes"]
        ]  # fmt: skip
        lines += [f"{name_of(run)}, {run['machine']}, {run['at'][:10]}:", "", *table(heads, rows)]
    return lines


def times(runs: list[Run]) -> list[str]:
    """Return the tables of questions."""
    lines = ["## Time", "", "Processor milliseconds, and waiting time p50 / p99 in milliseconds.", ""]
    for run in runs:
        sizes = run["sizes"]
        rows = [
            [question]
            + [
                f"**{took['cpu_ms']:.1f}** ({took['p50_ms']:.0f} / {took['p99_ms']:.0f})"
                for took in (size["questions"][question] for size in sizes)
            ]
            for question in sizes[0]["questions"]
        ]
        lines += [f"{name_of(run)}:", "", *table(["question", *map(size_of, sizes)], rows)]
    return lines


def over_http(runs: list[Run]) -> list[str]:
    """Return the tables of the API's latency, where it was asked."""
    lines: list[str] = []
    for run in runs:
        sizes = [size for size in run["sizes"] if size["latency"]]
        if not sizes:
            continue
        rows = [
            [kind["name"]]
            + [
                f"{k['p50_ms']:.0f} / {k['p99_ms']:.0f}"
                for size in sizes
                for k in size["latency"]
                if k["name"] == kind["name"]
            ]
            for kind in sizes[0]["latency"]
            if all(any(k["name"] == kind["name"] for k in size["latency"]) for size in sizes)
        ]
        rows.append(
            ["failed"] + [f"{size['latency'][0]['failed']} of {size['latency'][0]['requests']}" for size in sizes]
        )
        rows.append(
            ["processor of the API's process, a request"] + [f"{size['latency'][0]['cpu_ms']:.1f}" for size in sizes]
        )
        lines += [f"{name_of(run)}, {run['rate']:g} requests a second, p50 / p99 in milliseconds:", "",
                  *table(["request", *map(size_of, sizes)], rows)]  # fmt: skip
    return ["## Over HTTP", "", *lines] if lines else []


def joined(runs: list[Run]) -> list[Run]:
    """Return runs of one back end as one, by sensors and time."""
    by_server: dict[str, Run] = {}
    for run in runs:
        known = by_server.setdefault(name_of(run), {**run, "sizes": []})
        known["sizes"] += run["sizes"]
    for run in by_server.values():
        run["sizes"].sort(key=lambda size: (size["days"] >= 365, size["sensors"], size["days"]))
    return list(by_server.values())


def plot(runs: list[Run], path: Path) -> None:
    """Draw how the processor time of the questions grows with sensors and with years."""
    import altair as alt
    import pandas as pd

    rows = []
    for run in runs:
        years = min(size["sensors"] for size in run["sizes"] if size["days"] >= 365)
        for size in run["sizes"]:
            of_years = size["sensors"] == years
            for question, took in size["questions"].items():
                rows.append(
                    {
                        "growth": f"years of {years} sensors" if of_years else "sensors",
                        "at": size["days"] / 365 if of_years else size["sensors"],
                        "milliseconds": max(took["cpu_ms"], 0.1),
                        "question": question,
                        "back end": "TimescaleDB" if run["timescaledb"] else "PostgreSQL",
                    }
                )
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(point=True)
        .encode(
            alt.X("at:Q", title=None).scale(type="log"),
            alt.Y("milliseconds:Q", title="processor milliseconds").scale(type="log"),
            alt.Color("question:N", legend=alt.Legend(labelLimit=260)),
            alt.StrokeDash("back end:N"),
            alt.Column("growth:N", title=None),
        )
        .properties(width=260, height=260)
        .resolve_scale(x="independent")
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    chart.save(path)


def main() -> int:
    """Read the runs, write page and plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--plot", type=Path, required=True)
    args = parser.parse_args()
    runs = joined([json.loads(path.read_text()) for path in args.runs])
    plot(runs, args.plot)
    picture = f"../images/{args.plot.name}"
    lines = [HEAD, *room(runs), *times(runs), f"![How the usual questions grow with sensors and with years]({picture})", "",
             *over_http(runs)]  # fmt: skip
    args.page.parent.mkdir(parents=True, exist_ok=True)
    args.page.write_text("\n".join(lines).rstrip() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
