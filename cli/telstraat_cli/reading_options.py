"""The options of every command that reads files of counts: what a file does not say of itself."""

from __future__ import annotations

import argparse
from pathlib import Path

CHOICES = {"times": ("local", "utc"), "dates": ("dmy", "mdy"), "decimal": ("point", "comma")}


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that answer what a file leaves open."""
    parser.add_argument("--times", choices=CHOICES["times"], help="what times without an offset from UTC are")
    parser.add_argument(
        "--dates", choices=CHOICES["dates"], help="the order of day and month in dates such as 3/4/2026"
    )
    parser.add_argument(
        "--decimal", choices=CHOICES["decimal"], help="the mark before decimals, where the file does not tell"
    )


def file_name(text: str) -> Path:
    """Return the path of a file to be written; it must have a name."""
    path = Path(text)
    if path.name in {"", ".."}:
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a file")
    return path
