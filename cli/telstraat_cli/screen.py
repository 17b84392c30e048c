"""Where tables are shown: as wide as the terminal is, and wide enough for every column where there is none."""

from __future__ import annotations

import sys

from rich.console import Console

PIPE_WIDTH = 160  # columns; the widest table, of `count --score`, needs 130


def screen() -> Console:
    """Return the console for stdout; in a pipe or a file nothing of a table is cut off."""
    return Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
