"""The pages of the set-up process, and what each request passes before it reaches them."""

from __future__ import annotations
