"""Where streets are: lines from files, speed limits as they are written, and whether a place fits its time zone."""

from __future__ import annotations
