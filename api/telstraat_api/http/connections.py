"""Deadlines for whoever holds a connection: a head, a body and a reader that do not come to an end are ended.

uvicorn waits for ever for the rest of a request and for a reader that does not read (decision 024).
"""

from __future__ import annotations

import resource
import socket
import struct
from asyncio import Transport
from asyncio.events import TimerHandle
from collections import Counter
from collections.abc import Callable
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

HEAD_BYTES_MAX = 65_536
HEADERS_MAX = 100
WAITING_MAX = 1000
"""Connections on which we wait for the other side; beyond them the address that holds most of them loses its oldest quarter."""
FILES_MAX = 65_536


def raise_file_limit() -> None:
    """Let this process hold as many connections as the system allows: the usual 1,024 are fewer than we bound them to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with an end to every wait for the other side."""

    head_s = 10.0  # for a request's line and headers, also before the first byte of a connection
    body_s = 60.0  # for its body
    write_s = 30.0  # for a reader to take what waits for it (64 kB)
    waiting_max = WAITING_MAX

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._reading: TimerHandle | None = None
        self._writing: TimerHandle | None = None
        self._is_in_head = False
        self._is_refused = False
        self._is_ended = False
        self._head_bytes = 0
        self._answering: RequestResponseCycle | None = None
        self.since = self.loop.time()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle  # of pipelined requests uvicorn tells only the newest that the other side has gone
        super()._start_asgi_task(cycle, app)

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Wait for the first request, not for ever."""
        super().connection_made(transport)
        self._await_read(self.head_s)
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget every deadline."""
        self._await_read(None)
        self._await_write(None)
        self._stop_answering()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the request was refused or its head has no end."""
        if self._is_refused:
            return
        super().data_received(data)
        if self._is_in_head and not self._is_refused:
            self._head_bytes += len(data)
            self._check_head(len(self.headers))

    def on_message_begin(self) -> None:
        """Begin to wait for a head."""
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0
        self._await_read(self.head_s)

    def on_headers_complete(self) -> None:
        """Refuse a head that is too long, else wait for the body."""
        self._is_in_head = False
        self._head_bytes = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        self._check_head(len(self.headers))
        if not self._is_refused:
            self._await_read(self.body_s)
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body; of what was refused nothing is kept."""
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait no longer: the request is here."""
        if not self._is_refused:
            self._await_read(None)
            super().on_message_complete()

    def pause_writing(self) -> None:
        """Begin to wait for a reader."""
        super().pause_writing()
        self._await_write(self.write_s)

    def resume_writing(self) -> None:
        """Wait no longer: the reader has taken what waited."""
        self._await_write(None)
        super().resume_writing()

    def on_response_complete(self) -> None:
        """Give the reader of a connection's last answer some time to take it."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._await_write(self.write_s)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection; what was not read of the last answer waits no longer than any other."""
        super().timeout_keep_alive_handler()
        self._await_write(self.write_s)

    @property
    def is_waiting(self) -> bool:
        """Tell whether this is held up by the other side: by its request, by its reading, or between two requests."""
        is_between = self.cycle is not None and self.cycle.response_complete
        is_held_up = self._reading is not None or self._writing is not None or is_between
        return is_held_up and not self._is_ended

    def _make_room(self) -> None:
        """End the oldest quarter of the waits for the address that makes us wait most: looking at all for each would cost more."""
        if len(self.connections) <= self.waiting_max:
            return
        waiting = [each for each in self.connections if isinstance(each, BoundedProtocol) and each.is_waiting]
        if len(waiting) > self.waiting_max:
            [(most, number)] = Counter(each.address for each in waiting).most_common(1)
            oldest = sorted((each for each in waiting if each.address == most), key=lambda each: each.since)
            for each in oldest[: max(1, number // 4)]:
                each.hang_up()

    @property
    def address(self) -> str:
        """Return where the connection comes from."""
        return self.client[0] if self.client else "?"

    def _check_head(self, headers: int) -> None:
        if self._head_bytes > HEAD_BYTES_MAX or headers > HEADERS_MAX:
            self._refuse(431, f"a request's head may have {HEAD_BYTES_MAX} bytes and {HEADERS_MAX} headers")

    def _refuse(self, status: int, text: str) -> None:
        """Say why, as far as no answer is under way, and close."""
        self._is_refused = True
        self._await_read(None)
        if self.cycle is None or self.cycle.response_complete:
            body = text.encode()
            lines = [
                b"content-type: text/plain; charset=utf-8",
                b"content-length: %d" % len(body),
                b"connection: close",
            ]
            self.transport.write(STATUS_LINE[status] + b"\r\n".join(lines) + b"\r\n\r\n" + body)
        self.transport.close()
        self._await_write(self.write_s)

    def _is_late(self) -> None:
        if self.flow.read_paused:  # it is us who do not read
            self._await_read(self.body_s)
            return
        if self._is_in_head or self.cycle is None:
            self._refuse(408, "the request did not come in time")
        else:
            self.hang_up()

    def hang_up(self) -> None:
        """End the connection at once: without lingering, what the kernel holds for a reader that does not read goes, too."""
        self._is_ended = True
        own = self.transport.get_extra_info("socket")
        if own is not None and not self.transport.is_closing():
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._stop_answering()
        self.transport.abort()

    def _stop_answering(self) -> None:
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()
            self.pipeline.clear()

    def _await_read(self, seconds: float | None) -> None:
        self._reading = self._timer(self._reading, seconds, self._is_late)

    def _await_write(self, seconds: float | None) -> None:
        self._writing = self._timer(self._writing, seconds, self.hang_up)

    def _timer(self, former: TimerHandle | None, seconds: float | None, end: Callable[[], None]) -> TimerHandle | None:
        if former is not None:
            former.cancel()
        return None if seconds is None else self.loop.call_later(seconds, end)
