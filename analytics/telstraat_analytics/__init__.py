"""What the counts say, doubts included: data frames in, result objects out. No database, no HTTP."""

from __future__ import annotations
