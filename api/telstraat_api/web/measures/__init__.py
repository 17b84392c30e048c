"""Pages of measures and of what was found of them."""

from __future__ import annotations
