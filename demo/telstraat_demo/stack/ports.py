"""Free ports on loopback, outside of the range from which the system takes ports for outgoing connections."""

from __future__ import annotations

import random
import socket

from telstraat_demo.errors import StackError

LOOPBACK = "127.0.0.1"
LOWEST, HIGHEST = 20_000, 32_000  # Linux takes outgoing ports from 32768 up


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Tell whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = LOOPBACK) -> int:
    """Return a port on which nobody listens."""
    drawn = random.SystemRandom()
    for _ in range(200):
        port = drawn.randint(LOWEST, HIGHEST)
        if is_free(port, host):
            return port
    raise StackError(f"no free port between {LOWEST} and {HIGHEST} on {host}: end some of the programs that listen")


def answers(port: int, host: str = LOOPBACK, timeout_s: float = 0.5) -> bool:
    """Tell whether something accepts connections on `port`."""
    try:
        with socket.create_connection((host, port), timeout_s):
            return True
    except OSError:
        return False
