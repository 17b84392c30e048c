"""The database: migrate and status.

telstraat db migrate     bring the schema to the present; a second run changes nothing
telstraat db status      how far it is, and how much it holds
"""

from __future__ import annotations

import argparse
import os

from telstraat_cli.errors import CliError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    parser.add_argument("--dsn", help="address of the database; also TELSTRAAT_DSN")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    migrate = actions.add_parser("migrate", help="bring the schema to the present")
    migrate.add_argument(
        "--timescale",
        choices=["auto", "off", "require"],
        default="auto",
        help="take TimescaleDB if the server offers it",
    )
    actions.add_parser("status", help="how far the schema is")


def run(args: argparse.Namespace) -> int:
    """Do one action."""
    import psycopg

    from telstraat_ingest.errors import IngestError

    dsn = args.dsn or os.environ.get("TELSTRAAT_DSN")
    if not dsn:
        raise CliError("say where the database is with --dsn or TELSTRAAT_DSN")
    try:
        return {"migrate": migrate, "status": status}[args.action](dsn, args)
    except IngestError as error:
        raise CliError(str(error)) from error
    except psycopg.OperationalError as error:
        raise CliError(f"the database does not answer: {str(error).strip()}") from error


def migrate(dsn: str, args: argparse.Namespace) -> int:
    """Apply what is missing."""
    from telstraat_ingest.migrate import migrate as apply

    done = apply(dsn, args.timescale)
    for migration in done:
        print(f"applied {migration.number:04} {migration.name}")
    if not done:
        print("the schema is at the present already")
    return 0


def status(dsn: str, _: argparse.Namespace) -> int:
    """Tell how far the schema is; 1 when something is left to apply."""
    from telstraat_ingest.migrate import status as tell

    found = tell(dsn)
    print(f"PostgreSQL {found.server}, TimescaleDB {found.timescaledb or 'not used'}")
    for applied in found.applied:
        print(f"{applied.number:04} {applied.name:<20} {applied.applied_at:%Y-%m-%d %H:%M}")
    for pending in found.pending:
        print(f"{pending.number:04} {pending.name:<20} to apply: telstraat db migrate")
    return 0 if found.is_present else 1
