"""A worn memory card: every sector of the outbox zeroed in turn, and other damage; what the next starts make of it.

    python -m bench.ingest.outbox_damage [--every N] [--other 200] [--seed 0]

Each time: a state folder with 300 reports that wait, some that are receipted, an open quarter and counts that wait for the
clock; one damage; two starts. Asked of each: the starts run; every report whose bytes are still whole waits, unchanged, under
its own numbers; every other one is announced as lost; nothing appears that never was. Exit code 0: all of it, always.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import random
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from telstraat_contract.messages import Receipt, decode, encode
from telstraat_contract.quarters import QUARTER_S
from telstraat_contract.topics import Channel
from telstraat_device.delivery.outbox import Outbox
from telstraat_device.delivery.outbox_file import FILE
from telstraat_device.delivery.outbox_schema import COLUMNS, KEYS, crc
from telstraat_device.delivery.progress import FILE as PROGRESS
from telstraat_device.delivery.ranges import holds
from telstraat_device.health import Condition, health_messages
from telstraat_device.quarters.periods import SavedState
from telstraat_device.quarters.tally import Quarter, Tally

SENSOR = "elm-1"
NOON_S = int(datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp())
WAITING, RECEIPTED = 300, 20
SECTOR, PAGE = 512, 4096
CONDITION = Condition(float(NOON_S), clock_trusted=True, config=0, fps=None, dropped_frames=0, restarts=0)
OPEN_S = NOON_S + (WAITING + RECEIPTED + 2) * QUARTER_S

Key = tuple[int, int]
Damage = Callable[[Path, random.Random], str]


@dataclass
class Truth:
    """What a folder held before it was damaged."""

    folder: Path
    waiting: dict[Key, bytes] = field(default_factory=dict)
    receipted: dict[Key, bytes] = field(default_factory=dict)


@dataclass
class Result:
    """What two starts made of a damaged folder; `faults` says what went wrong."""

    whole: int = 0  # reports whose bytes are still there
    delivered: int = 0
    reported: int = 0
    open_kept: bool = False  # the open quarter goes on
    salvaged: bool = False
    faults: list[str] = field(default_factory=list)


def quarter(number: int, rng: random.Random) -> Quarter:
    start_s = NOON_S + number * QUARTER_S
    counts = {name: (rng.randrange(90), rng.randrange(90)) for name in ("pedestrian", "bike", "car", "heavy")}
    tally = Tally(counts, {"car": (50.0, 60)}, [rng.randrange(9) for _ in range(25)], 900.0, {"day": 900.0})
    return Quarter(start_s, tally, start_s, start_s + 900.0)


def fill(folder: Path, *, sensor: str = SENSOR, killed: bool, seed: int = 0, many: int = WAITING) -> Truth:
    """Make a state folder as a device leaves it: closed in order, or cut off with its log."""
    rng = random.Random(seed)
    live = folder.with_name(folder.name + "-live")
    outbox = Outbox(live, sensor)
    state, _, _ = outbox.begin()
    outbox.save(state, [quarter(n, rng) for n in range(RECEIPTED)])
    epoch = outbox.current().epoch
    outbox.mark_sending(outbox.waiting(999))
    outbox.apply_receipt(
        Receipt(epoch=epoch, through=RECEIPTED - 3, seen=RECEIPTED - 1, want=((18, 18),)), float(NOON_S)
    )
    held = {("boot-1", 120 + 10 * n, 10): Tally({"car": (1, n)}) for n in range(9)}
    for n in range(RECEIPTED, RECEIPTED + many, 10):
        if n == RECEIPTED + 10 * (many // 20):
            shutil.copy(live / (FILE + "-wal"), folder.with_name(folder.name + "-earlier-wal"))
        state = SavedState(
            open=[quarter(n + 11, rng)], closed_until_s=NOON_S + n * QUARTER_S, counted_until_s=float(NOON_S)
        )
        outbox.save(state, [quarter(n + k, rng) for k in range(10)], held, list(held))
    outbox.save(SavedState(open=[Quarter(OPEN_S, Tally({"car": (7, 7)}))], closed_until_s=OPEN_S - QUARTER_S))
    outbox.mark_sending(outbox.waiting(40))
    if not killed:
        outbox.close()
    shutil.copytree(live, folder)
    outbox.close()
    shutil.rmtree(live)
    with contextlib.closing(sqlite3.connect(folder / FILE)) as db:
        rows = db.execute("select epoch, seq, payload, receipted_s is null from report").fetchall()
        if killed:
            shutil.copytree(folder, live)  # before this connection brings the log home
    truth = Truth(folder)
    for epoch, seq, payload, waits in rows:
        (truth.waiting if waits else truth.receipted)[epoch, seq] = payload.encode()
    if killed:
        shutil.rmtree(folder)
        live.rename(folder)
    return truth


def judge(truth: Truth, folder: Path) -> Result:
    """Start twice on a damaged folder and compare with what it held."""
    result = Result()
    content = b"".join(bytes_of(folder / (FILE + suffix)) for suffix in ("", "-wal"))
    whole = {k: p for k, p in truth.waiting.items() if p + crc(p.decode()).encode() in content}
    result.whole = len(whole)
    for start in ("first", "second"):
        try:
            _judge_start(truth, folder, whole, result, start)
        except Exception as error:  # noqa: BLE001 - whatever it is, the start did not run
            result.faults.append(f"{start} start: {type(error).__name__}: {error}")
    return result


def _judge_start(truth: Truth, folder: Path, whole: dict[Key, bytes], result: Result, start: str) -> None:
    with contextlib.closing(Outbox(folder, SENSOR)) as outbox:
        state, _, _ = outbox.begin()
        waiting = {row.key: row.payload for row in outbox.waiting(9999)}
        lost = {stream.epoch: stream.lost for stream in outbox.streams()}
        alarms = outbox.alarms
        for health in health_messages(SENSOR, outbox, CONDITION):
            decode(Channel.HEALTH, encode(health))
    reported = {key for key in truth.waiting if holds(lost.get(key[0], ()), key[1])}
    known = truth.waiting | truth.receipted
    changed = [key for key, payload in waiting.items() if key in known and known[key] != payload]
    epochs = {epoch for epoch, _ in known}
    new = [key for key in waiting.keys() - known.keys() if key[0] in epochs and not _is_open(key, waiting, truth)]
    silent = truth.waiting.keys() - waiting.keys() - reported
    missing = whole.keys() - waiting.keys()
    both = reported & waiting.keys()
    for name, keys in (("changed", changed), ("new", new), ("lost in silence", silent), ("whole, not there", missing)):
        if keys:
            result.faults.append(f"{start} start: {len(keys)} reports {name}, such as {min(keys)}")
    if both:
        result.faults.append(f"{start} start: {len(both)} reports wait and are told as lost")
    result.salvaged = any("damaged" in text for text in alarms)
    if reported and not result.salvaged:
        result.faults.append(f"{start} start: no alarm")
    result.open_kept = any(quarter.start_s == OPEN_S for quarter in state.open)
    result.delivered, result.reported = len(truth.waiting.keys() & waiting.keys()), len(reported)


def _is_open(key: Key, waiting: dict[Key, bytes], truth: Truth) -> bool:
    """Tell whether a report is a quarter that an older state had open: numbered last, for a quarter nobody can read."""
    last = max((seq for epoch, seq in (*truth.waiting, *truth.receipted) if epoch == key[0]), default=0)
    start = decode(Channel.REPORT, waiting[key]).period_start
    others = [payload for other, payload in waiting.items() if other[0] == key[0] and other != key]
    return key[1] > last and start not in {decode(Channel.REPORT, payload).period_start for payload in others}


def bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def change(file: Path, at: int, content: bytes) -> None:
    with file.open("r+b") as handle:
        handle.seek(at)
        handle.write(content)


def a_file(folder: Path, rng: random.Random) -> Path:
    files = [folder / name for name in (FILE, FILE, FILE, FILE + "-wal", FILE + "-wal", PROGRESS)]
    return rng.choice([file for file in files if file.exists() and file.stat().st_size])


def flip_a_bit(folder: Path, rng: random.Random) -> str:
    file = a_file(folder, rng)
    content = file.read_bytes()
    at = rng.randrange(len(content))
    change(file, at, bytes([content[at] ^ 1 << rng.randrange(8)]))
    return f"{file.name} bit at {at}"


def plant_a_value(folder: Path, rng: random.Random) -> str:
    """Write a value into a column of one row with SQLite itself: the file is in order, and wrong."""
    table = rng.choice(list(COLUMNS))
    column = rng.choice([*COLUMNS[table], "seal"])
    values = [None, 0, -1, 1, 2**31, 2**62, 3.5, "", "x", "{}", "0000", b"\x00\xff", "elm-2", 1e300, float("inf")]
    rng.shuffle(values)
    with contextlib.closing(sqlite3.connect(folder / FILE, isolation_level=None)) as db:
        keys = db.execute(f"select {', '.join(KEYS[table])} from {table} order by random() limit 1").fetchone()
        if keys is None:
            return plant_a_value(folder, rng)
        where = " and ".join(f"{key} = ?" for key in KEYS[table])
        for value in values:
            with contextlib.suppress(sqlite3.IntegrityError):
                db.execute(f"update {table} set {column} = ? where {where}", (value, *keys))
                return f"{table}.{column} = {value!r}"
    return plant_a_value(folder, rng)


def cut_off(folder: Path, rng: random.Random) -> str:
    file = a_file(folder, rng)
    size = rng.randrange(file.stat().st_size)
    with file.open("r+b") as handle:
        handle.truncate(size)
    return f"{file.name} cut at {size}"


def swap_pages(folder: Path, rng: random.Random) -> str:
    file = folder / FILE
    content = file.read_bytes()
    first, second = rng.sample(range(len(content) // PAGE), 2)
    change(file, first * PAGE, content[second * PAGE : (second + 1) * PAGE])
    change(file, second * PAGE, content[first * PAGE : (first + 1) * PAGE])
    return f"pages {first} and {second}"


def garbage(folder: Path, rng: random.Random) -> str:
    file = a_file(folder, rng)
    at = rng.randrange(file.stat().st_size)
    many = min(rng.choice([1, 16, 512, 8192]), file.stat().st_size - at)
    change(file, at, rng.randbytes(many))
    return f"{file.name} {many} bytes at {at}"


def an_empty_file(folder: Path, rng: random.Random) -> str:
    file = a_file(folder, rng)
    file.write_bytes(b"")
    return file.name


def no_file(folder: Path, rng: random.Random) -> str:
    file = a_file(folder, rng)
    file.unlink()
    return file.name


def a_directory(folder: Path, rng: random.Random) -> str:
    file = folder / rng.choice([FILE, FILE + "-wal", FILE + "-shm", PROGRESS, FILE + ".new", FILE + ".part"])
    file.unlink(missing_ok=True)
    (file / "inside").mkdir(parents=True)
    return file.name


def an_earlier_log(folder: Path, _rng: random.Random) -> str:
    """Put the file's own log of an earlier time beside it."""
    source = folder.with_name(folder.name.removesuffix("-damaged") + "-earlier-wal")
    shutil.copy(source, folder / (FILE + "-wal"))
    return "of ten hours before"


