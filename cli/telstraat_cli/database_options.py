"""Which database a command works on: a settings file, `TELSTRAAT_DSN`, `--dsn`, read as every service reads its settings."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def add_database_arguments(
    parser: argparse.ArgumentParser, about: str = "address of the database; also TELSTRAAT_DSN"
) -> None:
    """Declare the options."""
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML) that holds dsn or dsn_file")
    parser.add_argument("--dsn", help=about)


def names_database(args: argparse.Namespace) -> bool:
    """Return whether an option or a variable names a database."""
    return bool(args.dsn or args.settings or os.environ.get("TELSTRAAT_DSN") or os.environ.get("TELSTRAAT_DSN_FILE"))


def dsn_of(args: argparse.Namespace, *former: str) -> str:
    """Return the address of the database; raise `SettingsError` when none is given.

    The file may be that of ingest or of the API. `former` are variables that earlier versions read for the same.
    """
    from telstraat_api.settings import READER as API
    from telstraat_contract.settings import DatabaseSettings, SettingsReader
    from telstraat_ingest.settings import READER as INGEST

    others = {key for services in (API.settings, INGEST.settings) for _, key in services}
    reader = SettingsReader(DatabaseSettings, "database", former=dict.fromkeys(former, "dsn"), others=others)
    return reader.read(args.settings, arguments={"dsn": args.dsn}).dsn
