"""Who the owner is: whoever has the code of the card, from a phone that has given it; strangers get few tries.

The code has 60 random bits. Tries are counted for each address and for all together, so that a stranger who guesses
neither gets far nor locks the owner out.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from telstraat_contract.claims import new_claim_code, plain_code
from telstraat_contract.languages import gettext_noop
from telstraat_contract.secret_files import read_secret
from telstraat_device.errors import NotOwnerError, TriesError
from telstraat_device.setup.written_files import write_secret

TRIES_OF_AN_ADDRESS = 5
TRIES_OF_ALL = 60
TRIES_S = 60.0
SESSION_S = 12 * 3600.0
SESSIONS_MAX = 8
NOT_THE_CODE = gettext_noop("This is not the code of this sensor. It stands on its card, twelve letters and digits.")
TOO_MANY = gettext_noop("Too many codes were tried. Wait a minute, then try again.")

Monotonic = Callable[[], float]


def owner_code(file: Path) -> str:
    """Return the code that lets the owner in; a random code is made where the installer has left none."""
    if not file.exists():
        write_secret(file, new_claim_code())
    return read_secret(file, what="code")


@dataclass
class OwnerSession:
    """A phone that has given the code."""

    ends_s: float
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))


class OwnerGate:
    """Lets in who knows the code, and remembers phones that have given it, in memory only."""

    def __init__(self, code: str, monotonic: Monotonic = time.monotonic) -> None:
        self._code = plain_code(code)
        self._monotonic = monotonic
        self._tries: dict[str, deque[float]] = {}
        self._all_tries: deque[float] = deque()
        self._sessions: dict[str, OwnerSession] = {}

    def enter(self, typed: str, address: str) -> str:
        """Return the key of a new session; raise `NotOwnerError` or `TriesError`."""
        now_s = self._monotonic()
        self._count_try(address, now_s)
        if not hmac.compare_digest(plain_code(typed).encode(), self._code.encode()):
            raise NotOwnerError(NOT_THE_CODE)
        self._forget_tries(address)
        while len(self._sessions) >= SESSIONS_MAX:
            del self._sessions[min(self._sessions, key=lambda key: self._sessions[key].ends_s)]
        key = secrets.token_urlsafe(32)
        self._sessions[key] = OwnerSession(now_s + SESSION_S)
        return key

    def session(self, key: str | None) -> OwnerSession | None:
        """Return the session of a key, None when there is none or it has ended."""
        session = self._sessions.get(key or "")
        if session is None or key is None:
            return None
        if session.ends_s <= self._monotonic():
            del self._sessions[key]
            return None
        return session

    def leave(self, key: str | None) -> None:
        """End a session."""
        self._sessions.pop(key or "", None)

    def leave_all(self) -> None:
        """End every session."""
        self._sessions.clear()

    def _count_try(self, address: str, now_s: float) -> None:
        for known in [known for known, tries in self._tries.items() if tries[-1] <= now_s - TRIES_S]:
            del self._tries[known]
        own = self._tries.setdefault(address, deque())
        for tries in (own, self._all_tries):
            while tries and tries[0] <= now_s - TRIES_S:
                tries.popleft()
        if len(own) >= TRIES_OF_AN_ADDRESS or len(self._all_tries) >= TRIES_OF_ALL:
            if not own:
                del self._tries[address]
            raise TriesError(TOO_MANY)
        own.append(now_s)
        self._all_tries.append(now_s)

    def _forget_tries(self, address: str) -> None:
        self._tries.pop(address, None)
