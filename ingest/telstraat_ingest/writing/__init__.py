"""From a message to the table: decoded, batched, written in one transaction, receipted; what cannot be is quarantined."""

from __future__ import annotations
