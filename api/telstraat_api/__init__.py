"""What people and programs read: the API, the pages, the exports."""

from __future__ import annotations
