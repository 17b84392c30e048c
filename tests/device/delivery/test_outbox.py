"""The outbox: what is closed survives, what is sent stays until its receipt, what is given up is told."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.device.toys import NOON_S, QUARTER_S

from telstraat_contract.messages import Flag, Receipt, Report, decode
from telstraat_contract.topics import Channel
from telstraat_device.delivery.outbox import MEMORY_REPORTS_MAX, Outbox, QueuedReport, RetentionLimits
from telstraat_device.delivery.outbox_file import FILE
from telstraat_device.delivery.progress import FILE as PROGRESS
from telstraat_device.delivery.ranges import holds, joined
from telstraat_device.errors import StorageError
from telstraat_device.quarters.periods import SavedState
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


def test_a_closed_quarter_is_a_report_with_the_next_number(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        assert outbox.save(SavedState(), [quarter(0), quarter(1)])
        first, then = outbox.waiting(10)
        report: Report = decode(Channel.REPORT, first.payload)
        assert (report.seq, report.period_start.timestamp(), report.counts.car.lft) == (1, NOON_S, 1)
        assert (then.seq, then.epoch) == (2, first.epoch)
        assert outbox.current().last_seq == 2


def test_reports_state_and_held_slices_are_there_after_a_restart(tmp_path: Path) -> None:
    key = ("b1", 120, 10)
    with outbox_in(tmp_path) as outbox:
        outbox.save(
            SavedState(open=[quarter(2)], closed_until_s=NOON_S), [quarter(0)], {key: Tally({"car": (3, 4)})}, [key]
        )
        epoch = outbox.current().epoch
    outbox = Outbox(tmp_path, "elm-1")
    state, held, starts = outbox.begin()
    assert state.open[0].tally.counts == {"car": (1, 0)}
    assert state.closed_until_s == NOON_S
    assert held == {key: Tally({"car": (3, 4)})}
    assert starts == 1
    assert outbox.current().epoch == epoch
    assert seqs(outbox.waiting(10)) == [1]
    assert outbox.save(state, [], {}, [key])
    outbox.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("select count(*) from held").fetchone() == (0,)


def test_the_file_is_the_owners_and_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    with outbox_in(tmp_path / "state") as outbox:
        assert (tmp_path / "state" / FILE).stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "state").stat().st_mode & 0o077 == 0
        assert outbox._db.execute("pragma synchronous").fetchone() == (2,)
        assert outbox._db.execute("pragma journal_mode").fetchone() == ("wal",)


def test_only_a_receipt_ends_the_waiting(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(n) for n in range(6)])
        assert outbox.apply_receipt(receipt(outbox, through=2, seen=5, want=((4, 4),)), NOON_S) == [
            (outbox.current().epoch, 4)
        ]
        assert seqs(outbox.waiting(10)) == [4, 6]
        assert outbox.waiting_count() == 2
        outbox.apply_receipt(receipt(outbox, through=6), NOON_S)
        assert outbox.waiting_count() == 0


def test_a_receipt_of_another_epoch_changes_nothing(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(0)])
        assert outbox.apply_receipt(Receipt(epoch=outbox.current().epoch % 1000 + 1, through=9, seen=9), NOON_S) == []
        assert outbox.waiting_count() == 1


def test_a_restored_server_may_ask_for_committed_reports_again(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(n) for n in range(6)])
        outbox.apply_receipt(receipt(outbox, through=6), NOON_S)
        resent = outbox.apply_receipt(receipt(outbox, through=2, seen=6, want=((3, 6),)), NOON_S)
        assert [seq for _, seq in resent] == [3, 4, 5, 6]
        assert seqs(outbox.waiting(10)) == [3, 4, 5, 6]


def test_what_is_wanted_and_no_longer_there_is_announced_as_lost(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(n) for n in range(6)])
        outbox.apply_receipt(receipt(outbox, through=4, seen=4), NOON_S)
        outbox.prune(NOON_S + 8 * DAY_S)
        outbox.apply_receipt(receipt(outbox, through=1, seen=6, want=((2, 6), (40, 50))), NOON_S + 8 * DAY_S)
        assert outbox.streams()[-1].lost == ((2, 4),)
        assert seqs(outbox.waiting(10)) == [5, 6]


def test_a_loss_is_announced_until_a_receipt_has_passed_it(tmp_path: Path) -> None:
    with outbox_in(tmp_path, limits=RetentionLimits(days=1)) as outbox:
        outbox.save(SavedState(), [quarter(n) for n in range(4)])
        outbox.prune(NOON_S + DAY_S + 2 * QUARTER_S)
        assert outbox.streams()[-1].lost == ((1, 2),)
        outbox.apply_receipt(receipt(outbox, through=1), NOON_S)
        assert outbox.streams()[-1].lost == ((2, 2),)
        outbox.apply_receipt(receipt(outbox, through=2), NOON_S)
        assert outbox.streams()[-1].lost == ()


def test_committed_reports_stay_for_seven_days_and_waiting_ones_for_thirty(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(n) for n in range(4)])
        outbox.apply_receipt(receipt(outbox, through=2), NOON_S)
        outbox.prune(NOON_S + 6.9 * DAY_S)
        assert outbox._rows("select count(*) from report")[0][0] == 4
        outbox.prune(NOON_S + 29 * DAY_S)
        assert seqs(outbox.waiting(10)) == [3, 4]
        outbox.prune(NOON_S + 31 * DAY_S)
        assert outbox.waiting(10) == []
        assert outbox.streams()[-1].lost == ((3, 4),)


def test_a_bound_in_bytes_gives_up_committed_reports_first_and_then_the_oldest(tmp_path: Path) -> None:
    with outbox_in(tmp_path, limits=RetentionLimits(megabytes=0.2)) as outbox:
        for number in range(600):
            outbox.save(SavedState(), [quarter(number)])
            if number == 99:
                outbox.apply_receipt(receipt(outbox, through=100), NOON_S)
            outbox.prune(NOON_S + number * QUARTER_S)
        assert outbox._used_bytes() <= 0.2e6
        ((first, last),) = outbox.streams()[-1].lost
        rows = seqs(outbox.waiting(1000))
        assert first == 101
        assert rows == list(range(last + 1, 601))
        assert (tmp_path / FILE).stat().st_size < 0.3e6


def test_newest_and_oldest_can_be_asked_for_and_nothing_before_it_is_due(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, "elm-1", spread_s=40.0)
    outbox.begin()
    outbox.save(SavedState(), [quarter(n) for n in range(5)])
    assert seqs(outbox.waiting(2)) == [1, 2]
    assert seqs(outbox.waiting(2, newest=True)) == [5, 4]
    assert seqs(outbox.waiting(9, due_by_s=NOON_S + 2 * QUARTER_S + 39)) == [1]
    assert seqs(outbox.waiting(9, due_by_s=NOON_S + 2 * QUARTER_S + 40)) == [1, 2]
    outbox.close()


def test_each_generation_is_a_stream_with_an_epoch_of_its_own(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(generation=1), [quarter(0, 0), quarter(0, 1), quarter(1, 1)])
        old, new = outbox.streams()
        assert (old.last_seq, new.last_seq) == (1, 2)
        assert old.epoch != new.epoch
        assert outbox.current() == new
        assert {row.key for row in outbox.waiting(9)} == {(old.epoch, 1), (new.epoch, 1), (new.epoch, 2)}
        outbox.apply_receipt(Receipt(epoch=old.epoch, through=1, seen=1), NOON_S)
        assert [row.epoch for row in outbox.waiting(9)] == [new.epoch, new.epoch]


def test_a_folder_of_another_sensor_is_refused(tmp_path: Path) -> None:
    with outbox_in(tmp_path, "elm-1"):
        pass
    with pytest.raises(StorageError, match="'elm-1', and this is sensor 'oak-2'"):
        Outbox(tmp_path, "oak-2")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="state folder"):
        Outbox(tmp_path / "file" / "state", "elm-1")


def test_a_file_that_is_no_database_is_moved_aside_and_a_new_epoch_begins(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(0)])
        epoch = outbox.current().epoch
    (tmp_path / FILE).write_bytes(b"\x07 not a database at all" * 400)
    with outbox_in(tmp_path) as outbox:
        assert outbox.current().epoch != epoch
        assert outbox.save(SavedState(), [quarter(1)])
        assert seqs(outbox.waiting(9)) == [1]
        assert any("damaged" in text for text in outbox.alarms)
    assert list(tmp_path.glob(f"{FILE}.damaged-*"))


def test_what_can_be_read_of_a_damaged_file_is_saved(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(
            SavedState(open=[quarter(301)], closed_until_s=NOON_S + 301 * QUARTER_S), [quarter(n) for n in range(300)]
        )
        epoch = outbox.current().epoch
    file = tmp_path / FILE
    content = bytearray(file.read_bytes())
    page = 4096
    with closing(sqlite3.connect(file)) as db:
        (root,) = db.execute("select rootpage from sqlite_master where name = 'waiting'").fetchone()
    content[(root - 1) * page : (root - 1) * page + 64] = b"\xff" * 64
    file.write_bytes(content)
    with closing(Outbox(tmp_path, "elm-1")) as outbox:
        state, _, _ = outbox.begin()
        assert state.closed_until_s == NOON_S + 301 * QUARTER_S
        assert [(row.epoch, row.seq) for row in outbox.waiting(999)] == [(epoch, n) for n in range(1, 301)]
        assert outbox.save(state, [quarter(301, state.generation)])
        assert outbox.current().epoch != epoch
        assert outbox.streams()[0].last_seq == 300


def test_damage_that_shows_while_running_begins_a_new_epoch_and_loses_nothing_in_memory(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(n) for n in range(50)])
        epoch = outbox.current().epoch
        outbox._db.execute("pragma wal_checkpoint(truncate)")
        size = (tmp_path / FILE).stat().st_size
        (tmp_path / FILE).write_bytes(b"\xff" * size)
        outbox._db.execute("pragma cache_size = 0")
        outbox._db.execute("pragma shrink_memory")
        assert outbox.save(SavedState(), [quarter(50)])
        assert outbox.current().epoch != epoch
        assert outbox.waiting(9, newest=True)[0].start_s == quarter(50).start_s
        assert any("damaged" in text for text in outbox.alarms)


def test_a_disk_that_takes_nothing_is_an_alarm_and_counts_wait_in_memory(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(0)])
        outbox._db.execute("pragma query_only = on")
        assert not outbox.save(SavedState(), [quarter(1)])
        assert not outbox.save(SavedState(), [quarter(2)])
        assert any("takes nothing" in text for text in outbox.alarms)
        assert outbox.waiting_count() == 3
        assert seqs(outbox.waiting(9)) == [1]
        outbox._db.execute("pragma query_only = off")
        assert outbox.save(SavedState(), [])
        assert seqs(outbox.waiting(9)) == [1, 2, 3]
        assert outbox.alarms == []


def test_memory_is_bounded_too_and_its_losses_are_told(tmp_path: Path) -> None:
    with outbox_in(tmp_path, limits=RetentionLimits(days=1)) as outbox:
        outbox._db.execute("pragma query_only = on")
        assert not outbox.save(SavedState(), [quarter(n) for n in range(100)])
        outbox._db.execute("pragma query_only = off")
        assert outbox.save(SavedState(), [])
        assert outbox.waiting_count() == 96
        assert outbox.streams()[-1].lost == ((1, 4),)
        assert outbox.waiting(1)[0].start_s == quarter(4).start_s
        assert outbox.current().last_seq == 100


def test_on_a_full_disk_committed_reports_make_room_at_once(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(n) for n in range(200)])
        outbox.apply_receipt(receipt(outbox, through=150), NOON_S)
        pages = outbox._db.execute("pragma page_count").fetchone()[0]
        outbox._db.execute(f"pragma max_page_count = {pages}")
        for number in range(200, 260):
            assert outbox.save(SavedState(), [quarter(number)])
        assert seqs(outbox.waiting(999)) == list(range(151, 261))
        assert outbox.streams()[-1].lost == ()


def test_on_a_full_disk_the_oldest_goes_once_memory_holds_a_day(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(n) for n in range(200)])
        pages = outbox._db.execute("pragma page_count").fetchone()[0]
        outbox._db.execute(f"pragma max_page_count = {pages}")
        saved = [outbox.save(SavedState(), [quarter(number)]) for number in range(200, 500)]
        assert False in saved
        assert True in saved[MEMORY_REPORTS_MAX:]
        lost = outbox.streams()[-1].lost
        assert lost[0][0] == 1
        stored = seqs(outbox.waiting(999))
        assert all(holds(lost, seq) != (seq in stored) for seq in range(1, outbox.current().last_seq + 1))
        assert outbox.waiting_count() + sum(last - first + 1 for first, last in lost) == 500


def test_a_storage_that_was_put_back_is_noticed(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(0)])
        assert not outbox.rolled_back
        outbox.apply_receipt(receipt(outbox, through=7), NOON_S)
        assert "put back" in outbox.rolled_back


def test_a_stream_of_an_earlier_run_sends_nothing_new_until_ingest_has_told_its_place_in_it(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(n) for n in range(4)])
        assert seqs(outbox.sendable(9, INFINITY)) == [1, 2, 3, 4], "nobody can know an epoch that has just been drawn"
        assert outbox.unconfirmed() == []
        outbox.mark_sending(outbox.waiting(2))
    with outbox_in(tmp_path) as outbox:
        assert seqs(outbox.sendable(9, INFINITY)) == seqs(outbox.sendable(9, INFINITY, newest=True))[::-1] == [1, 2]
        assert [(s.last_seq, s.announced_seq) for s in outbox.unconfirmed()] == [(4, 2)]
        outbox.apply_receipt(receipt(outbox, through=1, seen=2, want=((2, 2),)), NOON_S)
        assert seqs(outbox.sendable(9, INFINITY)) == [2, 3, 4]
        assert outbox.unconfirmed() == []
        assert outbox.current().announced_seq == 4
        assert not outbox.rolled_back


def test_what_was_never_sent_gets_numbers_that_ingest_does_not_know(tmp_path: Path) -> None:
    with outbox_in(tmp_path, limits=RetentionLimits(days=1)) as outbox:
        outbox.save(SavedState(), [quarter(n) for n in range(6)])
        outbox.mark_sending(outbox.waiting(3))
        outbox.prune(NOON_S + DAY_S + QUARTER_S)
    with outbox_in(tmp_path) as outbox:
        outbox._record_lost(outbox.current().epoch, 5, 5)
        before = outbox.waiting(9)
        outbox.apply_receipt(receipt(outbox, through=3, seen=9, want=((8, 8),)), NOON_S)
        assert "knows reports to 3, ingest to 9" in outbox.rolled_back
        after = outbox.waiting(9)
        assert seqs(before) == [2, 3, 4, 5, 6]
        assert seqs(after) == seqs(outbox.sendable(9, INFINITY)) == [10, 11, 12]
        assert [row.start_s for row in after] == [row.start_s for row in before[2:]]
        assert [decode(Channel.REPORT, row.payload).seq for row in after] == [10, 11, 12]
        assert outbox.streams()[-1].lost == ((8, 8), (11, 11)), (
            "what ingest wants of the other life is on the other card"
        )
        assert outbox.current().last_seq == 12


OLDER_LAYOUT = """
create table device (
    one integer primary key check (one = 1), layout integer not null, sensor text not null,
    starts integer not null default 0, state text not null default '{}', config text);
