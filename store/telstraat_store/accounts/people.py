"""Accounts: people who may sign in, known by their address of mail, with a role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.connection import Row
from telstraat_store.errors import DuplicateError
from telstraat_store.queries import containing, fetch_all, fetch_one
from telstraat_store.transactions import Steps, transaction


@transaction
def add_account(email: str, name: str, role: str) -> Steps[Row]:
    """Add an account and return its row.

    Raises
    ------
    DuplicateError
        The address has an account.
    """
    email = email.lower()
    rows = yield (
        "insert into account (email, name, role) values (%s, %s, %s) on conflict do nothing returning *",
        (email, name, role),
    )
    if not rows:
        raise DuplicateError(f"there is an account of {email} already")
    return rows[0]


@transaction
def list_accounts() -> Steps[list[Row]]:
    """Return every account with the number of its `keys` that were not revoked."""
    return (
        yield (
            """
            select a.*, (count(k.key_id) filter (where k.revoked_at is null))::int as keys
            from account a left join access_key k using (account_id) group by a.account_id order by a.account_id
            """,
            None,
        )
    )


async def search_accounts(connection: AsyncConnection[Any], search: str, *, offset: int, limit: int) -> list[Row]:
    """Return accounts whose address or name holds `search`, the newest first, with their `keys`, `sensors` and the `total` that fit."""
    return await fetch_all(
        connection,
        """
        select a.*, count(*) over ()::int as total,
            (select count(*)::int from access_key k where k.account_id = a.account_id and k.revoked_at is null) as keys,
            (select count(*)::int from sensor v where v.account_id = a.account_id and v.retired_at is null) as sensors
        from account a where a.email ilike %(pattern)s or a.name ilike %(pattern)s
        order by a.account_id desc offset %(offset)s limit %(limit)s
        """,
        {"pattern": containing(search), "offset": offset, "limit": limit},
    )


async def find_account(connection: AsyncConnection[Any], email: str) -> Row | None:
    """Return the account of an address, or None."""
    return await fetch_one(connection, "select * from account where email = %s", (email.lower(),))


async def change_account(connection: AsyncConnection[Any], account_id: int, changes: Mapping[str, Any]) -> Row | None:
    """Change `name` and `role`, and lock out or let in again with `disabled`; what is None stays. None without such an account."""
    return await fetch_one(
        connection,
        """
        update account set
            name = coalesce(%(name)s, name), role = coalesce(%(role)s, role),
            disabled_at = case when %(disabled)s::boolean is null then disabled_at when %(disabled)s then now() end
        where account_id = %(account_id)s returning *
        """,
        {"account_id": account_id, **changes},
    )
