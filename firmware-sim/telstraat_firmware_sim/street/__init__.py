"""A simulated street in front of a camera: its scenes, its traffic, its frames and the exact truth of what crosses."""

from __future__ import annotations
