"""What belongs to whoever is signed in."""

from __future__ import annotations
