"""What an error of the database is about: the connection, the database as such, or what a message says.

The two letters are the classes of SQLSTATE (PostgreSQL, appendix A). What is not known to be said of a message is not held against it:
such an error is waited out where all messages of a kind meet it, and where only some do, those are left out without a receipt.
"""

from __future__ import annotations

from enum import Enum

import psycopg

_AWAY = frozenset({"08", "53", "57"})
"""Connection; room, memory and connections used up; shut down, or cancelled by the operator."""
_MESSAGE = frozenset({"21", "22", "23", "44", "54", "P0", "XX"})
"""Values, constraints, limits of size, what a trigger raises by itself, the server's inner checks."""
_DAMAGED = frozenset({"XX001", "XX002"})
"""A table or an index that is damaged on the disk."""


class Fault(Enum):
    """Who has to act."""

    AWAY = "away"
    """The database cannot be reached or has no room: wait."""
    REFUSES = "refuses"
    """The database is there and does not do what it should (rights, read-only, schema, locks, a broken trigger): the operator."""
    MESSAGE = "message"
    """The database refuses what a message says: isolate that message, never wait."""


def fault_of(error: psycopg.Error) -> Fault:
    """Return what an error is about; without an SQLSTATE it comes from the connection."""
    state = error.sqlstate
    if state is None:
        return Fault.MESSAGE if isinstance(error, psycopg.DataError) else Fault.AWAY  # psycopg's own check of a value
    if state[:2] in _AWAY:
        return Fault.AWAY
    return Fault.MESSAGE if state[:2] in _MESSAGE and state not in _DAMAGED else Fault.REFUSES


def is_of_message(error: BaseException) -> bool:
    """Tell whether an error is to be answered by isolating a message."""
    return isinstance(error, psycopg.Error) and fault_of(error) is Fault.MESSAGE


def is_away(error: BaseException) -> bool:
    """Tell whether an error is to be answered by waiting, whatever the message."""
    return isinstance(error, psycopg.Error) and fault_of(error) is Fault.AWAY
