"""From the broker to the table: receive -> decode -> batch -> write -> receipt; the schema and its migrations."""

from __future__ import annotations
