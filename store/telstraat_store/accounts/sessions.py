"""Sessions of browsers: begun at every sign-in, known by a random cookie, stored as a hash."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.accounts.secrets import hashed, new_secret
from telstraat_store.connection import Row
from telstraat_store.queries import execute, fetch_one


async def begin_session(
    connection: AsyncConnection[Any], account_id: int, length: timedelta, *, instead_of: str | None
) -> str:
    """Begin a session, end the one that the browser had, and return the secret that its cookie carries."""
    secret = new_secret("")
    async with connection.transaction():
        if instead_of:
            await end_session(connection, instead_of)
        await execute(connection, "delete from browser_session where expires_at <= now()")
        await execute(
            connection,
            "insert into browser_session (hash, account_id, expires_at) values (%s, %s, now() + %s)",
            (hashed(secret), account_id, length),
        )
    return secret


async def end_session(connection: AsyncConnection[Any], secret: str) -> None:
    """End one session."""
    await execute(connection, "delete from browser_session where hash = %s", (hashed(secret),))


async def end_all_sessions(connection: AsyncConnection[Any], secret: str) -> None:
    """End every session of whoever has this one, as long as this one has not ended."""
    await execute(
        connection,
        "delete from browser_session where account_id ="
        " (select account_id from browser_session where hash = %s and expires_at > now())",
        (hashed(secret),),
    )


async def owner_of_session(connection: AsyncConnection[Any], secret: str) -> Row | None:
    """Return the account and role of whoever is signed in with a session, or None."""
    return await fetch_one(
        connection,
        """
        select a.account_id, a.email, a.role from browser_session b join account a using (account_id)
        where b.hash = %s and b.expires_at > now() and a.disabled_at is null
        """,
        (hashed(secret),),
    )
