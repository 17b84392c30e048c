"""One slash more or less at the end is the same address, without a redirect: a redirected POST loses its body.

HEAD is answered as GET is, without the body, but for what never ends or is of any size.
"""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

PREFIXES = ("/v1", "/v0", "/advanced", "/api/")
STREAMS = re.compile(r"/api/v1/(segments/[^/]+/live|reports/file\..*)")


class TrailingSlashes:
    """ASGI middleware that takes the slash off the end of the API's addresses."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on at its plain address."""
        if scope["type"] == "http":
            path = scope["path"]
            if path.endswith("/") and len(path) > 1 and path.startswith(PREFIXES):
                scope = {**scope, "path": path.rstrip("/")}
            if scope["method"] == "HEAD" and not STREAMS.fullmatch(scope["path"]):
                scope = {**scope, "method": "GET"}  # the server that speaks HTTP leaves the body out
        await self.app(scope, receive, send)
