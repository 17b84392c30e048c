"""How the counting core's inner loops are compiled, where the machine code is kept, and how Python calls it.

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
import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])
Entry = Callable[[NDArray[np.int64], int, int, float, float], int]


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


def address(array: NDArray[Any]) -> int:
    """Return where an array's first element lies; the array must be C-contiguous and outlive what is done there."""
    return int(array.__array_interface__["data"][0])


def entry(function: Entry) -> Entry:
    """Make a kernel one that Python calls: with what lies where, the address of a picture (or 0), and three numbers.

    One form for all: few arguments are quick to pass, and numba never meets a type that it has to compile for anew.
    """
    return kernel(function)
