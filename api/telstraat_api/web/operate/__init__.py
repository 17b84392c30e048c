"""The operator's pages: what needs somebody, people, sensors, what was refused, what is published."""

from __future__ import annotations