create table stream (
    generation integer primary key, epoch integer not null unique,
    last_seq integer not null default 0, through integer not null default 0 SENT_SEQ);
create table report (
    epoch integer not null, seq integer not null, start_s integer not null, due_s real not null,
    receipted_s real, payload text not null, primary key (epoch, seq), unique (epoch, start_s)) without rowid;
create index waiting on report (start_s) where receipted_s is null;
create table lost (
    epoch integer not null, first integer not null, last integer not null, primary key (epoch, first)) without rowid;
create table held (
    boot text not null, start_s integer not null, length_s integer not null, tally text not null,
    primary key (boot, start_s, length_s)) without rowid;
"""


def older_file(folder: Path, *, notes_sent: bool) -> None:
    """Turn a folder's file into one of a version that had no checksums, or did not note what it sent either."""
    columns = "sent_seq integer not null default 0"
    (folder / PROGRESS).unlink()
    (folder / FILE).rename(folder / "new")
    with closing(sqlite3.connect(folder / FILE)) as db:
        db.executescript(OLDER_LAYOUT.replace("SENT_SEQ", f", {columns}" if notes_sent else ""))
        db.execute("attach ? as new", (str(folder / "new"),))
        sent = ", sent_seq" if notes_sent else ""
        for table, names, values in (
            ("device", "one, layout, sensor, starts, state, config", "one, 1, sensor, starts, state, config"),
            ("stream", f"generation, epoch, last_seq, through{sent}", f"generation, epoch, last_seq, through{sent}"),
            (
                "report",
                "epoch, seq, start_s, due_s, receipted_s, payload",
                "epoch, seq, start_s, 1, receipted_s, payload",
            ),
            ("lost", "epoch, first, last", "epoch, first, last"),
            ("held", "boot, start_s, length_s, tally", "boot, start_s, length_s, tally"),
        ):
            db.execute(f"insert into main.{table} ({names}) select {values} from new.{table}")
        db.commit()
    (folder / "new").unlink()


