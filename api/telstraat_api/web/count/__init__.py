"""Counting by hand, on a phone, and what it says of the sensor."""

from __future__ import annotations
