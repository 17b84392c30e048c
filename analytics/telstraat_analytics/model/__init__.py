"""The model of a street: weekly levels that move, share their movement with neighbours, and may step at a date."""

from __future__ import annotations
