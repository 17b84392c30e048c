"""The pages as the demo starts them: the product's own, with one click to sign in and a word on how full the town is."""

from __future__ import annotations
