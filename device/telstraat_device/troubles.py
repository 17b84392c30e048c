"""What went wrong, and for how long that is worth an alarm: alarms end by themselves when the trouble does."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from telstraat_contract.errors import SettingsError
from telstraat_device.errors import DeviceError, SourceError

REMEMBERED_S = 3600.0
"""An error that has not come back for an hour is no longer an alarm; its count stays in the log."""


def reason_of(error: Exception) -> str:
    """Return what may be said of an error: nothing that it has quoted, for a picture has no place in a log."""
    return str(error) if isinstance(error, DeviceError | SettingsError) else type(error).__name__


@dataclass(slots=True)
class CameraTrouble:
    """A camera that gives no pictures."""

    message: str
    since_s: float
    tries: int = 1


@dataclass(slots=True)
class Troubles:
    """Errors of a running service.

    Attributes
    ----------
    errors : int
        How many there were since the start.
    last : str
        The last one, in words that quote no picture.
    camera : CameraTrouble or None
        Why no pictures come, while none do.
    """

    errors: int = 0
    last: str = ""
    camera: CameraTrouble | None = None
    _recent: int = 0
    _last_at_s: float = field(default=float("-inf"))

    def add(self, error: Exception, now_s: float) -> bool:
        """Take an error at `now_s` (seconds of any clock that rises); return whether it is another than the last."""
        message = reason_of(error)
        if now_s - self._last_at_s > REMEMBERED_S:
            self._recent = 0
        self.errors += 1
        self._recent += 1
        self._last_at_s = now_s
        is_new, self.last = message != self.last, message
        return is_new

    def camera_is_away(self, error: SourceError, at_s: float) -> None:
        """Note that no pictures come, since `at_s` (seconds since 1970)."""
        if self.camera is None:
            self.camera = CameraTrouble(str(error), at_s)
        else:
            self.camera.message = str(error)
            self.camera.tries += 1

    def camera_is_back(self) -> None:
        """Note that pictures come."""
        self.camera = None

    def alarms(self, now_s: float) -> list[str]:
        """Return what a person should know now."""
        alarms = []
        if self.camera is not None:
            since = datetime.fromtimestamp(self.camera.since_s, UTC)
            alarms.append(
                f"no pictures since {since:%Y-%m-%d %H:%M} UTC, tried {self.camera.tries} times: {self.camera.message}"
            )
        if (
            self._recent
            and now_s - self._last_at_s <= REMEMBERED_S
            and self.last != (self.camera and self.camera.message)
        ):
            alarms.append(f"{self._recent} errors, the last: {self.last}")
        return alarms
