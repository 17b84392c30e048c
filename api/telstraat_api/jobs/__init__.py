"""Jobs: which kinds there are, the process that computes one, the workers that take them from the queue."""

from __future__ import annotations
