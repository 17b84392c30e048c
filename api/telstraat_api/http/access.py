"""Who asks, and what they may: public, citizen, professional, operator. Keys and sessions are random and stored as hashes.

A key comes in `Authorization: Bearer ...` (or `X-Api-Key`), a session in a cookie; with a cookie, whoever changes something
must come from our own pages.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request

from telstraat_api.errors import ForbiddenError, UnauthorizedError
from telstraat_store.accounts.keys import owner_of_key
from telstraat_store.accounts.secrets import KEY_PREFIX
from telstraat_store.accounts.sessions import owner_of_session
from telstraat_store.connection import Connections, Database

COOKIE = "telstraat_session"
SAFE = {"GET", "HEAD", "OPTIONS"}


class Role(IntEnum):
    """What somebody may do; each may do what those before may."""

    PUBLIC = 0
    CITIZEN = 1
    PROFESSIONAL = 2
    OPERATOR = 3


class Scope:
    """What a key may be used for, however much its owner may do."""

    READ = "read"
    WRITE = "write"
    ACCOUNTS = "accounts"


SCOPES = (Scope.READ, Scope.WRITE, Scope.ACCOUNTS)


@dataclass(frozen=True)
class Reader:
    """Somebody who asks."""

    role: Role = Role.PUBLIC
    account_id: int | None = None
    email: str | None = None
    scopes: frozenset[str] = frozenset({Scope.READ})
    key_id: int | None = None


EVERYBODY = Reader()


def presented_key(request: Request) -> str | None:
    """Return the key that a request carries, if it looks like one of ours; keys of other platforms are not for us."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    other = request.headers.get("x-api-key", "")
    return other if other.startswith(KEY_PREFIX) else None


async def reader_of(request: Request) -> Reader:
    """Return who asks; a key that is not valid is refused rather than ignored. Professionals read all that was counted."""
    reader = await identified(request)
    if reader.role >= Role.PROFESSIONAL:
        request.state.connections = request.app.state.database.full
    return reader


def connections_for(request: Request) -> Connections:
    """Return the connections by which whoever asks reads counts: the public's, until `reader_of` has met a professional."""
    connections: Connections = getattr(request.state, "connections", request.app.state.database.public)
    return connections


async def refuse_quarters(request: Request) -> None:
    """Raise `ForbiddenError` when quarters in this form are not for whoever asks."""
    if not connections_for(request).is_public:
        return
    await reader_of(request)
    if connections_for(request).is_public:
        raise ForbiddenError("quarters of an hour are for professionals here; ask for hours")


async def identified(request: Request) -> Reader:
    """Return who asks, by key or session."""
    database: Database = request.app.state.database
    key = presented_key(request)
    if key is not None:
        async with database.connection() as connection:
            row = await owner_of_key(connection, key)
        if row is None:
            raise UnauthorizedError("this key is not valid: it is unknown, expired or revoked")
        role = Role[row["role"].upper()]
        return Reader(role, row["account_id"], row["email"], frozenset(row["scopes"]), row["key_id"])
    cookie = request.cookies.get(COOKIE)
    if cookie:
        async with database.connection() as connection:
            row = await owner_of_session(connection, cookie)
        if row is not None:
            check_origin(request)
            return Reader(Role[row["role"].upper()], row["account_id"], row["email"], frozenset(SCOPES))
    return EVERYBODY


async def check_key(request: Request) -> None:
    """Refuse a key of this server that is not valid, also where none is needed; a valid one reads what its owner may."""
    if presented_key(request) is not None:
        await reader_of(request)


def check_origin(request: Request) -> None:
    """Refuse a change that another site has asked a browser for."""
    if request.method in SAFE:
        return
    origin = request.headers.get("origin") or request.headers.get("referer") or ""
    try:
        host = urlsplit(origin).netloc
    except ValueError:  # no address at all, such as http://[
        host = ""
    if not host or host != request.headers.get("host"):
        raise ForbiddenError("a change must come from the pages of this server")


def require_role(reader: Reader, role: Role) -> None:
    """Raise `ForbiddenError` when a reader has not this role."""
    if reader.role < role:
        raise ForbiddenError(f"this needs the role {role.name.lower()}")


def may(role: Role, scope: str = Scope.READ) -> Callable[[Request], Awaitable[Reader]]:
    """Return the dependency that lets in whoever has the role, and a key with the scope."""

    async def allowed(request: Request) -> Reader:
        reader = await reader_of(request)
        if reader.role is Role.PUBLIC and role is not Role.PUBLIC:
            raise UnauthorizedError("sign in, or send a key: Authorization: Bearer tst_...")
        require_role(reader, role)
        if reader.account_id is not None and scope not in reader.scopes:
            raise ForbiddenError(f"this key lacks the scope {scope!r}")
        return reader

    return allowed


Anybody = Annotated[Reader, Depends(may(Role.PUBLIC))]
SignedIn = Annotated[Reader, Depends(may(Role.CITIZEN))]
KeyOwner = Annotated[Reader, Depends(may(Role.CITIZEN, Scope.ACCOUNTS))]
Operator = Annotated[Reader, Depends(may(Role.OPERATOR, Scope.ACCOUNTS))]
Contributor = Annotated[Reader, Depends(may(Role.CITIZEN, Scope.WRITE))]
Professional = Annotated[Reader, Depends(may(Role.PROFESSIONAL, Scope.WRITE))]
Registrar = Annotated[Reader, Depends(may(Role.OPERATOR, Scope.WRITE))]


def needs(role: Role, **extra: Any) -> dict[str, Any]:
    """Return what OpenAPI shall say of who may call an operation."""
    return {"x-role": role.name.lower(), "security": [{"key": []}, {"session": []}], **extra}


SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key of this server, tst_..."},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A browser that has signed in."},
}
