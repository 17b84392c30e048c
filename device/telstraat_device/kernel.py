"""How the counting core's inner loops are compiled, and where the machine code is kept.

Numba checks a kept kernel against the file it stands in, but not against what it calls in other files. So the folder
is named after the sources of the whole package: a changed kernel never meets old machine code.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def fingerprint() -> str:
    """Return a short name for the sources of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> str:
    """Return a folder for the machine code that can be written: the user's cache, else a temporary one."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    folder = home / "telstraat" / "kernels" / fingerprint()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return str(folder)
    except OSError:
        pass  # a read-only home: a service user has none
    return tempfile.mkdtemp(prefix="telstraat-kernels-")


settings: Any = numba.config
if not settings.CACHE_DIR:
    settings.CACHE_DIR = cache_folder()


def kernel(function: Function) -> Function:
    """Compile a function: kept on disk, division as in C, other threads may run."""
    return cast("Function", numba.njit(cache=True, error_model="numpy", nogil=True)(function))
