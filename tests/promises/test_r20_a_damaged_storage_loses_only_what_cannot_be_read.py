"""R20: of a damaged storage every report that can be read is sent as it was, every other one is told as lost, whatever is damaged.

`python -m bench.ingest.outbox_damage` tries every sector and prints a table; here is every twentieth, and some of each other kind.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from bench.ingest.outbox_damage import OTHER, SECTOR, bytes_of, change, fill, quarter, trials
from tests.device.wires import device_settings, wire
from tests.harness.brokers import TestBroker
from tests.harness.disks import fill as fill_disk
from tests.harness.disks import small_disk
from tests.harness.processes import wait_until
from tests.harness.truth_keeper import TruthKeeper
from tests.ingest.sending import Ingest

from telstraat_contract.quarters import QUARTER, quarter_start
from telstraat_demo.run.reconciliation import closed_reports
from telstraat_device.delivery import salvage
from telstraat_device.delivery.outbox import Outbox
from telstraat_device.delivery.outbox_file import FILE
from telstraat_device.delivery.progress import FILE as PROGRESS
from telstraat_device.delivery.ranges import holds
from telstraat_device.health import ALARM_LENGTH_MAX
from telstraat_device.quarters.periods import SavedState
from telstraat_device.quarters.tally import Quarter, Tally
from telstraat_store import places

SECTORS_EVERY = 20
OTHERS = sum(many for _, many in OTHER.values())
CLOSED = 120
NOBODY = 65534


def test_whatever_is_damaged_readable_reports_wait_and_the_others_are_told_as_lost(tmp_path: Path) -> None:
    tried = list(trials(tmp_path, every=SECTORS_EVERY, other=OTHERS, seed=int(os.environ.get("TELSTRAAT_SEED", "0"))))
    faults = [f"{kind}, {where}: {fault}" for kind, where, result in tried for fault in result.faults]
    assert faults == []
    assert sum(result.reported for *_, result in tried) > 0
    assert sum(result.salvaged for *_, result in tried) > len(tried) / 2


def test_a_salvage_that_is_killed_before_any_step_is_finished_by_the_next_start(tmp_path: Path) -> None:
    folder = fill(tmp_path / "state", killed=True, many=60).folder
    for file in (folder / FILE, folder / f"{FILE}-wal"):
        report = file.read_bytes().find(b'{"v":1,')
        change(file, report // SECTOR * SECTOR, bytes(SECTOR))
    done = subprocess.run(
        [sys.executable, "-m", "tests.device.delivery.killed_salvage", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["different"] == []
    assert outcome["steps"] > 30
    assert outcome["waiting"] > 50
    assert len(outcome["alarms"]) == 1


def test_damage_is_an_alarm_at_every_start_until_somebody_has_deleted_its_account(tmp_path: Path) -> None:
    folder = fill(tmp_path / "state", killed=False).folder
    change(folder / FILE, 0, bytes(SECTOR))
    for _ in range(3):
        with closing(Outbox(folder, "elm-1")) as outbox:
            (alarm,) = outbox.alarms
            assert "reports saved, 0 lost" in alarm
            assert len(alarm) <= ALARM_LENGTH_MAX
    with closing(Outbox(folder, "elm-1")) as outbox:
        for account in folder.glob("*.txt"):
            account.unlink()
        assert outbox.alarms == []


def test_a_card_that_is_damaged_again_and_again_keeps_only_the_newest_damaged_files(tmp_path: Path) -> None:
    truth = fill(tmp_path / "state", killed=False, many=20)
    folder = truth.folder
    for _ in range(6):
        change(folder / FILE, 0, bytes(SECTOR))
        with closing(Outbox(folder, "elm-1")) as outbox:
            outbox.begin()
            assert {row.key: row.payload for row in outbox.waiting(99)} == truth.waiting
    assert len([file for file in folder.glob("*.damaged-*") if file.suffix != ".txt"]) == 3


@pytest.mark.parametrize("killed", [False, True])
def test_a_card_that_only_reads_still_gives_every_report_that_waits_on_it(reachable_folder: Path, killed: bool) -> None:
    with small_disk(reachable_folder / f"r20-only-reads-{killed}", 8) as disk:
        truth = fill(disk / "state", killed=killed)
        for damaged in (False, True):
            if damaged:
                at = bytes_of(truth.folder / FILE).find(b'"seq":100,')
                change(truth.folder / FILE, at // SECTOR * SECTOR, bytes(SECTOR))
            before = {file.name: file.read_bytes() for file in truth.folder.iterdir()}
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            with closing(Outbox(truth.folder, "elm-1")) as outbox:
                state, held, _ = outbox.begin()
                assert (state.open, held) == ([], {}), "what is open stays the file's: it would be closed twice"
                outbox.save(SavedState(), [quarter(999, random.Random(1))])
                waiting = {row.key: row.payload for row in outbox.waiting(9999)}
                lost = {stream.epoch: stream.lost for stream in outbox.streams()}
                assert "there is no storage" in outbox.alarms[0]
            reported = {key for key in truth.waiting if holds(lost.get(key[0], ()), key[1])}
            assert {key: waiting[key] for key in truth.waiting if key in waiting} == {
                key: payload for key, payload in truth.waiting.items() if key not in reported
            }
            assert bool(reported) <= damaged
            (new,) = [key for key in waiting if key not in truth.waiting and key not in truth.receipted]
            assert new[0] not in {epoch for epoch, _ in truth.waiting}, "its number may be given on the card later"
            subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
            assert {file.name: file.read_bytes() for file in truth.folder.iterdir()} == before


def test_a_damaged_file_on_a_full_disk_is_sent_from_memory_until_there_is_room(tiny_disk: Path) -> None:
    truth = fill(tiny_disk / "state", killed=False)
    at = bytes_of(truth.folder / FILE).find(b'"seq":100,')
    change(truth.folder / FILE, at // SECTOR * SECTOR, bytes(SECTOR))
    (truth.folder / "outbox.reserve").unlink()
    ballast = fill_disk(tiny_disk)
    seen = []
    for _ in range(2):
        with closing(Outbox(truth.folder, "elm-1")) as outbox:
            outbox.begin()
            waiting = {row.key: row.payload for row in outbox.waiting(9999)}
            lost = {stream.epoch: stream.lost for stream in outbox.streams()}
            silent = {key for key in truth.waiting if key not in waiting and not holds(lost.get(key[0], ()), key[1])}
            assert silent == set()
            seen.append(({key: waiting.get(key) for key in truth.waiting}, outbox.alarms[0][:20]))
        ballast.unlink(missing_ok=True)
    assert seen[0][0] == seen[1][0]
    assert [alarm for _, alarm in seen] == ["there is no storage ", "the storage was dama"]


def test_the_account_of_the_last_damage_stays_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = fill(tmp_path / "state", killed=False)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Clock:
            return cls(2026 if damage < 4 else 1970, 1, 1, tzinfo=tz)

    monkeypatch.setattr(salvage, "datetime", Clock)
    for damage in range(7):
        (truth.folder / FILE).write_bytes(b"damage %d" % damage * 99)
        with closing(Outbox(truth.folder, "elm-1")) as outbox:
            outbox.begin()
        stored = max(
            file for file in truth.folder.glob("*.damaged-*") if file.suffix != ".txt" and "-wal" not in file.name
        )
        assert stored.read_bytes().startswith(b"damage %d" % damage)


def test_without_its_file_the_numbers_beside_it_tell_what_is_lost(tmp_path: Path) -> None:
    truth = fill(tmp_path / "state", killed=False)
    (truth.folder / FILE).unlink()
    with closing(Outbox(truth.folder, "elm-1")) as outbox:
        outbox.begin()
        old, _ = outbox.streams()
        assert all(holds(old.lost, seq) for _, seq in truth.waiting)
        assert any("damaged" in alarm for alarm in outbox.alarms)


def test_a_file_and_its_numbers_damaged_together_still_give_every_report_that_is_whole(tmp_path: Path) -> None:
    truth = fill(tmp_path / "state", killed=False)
    (truth.folder / PROGRESS).write_bytes(b"")
    change(truth.folder / FILE, 0, bytes(8 * SECTOR))
    content = bytes_of(truth.folder / FILE)
    with closing(Outbox(truth.folder, "elm-1")) as outbox:
        outbox.begin()
        waiting = {row.key: row.payload for row in outbox.waiting(9999)}
    assert {key for key, payload in truth.waiting.items() if payload in content} <= waiting.keys()
    assert all(waiting[key] == payload for key, payload in truth.waiting.items())


def test_a_file_that_may_not_be_read_is_left_alone_until_it_may(reachable_folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: it becomes somebody else")
    truth = fill(reachable_folder / "r20-closed-to-nobody", killed=False)
    for file in [truth.folder, *truth.folder.iterdir()]:
        os.chown(file, NOBODY, NOBODY)
    (truth.folder / FILE).chmod(0)
    os.seteuid(NOBODY)
    try:
        with closing(Outbox(truth.folder, "elm-1")) as outbox:
            outbox.begin()
            assert any("there is no storage" in alarm for alarm in outbox.alarms)
    finally:
        os.seteuid(0)
    (truth.folder / FILE).chmod(0o600)
    with closing(Outbox(truth.folder, "elm-1")) as outbox:
        outbox.begin()
        assert {row.key: row.payload for row in outbox.waiting(9999)} == truth.waiting
    shutil.rmtree(truth.folder)


def test_all_that_was_whole_arrives_once_and_the_server_knows_what_is_lost(
    database: str, fresh_mosquitto: TestBroker, tmp_path: Path, truth_keeper: TruthKeeper
) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "r20")
    fresh_mosquitto.let_in("r20")
    settings = device_settings(tmp_path, "r20", fresh_mosquitto.port, send={"per_second": 1000, "window": 1000})
    folder = Path(settings.storage.folder)
    begin = quarter_start(datetime.now(UTC)) - timedelta(days=3)
    starts = [int((begin + n * QUARTER).timestamp()) for n in range(CLOSED)]
    with closing(Outbox(folder, "r20")) as outbox:
        outbox.begin()
        assert outbox.save(
            SavedState(), [Quarter(s, Tally({"car": (n, 1)}, observed_s=900.0)) for n, s in enumerate(starts)]
        )
    reports = closed_reports(folder / FILE)
    content = bytes_of(folder / FILE)
    middle = content.find(b'"seq":60,')
    change(folder / FILE, middle // SECTOR * SECTOR, bytes(SECTOR))
    with Ingest(database, fresh_mosquitto), wire(settings, now_s=datetime.now(UTC).timestamp()) as w:
        wait_until(lambda: w.outbox.waiting_count() == 0, 60, "every receipt")
        wait_until(lambda: all(stream.lost == () for stream in w.outbox.streams()), 60, "the loss is known")
    with psycopg.connect(database) as connection:
        (lost,) = connection.execute("select sum(upper(r) - lower(r)) from stream, unnest(lost) r").fetchone() or (0,)
        assert connection.execute("select count(*) from report").fetchone() == (CLOSED - lost,)
        assert connection.execute("select count(*) from stream_gap").fetchone() == (0,)
        there = {row[0] for row in connection.execute("select period_start from report")}
    assert 1 <= lost <= 4
    truth_keeper.closed(*(report for report in reports if report.period_start in there))
    assert truth_keeper.differences() == []
