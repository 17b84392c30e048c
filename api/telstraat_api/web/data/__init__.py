"""Open data for people: what there is, how to get it, how to name it."""

from __future__ import annotations
