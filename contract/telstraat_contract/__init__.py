"""What a sensor and the server say to each other: messages, topics and the rules of quarters."""

from __future__ import annotations
