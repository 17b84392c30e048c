"""How the counting core's inner loops become machine code, and how Python calls it.

`@kernel` marks a function that other kernels call, `@entry` one that Python calls. The machine code comes from the
precompiled library or, without one, from numba at the first call. Numba checks a cached kernel against the file that
defines it, but not against the files that this one imports, so the cache folder is named after all sources.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar, cast

from numpy.typing import NDArray

from telstraat_device.errors import KernelError
from telstraat_device.native.precompiled import SETTING, fingerprint, load

Function = TypeVar("Function", bound=Callable[..., Any])
Parameters = ParamSpec("Parameters")
Address = int  # of the first byte of an array

LIBRARY = load(os.environ.get(SETTING, "auto"))
ENTRIES: dict[str, Callable[..., int]] = {}  # every entry that has been imported, by name
C_TYPES: dict[str, Any] = {  # by annotation; a bool is passed as an int64
    "Address": ctypes.c_void_p,
    "int": ctypes.c_int64,
    "bool": ctypes.c_int64,
    "float": ctypes.c_double,
}


def cache_folder() -> str:
    """Return a writable folder for machine code: in the user's cache, else a temporary one."""
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


process_cache_folder = cache(cache_folder)


def jit(function: Function) -> Function:
    """Compile a function with numba: cached on disk, division as in C, without the interpreter's lock."""
    import numba

    settings: Any = numba.config
    configured = settings.CACHE_DIR
    settings.CACHE_DIR = configured or process_cache_folder()  # for this function only
    try:
        return cast("Function", numba.njit(cache=True, error_model="numpy", nogil=True)(function))
    finally:
        settings.CACHE_DIR = configured


def kernel(function: Function) -> Function:
    """Mark a function that entries and other kernels call. With the precompiled library, Python cannot."""
    if LIBRARY is None:
        return jit(function)

    def refuse(*_: Any) -> NoReturn:
        raise TypeError(f"{function.__name__} is inside the precompiled library; Python can call entries only")

    return cast("Function", refuse)


def address(array: NDArray[Any]) -> Address:
    """Return the address of an array's first element. The array must be C-contiguous and outlive the address."""
    if array.flags.writeable:  # twice as fast, but a read-only buffer is not lent
        return ctypes.addressof(ctypes.c_char.from_buffer(array.data))
    return int(array.__array_interface__["data"][0])


def parameter_kinds(function: Callable[..., int]) -> list[str]:
    """Return the annotation of each parameter of an entry: a key of C_TYPES."""
    kinds = [kind for name, kind in function.__annotations__.items() if name != "return"]
    if unknown := set(kinds) - C_TYPES.keys():
        raise KernelError(f"entry {function.__name__} takes {', '.join(sorted(unknown))}; C has {', '.join(C_TYPES)}")
    return kinds


def entry(function: Callable[Parameters, int]) -> Callable[Parameters, int]:
    """Mark a kernel that Python calls, with numbers and addresses as parameters and an integer as result.

    Arrays and records reach it as addresses: numba then never sees a type that it has to compile for anew, and the
    precompiled library is called with the C calling convention.
    """
    name, kinds = function.__name__, parameter_kinds(function)
    if ENTRIES.setdefault(name, function) is not function:
        raise KernelError(f"two entries are called {name}; the library has one symbol for both: rename one")
    if LIBRARY is None:
        return jit(function)
    symbol = LIBRARY[f"telstraat_{name}"]
    symbol.restype, symbol.argtypes = ctypes.c_int64, [C_TYPES[kind] for kind in kinds]
    return cast("Callable[Parameters, int]", symbol)
