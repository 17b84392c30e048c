"""What is said of each street in one line, and whether it can be said."""

from __future__ import annotations
