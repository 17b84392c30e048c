"""A network that does what a wireless one does: it holds everything back for a while, then lets it through at once."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable

Holds = Callable[[float], bool]
"""Whether nothing gets through so many seconds after the first byte."""


def clear(_since_s: float) -> bool:
    return False


def bursts(since_s: float) -> bool:
    """All frames of 0.3 s come at once."""
    return since_s % 0.3 < 0.27


def stalls(since_s: float) -> bool:
    """Nothing comes for 4 of every 12 seconds, then all of it."""
    return since_s % 12.0 > 8.0


class Network:
    """Passes a connection on to a port of this machine.

    Attributes
    ----------
    port : int
        Where a client connects.
    """

    def __init__(self, to_port: int, holds: Holds) -> None:
        self._to_port, self._holds = to_port, holds
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        self._listener.settimeout(0.2)
        while not self._ending.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            server = socket.create_connection(("127.0.0.1", self._to_port))
            thread = threading.Thread(target=self._pass_on, args=(client, server), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        begun_s = time.monotonic()
        with client, server:
            while not self._ending.is_set():
                # What the client asks for gets through at once; what the camera sends may be held back.
                held = self._holds(time.monotonic() - begun_s)
                ready, _, _ = select.select([client] if held else [client, server], [], [], 0.01)
                for end, other in ((client, server), (server, client)):
                    if end in ready:
                        data = received(end)
                        if not data:
                            return
                        other.sendall(data)


def received(end: socket.socket) -> bytes:
    """Return what has come; nothing when the other side is gone."""
    try:
        return end.recv(1 << 16)
    except ConnectionResetError:
        return b""
