"""What people work on together: measures, evaluations, events, workshops, and what they follow."""

from __future__ import annotations
