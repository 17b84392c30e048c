"""Print a service's settings as they stand in its documentation: `python scripts/settings_tables.py device|device.setup|ingest|api`.

A table of rows `| setting | default | what it decides |`, one for each table of the settings file; a test holds the
documentation to it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import NODEFAULT

HEAD = "| setting | default | what it decides |\n| --- | --- | --- |"
PAGES = {"device": "docs/device.md", "device.setup": "docs/set-up.md", "ingest": "docs/ingest.md", "api": "docs/api.md"}


def rows(service: str) -> Iterator[tuple[str, str]]:
    """Yield the table of the file (empty: none) and the row of every setting of a service."""
    reader = importlib.import_module(f"telstraat_{service}.settings").READER
    for setting in reader.settings.values():
        yield setting.table, f"| `{setting.key}` | {default(setting.default)} | {setting.description} |"


def default(value: Any) -> str:
    """Return a default as the documentation says it."""
    if value is NODEFAULT:
        return "required"
    return "" if value is None or value == "" else f"`{msgspec.json.encode(value).decode()}`"


def main(service: str) -> None:
    """Print the tables of a service."""
    table = None
    for name, row in rows(service):
        if name != table:
            print(f"\n### `[{name}]`\n\n{HEAD}" if name else HEAD)
            table = name
        print(row)


if __name__ == "__main__":
    main(*sys.argv[1:])
