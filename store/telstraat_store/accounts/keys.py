"""Keys of programs: made, listed, revoked, and whose a key is that a request carries."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.accounts.secrets import hashed, hint_of, new_secret
from telstraat_store.connection import Row
from telstraat_store.queries import execute, fetch_all, fetch_one
from telstraat_store.transactions import Steps, transaction


@transaction
def make_key(
    label: str,
    scopes: Collection[str],
    *,
    account_id: int | None = None,
    email: str | None = None,
    expires_at: datetime | None = None,
) -> Steps[tuple[Row, str] | None]:
    """Make a key for an account, named by number or by address, and return its row and its secret; None without such an account."""
    secret = new_secret()
    rows = yield (
        """
        insert into access_key (account_id, label, hint, hash, scopes, expires_at)
        select account_id, %(label)s, %(hint)s, %(hash)s, %(scopes)s, %(expires_at)s from account
        where account_id = %(account_id)s or email = lower(%(email)s)
        returning *
        """,
        {
            "label": label,
            "hint": hint_of(secret),
            "hash": hashed(secret),
            "scopes": list(scopes),
            "expires_at": expires_at,
            "account_id": account_id,
            "email": email,
        },
    )
    return (rows[0], secret) if rows else None


async def list_keys(connection: AsyncConnection[Any], account_id: int | None) -> list[Row]:
    """Return the keys of an account, revoked ones too."""
    return await fetch_all(connection, "select * from access_key where account_id = %s order by key_id", (account_id,))


async def revoke_key(connection: AsyncConnection[Any], key_id: int, account_id: int | None) -> Row | None:
    """Revoke a key of an account and return its row, or None without such a key; a revoked one stays as it is."""
    return await fetch_one(
        connection,
        "update access_key set revoked_at = coalesce(revoked_at, now()) where key_id = %s and account_id = %s returning *",
        (key_id, account_id),
    )


async def owner_of_key(connection: AsyncConnection[Any], secret: str) -> Row | None:
    """Return the account, role and scopes that a valid key stands for, and note the day on which it was last used."""
    row = await fetch_one(
        connection,
        """
        select a.account_id, a.email, a.role, k.scopes, k.key_id, k.last_used
        from access_key k join account a using (account_id)
        where k.hash = %s and k.revoked_at is null and coalesce(k.expires_at, 'infinity') > now()
            and a.disabled_at is null
        """,
        (hashed(secret),),
    )
    if row is not None and row["last_used"] != datetime.now(UTC).date():
        await execute(connection, "update access_key set last_used = current_date where key_id = %s", (row["key_id"],))
    return row
