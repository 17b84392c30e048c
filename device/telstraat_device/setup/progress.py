"""How far set-up has come: kept in a file, so that a reboot in the middle goes on where it was. It holds no picture.

The file holds no secret either: the code and the password have files of their own.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import msgspec
from msgspec import Struct

from telstraat_device.setup.written_files import SECRET_MODE, write_whole

Screen: TypeAlias = Literal["network", "aim", "street", "account", "test"]
Rotation: TypeAlias = Literal[0, 90, 180, 270]
Shares: TypeAlias = tuple[float, float, float, float]
SCREENS: tuple[Screen, ...] = get_args(Screen)
log = logging.getLogger(__name__)


class AimedView(Struct, frozen=True, kw_only=True):
    """How the camera looks at the street: turned, with its line and masks in shares of the turned picture."""

    rotation: Rotation = 0
    line: Shares | None = None
    masks: tuple[tuple[tuple[float, float], ...], ...] = ()


class ChosenStreet(Struct, frozen=True, kw_only=True):
    """Which stretch of street it is, and what people call its two directions."""

    segment_id: int | None = None
    name: str = ""
    to_b: str = ""
    to_a: str = ""
    flip: bool = False


class SetupProgress(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has been decided so far."""

    passed: tuple[Screen, ...] = ()
    view: AimedView = AimedView()
    street: ChosenStreet = ChosenStreet()
    sensor: str = ""
    town: str = ""
    enrolled: bool = False
    finished: bool = False

    @property
    def next_screen(self) -> Screen:
        """The first screen that has not been passed; the last when all are."""
        return next((screen for screen in SCREENS if screen not in self.passed), SCREENS[-1])

    def after(self, screen: Screen, **changes: object) -> SetupProgress:
        """Return the progress with a screen passed."""
        passed = tuple(name for name in SCREENS if name in {*self.passed, screen})
        return msgspec.structs.replace(self, passed=passed, **changes)


class SetupProgressFile:
    """Keeps the progress in its file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.progress = self._read()

    def keep(self, progress: SetupProgress) -> None:
        """Keep a new progress, on the disk first."""
        write_whole(self._file, msgspec.json.encode(progress).decode(), SECRET_MODE)
        self.progress = progress

    def forget(self) -> None:
        """Begin from the start."""
        self._file.unlink(missing_ok=True)
        self.progress = SetupProgress()

    def _read(self) -> SetupProgress:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=SetupProgress)
        except FileNotFoundError:
            return SetupProgress()
        except (OSError, msgspec.DecodeError) as error:
            log.warning("%s cannot be read, set-up begins from its start: %s", self._file, error)
            return SetupProgress()
