"""Measures that live on: looked at every week, with letters to those who asked when something has changed."""

from __future__ import annotations
