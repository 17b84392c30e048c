"""Print the inventory of modules from their docstrings: `python scripts/inventory.py`."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("contract", "device", "store", "ingest", "analytics", "api", "cli", "firmware-sim", "demo")


def inventory(root: Path = ROOT) -> str:
    """Return the table of every module and the first sentence of its docstring."""
    blocks = []
    for part in PARTS:
        package = root / part / f"telstraat_{part.replace('-', '_')}"
        rows = [f"| `{path.relative_to(package)}` | {summary(path)} |" for path in sorted(package.rglob("*.py"))]
        blocks.append("\n".join([f"**{part}/{package.name}/**", "", "| module | decides |", "| --- | --- |", *rows]))
    return "\n\n".join(blocks)


def summary(path: Path) -> str:
    """Return the first paragraph of a module's docstring on one line, up to its first full stop or colon sentence."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    return first.replace("|", "\\|")


if __name__ == "__main__":
    print(inventory())
