"""Hang the real device before a simulated street: `python -m telstraat_cli.stack.street PLAN DEVICE_SETTINGS`.

The street has a clock of its own, like a recording: it begins in the past, runs at most `pace` times as fast as the wall
and, once it has come to now, as fast as the wall. The device sees a source of frames and an anchored clock, no more.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from telstraat_contract.messages import Flag
from telstraat_device.clock import AnchoredClock
from telstraat_device.frames import ClosingSource, Frame
from telstraat_device.service import run
from telstraat_device.settings import read_settings
from telstraat_firmware_sim.settings import StreetSettings
from telstraat_firmware_sim.street import Street
from telstraat_firmware_sim.truth import TruthWriter

NOTE_EVERY_S = 0.5
LATE_MAX_S = 1.0  # a pause of the machine is not caught up with a burst
TRUTH_FILE = "truth.jsonl"
PROGRESS_FILE = "progress.json"


class StreetPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Which street, since when and how fast; the truth and the progress are written beside the plan's file."""

    begins_at: datetime
    seed: int = 1
    width: int = 320
    height: int = 240
    fps: float = 8.0
    duration_s: float | None = None
    pace: float | None = None


class Progress(msgspec.Struct, frozen=True):
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


def read_progress(folder: Path) -> Progress:
    """Return how far the street of a folder has come."""
    try:
        return msgspec.json.decode((folder / PROGRESS_FILE).read_bytes(), type=Progress)
    except (FileNotFoundError, msgspec.MsgspecError):
        return Progress()


class RunningStreet(ClosingSource):
    """A street that goes on where it was, keeps its pace, and writes down its truth and its progress."""

    def __init__(
        self,
        plan: StreetPlan,
        folder: Path,
        wall_s: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._wall_s, self._sleep = wall_s, sleep
        before = read_progress(folder)
        self._start_s = before.street_s
        self._frames_before = before.frames
        left_s = None if plan.duration_s is None else max(0.0, plan.duration_s - self._start_s)
        self._street = Street(
            StreetSettings(
                seed=plan.seed,
                width=plan.width,
                height=plan.height,
                fps=plan.fps,
                start_s=self._start_s,
                duration_s=left_s,
                scene="demo",
            )
        )
        self._truth = TruthWriter(folder / TRUTH_FILE)
        self._told_s = self._start_s
        self.line = self._street.line
        self.name = self._street.name
        self.width, self.height, self.fps = plan.width, plan.height, plan.fps
        self.frames = self._street.frames

    def __iter__(self) -> Iterator[Frame]:
        """Give frames whose time is the street's own, from where the last run ended."""
        began_s = self._plan.begins_at.timestamp()
        step_s = 1.0 / self.fps / self._plan.pace if self._plan.pace else 0.0
        due_s = noted_s = self._wall_s()
        noted_street_s = self._start_s
        for number, frame in enumerate(self._street, 1):
            street_s = self._start_s + frame.t_s
            now_s = self._wall_s()
            due_s = max(due_s + step_s, now_s - LATE_MAX_S)
            wait_s = max(due_s, began_s + street_s) - now_s if step_s else 0.0
            if wait_s > 0:
                self._sleep(wait_s)
            yield Frame(frame.luma, street_s)
            if now_s - noted_s >= NOTE_EVERY_S:
                pace = (street_s - noted_street_s) / (now_s - noted_s)
                self._note(street_s, number, pace)
                noted_s, noted_street_s = now_s, street_s
        if self.frames:
            self._note(self._start_s + self.frames / self.fps, self.frames, 0.0)

    def close(self) -> None:
        """Close the truth."""
        self._truth.close()

    def _note(self, street_s: float, frames: int, pace: float) -> None:
        self._truth.write(self._street.truth_between(self._told_s, street_s))
        self._told_s = street_s
        path = self._folder / PROGRESS_FILE
        draft = path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(Progress(street_s, self._frames_before + frames, pace)))
        draft.replace(path)


def continued(plan: StreetPlan, folder: Path, now: datetime, past: timedelta) -> StreetPlan:
    """Return the plan to go on with: the same street, or a new one when it has stood still for longer than `past`."""
    stood_at = plan.begins_at + timedelta(seconds=read_progress(folder).street_s)
    if now - stood_at <= past:
        return plan
    (folder / PROGRESS_FILE).unlink(missing_ok=True)
    (folder / TRUTH_FILE).unlink(missing_ok=True)
    return msgspec.structs.replace(plan, begins_at=now - past, seed=plan.seed + 1)


def main(argv: list[str]) -> int:
    """Run the device until the street ends or a stop is asked for."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    plan_file = Path(argv[0])
    plan = read_plan(plan_file)
    street = RunningStreet(plan, plan_file.parent)
    clock = AnchoredClock(plan.begins_at.astimezone(UTC))
    return run(street, read_settings(Path(argv[1])), clock, line=street.line, marks=Flag.SIMULATED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
