"""The chaos run: hurt every process and link at random, then compare what was closed with what is stored."""

from __future__ import annotations
