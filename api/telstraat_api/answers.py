"""Bytes on the wire: orjson without pydantic, ETags and conditional requests."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import Request, Response

OPTIONS = orjson.OPT_UTC_Z


def json_answer(request: Request, body: Any, *, max_age_s: int = 0, media_type: str = "application/json") -> Response:
    """Return `body` as JSON with an ETag, or 304 when the reader has it already."""
    content = orjson.dumps(body, option=OPTIONS)
    etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={max_age_s}" if max_age_s else "no-cache"}
    if etag in {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def stamp(at: datetime | None) -> str | None:
    """Write a time as the API does: ISO 8601, UTC, `Z`."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
