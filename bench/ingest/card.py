"""What a day costs the memory card: bytes and commits, as the kernel counts them.

    python -m bench.ingest.card --folder FOLDER [--days 1] [--save-s 5 60]

For each time between two saves of the open quarter, a process of its own lives a day without waiting for it: an observed second
after another with 180 crossings an hour, saves, closed quarters, sending, receipts, pruning, as the service does them.
Counted is `write_bytes` of /proc/self/io: what was handed to the block device, in whole pages of 4 kB. FOLDER must lie on a
disk; in memory nothing is counted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from telstraat_contract.messages import Receipt
from telstraat_device.counting.crossings.crossing import CLASSES, Crossing
from telstraat_device.delivery.outbox import Outbox
from telstraat_device.quarters.clock import ClockReading
from telstraat_device.quarters.periods import LateCrossing, Periods
from telstraat_device.quarters.uptime import ObservedSpan

START_S = int(datetime(2026, 5, 4, tzinfo=UTC).timestamp())
DAY_S = 86_400
PRUNE_EVERY_S = 60
CROSSING_EVERY_S = 20
MINUTE_S = 60


def written_bytes() -> int:
    """Return what this process has handed to block devices."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("write_bytes")))


def live(folder: Path, days: int, save_s: int) -> dict[str, float]:
    """Live so many days, and return what they wrote."""
    before = written_bytes()
    outbox = Outbox(folder, "elm-1")
    state, held, _ = outbox.begin()
    periods = Periods(state, held, boot="b1")
    saves = 0
    for second in range(days * DAY_S):
        reading = ClockReading(START_S + second, float(second))
        crossed = second % CROSSING_EVERY_S == 0
        what = CLASSES[second // CROSSING_EVERY_S % len(CLASSES)]
        late = [LateCrossing(Crossing(float(second), what, "left_to_right", 0.9, 34.0), 0.0)] if crossed else []
        periods.observe(reading, ObservedSpan(1.0, 1.0, light="day"), late)
        closed = periods.take_closed()
        if closed or second % save_s == 0:
            outbox.save(periods.state, closed, periods.held, periods.take_changed())
            saves += 1
        if second % PRUNE_EVERY_S == 0:
            outbox.prune(reading.at_s)
        if second % MINUTE_S == 30:
            send(outbox, reading.at_s)
    outbox.close()
    megabytes = (written_bytes() - before) / 1e6 / days
    return {"save_s": save_s, "saves": saves / days, "megabytes": round(megabytes, 1)}


def send(outbox: Outbox, at_s: float) -> None:
    """Send what waits, and hear that it is committed."""
    rows = outbox.sendable(100, float("inf")) or outbox.waiting(100)
    if rows:
        outbox.mark_sending(rows)
        stream = outbox.current()
        outbox.apply_receipt(Receipt(epoch=stream.epoch, through=stream.last_seq, seen=stream.last_seq), at_s)


def main() -> None:
    """Print a row for each time between saves."""
    parser = argparse.ArgumentParser(description="What a day costs the memory card.")
    parser.add_argument("--folder", type=Path, required=True, help="a folder on a disk")
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--save-s", type=int, nargs="+", default=[5, 60])
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(live(args.folder, args.days, args.save_s[0])))
        return
    print("| saved every | commits a day | MB a day |\n| ---: | ---: | ---: |")
    for save_s in args.save_s:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            words = [sys.executable, "-m", "bench.ingest.card", "--child", "--days", str(args.days)]
            words += ["--folder", folder, "--save-s", str(save_s)]
            row = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
        if row["megabytes"] == 0:
            sys.exit(f"nothing was written to a disk: {args.folder} lies in memory; name a folder on a disk")
        print(f"| {row['save_s']} s | {row['saves']:.0f} | {row['megabytes']:.1f} |")


if __name__ == "__main__":
    main()
