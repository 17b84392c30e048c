"""What becomes of the answers of jobs about uploads: noted on the upload, in the transaction that ends the job."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from telstraat_store.connection import Row
from telstraat_store.imports import uploads


async def keep_preview(connection: AsyncConnection[Any], job: Row, answer: Any) -> dict[str, Any]:
    """Note what a look at a file has found."""
    number = job["arguments"]["upload_id"]
    await uploads.keep_preview(connection, number, job["arguments"]["options"], answer)
    return {"upload_id": number}


async def keep_outcome(connection: AsyncConnection[Any], job: Row, answer: Any) -> dict[str, Any]:
    """Note what became of a file."""
    number = job["arguments"]["upload_id"]
    await uploads.keep_outcome(connection, number, answer)
    return {"upload_id": number}
