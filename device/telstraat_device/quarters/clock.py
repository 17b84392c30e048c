"""Which moment of UTC a frame belongs to, and whether that can be believed.

A camera's frames are of now, by the system's clock. A recording, or any source with a time of its own, counts from its
start. A clock that has not been set yet still gives order, and the distance between moments.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol

NOT_BEFORE = datetime(2026, 11, 1, tzinfo=UTC)
"""Built later than this: a clock that says less has not been set (a Pi wakes up in 1970, or where it was shut down)."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TIMESYNC = Path("/run/systemd/timesync/synchronized")
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
TIMEX_BYTES = 512  # struct timex is 208 bytes on 64-bit Linux; more does no harm
ASK_EVERY_S = 1.0

Trust = Literal["kernel", "system"]


@dataclass(frozen=True, slots=True)
class ClockReading:
    """One look at the clock.

    Attributes
    ----------
    at_s : float
        Seconds of UTC since 1970, as the clock says.
    monotonic_s : float
        Seconds on a clock that is never set, of one `boot`.
    trusted : bool
        Whether `at_s` can be believed.
    """

    at_s: float
    monotonic_s: float
    trusted: bool = True

    def earlier(self, lag_s: float) -> ClockReading:
        """Return the reading of `lag_s` before this one."""
        return ClockReading(self.at_s - lag_s, self.monotonic_s - lag_s, self.trusted)


class Clock(Protocol):
    """Gives each frame its moment."""

    @property
    def boot(self) -> str:
        """Readings with the same boot share their monotonic clock."""

    @property
    def repeatable(self) -> bool:
        """Whether the same frames can come again: what has been counted once is then skipped."""

    def read(self, t_s: float, /) -> ClockReading:
        """Return the moment of the frame that has just come, captured `t_s` after its source began."""

    def now(self) -> ClockReading | None:
        """Return the moment without a frame; None when only frames move this clock."""


class SystemClock:
    """The machine's clock, for a camera.

    Trusted once the kernel says that it is synchronised (`trust="kernel"`), or as it is (`trust="system"`, for a
    machine with a battery clock and no time server), but never when it shows a time before this software was built.
    """

    repeatable = False

    def __init__(self, trust: Trust = "kernel", synchronised: Callable[[], bool] | None = None) -> None:
        self.boot = boot_id()
        self._synchronised = synchronised or clock_is_synchronised
        self._set = trust == "system"
        self._ask_at_s = 0.0

    def read(self, _t_s: float, /) -> ClockReading:
        """Return the moment of a frame that has just come."""
        return self.now()

    def now(self) -> ClockReading:
        """Return the moment."""
        monotonic_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        if not self._set and monotonic_s >= self._ask_at_s:
            self._set = self._synchronised()
            self._ask_at_s = monotonic_s + ASK_EVERY_S
        at_s = time.time()
        return ClockReading(at_s, monotonic_s, self._set and at_s >= NOT_BEFORE.timestamp())


class AnchoredClock:
    """A recording, or any source with a time of its own: its first frame is at `start_utc`."""

    repeatable = True

    def __init__(self, start_utc: datetime) -> None:
        if start_utc.tzinfo is None:
            raise ValueError(
                f"start {start_utc.isoformat()} has no time zone; give UTC, for instance 2026-11-21T12:00Z"
            )
        self.boot = "recording"
        self.start_utc = start_utc.astimezone(UTC)
        self._start_s = self.start_utc.timestamp()

    def read(self, t_s: float, /) -> ClockReading:
        """Return the moment of the frame captured `t_s` after the start."""
        return ClockReading(self._start_s + t_s, self._start_s + t_s)

    def now(self) -> None:
        """Only frames move this clock."""
        return


def boot_id() -> str:
    """Return what names this boot of the machine."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def clock_is_synchronised() -> bool:
    """Ask the kernel, or the time service, whether the system's clock has been set by a time server."""
    if TIMESYNC.exists():
        return True
    state = int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES)))
    return 0 <= state < TIME_ERROR
