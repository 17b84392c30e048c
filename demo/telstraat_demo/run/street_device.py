"""Hang the real device before a simulated street: `python -m telstraat_demo.run.street_device PLAN DEVICE_SETTINGS`.

The street has a clock of its own, like a recording: it begins in the past, runs at most `pace` times as fast as the wall
and, once it has come to now, as fast as the wall. The device sees a source of frames and an anchored clock, no more.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from telstraat_contract.messages import Flag
from telstraat_device.cameras.frames import ClosingSource, Frame
from telstraat_device.quarters.clock import AnchoredClock
from telstraat_device.service import run
from telstraat_device.settings import read_settings
from telstraat_firmware_sim.street.clock import PacedSource
from telstraat_firmware_sim.street.scenes import scene
from telstraat_firmware_sim.street.settings import Traffic
from telstraat_firmware_sim.street.street import SimulatedStreet

NOTE_EVERY_S = 0.5
UNPACED = 1e9  # faster than any machine
TRUTH_FILE = "truth.jsonl"
PROGRESS_FILE = "progress.json"


class LiveTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """What passes in a street of a town: its day in place of a scene's traffic, which is the same at three in the night."""

    per_hour: dict[str, float]
    """Mean of a day's hours, by the names of a scene's traffic."""
    day_shape: tuple[float, ...]
    """Factor on them for each local hour of the day."""
    motor_kmh: float
    timezone: str = "Europe/Brussels"


class StreetPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Which street, since when and how fast; the truth and the progress are written beside the plan's file."""

    begins_at: datetime
    scene: str = "day"
    seed: int = 1
    width: int = 320
    height: int = 240
    fps: float = 8.0
    duration_s: float | None = None
    pace: float | None = None
    town: LiveTraffic | None = None
    """What passes as a town has it; None: what the scene says, around the clock."""


class StreetProgress(msgspec.Struct, frozen=True):
    """How far the street has come: its time, and how fast it runs now."""

    street_s: float = 0.0
    frames: int = 0
    pace: float = 0.0


def read_plan(path: Path) -> StreetPlan:
    """Read a plan's file."""
    return msgspec.json.decode(path.read_bytes(), type=StreetPlan)


def write_plan(path: Path, plan: StreetPlan) -> None:
    """Write a plan's file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(plan)) + b"\n")


def read_progress(folder: Path) -> StreetProgress:
    """Return how far the street of a folder has come."""
    try:
        return msgspec.json.decode((folder / PROGRESS_FILE).read_bytes(), type=StreetProgress)
    except (FileNotFoundError, msgspec.MsgspecError):
        return StreetProgress()


class NotedStreet(ClosingSource):
    """The street's frames as they come, with a note of how far it is: a restart goes on there."""

    def __init__(self, plan: StreetPlan, folder: Path, wall_s: Callable[[], float] = time.time) -> None:
        self._folder, self._wall_s = folder, wall_s
        self._before = read_progress(folder)
        start_s = self._before.street_s
        left_s = None if plan.duration_s is None else max(0.0, plan.duration_s - start_s)
        size = {"width": plan.width, "height": plan.height, "fps": plan.fps}
        settings = scene(plan.scene, seed=plan.seed, start_s=start_s, duration_s=left_s, **size)
        settings = msgspec.structs.replace(settings, traffic=traffic_of(plan, settings.traffic))
        street = SimulatedStreet(settings)
        self.first_frame_at = plan.begins_at.astimezone(UTC) + timedelta(seconds=start_s)
        self._paced = PacedSource(street, self.first_frame_at, plan.pace or UNPACED, truth_path=folder / TRUTH_FILE)
        self.line = street.line
        self.name = street.name
        self.width, self.height, self.fps, self.frames = street.width, street.height, street.fps, street.frames

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames of the paced street."""
        noted_s, noted_t_s, number = self._wall_s(), 0.0, 0
        for number, frame in enumerate(self._paced, 1):
            yield frame
            now_s = self._wall_s()
            if now_s - noted_s >= NOTE_EVERY_S:
                self._note(number, (frame.t_s - noted_t_s) / (now_s - noted_s))
                noted_s, noted_t_s = now_s, frame.t_s
        self._note(number, 0.0)

    def close(self) -> None:
        """Close the truth."""
        self._paced.close()

    def _note(self, frames: int, pace: float) -> None:
        before = self._before
        progress = StreetProgress(before.street_s + frames / self.fps, before.frames + frames, pace)
        path = self._folder / PROGRESS_FILE
        draft = path.with_suffix(".draft")
        with contextlib.suppress(OSError):  # a full disk: a later note will do, what was counted is not counted again
            draft.write_bytes(msgspec.json.encode(progress))
            draft.replace(path)


def traffic_of(plan: StreetPlan, usual: Traffic) -> Traffic:
    """Return what passes in a plan's street: the scene's traffic, or the town's."""
    if plan.town is None:
        return usual
    begins = plan.begins_at.astimezone(ZoneInfo(plan.town.timezone))
    return msgspec.structs.replace(
        usual,
        **plan.town.per_hour,
        motor_kmh=plan.town.motor_kmh,
        day_shape=plan.town.day_shape,
        day_start_h=begins.hour + begins.minute / 60,
    )


def continued(before: StreetPlan, new_plan: StreetPlan, folder: Path) -> StreetPlan:
    """Return the plan to go on with: the same street where it was, or a new one.

    Another street begins where the last one stood: no moment is counted twice. After standing still for longer than the
    wanted one reaches back, it begins there: what nobody watched is a gap.
    """
    stood_at = before.begins_at + timedelta(seconds=read_progress(folder).street_s)
    same = (
        msgspec.structs.replace(before, pace=new_plan.pace, begins_at=new_plan.begins_at, town=new_plan.town)
        == new_plan
    )
    if same and stood_at >= new_plan.begins_at:
        return msgspec.structs.replace(before, pace=new_plan.pace)
    (folder / PROGRESS_FILE).unlink(missing_ok=True)
    (folder / TRUTH_FILE).unlink(missing_ok=True)
    return msgspec.structs.replace(new_plan, begins_at=max(new_plan.begins_at, stood_at))


def main(argv: list[str]) -> int:
    """Run the device until the street ends or a stop is asked for."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    plan_file = Path(argv[0])
    plan = read_plan(plan_file)
    street = NotedStreet(plan, plan_file.parent)
    clock = AnchoredClock(street.first_frame_at)
    return run(lambda: street, read_settings(Path(argv[1])), clock, line=street.line, extra_flags=Flag.SIMULATED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
