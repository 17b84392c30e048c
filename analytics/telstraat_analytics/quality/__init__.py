"""What is wrong with the counts: found, put on a timeline, left out or refused, always with the reason."""

from __future__ import annotations
