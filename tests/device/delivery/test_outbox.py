"""The outbox: what is closed survives, what is sent stays until its receipt, what is given up is told."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.device.delivery.outboxes import DAY_S, INFINITY, outbox_in, quarter, receipt, seqs
from tests.device.toys import NOON_S, QUARTER_S

from telstraat_contract.messages import Flag, Receipt, Report, decode
from telstraat_contract.topics import Channel
from telstraat_device.delivery.outbox import Outbox, RetentionLimits
from telstraat_device.delivery.outbox_file import FILE
from telstraat_device.delivery.ranges import holds, joined
from telstraat_device.errors import StorageError
from telstraat_device.quarters.periods import SavedState
from telstraat_device.quarters.tally import Quarter, Tally


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
