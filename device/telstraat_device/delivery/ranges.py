"""Inclusive ranges of sequence numbers, as the contract writes them."""

from __future__ import annotations

from collections.abc import Iterable

Range = tuple[int, int]


def joined(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Return the same numbers in as few ranges as possible, in order."""
    done: list[Range] = []
    for first, last in sorted(ranges):
        if done and first <= done[-1][1] + 1:
            done[-1] = (done[-1][0], max(done[-1][1], last))
        else:
            done.append((first, last))
    return tuple(done)


def holds(ranges: Iterable[Range], number: int) -> bool:
    """Return whether a number lies in one of the ranges."""
    return any(first <= number <= last for first, last in ranges)
