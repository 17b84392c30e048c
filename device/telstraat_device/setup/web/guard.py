"""What each request passes before a page sees it: who asks, by which name, from which page, how much and how slowly.

- Only phones of the local network are answered: an address of the internet is refused, whatever a router passes on.
- Only our own names are answered to: a page of somewhere else that points its name at us (DNS rebinding) gets nothing.
- What changes something comes from our own pages: `Origin` says so, and a token of the session in the form.
- A request that trickles in, or an answer that is not taken, ends after seconds; connections are few.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

BODY_BYTES_MAX = 64_000
BODY_S = 10.0
REQUEST_S = 120.0
HEAD_S = 10.0
CONNECTIONS_MAX = 64
CONNECTIONS_OF_AN_ADDRESS = 16
log = logging.getLogger(__name__)
SAFE = {"GET", "HEAD"}
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
LOCAL = [
    ipaddress.ip_network(text)
    for text in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fe80::/10",
        "fc00::/7",
    )
]


def is_local(address: str) -> bool:
    """Return whether an address is of this machine's own networks, never of the internet."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return any(mapped in network for network in LOCAL if network.version == mapped.version)


def host_of(header: str) -> str:
    """Return the name in a `Host` header, without its port."""
    name = header.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0].rstrip(".")


class Guard:
    """ASGI middleware: refuses what no page of ours asks, and bounds what it may cost."""

    def __init__(self, app: ASGIApp, *, names: frozenset[str], portal: Callable[[], str | None]) -> None:
        self.app = app
        self._names = names
        self._portal = portal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, with_headers(send))
            return
        try:
            async with asyncio.timeout(BODY_S):
                body = await body_of(receive)
        except TimeoutError:
            await PlainTextResponse("the request came too slowly", 408)(scope, receive, with_headers(send))
            return
        if body is None:
            await PlainTextResponse("the request is too long", 413)(scope, receive, with_headers(send))
            return
        try:
            async with asyncio.timeout(REQUEST_S):
                await self.app(scope, replayed(body, receive), with_headers(send))
        except TimeoutError:
            log.warning("an answer was not taken within %d s", REQUEST_S)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return why a request is not for us; None when it is."""
        peer = (scope.get("client") or ("", 0))[0]
        if not is_local(peer):
            return PlainTextResponse("this page is for the local network", 403)
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        name = host_of(hosts[0]) if len(hosts) == 1 else ""
        if name not in self._names and not (is_local(name) and name == (scope.get("server") or ("", 0))[0]):
            portal = self._portal()
            if portal and scope["method"] in SAFE:
                return RedirectResponse(
                    portal, 302
                )  # a phone in our own network that asks whether it is on the internet
            return PlainTextResponse("this sensor has another name", 421)
        if scope["method"] not in SAFE and headers.get("origin") != f"http://{hosts[0].strip()}":
            return PlainTextResponse("this comes from a page of somewhere else", 403)
        if (
            headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}
            and headers.get("sec-fetch-mode") != "navigate"
        ):
            return PlainTextResponse("this comes from a page of somewhere else", 403)
        return None


async def body_of(receive: Receive) -> bytes | None:
    """Return the whole body, None when it is too long."""
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += bytes(message.get("body", b""))
        if len(body) > BODY_BYTES_MAX:
            return None
        if not message.get("more_body", False):
            return body


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body that has been read."""
    waiting = [body]

    async def give() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return give


def with_headers(send: Send) -> Send:
    """Return a `send` that adds the headers which an answer does not carry yet."""

    async def completed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return completed


class PatientProtocol(H11Protocol):
    """HTTP as uvicorn speaks it, for few connections that get to the point."""

    _open: dict[PatientProtocol, str] = {}  # noqa: RUF012 - of the process, as its connections are

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection unless there are too many; one that asks nothing in time is closed."""
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        same = sum(other == address for other in self._open.values())
        if len(self._open) >= CONNECTIONS_MAX or same >= CONNECTIONS_OF_AN_ADDRESS:
            transport.abort()
            return
        super().connection_made(transport)
        self._open[self] = address
        self._head_timer = self.loop.call_later(HEAD_S, self._close_if_nothing_was_asked)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        if self._open.pop(self, None) is not None:
            self._head_timer.cancel()
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; those of a connection that was refused go nowhere."""
        if self in self._open:
            super().data_received(data)

    def on_response_complete(self) -> None:
        """Wait for the next request, not for ever."""
        super().on_response_complete()
        self._head_timer.cancel()
        self._head_timer = self.loop.call_later(HEAD_S, self._close_if_nothing_was_asked)

    def _close_if_nothing_was_asked(self) -> None:
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.close()
