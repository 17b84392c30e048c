"""Waiting for a page of ours: its policy forbids `eval`, by which a browser driver's own wait asks a second time."""

from __future__ import annotations

import time

from playwright.sync_api import Page


def wait_for(page: Page, expression: str, arg: object = None, wait_s: float = 30) -> None:
    """Return once an expression (or a function of `arg`) is true on a page; fail when it is not in time."""
    end = time.monotonic() + wait_s
    while not page.evaluate(expression, arg):
        if time.monotonic() > end:
            raise AssertionError(f"not within {wait_s:g} s: {expression}")
        page.wait_for_timeout(50)
