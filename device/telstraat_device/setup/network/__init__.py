"""How the sensor is reached, and what it reaches."""

from __future__ import annotations
