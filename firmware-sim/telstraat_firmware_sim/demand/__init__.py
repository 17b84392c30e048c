"""How many cross which street of a simulated town in which quarter, with and without a measure."""

from __future__ import annotations
