"""The one command `telstraat`, which puts the parts together."""

from __future__ import annotations
