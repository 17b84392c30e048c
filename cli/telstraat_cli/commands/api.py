"""Serve the API and the pages.

Every option is also a setting: TELSTRAAT_API_DSN, TELSTRAAT_API_HOST, TELSTRAAT_API_PORT and the others that
docs/api.md lists. What is given here wins. Ctrl-C stops it.
"""

from __future__ import annotations

import argparse

from telstraat_cli.errors import CliError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--dsn", help="address of the database; also TELSTRAAT_API_DSN or TELSTRAAT_DSN")
    parser.add_argument("--host", help="address to listen on (127.0.0.1; 0.0.0.0 for every network)")
    parser.add_argument("--port", type=int, help="port to listen on (8080; 0 takes a free one)")
    parser.add_argument("--site-name", help="name of the site, on every page (Telstraat)")


def run(args: argparse.Namespace) -> int:
    """Serve until stopped."""
    from telstraat_api.errors import SettingsError
    from telstraat_api.service import serve
    from telstraat_api.settings import read_settings

    given = {"host": args.host, "port": args.port, "site_name": args.site_name, "dsn": args.dsn}
    try:
        settings = read_settings(**given)
    except SettingsError as error:
        raise CliError(str(error)) from error
    try:
        return serve(settings)
    except OSError as error:
        raise CliError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}") from error
