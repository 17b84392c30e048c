"""What an error of the database is about: the connection, the database as such, or what a message says.

Only the last isolates a message; the other two are waited out, since no message is to blame and another try may succeed.
The two letters are the classes of SQLSTATE (PostgreSQL, appendix A).
"""

from __future__ import annotations

from enum import Enum

import psycopg

_AWAY = frozenset({"08", "53", "57"})
"""Connection; room, memory and connections used up; shut down, or cancelled by the operator."""
_REFUSES = frozenset({"0L", "0P", "25", "28", "3D", "3F", "40", "42", "55", "58"})
"""Rights, a read-only transaction, the sign-in, a database or schema that is not there, a deadlock, a table or column that is
not there, a lock, the server's own files: the same for every message."""


class Fault(Enum):
    """Who has to act."""

    AWAY = "away"
    """The database cannot be reached or has no room: wait."""
    REFUSES = "refuses"
    """The database is there and takes no batch, whatever is in it: the operator; meanwhile wait."""
    MESSAGE = "message"
    """The database refuses what a message says: isolate that message, never wait."""


def fault_of(error: psycopg.Error) -> Fault:
    """Return what an error is about; without an SQLSTATE it comes from the connection."""
    state = error.sqlstate
    if state is None:
        return Fault.MESSAGE if isinstance(error, psycopg.DataError) else Fault.AWAY  # psycopg's own check of a value
    if state[:2] in _AWAY:
        return Fault.AWAY
    return Fault.REFUSES if state[:2] in _REFUSES else Fault.MESSAGE


def is_of_message(error: BaseException) -> bool:
    """Tell whether an error is to be answered by isolating a message."""
    return isinstance(error, psycopg.Error) and fault_of(error) is Fault.MESSAGE
