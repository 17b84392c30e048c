"""Our own API, version 1: segments, sensors, reports and live counts."""

from __future__ import annotations
