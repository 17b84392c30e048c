"""An application served in a thread of the test, as its own process serves it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import uvicorn

ENDS_S = 60.0


@contextlib.contextmanager
def serving(server: uvicorn.Server, port: int = 0) -> Iterator[str]:
    """Serve on a free port of loopback (or the one given) and yield the address; the server has ended afterwards."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(ENDS_S)
            assert not thread.is_alive()