@pytest.mark.parametrize("notes_sent", [False, True])
def test_a_file_without_checksums_is_brought_up_to_date_and_loses_nothing(tmp_path: Path, notes_sent: bool) -> None:
    key = ("b1", 120, 10)
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(open=[quarter(9)]), [quarter(n) for n in range(5)], {key: Tally({"car": (3, 4)})}, [key])
        outbox.mark_sending(outbox.waiting(3))
        outbox.apply_receipt(receipt(outbox, through=0, seen=2, want=((1, 1),)), NOON_S)
        epoch, waiting = outbox.current().epoch, outbox.waiting(9)
    older_file(tmp_path, notes_sent=notes_sent)
    for _ in range(2):
        outbox = Outbox(tmp_path, "elm-1")
        state, held, _ = outbox.begin()
        assert outbox.current().epoch == epoch
        assert outbox.waiting(9) == waiting
        assert state.open[0].start_s == quarter(9).start_s
        assert held == {key: Tally({"car": (3, 4)})}
        assert outbox.alarms == []
        assert seqs(outbox.sendable(9, INFINITY)) == ([1, 3] if notes_sent else [1, 3, 4, 5])
        outbox.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("device.sensor", ""),
        ("device.sensor", None),
        ("device.starts", "x"),
        ("device.state", '{"open":[{}]}'),
        ("device.state", b"\xff"),
        ("device.config", b"\xff\x00"),
        ("stream.epoch", "x"),
        ("stream.epoch", 2**62),
        ("stream.epoch", float("inf")),
        ("stream.last_seq", "x"),
        ("stream.through", -1),
        ("stream.sent_seq", "x"),
        ("stream.sent_seq", 3.5),
        ("report.receipted_s", "x"),
        ("report.payload", '{"v":1}'),
        ("lost.first", "x"),
        ("held.boot", b"\xff"),
        ("held.start_s", "x"),
        ("held.length_s", 0),
        ("held.tally", "[]"),
    ],
)
def test_a_value_that_no_earlier_version_wrote_is_damage_and_never_ends_a_start(
    tmp_path: Path, column: str, value: object
) -> None:
    key = ("b1", 120, 10)
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(n) for n in range(5)], {key: Tally()}, [key])
        outbox.apply_receipt(receipt(outbox, through=0, seen=5, want=((1, 3),)), NOON_S)
        waiting = {row.payload for row in outbox.waiting(9)}
    older_file(tmp_path, notes_sent=True)
    table, name = column.split(".")
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute("insert into lost values ((select epoch from stream), 9, 9)")
        db.execute("pragma writable_schema = on")
        db.execute("update sqlite_master set sql = replace(sql, 'not null', '')")
        db.commit()
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        changed = db.execute(f"update {table} set {name} = ? where rowid = (select min(rowid) from {table})"
                             if table in {"device", "stream"} else f"update {table} set {name} = ?", (value,)).rowcount  # fmt: skip
        assert changed > 0
        db.commit()
    for _ in range(2):
        outbox = Outbox(tmp_path, "elm-1")
        outbox.begin()
        outbox.save(SavedState(open=[quarter(20)]), [quarter(19)])
        outbox.unconfirmed()
        assert len(outbox.alarms) == 1
        assert "damaged" in outbox.alarms[0]
        stored = {row.payload for row in outbox.waiting(9)}
        assert stored >= waiting or column == "report.payload"
        outbox.close()


