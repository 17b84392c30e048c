"""The pages for a phone that set up a sensor, at http://NAME.local; afterwards they show how it is.

telstraat setup                              settings from /etc/telstraat/setup.toml, where there are any
telstraat setup --show-code                  the code that lets the owner in
telstraat setup --print-settings             every setting, with its default and what it decides

SIGTERM or Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from telstraat_cli.errors import CliError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of set-up."""
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    parser.add_argument("--show-code", action="store_true", help="print the code that lets the owner in, and end")
    parser.add_argument("--print-settings", action="store_true", help="print every setting and end")


def run(args: argparse.Namespace) -> int:
    """Serve the pages until a stop is asked for."""
    import logging

    from telstraat_device.errors import DeviceError
    from telstraat_device.setup.owner import owner_code
    from telstraat_device.setup.settings import READER, SETTINGS_FILE, read_setup_settings

    if args.print_settings:
        print(READER.as_toml())
        return 0
    file = args.settings or (SETTINGS_FILE if SETTINGS_FILE.exists() else None)
    settings = read_setup_settings(file)
    if args.show_code:
        print(owner_code(Path(settings.device.code_file)))
        return 0
    from telstraat_device.setup import service

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        return service.run(settings)
    except DeviceError as error:
        raise CliError(str(error)) from error
