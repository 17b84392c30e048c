"""Describe streets from files of counts: who passes and when, how fast, streets beside each other.

The report holds the typical week, the modal split, rush hours, the school run, speeds, the mark A to E of every month; of
several streets what is and is not comparable, and hints of through traffic.

    telstraat describe counts.csv --timezone Europe/Paris
    telstraat describe counts/*.json --segment 9000001 --segment 9000002 --from 2026-03-01 --to 2026-05-31 --out streets

No server is needed: answers of the Telraam API (JSON or CSV) and exports of its portal are read as they are.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from telstraat_cli.errors import CliError
from telstraat_cli.reading_options import add_reading_arguments, file_name
from telstraat_contract.languages import LANGUAGES, SOURCE

LIMITS_KMH = (5, 150)

if TYPE_CHECKING:
    import pandas as pd


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `telstraat describe` understands."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="counts, CSV or JSON")
    parser.add_argument("--segment", action="append", metavar="NAME", help="only this street; may be repeated")
    parser.add_argument("--from", dest="first", metavar="DATE", help="first local day, e.g. 2026-03-01")
    parser.add_argument("--to", dest="last", metavar="DATE", help="last local day, included")
    parser.add_argument("--timezone", default="Europe/Brussels", help="of the streets")
    parser.add_argument(
        "--counts", choices=["corrected", "raw"], default="corrected", help="divided by uptime, or as seen"
    )
    add_reading_arguments(parser)
    parser.add_argument("--limit", type=int, default=50, metavar="KMH", help="the speed limit")
    parser.add_argument(
        "--school", action="append", default=[], metavar="FIRST:LAST", help="school holidays; may be repeated"
    )
    parser.add_argument("--source", default="", help="whose counts these are, and their licence; printed in the report")
    parser.add_argument("--language", default=SOURCE, choices=LANGUAGES, help=f"one of {', '.join(LANGUAGES)}")
    parser.add_argument("--out", type=file_name, metavar="NAME", help="write NAME.html, NAME.pdf and NAME.json")


def run(args: argparse.Namespace) -> int:
    """Describe, print and write."""
    from telstraat_analytics import Calendar, as_counts
    from telstraat_analytics.errors import AnalysisError
    from telstraat_analytics.report.description import description_content
    from telstraat_analytics.report.write import as_json, html, pdf
    from telstraat_cli.commands.evaluate import show
    from telstraat_store.errors import TelstraatStoreError
    from telstraat_store.imports import read_files

    if not LIMITS_KMH[0] <= args.limit <= LIMITS_KMH[1]:
        raise CliError(f"--limit {args.limit}: from {LIMITS_KMH[0]} to {LIMITS_KMH[1]} km/h")
    base = Calendar.of_timezone(args.timezone)
    calendar = Calendar(base.country, None, tuple(map(school, args.school)), base.southern)
    try:
        read = read_files(
            args.files, args.timezone, times=args.times, dates=args.dates, decimal=args.decimal, counts=args.counts
        )
        for sentence in read.sentences():
            print(f"telstraat describe: {sentence}", file=sys.stderr)
        frame = between(as_counts(read.frame, args.counts, timezone=args.timezone), args)
        known = sorted(frame["segment"].unique())
        segments = args.segment or known
        for segment in segments:
            if segment not in known:
                raise CliError(
                    f"--segment {segment!r}: the counts hold {', '.join(known) or 'no street in these days'}"
                )
        content = description_content(
            frame, segments, args.timezone, args.language, limit_kmh=args.limit, calendar=calendar, source=args.source
        )
        show(content)
        if args.out:
            args.out.parent.mkdir(parents=True, exist_ok=True)
            args.out.with_name(f"{args.out.name}.html").write_text(html(content), encoding="utf-8")
            args.out.with_name(f"{args.out.name}.pdf").write_bytes(pdf(content))
            args.out.with_name(f"{args.out.name}.json").write_text(as_json(asdict(content)), encoding="utf-8")
    except (AnalysisError, TelstraatStoreError) as error:
        raise CliError(str(error)) from error
    return 0


def between(frame: pd.DataFrame, args: argparse.Namespace) -> pd.DataFrame:
    """Return the rows of the local days that are asked for."""
    local = frame["start"].dt.tz_convert(args.timezone).dt.date
    within = frame
    if args.first:
        within = within[local >= one_day("--from", args.first)]
    if args.last:
        within = within[local[within.index] <= one_day("--to", args.last)]
    if within.empty:
        raise CliError("there are no counts in these days")
    return within


def one_day(option: str, text: str) -> date:
    """Read a date."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CliError(f"{option} {text!r}: write a date, e.g. 2026-03-01") from error


def school(text: str) -> tuple[date, date]:
    """Read the first and the last day of school holidays."""
    first, colon, last = text.partition(":")
    if not colon:
        raise CliError(f"--school {text!r}: write FIRST:LAST, e.g. 2026-07-01:2026-08-31")
    begin, end = one_day("--school", first), one_day("--school", last)
    if end < begin:
        raise CliError(f"--school {text!r}: the last day is before the first; write FIRST:LAST")
    return begin, end
