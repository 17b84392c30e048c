"""How a package exports names without importing their modules: each is imported when it is first asked for (PEP 562).

A Pi that shows the help of a command, or a notebook that needs one class, pays for nothing else.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def exporter(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package.

    Parameters
    ----------
    package : str
        The package's `__name__`.
    modules : mapping
        The names that it exports, with spaces between them, by the module below it that they stand in.
    """
    homes = {name: f"{package}.{module}" for module, names in modules.items() for name in names.split()}

    def export(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])
        value = getattr(importlib.import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)  # the next time it is there
        return value

    return export
