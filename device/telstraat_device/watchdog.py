"""Signs of life for systemd: it starts the service again when they stay away for `WatchdogSec`.

They are given by frames that are counted, and while the service waits for a camera that it reports as away; a loop
that hangs gives none. The protocol is a datagram to a socket (sd_notify(3)).
"""

from __future__ import annotations

import os
import socket
import time

FEED_S = 5.0


class Watchdog:
    """Tells systemd that the service lives; does nothing where it was not started by systemd."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        self._feed_at_s = 0.0

    def ready(self) -> None:
        """Say that the service has started."""
        self._tell("READY=1")

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
