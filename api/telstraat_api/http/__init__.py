"""What every request passes: who asks, how often, how much, and how errors and answers are written."""

from __future__ import annotations
