"""Files of counts into the frame of the analysis, and files of streets into lines."""

from __future__ import annotations

from telstraat_analytics.readers.geojson import read_lines
from telstraat_analytics.readers.telraam import read_counts

__all__ = ["read_counts", "read_lines"]
