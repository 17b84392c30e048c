"""The demo's town: what its months of counts are made of, who lives there, and what they have been up to."""

from __future__ import annotations