def test_a_log_whose_file_is_gone_still_gives_its_reports(tmp_path: Path) -> None:
    with outbox_in(tmp_path / "live") as outbox:
        outbox.save(SavedState(), [quarter(n) for n in range(5)])
        waiting = {row.key: row.payload for row in outbox.waiting(9)}
        (tmp_path / "cut").mkdir()
        log = (tmp_path / "live" / f"{FILE}-wal").read_bytes()
    for file in (b"", None):
        folder = tmp_path / f"cut-{file is None}"
        folder.mkdir()
        (folder / f"{FILE}-wal").write_bytes(log)
        if file is not None:
            (folder / FILE).write_bytes(file)
        with outbox_in(folder) as outbox:
            assert {row.key: row.payload for row in outbox.waiting(9)} == waiting
            assert "damaged" in outbox.alarms[0]


def test_a_damaged_file_without_checksums_is_salvaged_too(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(n) for n in range(50)])
        waiting = {row.key: row.payload for row in outbox.waiting(99)}
    older_file(tmp_path, notes_sent=True)
    content = bytearray((tmp_path / FILE).read_bytes())
    middle = content.find(b'"seq":25,') // 512 * 512
    content[middle : middle + 512] = bytes(512)
    (tmp_path / FILE).write_bytes(content)
    with outbox_in(tmp_path) as outbox:
        saved = {row.key: row.payload for row in outbox.waiting(99)}
        assert saved.items() <= waiting.items()
        assert 46 <= len(saved) < 50
        lost = outbox.streams()[0].lost
        assert {seq for _, seq in waiting.keys() - saved.keys()} == {seq for a, b in lost for seq in range(a, b + 1)}


