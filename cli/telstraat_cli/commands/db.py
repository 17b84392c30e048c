"""The database: migrate, status, backup, restore, import, export.

telstraat db migrate                     bring the schema to the present; a second run changes nothing
telstraat db status                      how far it is, and what it holds
telstraat db backup FILE                 everything in one file that only you can read
telstraat db restore FILE                into an empty database; sensors send again what is missing since
telstraat db import FILE --source NAME   counts that others have published: docs/import.md
telstraat db summaries                   make every street's summary again; the API does it when a day is over
telstraat db export FILE --step hour     counts as CSV
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telstraat_cli.commands.sensor import moment
from telstraat_cli.database_options import add_database_arguments, dsn_of
from telstraat_cli.errors import CliError
from telstraat_cli.reading_options import add_reading_arguments

if TYPE_CHECKING:
    from psycopg import Connection


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    add_database_arguments(parser)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    migrate = actions.add_parser("migrate", help="bring the schema to the present")
    actions.add_parser("status", help="how far the schema is, and what the database holds")
    backup = actions.add_parser("backup", help="write everything into one file")
    restore = actions.add_parser("restore", help="restore a backup into an empty database")
    for action in (backup, restore):
        action.add_argument("file", type=Path)
    for action in (migrate, restore):
        action.add_argument(
            "--timescale",
            choices=["auto", "off", "require"],
            default="auto",
            help="take TimescaleDB if the server offers it",
        )
    bring = actions.add_parser("import", help="bring in counts that others have published")
    bring.add_argument("file", type=Path)
    bring.add_argument("--source", required=True, metavar="NAME", help="where they come from; shown beside the counts")
    bring.add_argument("--format", choices=["telraam-api", "telraam-portal", "plain"], help="found out from the file")
    add_reading_arguments(bring)
    bring.add_argument(
        "--counts",
        choices=["corrected", "raw"],
        help="divided by uptime or as seen, of a file with uptime that does not say",
    )
    bring.add_argument(
        "--street",
        action="append",
        default=[],
        metavar="NAME=ID",
        help="which segment a name in the file is; repeat it",
    )
    bring.add_argument("--licence", default="", help="their licence, e.g. 'CC BY 4.0'")
    bring.add_argument("--credit", default="", help="whom to name")
    bring.add_argument("--refused", type=Path, metavar="CSV", help="write the refused lines there, with their reasons")
    actions.add_parser("summaries", help="make every street's summary again")
    export = actions.add_parser("export", help="write counts as CSV")
    export.add_argument("file", type=Path)
    export.add_argument("--step", choices=["quarter", "hour", "day"], default="hour")
    export.add_argument(
        "--segment", type=int, action="append", default=[], metavar="ID", help="all when left out; repeat it"
    )
    export.add_argument("--from", dest="from_at", type=moment, metavar="TIME", help="e.g. 2026-05-01T00:00+02:00")
    export.add_argument("--until", dest="until_at", type=moment, metavar="TIME", help="not included")
    export.add_argument("--no-gaps", action="store_true", help="leave out periods that have no counts, and why")


def run(args: argparse.Namespace) -> int:
    """Do one action."""
    import psycopg

    from telstraat_store.errors import TelstraatStoreError

    dsn = dsn_of(args)
    actions: dict[str, Callable[[str, argparse.Namespace], int]] = {
        "migrate": migrate,
        "status": status,
        "backup": backup,
        "restore": restore,
        "import": bring_in,
        "summaries": summaries,
        "export": export,
    }
    try:
        return actions[args.action](dsn, args)
    except TelstraatStoreError as error:
        raise CliError(str(error)) from error
    except psycopg.errors.UndefinedTable as error:
        raise CliError("the database has no schema yet: run telstraat db migrate first") from error
    except psycopg.OperationalError as error:
        raise CliError(f"the database does not answer: {str(error).strip()}") from error


def migrate(dsn: str, args: argparse.Namespace) -> int:
    """Apply what is missing."""
    from telstraat_store.schema.migrate import migrate as apply

    done = apply(dsn, args.timescale)
    for migration in done:
        print(f"applied {migration.number:04} {migration.name}")
    if not done:
        print("the schema is at the present already")
    return 0


def status(dsn: str, _: argparse.Namespace) -> int:
    """Tell how far the schema is and what there is; 1 when something is left to apply."""
    import psycopg

    from telstraat_store.schema import retention
    from telstraat_store.schema.migrate import status as tell

    schema = tell(dsn)
    print(f"PostgreSQL {schema.server}, TimescaleDB {schema.timescaledb or 'not used'}")
    for applied in schema.applied:
        print(f"{applied.number:04} {applied.name:<20} {applied.applied_at:%Y-%m-%d %H:%M}")
    for pending in schema.pending:
        print(f"{pending.number:04} {pending.name:<20} to apply: telstraat db migrate")
    if not schema.is_present:
        return 1
    with psycopg.connect(dsn) as connection:
        size = retention.size(connection)
    span = f", {size.first_at:%Y-%m-%d} to {size.last_at:%Y-%m-%d}" if size.first_at and size.last_at else ""
    print(f"{size.segments} segments, {size.sensors} sensors, {size.reports} reports{span}")
    print(f"{size.missing} reports asked for again, {size.quarantined} messages in quarantine")
    per_report = f", {size.reports_bytes / size.reports:.0f} bytes a report" if size.reports else ""
    print(f"{size.bytes / 1e6:.1f} MB{per_report}")
    return 0


def backup(dsn: str, args: argparse.Namespace) -> int:
    """Write a backup."""
    from telstraat_store.schema.backup import backup as write

    with bytes_shown("backup") as progress:
        manifest = write(dsn, args.file, progress)
    rows = sum(table.rows for table in manifest.tables)
    print(f"{args.file}: {rows} rows of {len(manifest.tables)} tables, {args.file.stat().st_size / 1e6:.1f} MB")
    return 0


def restore(dsn: str, args: argparse.Namespace) -> int:
    """Restore a backup."""
    from telstraat_store.schema.backup import restore as read

    with bytes_shown("restore") as progress:
        manifest = read(dsn, args.file, progress, args.timescale)
    rows = sum(table.rows for table in manifest.tables)
    print(
        f"restored {rows} rows as of {manifest.made_at:%Y-%m-%d %H:%M} UTC; what sensors have sent since comes by itself"
    )
    return 0


def bring_in(dsn: str, args: argparse.Namespace) -> int:
    """Import a file and say what became of it; 1 when nothing of it could be taken."""
    import psycopg

    from telstraat_store.imports.writing import Known, Source, import_file

    with psycopg.connect(dsn) as connection, lines_shown(args.file) as progress:
        source = Source(args.source, args.licence, args.credit)
        known = Known(args.times, args.dates, args.decimal, args.counts)
        result = import_file(connection, args.file, source, streets(args.street), args.format, progress, known)
        if args.refused:
            write_refused(connection, args.source, args.refused)
    for note in result.notes:
        print(note)
    if result.skipped:
        print(f"{result.skipped} lines were read by an earlier run")
    print(
        f"{result.kind}: {result.new} new, {result.changed} changed, {result.same} the same, {sum(result.refused.values())} refused"
    )
    for reason, count in result.refused.most_common():
        print(
            f"  {count} refused: {reason} (first: line {result.examples[reason].number}: {result.examples[reason].reason})"
        )
    return 0 if result.new or result.changed or result.same or result.skipped else 1


def summaries(dsn: str, _: argparse.Namespace) -> int:
    """Make every summary again."""
    from datetime import UTC, datetime

    import psycopg

    from telstraat_api.summaries.day_kinds import kinds_of_days
    from telstraat_store.summaries.refreshing import refresh_all

    with psycopg.connect(dsn, autocommit=True) as connection:
        count = refresh_all(connection, kinds_of_days, datetime.now(UTC))
    print(f"{count} streets summarised")
    return 0


def export(dsn: str, args: argparse.Namespace) -> int:
    """Write counts as CSV."""
    import psycopg

    from telstraat_store.export.view_dump import DumpRequest
    from telstraat_store.export.view_dump import export as write

    selection = DumpRequest(args.step, tuple(args.segment), args.from_at, args.until_at, has_gaps=not args.no_gaps)
    with psycopg.connect(dsn) as connection:
        rows = write(connection, selection, args.file)
    print(f"{args.file}: {rows} rows")
    return 0


def streets(words: list[str]) -> dict[str, int]:
    """Return the map of names to segments."""
    from telstraat_store.imports.numbers import whole_number

    segments: dict[str, int] = {}
    for word in words:
        name, _, text = word.rpartition("=")
        number = whole_number(text)
        if not name or number is None:
            raise CliError(f"--street {word!r}: write NAME=ID, e.g. 9000001234=1001")
        if segments.setdefault(name, number) != number:
            raise CliError(f"--street {word!r}: {name} is {segments[name]} already; leave one of the two out")
    return segments


def write_refused(connection: Connection[Any], source: str, path: Path) -> None:
    """Write what was refused of a source, with reasons."""
    import csv

    from telstraat_store.imports.writing import refusals

    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "line", "reason", "text"])
            writer.writerows(refusals(connection, source))
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}") from error


@contextmanager
def bytes_shown(what: str) -> Iterator[Callable[[str, int], None]]:
    """Show the table at work and its bytes."""
    from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn, TransferSpeedColumn

    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn(), TransferSpeedColumn(), transient=True
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda name, done: bar.update(task, description=f"{what} {name}", completed=done)


@contextmanager
def lines_shown(path: Path) -> Iterator[Callable[[int], None]]:
    """Show how many of a file's lines are done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    try:
        with path.open("rb") as file:
            lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}") from error
    with Progress("import", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), transient=True) as bar:
        task = bar.add_task("import", total=max(lines - 1, 1))
        yield lambda done: bar.update(task, completed=done)
