"""How an evaluation is divided into pieces that are computed beside each other: first answers first, and no digit depends on by how many.

A piece is a function of what was prepared and of plain values; it sees nothing of the others. So the same pieces in one process or in
sixteen give the same numbers. Processes are forked from the one that has prepared the counts: nothing is read or copied again.
"""

from __future__ import annotations

import heapq
import itertools
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Work = Callable[..., Any]
Hear = Callable[[float, str, Any], None]
"""Called with the share that is done (0 to 1), what is being computed (a text of the catalogues), and what is known first, or None."""

_held: list[Any] = []
"""What the pieces of this process are computed from; set before the processes are forked."""


@dataclass(frozen=True)
class EvaluationPiece:
    """A piece of an evaluation.

    Attributes
    ----------
    stage
        Lower ones are computed first.
    cost
        About how much there is to compute, in answers of one street.
    doing
        What it is, in words for who waits.
    work, values
        ``work(shared, *values)`` is what is computed; both can be pickled.
    then
        Called with the result, in the process that divides; returns the pieces that can be computed from now on.
    """

    stage: int
    cost: float
    doing: str
    work: Work
    values: tuple[Any, ...]
    then: Callable[[Any], Iterable[EvaluationPiece]]


@dataclass
class Waiting:
    """Pieces that wait, the earliest stage first, then in the order in which they came."""

    heap: list[tuple[int, int, EvaluationPiece]] = field(default_factory=list)
    order: Iterator[int] = field(default_factory=itertools.count)

    def add(self, pieces: Iterable[EvaluationPiece]) -> None:
        """Add pieces."""
        for piece in pieces:
            heapq.heappush(self.heap, (piece.stage, next(self.order), piece))

    def pop(self) -> EvaluationPiece:
        """Return the next one."""
        return heapq.heappop(self.heap)[-1]


def compute(
    shared: Any, pieces: Iterable[EvaluationPiece], processes: int, done: Callable[[EvaluationPiece], None]
) -> None:
    """Compute all pieces and those that follow from them.

    Parameters
    ----------
    shared
        What every piece is computed from.
    pieces
        Those to begin with.
    processes
        How many compute at once; with 1 nothing is forked.
    done
        Called after each piece.
    """
    waiting = Waiting()
    waiting.add(pieces)
    if processes <= 1:
        while waiting.heap:
            piece = waiting.pop()
            waiting.add(piece.then(piece.work(shared, *piece.values)))
            done(piece)
        return
    with _forked(shared, processes) as pool:
        running: dict[Future[Any], EvaluationPiece] = {}
        while waiting.heap or running:
            while waiting.heap and len(running) < processes:
                piece = waiting.pop()
                running[pool.submit(_computed, piece.work, piece.values)] = piece
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                piece = running.pop(future)
                waiting.add(piece.then(future.result()))
                done(piece)


@contextmanager
def _forked(shared: Any, processes: int) -> Iterator[ProcessPoolExecutor]:
    _held.append(shared)
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork"))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        _held.pop()


def _computed(work: Work, values: tuple[Any, ...]) -> Any:
    return work(_held[-1], *values)
