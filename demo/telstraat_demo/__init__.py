"""The whole line on one computer, and what tries it: the embedded stack, the demo, the chaos run, the scorer."""

from __future__ import annotations
