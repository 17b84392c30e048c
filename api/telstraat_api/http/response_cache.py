"""Answers that are alike for everybody who may read the same, kept for some seconds: many readers, one computation.

What is public and what is for professionals is kept apart, whatever the key of an answer says.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass

from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from telstraat_api.http.access import connections_for
from telstraat_api.http.answers import tag_of, tags

BYTES_MAX = 64_000_000
GZIPPED_FROM_BYTES = 1000
LEVEL = 5
READING = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True)
class CachedResponse:
    """An answer as it is sent, plain and gzipped."""

    content: bytes
    gzipped: bytes | None
    etag: str
    made_at_s: float

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return len(self.content) + len(self.gzipped or b"")


class ResponseCache:
    """The answers of the last seconds; the one not asked for longest is dropped first."""

    def __init__(self, keep_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.keep_s = keep_s
        self.clock = clock
        self.known: OrderedDict[Hashable, CachedResponse] = OrderedDict()
        self.in_making: dict[Hashable, asyncio.Task[CachedResponse]] = {}

    def forget(self) -> None:
        """Forget all: something has been changed here."""
        self.known.clear()
        self.in_making.clear()

    async def answer(
        self,
        request: Request,
        key: Hashable,
        make: Callable[[], Awaitable[bytes]],
        headers: Mapping[str, str],
    ) -> Response:
        """Return the answer of that key, made anew when it is too old; 304 when the reader has it."""
        body = await self.body((connections_for(request).is_public, key), make)
        vary = ", ".join(filter(None, [headers.get("Vary"), "Accept-Encoding"]))
        fields = {"Cache-Control": "no-cache", **headers, "ETag": body.etag, "Vary": vary}
        if body.etag in tags(request, "if-none-match"):
            return Response(status_code=304, headers=fields)
        if body.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(body.gzipped, headers={**fields, "Content-Encoding": "gzip"})
        return Response(body.content, headers=fields)

    async def body(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> CachedResponse:
        """Return a body that is young enough; whoever asks while it is being made waits for the same one."""
        known = self.known.get(key)
        if known is not None and self.clock() - known.made_at_s < self.keep_s:
            self.known.move_to_end(key)
            return known
        if not self.keep_s:
            return response_of(await make(), 0)
        task = self.in_making.get(key)
        if task is None:
            task = asyncio.create_task(self.make(key, make))
            self.in_making[key] = task
        # Somebody who goes away does not take the answer away from the others.
        return await asyncio.shield(task)

    async def make(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> CachedResponse:
        """Make a body and keep it, unless something was changed meanwhile."""
        began_s, me = self.clock(), asyncio.current_task()
        try:
            body = response_of(await make(), began_s)
            if self.in_making.get(key) is me:
                self.known[key] = body
                self.known.move_to_end(key)
                while sum(response.size for response in self.known.values()) > BYTES_MAX:
                    self.known.popitem(last=False)
            return body
        finally:
            if self.in_making.get(key) is me:
                del self.in_making[key]


def response_of(content: bytes, made_at_s: float) -> CachedResponse:
    """Return the body of some bytes."""
    small = gzip.compress(content, LEVEL, mtime=0) if len(content) >= GZIPPED_FROM_BYTES else None
    return CachedResponse(content, small, tag_of(content), made_at_s)


class ForgetAfterChanges:
    """ASGI middleware: whoever has changed something here reads it at once."""

    def __init__(self, app: ASGIApp, cache: ResponseCache) -> None:
        self.app = app
        self.cache = cache

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["method"] in READING:
            await self.app(scope, receive, send)
            return

        async def noticed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.cache.forget()
            await send(message)

        await self.app(scope, receive, noticed)
