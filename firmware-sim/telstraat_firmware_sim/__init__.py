"""A street and a fleet that do not exist, with known truth."""

from __future__ import annotations
