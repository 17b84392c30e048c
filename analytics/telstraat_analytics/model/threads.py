"""Linear algebra on one thread: the matrices are small, and threads of a library would only wait for each other, busily."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Let numpy and scipy work on one thread inside, and as before outside.

    Sums are then added up in one order, so that an answer does not depend on how many cores a computer has. The limit
    holds for the process: where several Python threads evaluate at once, it may end with the first of them.
    """
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """Return what is loaded by now: looking for it takes milliseconds, the model imports numpy and scipy first."""
    return ThreadpoolController()
