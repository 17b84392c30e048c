"""Sets of sequence numbers in PostgreSQL's notation.

Ranges of integers are half open: the one that ends with the highest number has no upper bound, since the number after it is no
`integer` any more.
"""

from __future__ import annotations

from collections.abc import Iterable

from telstraat_contract.messages import SEQ_MAX

Ranges = tuple[tuple[int, int], ...]
"""Closed ranges of sequence numbers, ascending."""


def array(numbers: Iterable[int]) -> str:
    """Return numbers in PostgreSQL's notation: for thousands, a tenth of what the driver takes for a list."""
    return "{" + ",".join(map(str, numbers)) + "}"


def multirange(ranges: Iterable[tuple[int, int]]) -> str:
    """Return closed ranges in PostgreSQL's notation."""
    return "{" + ",".join(f"[{first},{last + 1 if last < SEQ_MAX else ''})" for first, last in ranges) + "}"


def parse_ranges(text: str) -> Ranges:
    """Return the closed ranges of PostgreSQL's notation, which is half open."""
    if text == "{}":
        return ()
    pairs = (part.split(",") for part in text[2:-2].split("),["))
    return tuple((int(first), int(after) - 1 if after else SEQ_MAX) for first, after in pairs)
