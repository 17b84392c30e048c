"""How often somebody may ask: a bucket of tokens per address, refilled steadily."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

BUCKETS_MAX = 100_000
FREE = ("/static/", "/healthz")


class Buckets:
    """Tokens per address; the one not heard of for longest is forgotten first."""

    def __init__(self, per_minute: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_s = per_minute / 60
        self.burst = float(burst)
        self.clock = clock
        self.known: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, asker: str) -> float:
        """Take a token and return 0, or return after how many seconds there will be one."""
        now = self.clock()
        tokens, since = self.known.pop(asker, (self.burst, now))
        tokens = min(self.burst, tokens + (now - since) * self.per_s)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self.per_s
        self.known[asker] = (tokens - 1 if tokens >= 1 else tokens, now)
        if len(self.known) > BUCKETS_MAX:
            self.known.popitem(last=False)
        return wait


class RateLimit:
    """ASGI middleware that answers 429 with `Retry-After` to whoever asks too often."""

    def __init__(self, app: ASGIApp, buckets: Buckets) -> None:
        self.app = app
        self.buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or scope["path"].startswith(FREE):
            await self.app(scope, receive, send)
            return
        wait = self.buckets.take(asker_of(scope))
        if not wait:
            await self.app(scope, receive, send)
            return
        # `message` in exactly these words: clients of Telraam compare them.
        retry = math.ceil(wait)
        body = {"type": "/problems/too-many-requests", "title": "Too many requests", "status": 429}
        body |= {"detail": f"asked too often; try again in {retry} s", "message": "Too Many Requests"}
        headers = [(b"content-type", b"application/problem+json"), (b"retry-after", str(retry).encode())]
        await send({"type": "http.response.start", "status": 429, "headers": headers})
        await send({"type": "http.response.body", "body": orjson.dumps(body)})


def asker_of(scope: Scope) -> str:
    """Return whom a request counts for: its address, which cannot be made up as a key can."""
    return str((scope.get("client") or ("?",))[0])
