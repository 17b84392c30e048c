"""Blobs of many frames become tracks, and tracks become observations."""

from __future__ import annotations
