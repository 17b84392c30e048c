"""Log lines that somebody else could cause without end: the first at once, then one a minute with how many there were."""

from __future__ import annotations

import time
from collections.abc import Hashable

_REMEMBERED = 10_000


class LogLimit:
    """Counts what happens under a key, and tells when it is due to be logged."""

    def __init__(self, every_s: float = 60.0) -> None:
        self._every_s = every_s
        self._counted: dict[Hashable, tuple[float, int]] = {}

    def due(self, key: Hashable, times: int = 1) -> int:
        """Count and return how many times it has happened since it was logged last; 0 while it is too soon to log it again."""
        now_s = time.monotonic()
        logged_at_s, before = self._counted.get(key, (-self._every_s, 0))
        if now_s - logged_at_s < self._every_s:
            self._counted[key] = logged_at_s, before + times
            return 0
        if len(self._counted) >= _REMEMBERED:
            self._counted.clear()
        self._counted[key] = now_s, 0
        return before + times
