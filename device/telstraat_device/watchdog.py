"""Signs of life for systemd: it starts the service again when they stay away for `WatchdogSec`.

They are given by frames that are counted, and while the service waits for a camera that it reports as away; a loop
that hangs gives none. The protocol is a datagram to a socket (sd_notify(3)).
"""

from __future__ import annotations

import os
import socket
import time

FEED_S = 5.0
FIRST_US = 1_800_000_000
"""Until the first frame is counted: where no compiled core fits the processor, numba compiles at it, minutes on a small board."""


class Watchdog:
    """Tells systemd that the service lives; does nothing where it was not started by systemd."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        self._usual_us = os.environ.get("WATCHDOG_USEC", "")
        self._feed_at_s = 0.0
        self._has_counted = False

    def ready(self) -> None:
        """Say that the service has started, and that its first frame may take long."""
        self._tell(f"READY=1\nWATCHDOG_USEC={FIRST_US}" if self._usual_us else "READY=1")

    def counted(self) -> None:
        """Note that a frame has been counted; from the first on, silence is as short as the unit says."""
        if not self._has_counted and self._usual_us:
            self._tell(f"WATCHDOG_USEC={self._usual_us}")
        self._has_counted = True
        self.feed()

    def feed(self) -> None:
        """Give a sign of life; seldom enough to cost nothing."""
        now_s = time.monotonic()
        if now_s >= self._feed_at_s:
            self._feed_at_s = now_s + FEED_S
            self._tell("WATCHDOG=1")

    def _tell(self, text: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.sendto(text.encode(), address)
        except OSError:
            return  # systemd will start the service again; nothing better can be done from here