def a_log_from(*, sensor: str, seed: int) -> Damage:
    """Put the log of another file beside it: another sensor's, or one that this sensor had before."""

    def damage(folder: Path, rng: random.Random) -> str:
        with tempfile.TemporaryDirectory(dir=folder.parent) as name:
            other = fill(
                Path(name) / "other", sensor=sensor, killed=True, seed=seed, many=10 * rng.randint(1, 9)
            ).folder
            shutil.copy(other / (FILE + "-wal"), folder / (FILE + "-wal"))
            (folder / (FILE + "-shm")).unlink(missing_ok=True)
        return f"of {sensor}"

    return damage


OTHER: dict[str, tuple[Damage, int]] = {
    "a bit flipped": (flip_a_bit, 8),
    "a value planted in a column": (plant_a_value, 8),
    "a file cut off": (cut_off, 4),
    "two pages swapped": (swap_pages, 4),
    "bytes overwritten": (garbage, 6),
    "a file empty": (an_empty_file, 2),
    "a file gone": (no_file, 2),
    "a directory in its place": (a_directory, 2),
    "its log of an earlier time": (an_earlier_log, 2),
    "the log of another file": (a_log_from(sensor=SENSOR, seed=4), 2),
    "the log of another sensor": (a_log_from(sensor="oak-2", seed=5), 2),
}
"""What is done, and how often beside the others."""


