"""Crossings and observed seconds become reports of a quarter of an hour."""

from __future__ import annotations
