"""How much a request may send: looked at before the body is read, and while it comes, whether or not it says its length."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from telstraat_api.http.problems import answer

BODY_MAX = 65_536
"""Bytes of a body where nothing else is said: thirty times what any of our own programs sends."""

LIMITS = {
    "/operate/uploads": 65_000_000,
    "/sign-in": 4_096,
    "/sign-out": 4_096,
    "/api/v1/imports/segments": 16_000_000,
    "/api/v1/workshops": 262_144,
    "/api/v1/measures": 262_144,
}
CREDENTIALS = {b"authorization", b"x-api-key", b"cookie"}


class TooLongError(Exception):
    """The body is longer than its address takes; ends the work on the request."""


def limit_of(scope: Scope) -> int:
    """Return how many bytes a body may have: more than usual only for somebody who claims to be somebody."""
    parts = str(scope["path"]).rstrip("/")
    limit = next((n for path, n in LIMITS.items() if parts == path or parts.startswith(f"{path}/")), BODY_MAX)
    is_known = any(name in CREDENTIALS for name, _ in scope["headers"])
    return limit if is_known else min(limit, BODY_MAX)


def announced_bytes(scope: Scope) -> int:
    """Return the length that a request says its body has; 0 when it says none."""
    return next((int(value) for name, value in scope["headers"] if name == b"content-length" and value.isdigit()), 0)


class BodyLimit:
    """ASGI middleware that answers 413 to a body that is too long, and reads no more of it than that."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless and until its body is too long."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = limit_of(scope)
        if announced_bytes(scope) > limit:
            await refuse(scope, receive, send, limit)
            return
        came = 0
        is_over = has_begun = False

        async def counted() -> Message:
            nonlocal came, is_over
            message = await receive()
            came += len(message.get("body", b""))
            if came > limit:
                is_over = True
                raise TooLongError
            return message

        async def passed(message: Message) -> None:
            nonlocal has_begun
            if not is_over or has_begun:  # what a route makes of the broken body is not the answer
                has_begun = True
                await send(message)

        # Who leaves before the end of its body is no error of ours: a traceback for each would fill the log.
        with suppress(TooLongError, ClientDisconnect):
            await self.app(scope, counted, passed)
        if is_over and not has_begun:
            await refuse(scope, receive, send, limit)


async def refuse(scope: Scope, receive: Receive, send: Send, limit: int) -> None:
    """Say how long a body may be here."""
    detail = f"this address takes a body of up to {limit} bytes; send less, or in several requests"
    response = await answer(
        Request(scope), HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-long", "The body is too long", detail
    )
    await response(scope, receive, send)