def test_a_report_that_is_damaged_while_running_is_not_sent_but_told_as_lost(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        outbox.save(SavedState(), [quarter(n) for n in range(9)])
        outbox._db.execute("pragma wal_checkpoint(truncate)")
        content = (tmp_path / FILE).read_bytes()
        at = content.find(b'"observed_s":900', content.find(b'"seq":5,')) + len(b'"observed_s":')
        with (tmp_path / FILE).open("r+b") as file:
            file.seek(at)
            file.write(b"8")  # a report of 800 seconds: valid, and not what was closed
        outbox._db.execute("pragma cache_size = 0")
        outbox._db.execute("pragma shrink_memory")
        assert seqs(outbox.waiting(99)) == [1, 2, 3, 4, 6, 7, 8, 9]
        assert outbox.streams()[0].lost == ((5, 5),)
        assert any("damaged" in alarm for alarm in outbox.alarms)


def test_settings_of_the_server_are_kept(tmp_path: Path) -> None:
    with outbox_in(tmp_path) as outbox:
        assert outbox.config() is None
        outbox.save_config(b'{"version": 4}')
    with outbox_in(tmp_path) as outbox:
        assert outbox.config() == b'{"version": 4}'


def test_ranges_join_and_hold_what_they_should() -> None:
    assert joined([(5, 6), (1, 2), (3, 3), (9, 9), (6, 7)]) == ((1, 3), (5, 7), (9, 9))
    assert holds(((1, 3), (9, 9)), 9)
    assert not holds(((1, 3), (9, 9)), 4)


Operation = tuple[str, int]
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["close", "close in a new generation"]), st.integers(1, 4)),
        st.tuples(st.sampled_from(["receipt", "receipt with a gap", "restored server"]), st.integers(0, 30)),
        st.tuples(st.sampled_from(["kill", "save fails", "nothing"]), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=30, deadline=None)