def sectors(folder: Path, every: int) -> Iterator[tuple[str, int]]:
    for name in (FILE, FILE + "-wal", PROGRESS):
        if (folder / name).exists():
            for number in range(0, (folder / name).stat().st_size // SECTOR, every):
                yield name, number


def trials(scratch: Path, *, every: int, other: int, seed: int) -> Iterator[tuple[str, str, Result]]:
    """Give what was damaged, where, and what came of it."""
    truths = [fill(scratch / "closed", killed=False), fill(scratch / "killed", killed=True, seed=1)]
    for truth in truths:
        for name, number in sectors(truth.folder, every):
            folder = shutil.copytree(truth.folder, truth.folder.with_name(truth.folder.name + "-damaged"))
            change(folder / name, number * SECTOR, bytes(SECTOR))
            yield f"a sector zeroed, {truth.folder.name}", f"{name} sector {number}", judge(truth, folder)
            shutil.rmtree(folder)
    rng = random.Random(seed)
    kinds = [name for name, (_, many) in OTHER.items() for _ in range(many)]
    for number in range(other):
        kind = kinds[number % len(kinds)]
        truth = truths[number % 2]
        folder = shutil.copytree(truth.folder, truth.folder.with_name(truth.folder.name + "-damaged"))
        where = OTHER[kind][0](folder, rng)
        yield kind, f"{where} ({truth.folder.name}, trial {number})", judge(truth, folder)
        shutil.rmtree(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every Nth sector")
    parser.add_argument("--other", type=int, default=200, help="how many other corruptions")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    tables: dict[str, Counter[str]] = {}
    faults = []
    with tempfile.TemporaryDirectory() as name:
        for kind, where, result in trials(Path(name), every=options.every, other=options.other, seed=options.seed):
            row = tables.setdefault(kind, Counter())
            row["tried"] += 1
            row["right"] += not result.faults
            row["salvaged"] += result.salvaged
            row["open"] += result.open_kept
            row["whole"] += result.whole
            row["delivered"] += result.delivered
            row["reported"] += result.reported
            faults += [f"{kind}, {where}: {fault}" for fault in result.faults]
    print("| damage | tried | right | salvaged | open quarter goes on | reports whole | delivered | told as lost |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for kind, row in tables.items():
        names = ("tried", "right", "salvaged", "open", "whole", "delivered", "reported")
        print(f"| {kind} | " + " | ".join(str(row[name]) for name in names) + " |")
    for fault in faults[:40]:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
