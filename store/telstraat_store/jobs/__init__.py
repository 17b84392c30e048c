"""Jobs: deferred in the database, taken by workers wherever they run, told to who waits for them."""

from __future__ import annotations
