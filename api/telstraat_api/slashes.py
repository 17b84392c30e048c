"""One slash more or less at the end is the same address, without a redirect: a redirected POST loses its body."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

PREFIXES = ("/v1", "/v0", "/advanced", "/api/")


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
        await self.app(scope, receive, send)
