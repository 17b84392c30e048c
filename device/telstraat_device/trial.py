"""Whether settings from the server can be counted with: built before they are kept, watched until frames have gone through, given up else.

A sensor hangs where nobody can reach it. Whatever the server sends, it counts on: with the new settings, else with the last good
ones, else with those of its file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from telstraat_contract.messages import Config
from telstraat_device.cameras.frames import Luma
from telstraat_device.counting.crossings.crossing import Crossing
from telstraat_device.counting.crossings.line import Segment
from telstraat_device.errors import DeviceError, NoLineLeftError
from telstraat_device.installation import Installation
from telstraat_device.quarters.uptime import ViewCondition
from telstraat_device.troubles import reason_of

PROVEN_S = 300.0
"""Settings are good when frames have been counted with them for so long."""

SILENT_S = 120.0
"""And are given up when none could be counted for so long: twelve deadlines of a camera that does not deliver."""

CANNOT_BE_BUILT = (DeviceError, ArithmeticError, LookupError, TypeError, ValueError, MemoryError)
"""What numbers that nobody foresaw may raise; whatever else ends the service is counted by its starts."""


class CountingCore(Protocol):
    """What the service needs of the counter."""

    @property
    def view(self) -> ViewCondition:
        """What it knows of its view."""

    @property
    def speeds_left_out(self) -> int:
        """How many crossings had a speed that no street has."""

    def process(self, luma: Luma, t_s: float) -> list[Crossing]:
        """Process a frame; return the crossings that are now certain."""

    def finish(self) -> list[Crossing]:
        """Return the crossings that were still being looked at."""


MakeCounter = Callable[[int, int, Segment], CountingCore]


class ConfigTrial:
    """The server's settings between their arrival and the moment from which they are good; its caller holds the lock."""

    def __init__(
        self,
        installation: Installation,
        make_counter: MakeCounter,
        save: Callable[[bytes], None],
        size: tuple[int, int],
    ) -> None:
        self._installation = installation
        self._make_counter = make_counter
        self._save = save
        self._size = size
        self._first_t_s: float | None = None
        self._heard_at_s = time.monotonic()
        if installation.starts or installation.refused:
            save(installation.to_store())  # how often it was tried

    def receive(self, config: Config) -> None:
        """Keep settings for the next quarter, or refuse them with the reason; what is not new is passed over."""
        candidate = self._installation.candidate(config)
        if candidate is None:
            return
        why = self._why_not(candidate)
        if why:
            self._installation.refuse(config.version, why)
        else:
            self._installation.pending = candidate
        self._save(self._installation.to_store())

    def begin(self) -> None:
        """Begin with the settings that were kept."""
        self._installation.begin_pending()
        self._first_t_s, self._heard_at_s = None, time.monotonic()

    def counted(self, t_s: float) -> None:
        """Note that the frame of a moment was counted."""
        if not self._installation.is_on_trial:
            return
        self._heard_at_s = time.monotonic()
        if self._first_t_s is None:
            self._first_t_s = t_s
        if t_s - self._first_t_s >= PROVEN_S:
            self._installation.prove()
            self._save(self._installation.to_store())

    def is_silent(self) -> bool:
        """Tell whether no frame has been counted for so long that the settings on trial are to blame."""
        return self._installation.is_on_trial and time.monotonic() - self._heard_at_s > SILENT_S

    def give_up(self, why: str) -> None:
        """Go back to the settings before."""
        self._installation.give_up(why)
        self._save(self._installation.to_store())

    def counter_for(self, width: int, height: int) -> CountingCore:
        """Return a counter of the settings in use; where none can be built with the server's, of those before them.

        Raises
        ------
        NoLineLeftError
            The server's were all there was: another line is waited for.
        """
        self._size = (width, height)
        while self._installation.config.version:
            try:
                return self._make_counter(width, height, self._installation.line_for(width, height))
            except CANNOT_BE_BUILT as error:
                self.give_up(reason_of(error))
            if not self._installation.has_line:
                raise NoLineLeftError("there is no counting line left: draw one")
        return self._make_counter(width, height, self._installation.line_for(width, height))

    def _why_not(self, config: Config) -> str:
        """Return why no counter can be built with settings for the picture there is; empty when one can."""
        if config.line is None and not self._installation.has_line:
            return ""  # a direction or a limit before there is a line
        try:
            self._make_counter(*self._size, self._installation.line_for(*self._size, config))
        except CANNOT_BE_BUILT as error:
            return reason_of(error)
        return ""
