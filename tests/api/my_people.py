"""Somebody who is signed in, with a sensor of their own, for the tests of their pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import psycopg
from tests.api.people import browser

from telstraat_store.accounts.secrets import hashed
from telstraat_store.places.claims import issue_code


def add_person(connection: psycopg.Connection, email: str, role: str = "citizen", language: str | None = None) -> int:
    row = connection.execute(
        "insert into account (email, role, language) values (%s, %s, %s) returning account_id", (email, role, language)
    ).fetchone()
    assert row
    connection.execute(
        "insert into browser_session (hash, account_id, expires_at) values (%s, %s, now() + interval '1 day')",
        (hashed(f"cookie of {email}"), row[0]),
    )
    return int(row[0])


def browser_of(home: str, email: str | None) -> httpx.Client:
    """Return a browser of its own, signed in as somebody or not."""
    return browser(home, f"cookie of {email}" if email else None)


def own(connection: psycopg.Connection, sensor_id: int, account_id: int | None, days: float = 0) -> None:
    """Let a sensor be somebody's since so many days."""
    connection.execute(
        "update sensor set account_id = %s, owned_since = %s where sensor_id = %s",
        (account_id, datetime.now(UTC) - timedelta(days=days) if account_id else None, sensor_id),
    )


def code_of(connection: psycopg.Connection, sensor_id: int) -> str:
    row = connection.execute("select name from sensor where sensor_id = %s", (sensor_id,)).fetchone()
    assert row
    return issue_code(connection, sensor_id, row[0])[0]
