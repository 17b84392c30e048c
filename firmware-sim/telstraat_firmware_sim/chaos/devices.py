"""Some sensors of a chaos run as a process of their own: `python -m telstraat_firmware_sim.chaos.devices PLAN`.

Killed and started again it goes on from its outboxes; it ends by itself when every report has its receipt.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from types import FrameType

import msgspec

from telstraat_firmware_sim.fleet.publish import FleetClock, FleetPublisher, Wire, read_reports

LOOK_S = 0.2
WAITS_FOR_A_RECEIPT = 1


class DevicesPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Which sensors, what they report, how fast, and where to."""

    names: tuple[str, ...]
    reports: str
    """A folder with the reports of each sensor, one a line, in `NAME.jsonl`."""
    start_utc: datetime
    end_utc: datetime
    speed: float
    wall_s: float
    wire: dict[str, str | int | float]
    figures: str = ""
    """A folder in which each run of the process leaves what its sensors have sent; empty leaves nothing."""

    def clock(self) -> FleetClock:
        """Return the fleet's clock."""
        return FleetClock(self.start_utc, self.end_utc, self.speed, self.wall_s)


def run(plan: DevicesPlan) -> int:
    """Send what passes, until all is receipted or a stop is asked for."""
    wire = msgspec.convert(plan.wire, Wire, strict=False, dec_hook=_path)
    reports = {name: read_reports(Path(plan.reports) / f"{name}.jsonl") for name in plan.names}
    publisher = FleetPublisher(reports, wire, plan.clock())

    def ask(_number: int, _frame: FrameType | None) -> None:
        publisher.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    publisher.start()
    while publisher.running:
        time.sleep(LOOK_S)
        leave_figures(publisher, plan.figures)
    return 0 if publisher.join() else WAITS_FOR_A_RECEIPT


def leave_figures(publisher: FleetPublisher, folder: str) -> None:
    """Write down what was sent so far, so that a kill takes no more of it than a moment's."""
    if not folder:
        return
    figures = [sensor.publisher.counters for sensor in publisher.sensors]
    sums = {
        name: sum(getattr(sensor_figures, name) for sensor_figures in figures)
        for name in ("connects", "sent", "resent", "receipts")
    }
    file = Path(folder) / f"{os.getpid()}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".part")
    draft.write_bytes(msgspec.json.encode(sums))
    draft.replace(file)


def _path(kind: type, value: object) -> object:
    return Path(str(value)) if kind is Path else value


def main(argv: list[str]) -> int:
    """Read the plan and run it."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return run(msgspec.json.decode(Path(argv[0]).read_bytes(), type=DevicesPlan))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
