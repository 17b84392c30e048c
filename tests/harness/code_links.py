"""Links of the documentation whose text is the name of something: does it stand in the file that they lead to?"""

from __future__ import annotations

import ast
import re
from pathlib import Path

LINK = re.compile(r"\[`([A-Za-z_][\w.]*)`\]\(([^)#\s]+\.py)\)")


def named_links(page: Path) -> list[tuple[str, Path]]:
    """Return the names and files of the links of a page whose text is a name in code style."""
    return [(name, page.parent / target) for name, target in LINK.findall(page.read_text(encoding="utf-8"))]


def names_in(path: Path) -> set[str]:
    """Return what a module defines: functions, classes, variables, and `Class.member` for what a class defines."""
    return set(_names(ast.parse(path.read_text(encoding="utf-8")).body, ""))


def _names(body: list[ast.stmt], prefix: str) -> list[str]:
    names: list[str] = []
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.append(prefix + name)
            case ast.ClassDef(name=name, body=members):
                names += [prefix + name, *_names(members, f"{prefix}{name}.")]
            case ast.Assign(targets=targets):
                names += [prefix + target.id for target in targets if isinstance(target, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.append(prefix + name)
    return names
