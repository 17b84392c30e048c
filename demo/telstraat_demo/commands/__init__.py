"""The commands that only this distribution brings."""

from __future__ import annotations
