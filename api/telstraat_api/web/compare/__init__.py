"""Streets side by side, or two periods of a street, with what is not comparable about them."""

from __future__ import annotations
