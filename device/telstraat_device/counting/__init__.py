"""From frames to crossings: foreground, tracks, the line."""

from __future__ import annotations
