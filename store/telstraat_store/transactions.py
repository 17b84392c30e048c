"""Rules that the command line and the API both carry out, written once: a generator of statements, run as one transaction.

The command line has a `psycopg.Connection`, the API an `AsyncConnection`. A function decorated with `transaction` yields its
statements, gets their rows, and returns its result; called with a connection of either kind it is one transaction, called
with an asynchronous one it is awaited. psycopg itself is built the same way: its protocol is a generator that both kinds run.

    @transaction
    def rename(segment_id: int, name: str) -> Steps[bool]:
        rows = yield "update segment set name = %s where segment_id = %s returning segment_id", (name, segment_id)
        return bool(rows)

    rename(connection, 1001, "Lindenstraat")
    await rename(asynchronous_connection, 1001, "Lindenstraat")
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, ParamSpec, TypeVar, overload

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row

from telstraat_store.connection import Params, Query, Row

P = ParamSpec("P")
T = TypeVar("T")
Steps = Generator[tuple[Query, Params], list[Row], T]
"""Yields statements with their parameters, is sent the rows that they return, returns a result."""


class Transaction(Generic[P, T]):
    """A function of the store that is one transaction, on a connection of either kind; an error undoes all of it."""

    def __init__(self, steps: Callable[P, Steps[T]]) -> None:
        self.steps = steps
        functools.update_wrapper(self, steps)

    @overload
    def __call__(self, connection: Connection[Any], /, *args: P.args, **kwargs: P.kwargs) -> T: ...

    @overload
    def __call__(
        self, connection: AsyncConnection[Any], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, T]: ...

    def __call__(
        self, connection: Connection[Any] | AsyncConnection[Any], /, *args: P.args, **kwargs: P.kwargs
    ) -> T | Coroutine[Any, Any, T]:
        """Run the statements."""
        steps = self.steps(*args, **kwargs)
        return _run(connection, steps) if isinstance(connection, Connection) else _run_async(connection, steps)


def transaction(steps: Callable[P, Steps[T]]) -> Transaction[P, T]:
    """Make a transaction of a generator of statements; inside another one: `yield from name.steps(...)`."""
    return Transaction(steps)


def _run(connection: Connection[Any], steps: Steps[T]) -> T:
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        try:
            statement = next(steps)
            while True:
                try:
                    cursor.execute(*statement)
                    rows = cursor.fetchall() if cursor.description else []
                except psycopg.Error as error:
                    statement = steps.throw(error)
                else:
                    statement = steps.send(rows)
        except StopIteration as end:
            result: T = end.value
            return result


async def _run_async(connection: AsyncConnection[Any], steps: Steps[T]) -> T:
    async with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        try:
            statement = next(steps)
            while True:
                try:
                    await cursor.execute(*statement)
                    rows = await cursor.fetchall() if cursor.description else []
                except psycopg.Error as error:
                    statement = steps.throw(error)
                else:
                    statement = steps.send(rows)
        except StopIteration as end:
            result: T = end.value
            return result
