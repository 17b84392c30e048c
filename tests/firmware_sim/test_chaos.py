"""The schedule of a chaos run comes from its seed, hurts everything, and the comparison at the end misses nothing."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from telstraat_contract.messages import Counts, Directed, Report
from telstraat_contract.quarters import QUARTER
from telstraat_demo.chaos.figures import Figures, faults_of, summed, sums_of_sensors
from telstraat_demo.chaos.run import ChaosSettings, ChaosVerdict, differences
from telstraat_demo.commands.sim import chaos_summary
from telstraat_firmware_sim.chaos.schedule import LINK_VERBS, PROCESS_VERBS, History, Operation, schedule_of

PROCESSES = ("database", "broker", "ingester-1", "ingester-2", "devices-1", "devices-2")
LINKS = ("devices-link", "ingest-link", "database-link")
START = datetime(2026, 11, 1, tzinfo=UTC)


def a_day(epoch: int = 1) -> list[Report]:
    return [
        Report(sensor="a", epoch=epoch, seq=at + 1, period_start=START + at * QUARTER, observed_s=900, counts=Counts(car=Directed(at, 2)))
        for at in range(20)
    ]  # fmt: skip


def test_a_seed_gives_the_same_schedule_and_another_seed_another() -> None:
    first, again, other = (schedule_of(seed, 60, PROCESSES, LINKS) for seed in (3, 3, 4))
    assert first == again
    assert first != other


@pytest.mark.parametrize("seed", range(20))
def test_in_a_minute_everything_is_hurt_and_nothing_twice_at_the_same_time(seed: int) -> None:
    operations = schedule_of(seed, 60, PROCESSES, LINKS)
    by_target: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        by_target[operation.target].append(operation)
        assert operation.verb in (LINK_VERBS if operation.target in LINKS else PROCESS_VERBS)
        assert 2 <= operation.at_s < 60
        assert operation.until_s <= 61
    assert set(by_target) == {*PROCESSES, *LINKS}
    for several in by_target.values():
        assert all(a.until_s < b.at_s for a, b in itertools.pairwise(several))


def test_a_summary_counts_what_was_really_done_and_adds_up_all_lives(tmp_path: Path) -> None:
    history = History(4)
    for what, outcome in (
        ("do kill", "ok"),
        ("do kill", "ok"),
        ("undo kill", "ok"),
        ("do cut", "ok"),
        ("do pause", "failed"),
    ):
        history.note(what, "broker", outcome)  # type: ignore[arg-type]
    for life in (1, 2):
        (tmp_path / f"{life}.json").write_text(json.dumps({"sent": 5, "resent": life, "connects": 1}))
    assert faults_of(history.entries) == {"cut": 1, "kill": 2}
    assert sums_of_sensors(tmp_path) == {"sent": 10, "resent": 3, "connects": 2}
    figures = Figures(
        faults_of(history.entries),
        summed([{"received": 9}, {"received": 8, "duplicates": 7}]),
        sums_of_sensors(tmp_path),
    )
    verdict = ChaosVerdict(ChaosSettings(seed=4), 10, 10, 2, 4, figures, drained=True, drain_s=1.5, took_s=61.25)
    assert chaos_summary(verdict) == [
        "seed 4: every report stands in the table once, byte for byte",
        "  faults: 3 of 4: cut 1, kill 2",
        "  at least 10 reports sent, 3 sent again, in 2 connections",
        "  at least 17 messages received by ingest, 7 of them duplicates",
        "  10 reports closed in 2 epochs, 10 rows in the table",
        "  0 differing quarters; 61.25 s, drained in 1.5 s",
    ]


def test_a_history_is_saved_with_its_seed_to_be_replayed(tmp_path: Path) -> None:
    history = History(42)
    history.note("do kill", "broker")
    history.note("died", "ingester-1", "failed", "exit code 2")
    history.save(tmp_path / "runs" / "history.jsonl", {"seconds": 60.0})
    lines = [json.loads(line) for line in (tmp_path / "runs" / "history.jsonl").read_text().splitlines()]
    assert lines[0] == {"seed": 42, "seconds": 60.0}
    assert [(line["what"], line["outcome"]) for line in lines[1:]] == [("do kill", "ok"), ("died", "failed")]
    assert [entry.target for entry in history.of("failed")] == ["ingester-1"]


def test_equal_tables_have_no_differences_whatever_epoch_the_outbox_drew() -> None:
    assert differences(a_day(), list(reversed(a_day(epoch=9)))) == []


def test_what_is_missing_doubled_invented_or_changed_is_said() -> None:
    rows = a_day()
    changed = msgspec.structs.replace(rows[3], counts=Counts(car=Directed(3, 3)))
    resent = msgspec.structs.replace(rows[4], seq=99)
    invented = msgspec.structs.replace(rows[5], period_start=START - QUARTER)
    result = differences(a_day(), [*rows[:3], changed, resent, *rows[5:19], rows[6], invented])
    assert len(result) == 5
    assert sum("stored" in line for line in result) == 2
    assert sum("2 rows" in line for line in result) == 1
    assert sum("missing" in line for line in result) == 1
    assert sum("nobody closed" in line for line in result) == 1
