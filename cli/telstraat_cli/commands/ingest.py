"""Receive the sensors' reports and write them to the database.

Start as many as needed, each with its own --name: they share the messages between them where the broker has shared
subscriptions. Kill one at any moment: nothing is lost. Every option is also a setting of a file (--settings) or of the
environment (TELSTRAAT_INGEST_BROKER and so on); docs/ingest.md lists them all. SIGTERM or Ctrl-C stops it.
"""

from __future__ import annotations

import argparse
import signal

from telstraat_cli.database_options import add_database_arguments
from telstraat_cli.errors import CliError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_database_arguments(parser)
    parser.add_argument("--broker", metavar="URL", help="mqtts://HOST:PORT, or mqtt://127.0.0.1:PORT on this machine")
    parser.add_argument("--broker-user", metavar="NAME", help="ingest's user at the broker")
    parser.add_argument("--broker-password-file", metavar="FILE", help="file that holds its password")
    parser.add_argument("--broker-ca-file", metavar="FILE", help="certificate authority of the broker")
    parser.add_argument("--name", help="name of this ingester (the host's name)")
    parser.add_argument("--metrics-port", type=int, metavar="PORT", help="serve Prometheus metrics there")
    parser.add_argument(
        "--no-migrate", action="store_true", help="do not bring the database to the present schema first"
    )
    parser.add_argument("--print-settings", action="store_true", help="print every setting and end")
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])


def run(args: argparse.Namespace) -> int:
    """Receive until stopped."""
    from telstraat_ingest.errors import IngestError
    from telstraat_ingest.logs import begin_logging
    from telstraat_ingest.service import IngestService
    from telstraat_ingest.settings import READER, read_settings
    from telstraat_store.errors import TelstraatStoreError
    from telstraat_store.schema.migrate import migrate_when_there

    if args.print_settings:
        print(READER.as_toml())
        return 0
    begin_logging(args.log_level)
    names = ("dsn", "broker", "broker_user", "broker_password_file", "broker_ca_file", "name", "metrics_port")
    try:
        settings = read_settings(args.settings, {name: getattr(args, name) for name in names})
        service = IngestService(settings)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: service.stop())
        if not args.no_migrate:
            migrate_when_there(settings.dsn, settings.timescale, service.is_stopped)
        service.run()
    except (IngestError, TelstraatStoreError) as error:
        raise CliError(str(error)) from error
    return 0
