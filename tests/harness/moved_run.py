"""Run tests with the clock of every process moved: `make test-moved AT="2028-02-29 23:59:50" ARGS=tests/api`.

`AT` is a time (UTC unless it says its offset), a shift such as `+7d`, or one of the names that `--list` prints. Each file of
tests begins at that moment again; with `--together` only the first does, which is quicker where no moment is special. Without
`AT` the commit decides, so that another date is tried each time and a red run can be repeated; without tests to run, a part
that covers each package.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from calendar import isleap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.harness.moved_clock import NOT_HERE, MovedClock

ROOT = Path(__file__).resolve().parents[2]
BEFORE = timedelta(seconds=8)  # about what pytest takes to begin: the moment comes in the first tests
ZONES = {"Europe": "Europe/Brussels", "the US": "America/New_York", "Lord Howe": "Australia/Lord_Howe"}
YEARS = range(1970, 2200)  # what fits the nanoseconds of the library, and what the product takes for a year
NO_TESTS = 5  # pytest's exit code when a file has none that were chosen

PART = [
    "tests/contract/test_messages.py",
    "tests/device/quarters/test_clock.py",
    "tests/device/delivery/test_publisher.py",
    "tests/ingest/test_store.py",
    "tests/ingest/test_receive.py",
    "tests/analytics/test_from_database.py",
    "tests/api/test_discretion.py",
    "tests/api/test_pages.py",
    "tests/api/test_telraam_summaries.py",
    "tests/api/test_sign_in.py",
    "tests/firmware_sim/test_fleet_publish.py",
    "tests/demo/test_reconciliation.py",
    "tests/promises/test_r04_late_data_is_welcome.py",
]
"""Of each package the files in which the date matters most: two minutes on two cores."""


def clock_changes(zone: ZoneInfo, now: datetime) -> Iterator[datetime]:
    """Give the moments (UTC, full half-hours) after `now` at which the zone's clocks are changed."""
    at = now.replace(minute=0, second=0, microsecond=0)
    step = timedelta(minutes=30)
    while True:
        if at.astimezone(zone).utcoffset() != (at + step).astimezone(zone).utcoffset():
            yield at + step
        at += step


def moments(now: datetime, seed: int) -> dict[str, datetime]:
    """Return the moments that have a name, each a little ahead of what is special about it."""
    hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    leap_years = (year for year in range(now.year, now.year + 9) if isleap(year))
    leap_day = next(day for year in leap_years if (day := datetime(year, 2, 29, tzinfo=UTC)) > now)
    named = {
        "a week": now + timedelta(days=7),
        "a month": now + timedelta(days=31),
        "four years": now + timedelta(days=1461),
        "29 February": leap_day - BEFORE,
        "1 March after it": leap_day + timedelta(days=1) - BEFORE,
        "New Year": datetime(now.year + 1, 1, 1, tzinfo=UTC) - BEFORE,
        "a full hour": hour - BEFORE,
        "32 bits of seconds": datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC) - BEFORE,
        "some day": now + timedelta(days=seed % 1461, seconds=seed % 86_400),
    }
    for where, zone in ZONES.items():
        changes = clock_changes(ZoneInfo(zone), now)
        for _ in range(2):
            at = next(changes)
            forward = (at.astimezone(ZoneInfo(zone)).dst() or timedelta()) > timedelta()
            named[f"{where}, clocks go {'forward' if forward else 'back'}"] = at - BEFORE
    return named


def read_moment(text: str, now: datetime, named: dict[str, datetime]) -> datetime:
    """Return the moment that a name, a shift or a time means.

    Raises
    ------
    SystemExit
        It is none of them, or too far away.
    """
    if text in named:
        return named[text]
    try:
        if shift := re.fullmatch(r"\+(\d+)([dh])", text):
            at = now + int(shift[1]) * {"d": timedelta(days=1), "h": timedelta(hours=1)}[shift[2]]
        else:
            at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        sys.exit(f"AT={text!r} is no moment: write 2028-02-29 23:59:50, +7d, or one of {', '.join(named)}")
    if at.year not in YEARS:
        sys.exit(f"AT={text!r} lies outside of the years {YEARS[0]} to {YEARS[-1]}")
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def commit_number() -> int:
    """Return a number that the commit decides, or the day where there is no repository."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return int(done.stdout[:10], 16) if done.returncode == 0 else datetime.now(UTC).toordinal()


def files_of(words: list[str]) -> tuple[list[str], list[str]]:
    """Part the words for pytest into files of tests, folders resolved, and all else."""
    files: list[str] = []
    others: list[str] = []
    for word in words:
        path = ROOT / word.partition("::")[0]
        if path.is_dir():
            files += [str(file.relative_to(ROOT)) for file in sorted(path.rglob("test_*.py"))]
        elif path.is_file():
            files.append(word)
        else:
            others.append(word)
    return files, others


def main() -> int:
    """Run the tests file by file and return 0 when all are green."""
    now, seed = datetime.now(UTC).replace(microsecond=0), commit_number()
    named = moments(now, seed)
    parser = argparse.ArgumentParser(prog="test-moved", description=__doc__, allow_abbrev=False)
    parser.add_argument("--at", default="", help="the moment (the commit decides)")
    parser.add_argument("--together", action="store_true", help="run all files in one go from the moment on")
    parser.add_argument("--list", action="store_true", help="print the moments that have a name")
    args, words = parser.parse_known_args()
    if args.list:
        print("\n".join(f"{at:%Y-%m-%d %H:%M:%S}  {name}" for name, at in named.items()))
        return 0
    if NOT_HERE:
        print(f"SKIPPED: {NOT_HERE}")
        return 0
    text = args.at or list(named)[seed % len(named)]
    moment = read_moment(text, now, named)
    files, others = files_of(words)
    files = files or PART
    print(f'The clock of every process begins at {moment:%Y-%m-%d %H:%M:%S} UTC ({text}) in each of {len(files)} files.\n'
          f'To repeat: make test-moved AT="{moment:%Y-%m-%d %H:%M:%S}" ARGS="{" ".join(words)}"', flush=True)  # fmt: skip
    red = []
    with tempfile.TemporaryDirectory(prefix="telstraat-clock-") as folder:
        Path(folder).chmod(0o711)
        clock = MovedClock(Path(folder))
        for some in [files] if args.together else [[file] for file in files]:
            print(*some, flush=True)
            clock.set(moment)
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", *some, *others]
            done = subprocess.run(command, cwd=ROOT, env={**os.environ, **clock.environment}, check=False)
            if done.returncode not in {0, NO_TESTS}:
                red += some
    print(f"Red at {moment:%Y-%m-%d %H:%M:%S} UTC: {', '.join(red) or 'none'}")
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
