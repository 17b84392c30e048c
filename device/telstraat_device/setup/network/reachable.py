"""When the sensor opens a network of its own: when it has reached none for a while, and until it reaches one again.

A board has one radio: while its own network is open it cannot join another. So an own network that nobody uses is closed
from time to time, and the known networks get their chance.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from telstraat_device.errors import NetworkError
from telstraat_device.setup.network.wifi import NetworkLink, Reach
from telstraat_device.setup.owner import Monotonic

FIRST_WAIT_S = 45.0
LATER_WAIT_S = 600.0
"""A router that starts again takes minutes; a sensor that counts has time."""
OWN_S = 600.0
log = logging.getLogger(__name__)


class Reachable:
    """Keeps the sensor within reach of a phone."""

    def __init__(
        self,
        network: NetworkLink,
        name: str,
        key: str,
        is_set_up: Callable[[], bool],
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self._network, self._name, self._key = network, name, key
        self._is_set_up, self._monotonic = is_set_up, monotonic
        self._lock = threading.Lock()
        self._alone_since_s: float | None = None
        self._used_s = self._monotonic()
        self.reach: Reach = "local"
        self.trouble: NetworkError | None = None
        """Why joining a network failed, for the next page that is looked at."""

    def used(self) -> None:
        """Note that somebody uses the pages."""
        self._used_s = self._monotonic()

    def join(self, ssid: str, key: str) -> None:
        """Join a network; where that fails, open the own one again and keep the reason."""
        with self._lock:
            self.trouble = None
            was_own = self._network.reach() == "own"
            try:
                self._network.join(ssid, key)
            except NetworkError as error:
                self.trouble = error
                if was_own:
                    self._open()

    def step(self) -> None:
        """Look at the network and open or close the own one; called every few seconds."""
        if not self._lock.acquire(blocking=False):
            return  # a network is being joined
        try:
            self.reach = self._network.reach()
            now_s = self._monotonic()
            if self.reach == "own":
                if now_s - self._used_s > OWN_S:
                    self._network.close_own()
                    self._alone_since_s = now_s
            elif self.reach != "none":
                self._alone_since_s = None
            elif self._alone_since_s is None:
                self._alone_since_s = now_s
            elif now_s - self._alone_since_s > (LATER_WAIT_S if self._is_set_up() else FIRST_WAIT_S):
                self._open()
        except NetworkError as error:
            log.warning("%s", error)
        finally:
            self._lock.release()

    def _open(self) -> None:
        self._used_s = self._monotonic()
        self._alone_since_s = None
        self._network.open_own(self._name, self._key)
        self.reach = "own"
