"""Files that operators have uploaded: kept until they are imported or thrown away, with what a look at them has found."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection, Connection
from psycopg.types.json import Jsonb

from telstraat_store.connection import Row
from telstraat_store.queries import execute, fetch_all, fetch_one

COLUMNS = """
select u.upload_id, u.account_id, u.kind, u.file_name, u.bytes, u.options, u.preview, u.outcome, u.job_id, u.created_at,
    u.imported_at, u.content is not null as is_kept, a.email
from upload u left join account a using (account_id)
"""


async def add_upload(
    connection: AsyncConnection[Any],
    account_id: int | None,
    kind: str,
    file_name: str,
    content: bytes,
    options: Mapping[str, Any],
) -> int:
    """Keep a file (`kind` is streets or counts) and return its number."""
    row = await fetch_one(
        connection,
        "insert into upload (account_id, kind, file_name, content, bytes, sha256, options)"
        " values (%s, %s, %s, %s, %s, %s, %s) returning upload_id",
        (account_id, kind, file_name, content, len(content), hashlib.sha256(content).digest(), Jsonb(dict(options))),
    )
    assert row is not None
    return int(row["upload_id"])


async def list_uploads(connection: AsyncConnection[Any], limit: int) -> list[Row]:
    """Return the latest uploads, without their content."""
    return await fetch_all(connection, COLUMNS + " order by u.upload_id desc limit %s", (limit,))


async def find_upload(connection: AsyncConnection[Any], upload_id: int) -> Row | None:
    """Return an upload without its content, or None."""
    return await fetch_one(connection, COLUMNS + " where u.upload_id = %s", (upload_id,))


async def ask_again(connection: AsyncConnection[Any], upload_id: int, options: Mapping[str, Any]) -> None:
    """Note how the file is to be read; what was found before with other options is forgotten."""
    await execute(
        connection,
        "update upload set options = %s, preview = null where upload_id = %s and imported_at is null",
        (Jsonb(dict(options)), upload_id),
    )


async def note_job(connection: AsyncConnection[Any], upload_id: int, job_id: int) -> None:
    """Note which job looks at the file, or imports it."""
    await execute(connection, "update upload set job_id = %s where upload_id = %s", (job_id, upload_id))


async def keep_preview(
    connection: AsyncConnection[Any], upload_id: int, options: Mapping[str, Any], preview: Any
) -> None:
    """Keep what a look at the file has found, read as `options` say; nothing when it is to be read otherwise by now."""
    await execute(
        connection,
        "update upload set preview = %s where upload_id = %s and options = %s and imported_at is null",
        (Jsonb(preview), upload_id, Jsonb(dict(options))),
    )


async def keep_outcome(connection: AsyncConnection[Any], upload_id: int, outcome: Any) -> None:
    """Keep what became of the file; the file itself is let go."""
    await execute(
        connection,
        "update upload set outcome = %s, imported_at = now(), content = null where upload_id = %s",
        (Jsonb(outcome), upload_id),
    )


async def delete_upload(connection: AsyncConnection[Any], upload_id: int) -> bool:
    """Throw a file away, and what was found in it; counts and streets that were imported stay. False without such an upload."""
    return bool(await execute(connection, "delete from upload where upload_id = %s", (upload_id,)))


def content_of(connection: Connection[Any], upload_id: int) -> tuple[str, str, bytes | None] | None:
    """Return kind, name and content of an upload (None once it was imported), or None without such an upload."""
    row = connection.execute(
        "select kind, file_name, content from upload where upload_id = %s", (upload_id,)
    ).fetchone()
    return None if row is None else (row[0], row[1], None if row[2] is None else bytes(row[2]))
