"""Counts: the reading rule, once; hours and days added up; rows to and from files."""

from __future__ import annotations
