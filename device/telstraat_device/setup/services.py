"""The counting service, as set-up stops and starts it: by systemd, or whatever a board has in its place."""

from __future__ import annotations

import logging
import shutil
import subprocess
from typing import Protocol

SYSTEMCTL_S = 60
log = logging.getLogger(__name__)


class CountingService(Protocol):
    """The service that has the camera when nobody aims."""

    def start(self) -> None:
        """Start it, and at every boot from now on."""

    def stop(self) -> None:
        """Stop it; return when the camera is free."""

    def is_running(self) -> bool:
        """Return whether it runs."""


class SystemdService:
    """The counting service as a unit of systemd."""

    def __init__(self, unit: str) -> None:
        self._unit = unit

    def start(self) -> None:
        """Start it, and at every boot from now on."""
        self._ask("enable", "--now", self._unit)

    def stop(self) -> None:
        """Stop it; return when the camera is free."""
        self._ask("stop", self._unit)

    def is_running(self) -> bool:
        """Return whether it runs."""
        return self._ask("is-active", "--quiet", self._unit, quiet=True)

    def _ask(self, *words: str, quiet: bool = False) -> bool:
        program = shutil.which("systemctl")
        if program is None:
            log.error("systemctl is not here: %s must be started by hand", self._unit)
            return False
        try:
            done = subprocess.run([program, *words], capture_output=True, text=True, timeout=SYSTEMCTL_S, check=False)
        except subprocess.TimeoutExpired:
            log.warning("systemctl %s did not end within %d s", words[0], SYSTEMCTL_S)
            return False
        if done.returncode and not quiet:
            log.error("systemctl %s %s: %s", words[0], self._unit, done.stderr.strip())
        return done.returncode == 0
