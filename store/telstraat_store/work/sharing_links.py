"""Links with which people without an account read one workshop, until they end or are revoked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.accounts.secrets import hashed, new_secret
from telstraat_store.connection import Row
from telstraat_store.errors import BadValueError
from telstraat_store.queries import fetch_all, fetch_one

LINK_PREFIX = "tsw_"
LINKS_MAX = 50


async def list_links(connection: AsyncConnection[Any], workshop_id: int) -> list[Row]:
    """Return the links of a workshop, revoked ones too."""
    return await fetch_all(
        connection, "select * from workshop_link where workshop_id = %s order by link_id", (workshop_id,)
    )


async def add_link(
    connection: AsyncConnection[Any], workshop_id: int, label: str, expires_at: datetime
) -> tuple[Row, str]:
    """Make a link and return its row and its secret.

    Raises
    ------
    BadValueError
        The workshop has `LINKS_MAX` links that were not revoked.
    """
    secret = new_secret(LINK_PREFIX)
    row = await fetch_one(
        connection,
        """
        insert into workshop_link (workshop_id, hash, label, expires_at)
        select workshop_id, %s, %s, %s from workshop w where workshop_id = %s
            and (select count(*) from workshop_link l where l.workshop_id = w.workshop_id and revoked_at is null) < %s
        returning *
        """,
        (hashed(secret), label, expires_at, workshop_id, LINKS_MAX),
    )
    if row is None:
        raise BadValueError(f"a workshop has up to {LINKS_MAX} links: revoke one first")
    return row, secret


async def revoke_link(connection: AsyncConnection[Any], workshop_id: int, link_id: int) -> Row | None:
    """Revoke a link and return it; None without such a link."""
    return await fetch_one(
        connection,
        "update workshop_link set revoked_at = coalesce(revoked_at, now()) where link_id = %s and workshop_id = %s"
        " returning *",
        (link_id, workshop_id),
    )


async def shared_workshop(connection: AsyncConnection[Any], secret: str) -> Row | None:
    """Return the workshop that a link opens, with the link's `expires_at`; None when it does not work."""
    return await fetch_one(
        connection,
        """
        select w.*, l.expires_at from workshop_link l join workshop w using (workshop_id)
        where l.hash = %s and l.revoked_at is null and l.expires_at > now()
        """,
        (hashed(secret),),
    )