@given(OPERATIONS)
def test_whenever_it_is_killed_every_saved_report_waits_or_has_its_receipt(operations: list[Operation]) -> None:
    """A kill is a copy of the files as they lie on the disk, opened again: nothing that memory held is in it."""
    with tempfile.TemporaryDirectory() as name:
        folders = (Path(name) / f"life-{n}" for n in range(99))
        folder = next(folders)
        outbox = Outbox(folder, "elm-1")
        state, _, _ = outbox.begin()
        closed: dict[tuple[int, int], bytes] = {}
        receipted: set[tuple[int, int]] = set()
        unsaved: list[Quarter] = []
        number = 0
        for verb, value in operations:
            if verb.startswith("close") or verb == "save fails":
                state.generation += verb == "close in a new generation"
                more = [quarter(number + k, state.generation) for k in range(value or 1)]
                number += len(more)
                if verb == "save fails":
                    outbox._db.execute("pragma query_only = on")
                done = outbox.save(state, more)
                assert done == (verb != "save fails")
                outbox._db.execute("pragma query_only = off")
                unsaved = [] if done else unsaved + more
                for row in outbox.waiting(999):
                    assert closed.setdefault(row.key, row.payload) == row.payload
            elif verb in ("receipt", "receipt with a gap", "restored server"):
                stream = outbox.streams()[value % len(outbox.streams())]
                seen = min(value, stream.last_seq)
                gap = ((seen, seen),) if verb != "receipt" and seen else ()
                outbox.apply_receipt(Receipt(epoch=stream.epoch, through=max(0, seen - 1), seen=seen, want=gap), NOON_S)
                receipted |= {(stream.epoch, seq) for seq in range(1, seen + 1)} - {(stream.epoch, s) for s, _ in gap}
                receipted -= {(stream.epoch, s) for s, _ in gap}
            elif verb == "kill":
                after = next(folders)
                shutil.copytree(folder, after)
                outbox.close()
                folder, unsaved = after, []
                outbox = Outbox(folder, "elm-1")
                state, _, _ = outbox.begin()
            waiting = {row.key: row.payload for row in outbox.waiting(999)}
            assert waiting == {key: payload for key, payload in closed.items() if key not in receipted}
            assert outbox.waiting_count() == len(waiting) + len(unsaved)
            assert all(stream.lost == () for stream in outbox.streams())
            outbox.mark_sending(outbox.waiting(999))
        outbox.close()


def test_a_report_says_what_its_quarter_was() -> None:
    tally = Tally(
        {"car": (3, 4), "bike": (2, 0), "motorcycle": (1, 0)},
        {"car": (6.3, 7), "bike": (1.0, 2)},
        [0, 0, 7, *([0] * 22)],
        899.6,
        {"day": 100.0, "dusk": 799.0},
        int(Flag.RESTARTED),
    )
    with tempfile.TemporaryDirectory() as name, outbox_in(Path(name)) as outbox:
        outbox.save(SavedState(), [Quarter(NOON_S, tally)])
        report: Report = decode(Channel.REPORT, outbox.waiting(1)[0].payload)
    assert report.period_start == datetime.fromisoformat("2026-11-21T12:00:00Z")
    assert (report.observed_s, report.light, report.flags) == (900, "dusk", 16)
    assert (report.counts.car.lft, report.counts.car.rgt, report.counts.motorcycle.lft) == (3, 4, 1)
    assert (report.confidence.car, report.confidence.bike, report.confidence.heavy) == (90, 50, None)
    assert report.car_speed is not None
    assert report.car_speed[2] == 7
