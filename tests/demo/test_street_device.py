from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from telstraat_contract.messages import Counts, Directed, Report
from telstraat_demo.run.accuracy import accuracy, overall
from telstraat_demo.run.pipeline import toml_of
from telstraat_demo.run.street_device import (
    PROGRESS_FILE,
    TRUTH_FILE,
    NotedStreet,
    StreetPlan,
    StreetProgress,
    continued,
    read_plan,
    read_progress,
    write_plan,
)
from telstraat_device.settings import settings_of
from telstraat_firmware_sim.street.truth import read_truth

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TWO_HOURS = timedelta(hours=2)


def plan(**changes: object) -> StreetPlan:
    values: dict[str, object] = {
        "begins_at": NOW - TWO_HOURS,
        "width": 160,
        "height": 120,
        "fps": 4.0,
        "scene": "dense",
    }
    return StreetPlan(**{**values, **changes})  # type: ignore[arg-type]


def note(folder: Path, street_s: float) -> None:
    (folder / PROGRESS_FILE).write_bytes(msgspec.json.encode(StreetProgress(street_s, round(street_s * 4), 36.0)))
    (folder / TRUTH_FILE).touch()


def test_a_plan_reads_as_it_was_written(tmp_path: Path) -> None:
    write_plan(tmp_path / "street" / "plan.json", plan(pace=36.0))
    assert read_plan(tmp_path / "street" / "plan.json") == plan(pace=36.0)


def test_the_same_street_goes_on_where_it_was(tmp_path: Path) -> None:
    note(tmp_path, 3000)
    before = plan(begins_at=NOW - timedelta(hours=2, minutes=30))
    assert continued(before, plan(pace=60.0), tmp_path) == plan(begins_at=before.begins_at, pace=60.0)
    assert read_progress(tmp_path).street_s == 3000


def test_a_street_that_stood_still_for_long_begins_anew_and_leaves_a_gap(tmp_path: Path) -> None:
    note(tmp_path, 3600)
    before = plan(begins_at=NOW - timedelta(days=3))
    assert continued(before, plan(), tmp_path) == plan()
    assert read_progress(tmp_path) == StreetProgress()
    assert not (tmp_path / TRUTH_FILE).exists()


def test_another_street_begins_where_the_last_one_stood(tmp_path: Path) -> None:
    note(tmp_path, 3600)
    after = continued(plan(), plan(seed=9), tmp_path)
    assert after == plan(seed=9, begins_at=NOW - timedelta(hours=1))
    assert read_progress(tmp_path) == StreetProgress()


def test_a_restarted_street_gives_every_frame_once_and_tells_every_crossing_once(tmp_path: Path) -> None:
    short = plan(duration_s=120.0)
    whole = tmp_path / "whole"
    whole.mkdir()
    with NotedStreet(short, whole) as street:
        times = [street.first_frame_at + timedelta(seconds=frame.t_s) for frame in street]
    parts = tmp_path / "parts"
    parts.mkdir()
    clock = iter(range(10_000))
    seen = []
    with NotedStreet(short, parts, wall_s=lambda: float(next(clock))) as street:
        for frame in street:
            seen.append(street.first_frame_at + timedelta(seconds=frame.t_s))
            if len(seen) == 200:
                break
    before = len(seen) - round(read_progress(parts).street_s * short.fps)
    assert before <= 1  # the note is of the last frame that was asked for
    with NotedStreet(short, parts) as street:
        seen = seen[: len(seen) - before]
        seen += [street.first_frame_at + timedelta(seconds=frame.t_s) for frame in street]
    assert seen == times
    assert len(times) == 480
    ids = [crossing.object_id for crossing in read_truth(parts / TRUTH_FILE)]
    assert len(ids) == len(set(ids))
    assert sorted(ids) == sorted(crossing.object_id for crossing in read_truth(whole / TRUTH_FILE))
    assert read_progress(parts).street_s == 120.0
    assert read_progress(parts).frames == 480


def report(counts: Counts) -> Report:
    return Report(sensor="birch", epoch=1, seq=1, period_start=NOW, observed_s=900, counts=counts)


def test_accuracy_is_told_per_class_and_direction() -> None:
    truth = [
        ("car", "left_to_right"),
        ("car", "left_to_right"),
        ("bicycle", "right_to_left"),
        ("motorcycle", "right_to_left"),
        ("pedestrian", "left_to_right"),
    ]
    counts = Counts(car=Directed(1, 1), bike=Directed(0, 2), motorcycle=Directed(0, 1), pedestrian=Directed(1, 0))
    rows = accuracy(truth, [report(counts)])  # type: ignore[arg-type]
    answers = {(row.class_name, row.direction): (row.true, row.counted, row.ratio) for row in rows}
    assert answers["car", "lft"] == (2, 1, 0.5)
    assert answers["car", "rgt"] == (0, 1, None)
    assert answers["bike", "rgt"] == (2, 2, 1.0)
    assert answers["pedestrian", "lft"] == (1, 1, 1.0)
    assert ("night", "lft") not in answers
    assert overall(rows) == pytest.approx(1 - 2 / 5)


def test_what_was_counted_in_the_dark_has_its_own_row() -> None:
    rows = accuracy([("car", "left_to_right")], [report(Counts(night=Directed(1, 0)))])
    assert ("night", "lft", 0, 1) in [(row.class_name, row.direction, row.true, row.counted) for row in rows]
    assert overall([]) is None


def test_settings_are_written_as_the_device_reads_them() -> None:
    import tomllib

    values: dict[str, dict[str, object]] = {
        "sensor": {"name": "demo-street"},
        "storage": {"folder": 'C:\\odd "place"/Straße'},
        "camera": {"source": "x.mp4", "line": [1.5, 2, 3, 4]},
        "send": {"live_s": 1.0},
    }
    settings = settings_of(tomllib.loads(toml_of(values)))
    assert settings.storage.folder == 'C:\\odd "place"/Straße'
    assert settings.camera.line == (1.5, 2, 3, 4)
