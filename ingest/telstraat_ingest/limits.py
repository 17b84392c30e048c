"""What one sensor may cost. Beyond that it waits; nobody else does."""

from __future__ import annotations

from typing import NamedTuple

from telstraat_contract.messages import MAX_RANGES

EPOCHS_MAX = 32_767
"""What `epoch_no`, a smallint, can number."""
RANGES_MIN = MAX_RANGES + 1
"""A receipt tells the first `MAX_RANGES` gaps; what lies beyond may be kept less exactly, and nobody is told wrong."""


class SensorLimits(NamedTuple):
    """The bounds of what is stored for one sensor; docs/ingest.md explains them under the names of the settings."""

    epochs_a_day: int = 100
    stream_ranges: int = 500
    quarantine_kb: int = 1024
