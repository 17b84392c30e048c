"""The clock of a simulated street: it starts in the past, runs faster than the wall, and goes on at 1x from now on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from telstraat_device.cameras.frames import ClosingSource, Frame
from telstraat_firmware_sim.errors import SceneError
from telstraat_firmware_sim.street.settings import StreetSettings
from telstraat_firmware_sim.street.street import SimulatedStreet
from telstraat_firmware_sim.street.truth import TruthWriter


def utc_now() -> datetime:
    """Give the wall's time."""
    return datetime.now(UTC)


def resumed(settings: StreetSettings, street_zero_utc: datetime, at_utc: datetime) -> StreetSettings:
    """Give the settings that go on with the same street at a time, after a restart; on a whole frame."""
    gone_s = max(0.0, (at_utc - street_zero_utc).total_seconds())
    return msgspec.structs.replace(settings, start_s=round(gone_s * settings.fps) / settings.fps)


class PacedSource(ClosingSource):
    """Gives a street's frames when they are due on the wall.

    A frame at t_s after the first is due `t_s / speed` after the start as long as the street is in the past, and at
    its own time once it has caught up. Whoever reads too slowly is not left frames out: the street is late then.
    Pair it with the device's `AnchoredClock(first_frame_utc)`.
    """

    def __init__(
        self,
        street: SimulatedStreet,
        first_frame_utc: datetime,
        speed: float,
        *,
        truth_path: Path | None = None,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if speed < 1:
            raise SceneError(f"the street's clock runs at {speed:g} times the wall's; give 1 or more")
        self._street, self._first_utc, self._speed = street, first_frame_utc, speed
        self._now, self._sleep = now, sleep
        zero_utc = first_frame_utc - timedelta(seconds=street.settings.start_s)
        self._truth = TruthWriter(truth_path, zero_utc) if truth_path else None
        self._told_s = street.settings.start_s

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self._street.name

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self._street.width

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self._street.height

    @property
    def fps(self) -> float:
        """Frames per second of street time."""
        return self._street.fps

    @property
    def frames(self) -> int | None:
        """How many frames there will be; None when the street does not end."""
        return self._street.frames

    def __iter__(self) -> Iterator[Frame]:
        begun_utc = self._now()
        for frame in self._street:
            wait_s = (self._due(frame.t_s, begun_utc) - self._now()).total_seconds()
            if wait_s > 0:
                self._sleep(wait_s)
            yield frame
            self._tell(self._street.settings.start_s + frame.t_s)
        self._tell(self._street.settings.start_s + (self._street.settings.duration_s or 0.0))

    def _due(self, t_s: float, begun_utc: datetime) -> datetime:
        return max(begun_utc + timedelta(seconds=t_s / self._speed), self._first_utc + timedelta(seconds=t_s))

    def _tell(self, t_s: float) -> None:
        """Write the crossings up to a street time."""
        if self._truth and t_s > self._told_s:
            self._truth.write(self._street.truth_between(self._told_s, t_s))
            self._told_s = t_s

    def close(self) -> None:
        """Close the file of truth."""
        if self._truth:
            self._truth.close()
