"""Looking through the camera while somebody aims or tests."""

from __future__ import annotations
