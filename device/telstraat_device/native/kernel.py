"""How the counting core's inner loops become machine code, and how Python calls it.

From the library that was compiled ahead, or by numba when they are first called. Numba keeps what it made: it checks a
kept kernel against the file it stands in, but not against what it calls in other files, so the folder is named after
all sources of the machine code.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from telstraat_device.native.precompiled import SETTING, fingerprint, load

Function = TypeVar("Function", bound=Callable[..., Any])
Call = Callable[[int, int, float, float], int]
Entry = Callable[[NDArray[np.int64]], Call]

LIBRARY = load(os.environ.get(SETTING, "auto"))
ENTRIES: dict[str, Callable[..., int]] = {}  # the sources, as they are met


def cache_folder() -> str:
    """Return a folder for the machine code that can be written: the user's cache, else a temporary one."""
    import tempfile

    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    folder = home / "telstraat" / "kernels" / fingerprint()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return str(folder)
    except OSError:
        pass  # a read-only home: a service user has none
    return tempfile.mkdtemp(prefix="telstraat-kernels-")


kept_in = cache(cache_folder)


def compiled_here(function: Function) -> Function:
    """Let numba compile a function: kept on disk, division as in C, other threads may run."""
    import numba

    settings: Any = numba.config
    usual = settings.CACHE_DIR
    settings.CACHE_DIR = usual or kept_in()  # for this function; others' stay where they are
    try:
        return cast("Function", numba.njit(cache=True, error_model="numpy", nogil=True)(function))
    finally:
        settings.CACHE_DIR = usual


def kernel(function: Function) -> Function:
    """Make a function one that entries, and other kernels, call."""
    if LIBRARY is None:
        return compiled_here(function)

    def refuse(*_: Any) -> NoReturn:
        raise TypeError(f"{function.__name__} stands within the library; Python can call entries only")

    return cast("Function", refuse)


def address(array: NDArray[Any]) -> int:
    """Return where an array's first element lies; the array must be C-contiguous and outlive what is done there."""
    if array.flags.writeable:  # the quicker way, but what cannot be written is not lent
        return ctypes.addressof(ctypes.c_char.from_buffer(array.data))
    return int(array.__array_interface__["data"][0])


def entry(function: Callable[[Any, int, int, float, float], int]) -> Entry:
    """Make a kernel one that Python calls: with what lies where, the address of a picture (or 0), and three numbers.

    One form for all, so that the same source can be called through numba and, compiled ahead, through C, and numba
    never meets a type that it has to compile for anew. What lies where is told once: `see(at)` is a call of the other
    four, and `at` must outlive it.
    """
    name = function.__name__
    ENTRIES[name] = function
    if LIBRARY is None:
        compiled = compiled_here(function)
        return lambda at: partial(compiled, at)
    code = LIBRARY[f"telstraat_{name}"]
    place, number, real = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
    code.restype, code.argtypes = number, [place, number, number, number, real, real]
    return lambda at: partial(code, address(at), at.size)
