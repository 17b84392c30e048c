"""On the Pi: frames -> foreground -> blobs -> tracks -> crossings -> periods -> outbox -> publisher."""

from __future__ import annotations
