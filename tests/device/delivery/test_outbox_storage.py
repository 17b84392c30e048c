"""The outbox on storage that is damaged, full or of an earlier version: what can be read is sent, what cannot is told."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.device.delivery.outboxes import INFINITY, outbox_in, quarter, receipt, seqs
from tests.device.toys import NOON_S, QUARTER_S

from telstraat_device.delivery.outbox import MEMORY_REPORTS_MAX, Outbox, RetentionLimits
from telstraat_device.delivery.outbox_file import FILE
from telstraat_device.delivery.progress import FILE as PROGRESS
from telstraat_device.delivery.ranges import holds
from telstraat_device.quarters.periods import SavedState
from telstraat_device.quarters.tally import Tally


def test_the_file_is_the_owners_and_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    with outbox_in(tmp_path / "state") as outbox:
        assert (tmp_path / "state" / FILE).stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "state").stat().st_mode & 0o077 == 0
        assert outbox._db.execute("pragma synchronous").fetchone() == (2,)
        assert outbox._db.execute("pragma journal_mode").fetchone() == ("wal",)


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
