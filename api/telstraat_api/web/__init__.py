"""The pages for people, with their charts, texts and assets."""

from __future__ import annotations
