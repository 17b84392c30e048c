"""Bytes on the wire: orjson without pydantic, ETags and conditional requests."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import Request, Response

from telstraat_api.errors import ChangedError

OPTIONS = orjson.OPT_UTC_Z


def json_answer(request: Request, body: Any, *, max_age_s: int = 0, media_type: str = "application/json") -> Response:
    """Return `body` as JSON with an ETag, or 304 when the reader has it already."""
    content = orjson.dumps(body, option=OPTIONS)
    etag = tag_of(content)
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={max_age_s}" if max_age_s else "no-cache"}
    if request.method in {"GET", "HEAD"} and etag in tags(request, "if-none-match"):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def tag_of(content: bytes) -> str:
    """Return the ETag of an answer: the same bytes, the same tag."""
    return f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'


def tags(request: Request, header: str) -> set[str]:
    """Return the ETags that a header of a conditional request names."""
    return {tag.strip().removeprefix("W/") for tag in request.headers.get(header, "").split(",")}


def check_unchanged(request: Request, body: Any) -> None:
    """Raise `ChangedError` when `If-Match` names another state than `body`, which is what the reader would be shown now."""
    if "if-match" not in request.headers:
        return
    known = tags(request, "if-match")
    if "*" not in known and tag_of(orjson.dumps(body, option=OPTIONS)) not in known:
        raise ChangedError("somebody has changed this since you read it: read it again, then change it")


def stamp(at: datetime | None) -> str | None:
    """Write a time as the API does: ISO 8601, UTC, `Z`."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
