"""How answers are wrapped for Telraam's clients: `status_code` and `message` beside the payload, errors included."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Any

import orjson
from fastapi import Request, Response

from telstraat_api.http.response_cache import ResponseCache

PREFIXES = ("/v1", "/v0", "/advanced", "/api/segments", "/api/measurements")


def speaks_telraam(path: str) -> bool:
    """Tell whether an address belongs to the compatible part."""
    return any(path == prefix or path.startswith((f"{prefix}/", f"{prefix}-")) for prefix in PREFIXES)


def failed(status: int, message: str) -> Response:
    """Return an error as these clients read it: always JSON, always with a `message`, never a trace."""
    return Response(orjson.dumps({"status_code": status, "message": message}), status, media_type="application/json")


def forbidden() -> Response:
    """Return what a wrong key gets there: 403 in just these words, without `status_code`."""
    return Response(orjson.dumps({"message": "Forbidden"}), 403, media_type="application/json")


def ok(**payload: Any) -> Response:
    """Return a successful answer around its payload."""
    return Response(wrapped(**payload), media_type="application/json")


def wrapped(**payload: Any) -> bytes:
    """Return a payload in its envelope."""
    return orjson.dumps({"status_code": 200, "message": "ok", **payload})


async def cached_answer(request: Request, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> Response:
    """Return an answer about everything, which is alike for everybody for some seconds."""
    cache: ResponseCache = request.app.state.response_cache
    return await cache.answer(request, key, make, {"Content-Type": "application/json"})


def described(example: Any, *, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what OpenAPI shall say of an operation: an example of its answer, and of what is sent when it is a POST."""
    schema = {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
    failures = {
        "400": "A field cannot be used.",
        "403": "A key of this server is not valid, or quarters are not for everybody here.",
        "404": "There is nothing at this number.",
        "503": "No database.",
    }
    told_failures = {
        status: {"description": text, "content": {"application/json": {"schema": schema}}}
        for status, text in failures.items()
    }
    content = {"application/json": {"schema": {"type": "object"}, "example": example}}
    operation: dict[str, Any] = {"responses": {"200": {"description": "Found.", "content": content}, **told_failures}}
    if body is not None:
        # Read leniently: JSON or a literal of Python, with or without a Content-Type. What cannot be used is 400.
        operation["requestBody"] = {"required": False, "content": {"application/json": {"schema": {}, "example": body}}}
    return operation
