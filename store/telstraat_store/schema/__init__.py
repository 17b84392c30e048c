"""The schema: numbered migrations, backup and restore, how long counts are kept."""

from __future__ import annotations
