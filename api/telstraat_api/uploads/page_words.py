"""What is wrong with a file, for whoever reads a page: no path of the server's, and the fields of the page instead of a command's options."""

from __future__ import annotations

import re

ANSWERS = [
    (re.compile(r"say --(\w+) \w+ or --\1 \w+( \(in a measure: [^)]*\))?"), "choose it below"),
    (re.compile(r'Say times = "local" or times = "utc" \([^)]*\)'), "Choose it below"),
    (
        re.compile(r"say --timezone ZONE, correct the file, or say --anywhere to take it as it is"),
        "choose another time zone below, correct the file, or tick that such streets are taken, too",
    ),
    (re.compile(r"map it with --street .*=ID"), "choose its street below"),
    (re.compile(r"name the part that you want with --bbox"), "cut the part that you want out of it first"),
]
"""Options of the command that reads the same files, and where a page has them."""


def without_options(text: str) -> str:
    """Return a text with the fields of the page where it names options of a command."""
    for options, answer in ANSWERS:
        text = options.sub(answer, text)
    return text


def for_a_page(text: str, file_name: str, laid_at: str) -> str:
    """Return what an import says of a file, as a page says it.

    Parameters
    ----------
    text
        The text of an error.
    file_name
        What the file is called by whoever uploaded it.
    laid_at
        Where it lay on the server.
    """
    name = laid_at.rpartition("/")[2]
    return without_options(text.replace(laid_at, file_name).replace(name, file_name)).removeprefix(f"{file_name}: ")
