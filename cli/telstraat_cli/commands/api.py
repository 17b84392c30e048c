"""Serve the API and the pages.

Every option is also a setting of a file (--settings) or of the environment (TELSTRAAT_DSN, TELSTRAAT_API_PORT and so on);
docs/api.md lists them all. What is given here wins. Ctrl-C stops it.
"""

from __future__ import annotations

import argparse

from telstraat_cli.database_options import add_database_arguments
from telstraat_cli.errors import CliError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_database_arguments(parser)
    parser.add_argument("--host", help="address to listen on (127.0.0.1; 0.0.0.0 for every network)")
    parser.add_argument("--port", type=int, help="port to listen on (8080; 0 takes a free one)")
    parser.add_argument("--site-name", help="name of the site, on every page (Telstraat)")
    parser.add_argument("--print-settings", action="store_true", help="print every setting and end")


def run(args: argparse.Namespace) -> int:
    """Serve until stopped."""
    from telstraat_api.settings import READER, read_settings

    if args.print_settings:
        print(READER.as_toml())
        return 0
    from telstraat_api.service import serve

    names = ("dsn", "host", "port", "site_name")
    settings = read_settings(args.settings, {name: getattr(args, name) for name in names})
    try:
        return serve(settings)
    except OSError as error:
        raise CliError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}") from error
