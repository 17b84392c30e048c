"""An outbox in a folder of a test, and what is put into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.device.toys import NOON_S, QUARTER_S

from telstraat_contract.messages import Receipt
from telstraat_device.delivery.outbox import Outbox, QueuedReport, RetentionLimits
from telstraat_device.quarters.tally import Quarter, Tally

DAY_S = 86_400
INFINITY = float("inf")


def quarter(number: int, generation: int = 0, cars: int = 1) -> Quarter:
    """Return the closed quarter number `number` after noon."""
    start_s = NOON_S + number * QUARTER_S
    return Quarter(start_s, Tally({"car": (cars, 0)}, observed_s=900.0), start_s, start_s + 900.0, generation)


@contextmanager
def outbox_in(folder: Path, sensor: str = "elm-1", limits: RetentionLimits | None = None) -> Iterator[Outbox]:
    outbox = Outbox(folder, sensor, limits)
    outbox.begin()
    try:
        yield outbox
    finally:
        outbox.close()


def seqs(rows: list[QueuedReport]) -> list[int]:
    return [row.seq for row in rows]


def receipt(outbox: Outbox, through: int, seen: int = 0, want: tuple[tuple[int, int], ...] = ()) -> Receipt:
    return Receipt(epoch=outbox.current().epoch, through=through, seen=max(seen, through), want=want)
