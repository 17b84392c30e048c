"""Counts as files: CSV, Parquet and Arrow, each with a row for every period."""

from __future__ import annotations
