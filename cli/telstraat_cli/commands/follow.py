"""Follow measures: what each week shows, with intervals that hold for all looks, and letters when that changes.

    telstraat follow                     every measure that somebody follows, and the letters about it; run it every hour
    telstraat follow measure.toml        one measure from files of counts or a database, printed; no letters

Without a file it works on the database with the API's settings (TELSTRAAT_DSN, TELSTRAAT_API_MAIL_HOST, ...): a measure
is looked at once a week, when the week is over; letters that the mail server does not take wait for the next time.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from telstraat_cli.database_options import add_database_arguments
from telstraat_cli.errors import CliError
from telstraat_contract.languages import LANGUAGES, SOURCE
from telstraat_contract.road_users import CLASSES

if TYPE_CHECKING:
    from telstraat_analytics import Measure, Monitoring, Question


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `telstraat follow` understands."""
    parser.add_argument("measure", type=Path, nargs="?", metavar="MEASURE.toml", help="what was done where and when")
    add_database_arguments(parser)
    parser.add_argument("--what", action="append", help=f"a count: {', '.join(CLASSES)}, motor, active, all (car)")
    parser.add_argument(
        "--every", type=int, default=4, metavar="WEEKS", help="weeks between the looks that are printed"
    )
    parser.add_argument("--language", default=SOURCE, choices=LANGUAGES, help=f"one of {', '.join(LANGUAGES)}")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")


def run(args: argparse.Namespace) -> int:
    """Go one round, or follow one measure from files; 1 when letters wait or nothing could be said."""
    return one_round(args) if args.measure is None else one_measure(args)


def one_round(args: argparse.Namespace) -> int:
    """Look at every followed measure of the database that is due, and send what waits."""
    import asyncio
    from datetime import UTC, datetime

    from telstraat_api.errors import ApiError
    from telstraat_api.following.weekly import go_round
    from telstraat_api.settings import read_settings

    try:
        done = asyncio.run(go_round(read_settings(args.settings, {"dsn": args.dsn}), datetime.now(UTC)))
    except ApiError as error:
        raise CliError(str(error)) from error
    if done.already_running:
        print("another round is under way")
        return 0
    print(
        f"looked at {done.looked}, news in {done.news}; letters: {done.written} written, {done.sent} sent, "
        f"{done.waiting} waiting"
    )
    for line in done.refused:
        print(line)
    return 1 if done.waiting else 0


def one_measure(args: argparse.Namespace) -> int:
    """Follow one measure over its weeks and print what they show."""
    from telstraat_analytics import Question, monitor, read_measure
    from telstraat_analytics.errors import AnalysisError
    from telstraat_analytics.report.write import as_json
    from telstraat_cli.commands.evaluate import counts_of
    from telstraat_store.errors import TelstraatStoreError

    if args.every < 1:
        raise CliError(f"--every {args.every}: from 1 week on")
    try:
        measure, tables = read_measure(args.measure)
        frame, counts = counts_of(args, measure, tables)
        weeks = sorted({*range(4, measure.after_days // 7 + 1, args.every), measure.after_days // 7})
        results = {
            what: monitor(frame, measure, Question(what), counts=counts, weeks=weeks) for what in args.what or ["car"]
        }
        if args.json:
            plain = {what: [street.to_dict() for street in streets] for what, streets in results.items()}
            print(as_json({"following": plain}), end="")
        else:
            for what, streets in results.items():
                for street in streets:
                    show(street, measure, Question(what), args.language)
    except (AnalysisError, TelstraatStoreError) as error:
        raise CliError(str(error)) from error
    return 0 if any(street.last for streets in results.values() for street in streets) else 1


def show(street: Monitoring, measure: Measure, question: Question, language: str) -> None:
    """Print what one street shows: the sentences, then every look."""
    from telstraat_analytics.report.following import week_sentences
    from telstraat_analytics.report.sentence import percent
    from telstraat_analytics.words import word

    print("\n" + "\n".join(week_sentences(street, measure, question, language)))
    if street.last is None:
        return
    print(word("follow.looks", language) + "\n")
    for look in street.looks.to_dict("records"):
        low, middle, high = (percent(look[name], language, signed=True) for name in ("low", "estimate", "high"))
        print(f"  {int(look['weeks']):>3}  {middle:>7}  ({low} … {high})")
