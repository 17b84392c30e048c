"""What the outbox's file tells of a day, read beside the service that writes it: counts, the last receipt, what waits."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from telstraat_contract.errors import MessageError
from telstraat_contract.messages import Report, decode
from telstraat_contract.road_users import TOGETHER
from telstraat_contract.topics import Channel
from telstraat_device.delivery.outbox import state_of
from telstraat_device.delivery.outbox_file import FILE

BUSY_S = 2.0
REPORTS_OF = "select payload from report where start_s >= ? order by start_s"
RECEIPTED = "select max(receipted_s) from report"
STATE = "select state from device"
WAITING = "select count(*) from report where receipted_s is null"


@dataclass(slots=True)
class DayReading:
    """A day as the outbox has it: what is open so far included."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOGETHER, 0))
    quarters: int = 0
    observed_s: int = 0
    waiting: int = 0
    receipted_s: float | None = None


def read_day(folder: Path, start_s: float) -> DayReading | None:
    """Return what was counted since a moment; None where there is nothing that can be read."""
    file = folder / FILE
    if not file.is_file():
        return None
    reading = DayReading()
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)) as db:
            payloads = [payload for (payload,) in db.execute(REPORTS_OF, (start_s,))]
            (reading.receipted_s,) = db.execute(RECEIPTED).fetchone()
            (reading.waiting,) = db.execute(WAITING).fetchone()
            states = [state for (state,) in db.execute(STATE)]
    except sqlite3.Error:
        return None
    for payload in payloads:
        try:
            report = decode(Channel.REPORT, str(payload).encode())
        except MessageError:
            continue  # damaged: the service finds and tells it
        if isinstance(report, Report):
            _add(reading, report)
    for state in states:
        for quarter in state_of(str(state)).open:
            if quarter.start_s >= start_s:
                for name in TOGETHER:
                    reading.counts[name] += sum(quarter.tally.counts.get(name, (0, 0)))
                reading.observed_s += round(quarter.tally.observed_s)
    return reading


def _add(reading: DayReading, report: Report) -> None:
    reading.quarters += 1
    reading.observed_s += report.observed_s
    for name in TOGETHER:
        directed = getattr(report.counts, name)
        reading.counts[name] += directed.lft + directed.rgt
