"""Plan a count before a measure is taken: how long, and on how many streets, to see a wanted effect.

    telstraat plan --what car --wanted -20 --per-day 800
    telstraat plan --what bike --what car --wanted -30 --controls 3 --out plan --language fr

Power comes from how streets were seen to move when nothing was done to them (see docs/evaluation.md).
"""

from __future__ import annotations

import argparse

from telstraat_cli.errors import CliError
from telstraat_cli.reading_options import file_name
from telstraat_contract.languages import LANGUAGES, SOURCE
from telstraat_contract.road_users import CLASSES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `telstraat plan` understands."""
    parser.add_argument("--what", action="append", help=f"one of {', '.join(CLASSES)}; may be repeated (car)")
    parser.add_argument("--wanted", type=float, default=-20.0, metavar="PERCENT", help="the effect to see, e.g. -20")
    parser.add_argument("--per-day", type=float, default=800.0, metavar="N", help="crossings per day on one street")
    parser.add_argument(
        "--controls", type=int, default=2, metavar="N", help="streets without the measure that are counted"
    )
    parser.add_argument("--sensors", default="1,2,3,5", help="numbers of treated streets with a sensor")
    parser.add_argument("--weeks", default="2,4,6,8,12,16,26", help="weeks before, and as many after")
    parser.add_argument("--language", default=SOURCE, choices=LANGUAGES, help=f"one of {', '.join(LANGUAGES)}")
    parser.add_argument("--out", type=file_name, metavar="NAME", help="write NAME.html, NAME.pdf and NAME.json")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")


def run(args: argparse.Namespace) -> int:
    """Plan, print and write."""
    from telstraat_analytics import plan
    from telstraat_analytics.errors import AnalysisError
    from telstraat_analytics.report.plans import plan_content
    from telstraat_analytics.report.write import as_json, html, pdf

    if not 0 < args.per_day < 1e6:
        raise CliError(f"--per-day {args.per_day:g}: write how many pass in a day, above 0")
    if not -100 <= args.wanted <= 1000:
        raise CliError(f"--wanted {args.wanted:g}: write the change in percent, e.g. -20")
    if not 0 <= args.controls <= 60:
        raise CliError(f"--controls {args.controls}: from 0 to 60")
    sensors, weeks = _whole_numbers("--sensors", args.sensors), _whole_numbers("--weeks", args.weeks)
    try:
        plans = [
            plan(what, args.wanted / 100, args.per_day, controls=args.controls, sensors=sensors, weeks=weeks)
            for what in args.what or ["car"]
        ]
        text = as_json({"plans": [plan_.to_dict() for plan_ in plans]})
        content = plan_content(plans, args.language)
        if args.json:
            print(text, end="")
        else:
            for section in content.sections:
                print(f"\n{section.sentence}\n")
                for table in section.tables:
                    width = max(len(cell) for row in (table.head, *table.rows) for cell in row)
                    for row in (table.head, *table.rows):
                        print("  ".join(f"{cell:<{width}}" for cell in row))
                    print(f"\n{table.note}")
        if args.out:
            args.out.parent.mkdir(parents=True, exist_ok=True)
            args.out.with_name(f"{args.out.name}.html").write_text(html(content), encoding="utf-8")
            args.out.with_name(f"{args.out.name}.pdf").write_bytes(pdf(content))
            args.out.with_name(f"{args.out.name}.json").write_text(text, encoding="utf-8")
    except AnalysisError as error:
        raise CliError(str(error)) from error
    return 0


def _whole_numbers(option: str, text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(number) for number in text.split(","))
    except ValueError as error:
        raise CliError(f"{option} {text!r}: write whole numbers with commas, e.g. 1,2,3") from error
    if any(number < 1 or number > 60 for number in numbers):
        raise CliError(f"{option} {text!r}: from 1 to 60")
    return numbers
