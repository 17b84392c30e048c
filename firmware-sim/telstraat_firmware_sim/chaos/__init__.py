"""What goes wrong in a chaos run: the schedule, sensors as processes, a hostile one, and bad connections."""

from __future__ import annotations
