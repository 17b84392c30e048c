"""Log lines that somebody else could make without end: the first at once, then one a minute with how many there were."""

from __future__ import annotations

import time
from collections.abc import Hashable

_REMEMBERED = 10_000


class Sparing:
    """Counts what happens under a key, and tells when to say it."""

    def __init__(self, every_s: float = 60.0) -> None:
        self._every_s = every_s
        self._counted: dict[Hashable, tuple[float, int]] = {}

    def due(self, key: Hashable, times: int = 1) -> int:
        """Count and return how many times it has happened since it was said last; 0 while it is too soon to say it."""
        now_s = time.monotonic()
        said_s, before = self._counted.get(key, (-self._every_s, 0))
        if now_s - said_s < self._every_s:
            self._counted[key] = said_s, before + times
            return 0
        if len(self._counted) >= _REMEMBERED:
            self._counted.clear()
        self._counted[key] = now_s, 0
        return before + times
