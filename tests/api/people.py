"""People in the browsers of tests: accounts, their sessions, and clients that come from our own pages."""

from __future__ import annotations

import httpx
import psycopg

from telstraat_api.http.access import COOKIE
from telstraat_store.accounts.secrets import hashed, new_secret


def session_of(connection: psycopg.Connection, role: str, email: str) -> str:
    """Return the session of somebody who has signed in."""
    secret = new_secret("tss_")
    row = connection.execute(
        "insert into account (email, role) values (%s, %s) on conflict (email) do update set role = excluded.role"
        " returning account_id",
        (email, role),
    ).fetchone()
    assert row
    connection.execute(
        "insert into browser_session (account_id, hash, expires_at) values (%s, %s, now() + interval '1 day')",
        (row[0], hashed(secret)),
    )
    return secret


def browser(address: str, session: str | None = None) -> httpx.Client:
    """Return a browser of its own; its forms come from our own pages."""
    cookies = {} if session is None else {COOKIE: session}
    headers = {"origin": address, "accept": "text/html"}
    return httpx.Client(base_url=address, cookies=cookies, headers=headers, timeout=60)


def signed_in(connection: psycopg.Connection, address: str, role: str) -> httpx.Client:
    """Return a browser in which somebody of a role is signed in."""
    return browser(address, session_of(connection, role, f"{role}@example.org"))
