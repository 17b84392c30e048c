"""What kernels need beyond numba's own: vector instructions, bit counts, pointers.

With the precompiled library none of it is ever called, and neither numba nor LLVM is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from telstraat_device.native.kernel import LIBRARY

__all__ = ["carray", "pointer", "popcount", "simd", "trailing_zeros"]

Function = TypeVar("Function", bound=Callable[..., Any])


def implementation() -> Any:
    """Return the module that teaches numba these, or None with the precompiled library."""
    if LIBRARY is not None:
        return None
    from telstraat_device.native import vectors

    return vectors


VECTORS = implementation()
carray: Any = VECTORS and VECTORS.carray
popcount: Any = VECTORS and VECTORS.popcount
trailing_zeros: Any = VECTORS and VECTORS.trailing_zeros
pointer: Any = VECTORS and VECTORS.pointer


def simd(function: Function) -> Function:
    """Compile a function on arrays and scalars to vector instructions; it returns a word or nothing."""
    return VECTORS.simd(function) if VECTORS else function
