"""R1: a crossing that the device has closed survives anything but the loss of its storage.

A device counts a recording and is killed (SIGKILL) at random moments, again and again. What it had closed is there after
every kill, unchanged; and when it is let to the end, every crossing is in its quarter, once.
"""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from tests.device.toys import LINE, NOON_S, QUARTER_S, ToyCore, ToyStreet, crossing_of
from tests.device.wires import device_settings

from telstraat_contract.messages import Report
from telstraat_demo.run.reconciliation import closed_reports
from telstraat_device.delivery.outbox_file import FILE
from telstraat_device.quarters.clock import AnchoredClock
from telstraat_device.quarters.periods import SavedState
from telstraat_device.service import DeviceService
from telstraat_device.settings import Settings, settings_of

EVERY = 7
BOOKED = {"pedestrian": "pedestrian", "bicycle": "bike", "motorcycle": "bike", "car": "car", "heavy": "heavy"}
REWIND_FRAMES = 50


def count_recording(values: bytes, frames: int) -> None:
    """Count a recording from a little before where the storage says that it was counted to."""
    settings: Settings = settings_of(msgspec.json.decode(values))
    service = DeviceService(
        settings, AnchoredClock(datetime.fromtimestamp(NOON_S, UTC)), line=LINE, make_counter=ToyCore
    )
    counted = int(service.periods.state.counted_until_s) - NOON_S
    begins_at = max(0, counted - REWIND_FRAMES)
    service.run(lambda: ToyStreet(frames - begins_at, every=EVERY, begins_at=begins_at))


def counted_until(settings: Settings) -> float:
    """Return how far the storage says that the recording is counted."""
    file = Path(settings.storage.folder) / FILE
    if not file.exists():
        return 0.0
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        try:
            (text,) = db.execute("select state from device").fetchone() or ("{}",)
        except sqlite3.OperationalError:  # killed before the tables were made
            return 0.0
    return msgspec.json.decode(text, type=SavedState).counted_until_s


def truth(frames: int) -> dict[tuple[int, str, str], int]:
    """Return what crossed: quarter, class and direction."""
    counts: Counter[tuple[int, str, str]] = Counter()
    for number in range(0, frames, EVERY):
        crossing = crossing_of(number // EVERY, number)
        side = "lft" if crossing.direction == "left_to_right" else "rgt"
        counts[NOON_S + number // QUARTER_S * QUARTER_S, BOOKED[crossing.class_name], side] += 1
    return dict(counts)


def counted(reports: list[Report]) -> dict[tuple[int, str, str], int]:
    """Return what reports say, in the same form."""
    counts: Counter[tuple[int, str, str]] = Counter()
    for report in reports:
        for name in sorted(set(BOOKED.values())):
            pair = getattr(report.counts, name)
            for side in ("lft", "rgt"):
                counts[int(report.period_start.timestamp()), name, side] += getattr(pair, side)
    return {key: many for key, many in counts.items() if many}


@pytest.mark.parametrize("rounds", [25, pytest.param(200, marks=pytest.mark.slow)])
def test_two_hundred_kills_lose_and_double_nothing(tmp_path: Path, rounds: int) -> None:
    settings = device_settings(tmp_path, "elm-1", 1, send={"flush_s": 0}, storage={"save_s": 0.01})
    values, frames = msgspec.json.encode(settings), 400_000_000
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "tests.device.toys"])
    dice, file = random.Random(20261121), Path(settings.storage.folder) / FILE
    known: list[Report] = []
    for _ in range(rounds):
        device = context.Process(target=count_recording, args=(values, frames))
        device.start()
        before_s, end_s = counted_until(settings), time.monotonic() + 30
        while counted_until(settings) == before_s and time.monotonic() < end_s:
            time.sleep(0.005)
        time.sleep(dice.uniform(0.0, 0.1))
        device.kill()
        device.join()
        device.close()
        result = closed_reports(file)
        assert result[: len(known)] == known, "a closed report was lost or changed"
        assert [report.seq for report in result] == list(range(1, len(result) + 1))
        known = result
    frames = int(counted_until(settings)) - NOON_S + 2000
    count_recording(values, frames)
    reports = closed_reports(file)
    assert reports[: len(known)] == known
    assert counted(reports) == truth(frames)
    assert sum(report.observed_s for report in reports) == frames - 1
    assert len({report.period_start for report in reports}) == len(reports)
