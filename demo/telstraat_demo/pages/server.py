"""Serve the product's pages with what the demo adds: `python -m telstraat_demo.pages.server TOWN_FOLDER` (settings: environment).

This entry point is the only way to the one-click sign-in. It listens on this computer alone, whatever the settings say.
"""

from __future__ import annotations

import sys
from pathlib import Path

from telstraat_api.service import serve
from telstraat_api.settings import LOOPBACK, read_settings
from telstraat_demo.errors import StackError
from telstraat_demo.pages.visit import additions_of


def main(argv: list[str]) -> int:
    """Serve until stopped."""
    settings = read_settings()
    if settings.host not in LOOPBACK:
        raise StackError(f"the demo lets anybody in with one click: it does not listen on {settings.host}")
    return serve(settings, additions_of(Path(argv[0])))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
