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


async def add_welcome_link(
    connection: AsyncConnection[Any], email: str, sensor_id: int, secret: str, *, life: timedelta, waiting_max: int
) -> bool:
    """Note a link for whoever holds the code of a sensor: it makes an account of the address when it is used, not before.

    False when the address is locked out, or too many links wait for it. An address that has an account gets a link into that.
    """
    row = await fetch_one(
        connection,
        """
        insert into sign_in_link (hash, account_id, email, sensor_id, expires_at)
        select %(hash)s, a.account_id, %(email)s, %(sensor_id)s, now() + %(life)s
        from (values (1)) as one_row left join account a on a.email = %(email)s
        where a.disabled_at is null and (
            select count(*) from sign_in_link l
            where (l.email = %(email)s or l.account_id = a.account_id) and l.created_at > now() - %(life)s
        ) < %(most)s
        returning 1
        """,
        {
            "hash": hashed(secret),
            "email": email.lower(),
            "sensor_id": sensor_id,
            "life": life,
            "most": waiting_max,
        },
    )
    return row is not None


async def use_sign_in_link(connection: AsyncConnection[Any], secret: str) -> int | None:
    """Return the account that a link lets in and spend the link; None when it does not work any more.

    The link of somebody new makes their account, while the sensor whose code they held is still to be claimed.
    """
    async with connection.transaction():
        link = await fetch_one(
            connection,
            """
            update sign_in_link l set used_at = now()
            where l.hash = %s and l.used_at is null and l.expires_at > now() returning account_id, email, sensor_id
            """,
            (hashed(secret),),
        )
        if link is None:
            return None
        if link["account_id"] is None:
            await execute(
                connection,
                """
                insert into account (email, role) select %(email)s, 'citizen' from sensor_claim c join sensor v using (sensor_id)
                where c.sensor_id = %(sensor_id)s and c.claimed_at is null and c.expires_at > now() and v.retired_at is null
                on conflict (email) do nothing
                """,
                link,
            )
        row = await fetch_one(
            connection,
            "select account_id from account where (account_id = %(account_id)s or (%(account_id)s::int is null"
            " and email = %(email)s)) and disabled_at is null",
            link,
        )
    return None if row is None else int(row["account_id"])
