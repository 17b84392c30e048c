"""Measures the API and writes what came out to a page.

    python -m bench.api.page --folder DIR --page docs/bench/api.md --run [rows latency growth download]
    python -m bench.api.page --folder DIR --page docs/bench/api.md

`rows` is `bench.api` (a minute), `latency` and `growth` are `bench.store` over HTTP (four minutes and two), `download` is
`bench.api.download` (four minutes). Each leaves a JSON file in the folder; the page is written from those that are there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.store.page import size_of, table

Figures = dict[str, Any]

RUNS = {
    "rows": "bench.api --sensors 20 --rounds 5",
    "latency": "bench.store --sizes 10000x7 --latency-s 20 --rate 50 --http-only",
    "growth": "bench.store --sizes 10x365 10x730 10x1460 --latency-s 10 --rate 20 --http-only",
    "download": "bench.api.download --rows 10000000 --forms csv",
}
HEAD = """# The API measured

Written by `python -m bench.api.page` from the runs that are named; database, API and whoever asks share one machine. **Processor** is
that of the API's own process and hardly depends on what else the machine does; rows a second and waiting times do.
"""


def run(name: str, folder: Path) -> None:
    """Run one benchmark; its figures are in the folder then."""
    part = folder / f"{name}.part"
    subprocess.run([sys.executable, "-m", *RUNS[name].split(), "--json", str(part)], check=True)
    figures = json.loads(part.read_text())
    about = {"at": datetime.now(UTC).isoformat(timespec="minutes"), "cores": os.cpu_count(), "load": os.getloadavg()[2]}
    (folder / f"{name}.json").write_text(json.dumps({"about": about, "figures": figures}, indent=1))
    part.unlink()


def command(name: str, about: Figures) -> str:
    """Return the line that says how figures were measured."""
    return (
        f"`python -m {RUNS[name]}`, {about['cores']} cores, {about['at'][:10]}, on average {about['load']:.0f} processes"
        " that wanted one of them:"
    )


def rows_section(about: Figures, figures: Figures) -> list[str]:
    """Return the table of rows a second."""
    lines = ["## Rows a second", "", command("rows", about), ""]
    memory = figures["in memory to bytes"]
    base = memory["fastapi default"]
    cells = [[way, f"{n:,.0f}", f"{n / base:.0f}" if way != "fastapi default" else ""] for way, n in memory.items()]
    lines += table(["rows in memory to JSON bytes", "rows/s", "times FastAPI's default encoder (20 wanted)"], cells)
    cases = [name for name in figures if name.startswith("a year of")]
    ways = [way for way in figures[cases[0]] if way != "CSV of psql"]
    cells = [
        [
            way,
            *(
                f"{figures[case][way]:,.0f} ({figures[case][way] / figures[case]['psql COPY csv']:.2f})"
                for case in cases
            ),
        ]
        for way in ways
    ]
    lines += table(["from the database to the reader, rows/s (share of psql; 0.5 wanted of CSV)", *cases], cells)
    file = figures["memory"]
    of_memory = f"The server's memory while it sends the larger file ({file['file_mb']:.0f} MB): {file['before_mb']:.0f} MB before,"
    return [*lines, f"{of_memory} {file['most_mb']:.0f} MB at most.", ""]


def http_section(title: str, name: str, about: Figures, figures: Figures) -> list[str]:
    """Return the table of waiting times of some sizes."""
    sizes = figures["sizes"]
    lines = [f"## {title}", "", command(name, about), ""]
    kinds = [kind["name"] for kind in sizes[0]["latency"]]
    cells = []
    for at, kind in enumerate(kinds):
        latencies = [size["latency"][at] for size in sizes]
        cells.append([kind, *(f"{size['p50_ms']:.0f} / {size['p99_ms']:.0f}" for size in latencies)])
    first = [size["latency"][0] for size in sizes]
    cells.append(["failed", *(f"{size['failed']} of {size['requests']}" for size in first)])
    cells.append(["processor of the API's process, ms a request", *(f"{size['cpu_ms']:.1f}" for size in first)])
    heads = [f"{figures['rate']:g} requests a second, p50 / p99 in ms", *(size_of(size) for size in sizes)]
    return [*lines, *table(heads, cells)]


def download_section(about: Figures, figures: Figures) -> list[str]:
    """Return the table of the large download."""
    cells = [
        [
            form,
            f"{times['file_mb']:,.0f}",
            f"{times['wall_s']:.0f}",
            f"{times['before_mb']:.0f}",
            f"{times['most_mb']:.0f}",
        ]
        for form, times in figures["forms"].items()
    ]
    lines = ["## A download of ten million rows", "", command("download", about), ""]
    lines += table([f"{figures['rows']:,} rows", "MB", "seconds", "MB of memory before", "at most"], cells)
    return [*lines, f"A reader who goes away in the middle: the database stops after {figures['stopped_s']:.2f} s.", ""]


def page(folder: Path) -> str:
    """Return the page from what is in the folder."""
    lines = [HEAD]
    for name in RUNS:
        path = folder / f"{name}.json"
        if not path.exists():
            continue
        measured = json.loads(path.read_text())
        about, figures = measured["about"], measured["figures"]
        if name == "rows":
            lines += rows_section(about, figures)
        elif name == "latency":
            lines += http_section("Waiting", name, about, figures)
        elif name == "growth":
            lines += http_section("How it grows with years", name, about, figures)
        else:
            lines += download_section(about, figures)
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Run what is asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where the figures lie")
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--run", nargs="*", choices=list(RUNS), default=[])
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for name in args.run:
        run(name, args.folder)
    args.page.parent.mkdir(parents=True, exist_ok=True)
    args.page.write_text(page(args.folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
