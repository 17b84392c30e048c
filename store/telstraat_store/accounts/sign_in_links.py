"""Links of mails that let somebody in once: how many may wait, and which still work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.accounts.secrets import hashed
from telstraat_store.queries import execute, fetch_one


async def add_sign_in_link(
    connection: AsyncConnection[Any], email: str, secret: str, *, life: timedelta, waiting_max: int
) -> bool:
    """Note a link for the account of an address; False when nobody of it may sign in, or too many links wait.

    Links that ended a day ago are dropped.
    """
    await execute(connection, "delete from sign_in_link where expires_at < now() - interval '1 day'")
    row = await fetch_one(
        connection,
        """
        insert into sign_in_link (hash, account_id, expires_at)
        select %(hash)s, account_id, now() + %(life)s from account a
        where email = %(email)s and disabled_at is null and (
            select count(*) from sign_in_link l where l.account_id = a.account_id and l.created_at > now() - %(life)s
        ) < %(most)s
        returning account_id
        """,
        {"hash": hashed(secret), "life": life, "email": email.lower(), "most": waiting_max},
    )
    return row is not None


async def use_sign_in_link(connection: AsyncConnection[Any], secret: str) -> int | None:
    """Return the account that a link lets in and spend the link; None when it does not work any more."""
    row = await fetch_one(
        connection,
        """
        update sign_in_link l set used_at = now() from account a
        where l.hash = %s and l.used_at is null and l.expires_at > now() and a.account_id = l.account_id
            and a.disabled_at is null
        returning l.account_id
        """,
        (hashed(secret),),
    )
    return None if row is None else int(row["account_id"])
