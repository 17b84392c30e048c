"""What a sensor is told: up to where all is committed, what is missing, what was refused. Sent after the commit only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from telstraat_contract.messages import MAX_RANGES, Receipt
from telstraat_ingest.writing.multiranges import Ranges


class StreamState(NamedTuple):
    """A stream after a commit."""

    epoch: int
    through: int
    seen: int
    missing: Ranges


def receipt(state: StreamState, refused: Iterable[int] | None = None) -> Receipt:
    """Return the receipt of a stream. With more gaps than fit, `seen` ends before the first that does not."""
    seen, want = state.seen, state.missing
    if len(want) > MAX_RANGES:
        seen, want = want[MAX_RANGES][0] - 1, want[:MAX_RANGES]
    refused_ranges = as_ranges(refused)[:MAX_RANGES] if refused else ()
    return Receipt(epoch=state.epoch, through=state.through, seen=seen, want=want, refused=refused_ranges)


def as_ranges(numbers: Iterable[int]) -> Ranges:
    """Return numbers as closed ranges."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = ranges[-1][0], number
        else:
            ranges.append((number, number))
    return tuple(ranges)
