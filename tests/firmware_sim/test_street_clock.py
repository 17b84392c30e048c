from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from telstraat_firmware_sim.errors import SceneError, TruthError
from telstraat_firmware_sim.street.clock import PacedSource, resumed
from telstraat_firmware_sim.street.scenes import scene
from telstraat_firmware_sim.street.street import SimulatedStreet
from telstraat_firmware_sim.street.truth import TruthWriter, read_truth

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SMALL: dict[str, Any] = {"width": 96, "height": 72, "fps": 4.0}


class Wall:
    """A wall clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = NOW
        self.slept_s = 0.0

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.time += timedelta(seconds=seconds)
        self.slept_s += seconds


def test_the_street_catches_up_with_now_and_goes_on_at_the_pace_of_the_wall() -> None:
    wall = Wall()
    first_utc = NOW - timedelta(minutes=9)
    source = PacedSource(SimulatedStreet(scene("quiet", **SMALL)), first_utc, 10.0, now=wall.now, sleep=wall.sleep)
    frames = itertools.islice(source, 4 * 660)
    visible = [(wall.time, first_utc + timedelta(seconds=frame.t_s)) for frame in frames]
    assert all(street_utc <= wall_utc for wall_utc, street_utc in visible)
    assert visible[1][1] - visible[0][1] == timedelta(seconds=0.25)
    assert visible[4 * 300][0] - NOW == timedelta(seconds=30)
    # 9 minutes behind at 10x: caught up after 60 s of wall time, in which the street lived 600 s
    assert visible[4 * 600][0] == pytest.approx(visible[4 * 600][1], abs=timedelta(seconds=0.01))
    assert visible[-1][0] == visible[-1][1]


def test_a_slow_reader_gets_every_frame_late() -> None:
    wall = Wall()
    source = PacedSource(SimulatedStreet(scene("quiet", **SMALL)), NOW, 1.0, now=wall.now, sleep=wall.sleep)
    times_s = []
    for frame in itertools.islice(source, 20):
        times_s.append(frame.t_s)
        wall.time += timedelta(seconds=2)
    assert times_s == [number / 4 for number in range(20)]
    assert wall.slept_s == 0


def test_a_clock_slower_than_the_wall_is_refused() -> None:
    with pytest.raises(SceneError, match="1 or more"):
        PacedSource(SimulatedStreet(scene("quiet", **SMALL)), NOW, 0.5)


def test_truth_is_written_while_the_street_runs_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    settings = scene("dense", seed=4, duration_s=120.0, **SMALL)
    whole = SimulatedStreet(settings).truth_between(0, 120)
    wall = Wall()
    with PacedSource(SimulatedStreet(settings), NOW, 1.0, truth_path=path, now=wall.now, sleep=wall.sleep) as source:
        for _ in itertools.islice(source, 4 * 50):
            pass
    first = read_truth(path)
    assert 0 < len(first) < len(whole)
    # killed here; the device kept its quarter until a few seconds earlier and asks for the street from there on
    with path.open("ab") as file:
        file.write(b'{"t_s":49.9,"class_na')
    again = msgspec.structs.replace(resumed(settings, NOW, NOW + timedelta(seconds=45.1)), duration_s=75.0)
    assert again.start_s == 45.0
    first_utc = NOW + timedelta(seconds=again.start_s)
    with PacedSource(SimulatedStreet(again), first_utc, 1.0, truth_path=path, now=wall.now, sleep=wall.sleep) as source:
        for _ in source:
            pass
    truth = read_truth(path)
    assert [msgspec.structs.replace(crossing, at_utc=None) for crossing in truth] == whole
    assert all(c.at_utc == NOW + timedelta(seconds=c.t_s) for c in truth)


def test_a_restart_shows_the_same_frames() -> None:
    settings = scene("day", seed=9, **SMALL)
    street, again = SimulatedStreet(settings), SimulatedStreet(resumed(settings, NOW, NOW + timedelta(hours=1)))
    later = next(iter(again)).luma
    assert (street.render(3600.0) == later).all()


def test_a_broken_line_inside_a_file_of_truth_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    crossing = SimulatedStreet(scene("dense", **SMALL)).truth_between(0, 60)[0]
    path.write_bytes(b"nonsense\n" + msgspec.json.encode(crossing) + b"\n")
    with pytest.raises(TruthError, match="line 1"):
        TruthWriter(path)
