"""The summaries of streets, made anew in the background when a day is over."""

from __future__ import annotations
