"""What the demo counts: the simulated street, a recording anchored to end at now, or a camera; and how its device is told."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from telstraat_cli.errors import CliError
from telstraat_demo.run.pipeline import Pipeline, SensorSite
from telstraat_demo.stack.processes import ProgramService

if TYPE_CHECKING:
    from telstraat_demo.run.street_device import StreetPlan

PLAN_FILE = "plan.json"
STREET_SENSOR = "demo-street"
STREET_SEGMENT = "Simulated street"
SEGMENT_NAME_MAX = 60


@dataclass(frozen=True, kw_only=True)
class StreetSource:
    """A street that does not exist, as a plan's file says it."""

    plan_file: Path
    place: SensorSite
    begins_at: datetime
    duration_s: float | None

    def start(self, pipeline: Pipeline) -> ProgramService:
        """Start its device."""
        settings = pipeline.write_device_settings(self.place, {})
        words = ["telstraat_demo.run.street_device", str(self.plan_file), str(settings)]
        return pipeline.start_device(words, ends=self.duration_s is not None)


@dataclass(frozen=True, kw_only=True)
class VideoSource:
    """A recording (with its beginning) or a camera (without)."""

    text: str
    line_px: tuple[float, float, float, float]
    place: SensorSite
    begins_at: datetime
    recording: bool

    def start(self, pipeline: Pipeline) -> ProgramService:
        """Start its device."""
        clock: dict[str, object] = {"trust": "system"}
        if self.recording:
            clock = {"start": self.begins_at.isoformat()}
        camera: dict[str, object] = {"source": self.text, "line": list(self.line_px)}
        settings = pipeline.write_device_settings(self.place, {"camera": camera, "clock": clock})
        return pipeline.start_device(["device", "--settings", str(settings)], ends=self.recording)


def street(pipeline: Pipeline, sensor: str, new_plan: StreetPlan, place: SensorSite | None = None) -> StreetSource:
    """Return the simulated street: the one of the last run going on where it was, unless another is wanted."""
    from telstraat_demo.run.street_device import continued, read_plan, write_plan

    folder = pipeline.device_folder(sensor) / "street"
    plan_file = folder / PLAN_FILE
    plan = continued(read_plan(plan_file), new_plan, folder) if plan_file.exists() else new_plan
    write_plan(plan_file, plan)
    place = place or SensorSite(sensor=sensor, segment=STREET_SEGMENT)
    return StreetSource(plan_file=plan_file, place=place, begins_at=plan.begins_at, duration_s=new_plan.duration_s)


def video(text: str, line_text: str, sensor: str | None = None) -> VideoSource:
    """Return a recording, anchored to end at now, or a camera; a mistake in either is told before anything starts."""
    from telstraat_device.cameras.video import is_live, open_source
    from telstraat_device.counting.crossings.line import checked_line, parse_line
    from telstraat_device.errors import DeviceError

    now = datetime.now(UTC)
    try:
        (x1, y1), (x2, y2) = parse_line(line_text)
        if is_live(text):
            name, begins_at, known = f"Camera {text.rpartition('@')[2]}", now, text
        else:
            known = str(Path(text).expanduser().absolute())
            source = open_source(known)
            try:
                checked_line(((x1, y1), (x2, y2)), source.width, source.height)
                length_s = (source.frames or 0) / source.fps
                name, begins_at = source.name, now - timedelta(seconds=length_s)
            finally:
                source.close()
    except DeviceError as error:
        raise CliError(str(error)) from error
    place = SensorSite(sensor=sensor or f"demo-video-{zlib.crc32(known.encode()):08x}", segment=name[:SEGMENT_NAME_MAX])
    return VideoSource(
        text=known, line_px=(x1, y1, x2, y2), place=place, begins_at=begins_at, recording=not is_live(text)
    )
