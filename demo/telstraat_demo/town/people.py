"""Who lives in the town: one person for each role that a visitor may take with one click, and some who only have a say."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from telstraat_store.accounts.keys import make_key
from telstraat_store.accounts.people import add_account
from telstraat_store.errors import DuplicateError

KEY_LIFE = timedelta(hours=1)
KEY_LABEL = "set-up of the demo"


@dataclass(frozen=True)
class Person:
    """Somebody of the town; addresses under `.example` belong to nobody."""

    part: str
    name: str
    role: str

    @property
    def email(self) -> str:
        """Their address."""
        return f"{self.name.split()[0].lower()}@overbeke.example"


CITIZEN = Person("citizen", "Anna Peeters", "citizen")
OFFICER = Person("officer", "Karim Haddad", "professional")
FACILITATOR = Person("facilitator", "Lies Wouters", "professional")
OPERATOR = Person("operator", "Tom Claes", "operator")
NEIGHBOUR = Person("", "Joris Maes", "citizen")
VISITORS = (CITIZEN, OFFICER, FACILITATOR, OPERATOR)
"""Those whose part a visitor may play, in the order in which they are offered."""


def settle_in(connection: Connection[Any]) -> None:
    """Give everybody an account unless they have one."""
    for person in (*VISITORS, NEIGHBOUR):
        with contextlib.suppress(DuplicateError):
            add_account(connection, person.email, person.name, person.role)


def key_of(connection: Connection[Any], person: Person) -> str:
    """Make a key with which the set-up acts for somebody, for an hour."""
    expires_at = datetime.now(UTC) + KEY_LIFE
    answer = make_key(connection, KEY_LABEL, ["read", "write", "accounts"], email=person.email, expires_at=expires_at)
    assert answer is not None
    return answer[1]
