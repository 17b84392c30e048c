"""Files of counts into the frame of the analysis."""

from __future__ import annotations

from telstraat_analytics.readers.telraam import read_counts

__all__ = ["read_counts"]
