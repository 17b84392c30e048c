"""Which pixels do not belong to the empty street, and what connected blobs they make."""

from __future__ import annotations
