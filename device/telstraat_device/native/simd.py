"""What kernels need beyond numba's own: rows of lanes, the bits of a word, places in memory.

With code that was compiled ahead nothing of it is ever called, and neither numba nor LLVM is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from telstraat_device.native.kernel import LIBRARY

__all__ = ["carray", "count_ones", "first_one", "lanes", "pointer"]

Function = TypeVar("Function", bound=Callable[..., Any])


def makers() -> Any:
    """Return the module that tells numba how, or nothing."""
    if LIBRARY is not None:
        return None
    from telstraat_device.native import vectors

    return vectors


VECTORS = makers()
carray: Any = VECTORS and VECTORS.carray
count_ones: Any = VECTORS and VECTORS.count_ones
first_one: Any = VECTORS and VECTORS.first_one
pointer: Any = VECTORS and VECTORS.pointer


def lanes(function: Function) -> Function:
    """Make a function on arrays and numbers one that kernels can call; it returns a word or nothing."""
    made: Function = VECTORS.lanes(function) if VECTORS else function
    return made
