"""Pages of ours in a browser: which one, what is waited for, what a page may not do."""

from __future__ import annotations

import shutil
import time
from importlib.util import find_spec
from pathlib import Path

from playwright.sync_api import Error, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SERIOUS = {"serious", "critical"}


def wait_for(page: Page, expression: str, arg: object = None, wait_s: float = 30) -> None:
    """Return once an expression (or a function of `arg`) is true on a page; fail when it is not in time.

    The policy of our pages forbids `eval`, by which a browser driver's own wait asks a second time. A page that
    is still on its way has not what the expression names: that is "not yet", and said when it stays so.
    """
    end = time.monotonic() + wait_s
    while True:
        last = "false"
        try:
            if page.evaluate(expression, arg):
                return
        except Error as error:
            last = error.message
        if time.monotonic() > end:
            raise AssertionError(f"not within {wait_s:g} s: {expression}: {last}")
        page.wait_for_timeout(50)


def write_down(complaints: list[str], page: Page, home: str) -> None:
    """Write down every error of a script or a policy on a page, and every request to elsewhere."""
    page.on("console", lambda entry: complaints.append(entry.text) if entry.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: complaints.append(request.url) if not request.url.startswith((home, "data:")) else None,
    )


def axe_core() -> str:
    """Return the script of axe-core."""
    spec = find_spec("axe_playwright_python")
    assert spec
    assert spec.origin
    return (Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8")
