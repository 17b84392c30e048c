"""A source while it is counted: its core, how regularly its frames come, and what is wrong with its pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

from telstraat_contract.messages import Config
from telstraat_device.cameras.frames import FrameSource
from telstraat_device.cameras.frozen import FrozenWatch
from telstraat_device.quarters.uptime import Uptime
from telstraat_device.trial import CountingCore

UNTIMED_ALARM_S = 60.0  # a stream's times are believed only when they have kept pace for a while


@dataclass(slots=True)
class CaptureSession:
    """A source being counted: its core, and how regularly its frames come."""

    source: FrameSource
    core: CountingCore
    uptime: Uptime
    config: Config
    frozen: FrozenWatch = field(default_factory=FrozenWatch)
    dropped_before: int = 0
    too_fast_before: int = 0
    last_t_s: float = 0.0
    is_frozen: bool = False
    errors_in_a_row: int = 0

    def alarms(self) -> list[str]:
        """Return what is wrong with its pictures, as long as it is."""
        alarms = []
        if self.is_frozen:
            alarms.append("the camera repeats one and the same picture: nothing is observed; start it again")
        if not self.source.timed and self.last_t_s > UNTIMED_ALARM_S:
            alarms.append("the camera does not say when its pictures were taken: speeds are left out")
        return alarms
