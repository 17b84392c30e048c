"""What passes the counting line: when it counts, what it was, how fast it went."""

from __future__ import annotations
