"""Identities at the operator's provider: sign-ins under way, and the account that an identity belongs to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.accounts.secrets import hashed
from telstraat_store.connection import Row
from telstraat_store.queries import execute, fetch_one


async def begin_attempt(
    connection: AsyncConnection[Any], state: str, *, nonce: str, verifier: str, life: timedelta
) -> None:
    """Remember what must come back when a browser leaves for the provider; what has ended is dropped."""
    await execute(connection, "delete from sign_in_attempt where expires_at <= now()")
    await execute(
        connection,
        "insert into sign_in_attempt (hash, nonce, verifier, expires_at) values (%s, %s, %s, now() + %s)",
        (hashed(state), nonce, verifier, life),
    )


async def take_attempt(connection: AsyncConnection[Any], state: str) -> Row | None:
    """Return `nonce` and `verifier` of a sign-in under way, once; None when it has ended."""
    return await fetch_one(
        connection,
        "delete from sign_in_attempt where hash = %s and expires_at > now() returning nonce, verifier",
        (hashed(state),),
    )


async def account_of_identity(connection: AsyncConnection[Any], issuer: str, subject: str) -> Row | None:
    """Return `account_id` and `disabled_at` of an identity that has signed in before, or None."""
    return await fetch_one(
        connection,
        "select account_id, disabled_at from account_identity join account using (account_id)"
        " where issuer = %s and subject = %s",
        (issuer, subject),
    )


async def admit_identity(
    connection: AsyncConnection[Any], issuer: str, subject: str, *, email: str, name: str, new_role: str | None
) -> Row | None:
    """Give an identity the account of its verified address; with `new_role` one is made where there is none, else None."""
    async with connection.transaction():
        account = await fetch_one(connection, "select account_id, disabled_at from account where email = %s", (email,))
        if account is None and new_role:
            account = await fetch_one(
                connection,
                "insert into account (email, name, role) values (%s, %s, %s)"
                " on conflict (email) do update set email = excluded.email returning account_id, disabled_at",
                (email, name, new_role),
            )
        if account is not None:
            await execute(
                connection,
                "insert into account_identity (issuer, subject, account_id) values (%s, %s, %s) on conflict do nothing",
                (issuer, subject, account["account_id"]),
            )
    return account
