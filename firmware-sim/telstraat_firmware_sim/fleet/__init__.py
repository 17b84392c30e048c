"""Many simulated sensors: their reports over months as files or as real clients, with the truth beside them."""

from __future__ import annotations
