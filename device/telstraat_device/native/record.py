"""Memory that kernels and Python share, declared as classes: an annotated field is a member of a C struct.

    class Blob:                              BLOB = layout(Blob)       a numpy structured dtype
        x0: float                            np.zeros(128, BLOB)       Python's view of the memory
        moving: Annotated[int, np.int8]      blobs[3].x0 += 1.0        a kernel's view of it

The class exists for its annotations alone: type checkers and editors know the fields by it. No instance is ever made.
"""

from __future__ import annotations

import sys
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

__all__ = ["layout", "scalar"]

FORMS = {"int": np.int64, "float": np.float64, "bool": np.bool_, "Address": np.int64}


def layout(declaration: type) -> np.dtype[Any]:
    """Return the dtype of a record, with the alignment of C.

    A field annotated `int`, `float`, `bool` or `Address` is an int64, a float64, a byte or an int64; one with
    `Annotated[..., form]` is whatever `numpy.dtype(form)` says: `np.int8`, `(np.float64, (7, 40))`, `(BLOB, 128)`.

    `typing.get_type_hints` would evaluate all of them, which took 10 ms of every start.
    """
    names = vars(sys.modules[declaration.__module__])
    forms = {
        field: FORMS[annotation] if annotation in FORMS else get_args(eval(annotation, names))[1]  # noqa: S307
        for field, annotation in declaration.__annotations__.items()
    }
    return np.dtype(list(forms.items()), align=True)


def scalar(records: NDArray[Any], name: str) -> Any:
    """Return a memoryview of a number in the first of some records: `view[0]` reads and writes it as a number of Python."""
    return records[name].data
