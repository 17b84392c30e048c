"""Reports survive power cuts and broken cards, and arrive at the server exactly once."""

from __future__ import annotations
