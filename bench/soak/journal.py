"""What a save of the open quarter costs the card's device in real time, the file system's journal included.

    python -m bench.soak.journal [--saves 10] [--wait-s 8] [--options noatime]

A process that lives faster than the clock saves a minute's work before the file system has written its journal, which ext4 does
every 5 seconds: /proc/PID/io and an accelerated year both leave the journal out. Here each save is followed by a wait
that is longer than that. Needs root, for a card of its own (ext4 of 4 kB blocks on a loop device).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.soak.world import SECTOR, memory_card

from telstraat_device.delivery.outbox import Outbox
from telstraat_device.quarters.clock import ClockReading
from telstraat_device.quarters.periods import Periods
from telstraat_device.quarters.uptime import ObservedSpan

START_S = int(datetime(2026, 5, 4, tzinfo=UTC).timestamp())
BEFORE = 2_000  # saves at once: the write-ahead log then has its size, and is written over in place
SETTLE_S = 30.0
SAVES_A_DAY = 1_536
MINUTE_S = 60.0


def save_minutes(outbox: Outbox, periods: Periods, first: int, count: int, wait_s: float) -> None:
    """Save so many minutes, and wait after each."""
    for number in range(first, first + count):
        reading = ClockReading(START_S + number * MINUTE_S, number * MINUTE_S)
        periods.observe(reading, ObservedSpan(1.0, 1.0, light="day"))
        outbox.save(periods.state, periods.take_closed(), periods.held, periods.take_changed())
        time.sleep(wait_s)


def main() -> int:
    """Print what a save costs."""
    parser = argparse.ArgumentParser(description="What a save of the open quarter costs the card's device.")
    parser.add_argument("--saves", type=int, default=10)
    parser.add_argument("--wait-s", type=float, default=8.0)
    parser.add_argument("--options", default="noatime", help="how the card is mounted; Raspberry Pi OS says noatime")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, memory_card(Path(name) / "card", args.options) as counters:
        if counters is None:
            return 1
        outbox = Outbox(Path(name) / "card" / "state", "soak-1")
        state, held, _ = outbox.begin()
        periods = Periods(state, held, boot="b1")
        save_minutes(outbox, periods, 0, BEFORE, 0.0)
        time.sleep(SETTLE_S)
        before = int(counters.read_text(encoding="ascii").split()[6])
        save_minutes(outbox, periods, BEFORE, args.saves, args.wait_s)
        time.sleep(SETTLE_S)
        kb = (int(counters.read_text(encoding="ascii").split()[6]) - before) * SECTOR / 1000 / args.saves
        outbox.close()
    print(f"{kb:.1f} kB a save reach the device: {kb * SAVES_A_DAY / 1000:.0f} MB a day")
    return 0


if __name__ == "__main__":
    sys.exit(main())
