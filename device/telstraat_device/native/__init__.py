"""How the counting core's kernels become machine code: compiled ahead, or by numba when they are first called."""

from __future__ import annotations
