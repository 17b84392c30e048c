"""A year at the window: 35,040 quarters with all that befalls a sensor, and 10^6 frames through the counting core.

    python -m bench.soak [--days 365] [--frames 1000000] [--pace 40000] [--json OUT] [--plot docs/images/soak.svg]

The year: the whole device service in a process of its own, its state on a memory card of its own (a loop device; needs root, else
the disk is not filled), Mosquitto, ingest and PostgreSQL beside it. Power cuts, a clock that is not set, jumps, both changes of
summer time, brokers that go away, forget and move, a database that goes away, a full disk, settings good and bad, a camera that
breaks off. Exit code 0: every report that the sensor closed stands in the table once as it was closed, every quarter that nothing
befell is what truly crossed, and memory, file descriptors and bytes written a day stayed the same.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from bench.soak.frames import FramesVerdict, count_frames
from bench.soak.plot import draw
from bench.soak.year import SETTLED_SHARE, Year, YearVerdict, a_day, as_json


def tell(text: str) -> None:
    """Say something with the time."""
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", flush=True)


def report_year(verdict: YearVerdict) -> None:
    """Print what a year has shown."""
    late = [sample for sample in verdict.samples if sample.day > SETTLED_SHARE * verdict.days]
    print(f"days {verdict.days:g}, quarters {verdict.quarters}, reports {verdict.rows}, in {verdict.wall_s:.0f} s")
    print(f"quarters that nothing befell, compared with the street itself: {verdict.untouched}")
    print("events:", ", ".join(f"{count} x {name}" for name, count in verdict.events.items()))
    print(
        f"crossings {verdict.crossings}; power cuts cost {verdict.lost_crossings}, at most {verdict.lost_bound} may be"
    )
    if late:
        print(f"memory {min(s.rss_kb for s in late)} to {max(s.rss_kb for s in late)} kB")
        print(f"file descriptors {min(s.fds for s in late)} to {max(s.fds for s in late)}")
        print(
            f"written a day {a_day(late):.1f} MB by the process, {a_day(late, 'card_mb'):.1f} MB to the card's device"
        )
    for line in (*verdict.differing[:20], *verdict.unsound):
        print("RED:", line)
    print(f"drained {verdict.drained}, quarantined {verdict.quarantined}, differing {len(verdict.differing)}")
    print("table equals truth, nothing grew" if verdict.green else "RED")


def main() -> int:
    """Run and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=float, default=365.0, help="how long the year is; 0 leaves it out (365)")
    parser.add_argument("--frames", type=int, default=1_000_000, help="through the counting core; 0 leaves them out")
    parser.add_argument("--pace", type=float, default=40_000, help="at most so many times as fast as the clock (40000)")
    parser.add_argument("--dir", type=Path, help="an empty folder to keep everything in")
    parser.add_argument("--json", type=Path, help="where all samples are written")
    parser.add_argument("--plot", type=Path, help="where the picture is drawn, SVG")
    args = parser.parse_args()
    year = YearVerdict(0)
    counted = FramesVerdict(0)
    greens = []
    if args.days:
        year = Year(args.days, args.pace, tell).run(args.dir)
        report_year(year)
        greens.append(year.green)
    if args.frames:
        counted = count_frames(args.frames, tell)
        print(counted.sentence())
        greens.append(counted.green)
    if args.json:
        args.json.write_bytes(msgspec.json.encode({"year": msgspec.Raw(as_json(year)), "frames": counted}))
    if args.plot:
        args.plot.write_text(draw(year, counted), encoding="utf-8")
    return 0 if all(greens) else 1


if __name__ == "__main__":
    sys.exit(main())
