"""A TCP proxy that can make a connection bad: slow, cut, swallowed or garbled, and whole again.

It runs in a thread of its own, so that tests and the chaos run can turn its verbs while real clients talk through it.
"""

from __future__ import annotations

import asyncio
import random
import threading
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

CHUNK_BYTES = 16_384
THROTTLE_CHUNK_BYTES = 512
START_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Faults:
    """What the proxy does to every byte that passes, from now on; the default does nothing."""

    delay_s: float = 0.0
    """Seconds that each piece waits before it goes on."""
    bytes_per_s: float | None = None
    """Throttle, per direction and connection."""
    blackhole: bool = False
    """Bytes are read and thrown away, the connection stays open: half-open as after a router's death."""
    refuse: bool = False
    """New connections are closed at once."""
    garbled_share: float = 0.0
    """Share of the pieces in which one byte is changed."""


class FaultProxy:
    """Listen on loopback, pass everything on to `host:port`, and break it on command."""

    def __init__(self, host: str, port: int, *, listen_port: int = 0, seed: int = 0) -> None:
        self.host, self.target_port = host, port
        self.port = listen_port
        self.connections = 0
        self.passed_bytes = 0
        self.swallowed_bytes = 0
        self._faults = Faults()
        self._random = random.Random(seed)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: OSError | None = None
        self._stop: asyncio.Event | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def faults(self) -> Faults:
        """What it does to the bytes now."""
        return self._faults

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> int:
        """Begin to listen and return the port."""
        self._thread = threading.Thread(target=self._run, name=f"fault-proxy-{self.target_port}", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT_S):
            raise TimeoutError(f"fault proxy to {self.host}:{self.target_port} did not start in {START_TIMEOUT_S:g} s")
        if self._failure is not None:
            raise self._failure
        return self.port

    def close(self) -> None:
        """Cut everything and stop listening."""
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(START_TIMEOUT_S)

    def delay(self, seconds: float) -> None:
        """Let each piece wait so long."""
        self._faults = replace(self._faults, delay_s=seconds)

    def throttle(self, bytes_per_s: float | None) -> None:
        """Let at most so many bytes a second pass, per direction and connection; `None` lifts it."""
        self._faults = replace(self._faults, bytes_per_s=bytes_per_s)

    def garble(self, share: float) -> None:
        """Change one byte in this share of the pieces."""
        self._faults = replace(self._faults, garbled_share=share)

    def blackhole(self) -> None:
        """Swallow everything and keep the connections open."""
        self._faults = replace(self._faults, blackhole=True)

    def refuse(self) -> None:
        """Cut what is open and let nobody in."""
        self._faults = replace(self._faults, refuse=True)
        self.cut()

    def cut(self) -> None:
        """Break the open connections at once; new ones are welcome."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._abort_all)

    def heal(self) -> None:
        """Undo every fault. A connection whose bytes were swallowed is cut: its stream has a hole."""
        holed = self._faults.blackhole
        self._faults = Faults()
        if holed:
            self.cut()

    def _abort_all(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        except OSError as error:
            self._failure = error
            self._ready.set()
            return
        self.port = int(server.sockets[0].getsockname()[1])
        self._ready.set()
        await self._stop.wait()
        server.close()
        self._abort_all()
        await asyncio.gather(
            *(task for task in asyncio.all_tasks() if task is not asyncio.current_task()), return_exceptions=True
        )

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._faults.refuse:
            writer.transport.abort()
            return
        self.connections += 1
        self._open.add(writer)
        far_writer: asyncio.StreamWriter | None = None
        try:
            far_reader, far_writer = await asyncio.open_connection(self.host, self.target_port)
            self._open.add(far_writer)
            await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))
        except OSError:  # either side went away: that is what this program is for
            pass
        finally:
            for side in (writer, far_writer):
                if side is not None:
                    self._open.discard(side)
                    side.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            limit = self._faults.bytes_per_s
            data = await reader.read(CHUNK_BYTES if limit is None else THROTTLE_CHUNK_BYTES)
            if not data:
                raise ConnectionResetError("the other side closed")
            faults = self._faults
            if faults.delay_s:
                await asyncio.sleep(faults.delay_s)
            if limit is not None:
                await asyncio.sleep(len(data) / limit)
            if faults.blackhole:
                self.swallowed_bytes += len(data)
                continue
            if faults.garbled_share and self._random.random() < faults.garbled_share:
                data = self._garbled(data)
            writer.write(data)
            await writer.drain()
            self.passed_bytes += len(data)

    def _garbled(self, data: bytes) -> bytes:
        where = self._random.randrange(len(data))
        return data[:where] + bytes([data[where] ^ self._random.randrange(1, 256)]) + data[where + 1 :]
