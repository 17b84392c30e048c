"""The proxy passes everything on, and breaks it in the way that was asked for."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest

from telstraat_firmware_sim.chaos.fault_proxy import FaultProxy


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        try:
            while data := self.request.recv(4096):
                self.request.sendall(data)
        except OSError:
            pass


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        with FaultProxy("127.0.0.1", server.server_address[1], seed=3) as between:
            yield between
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def connected(proxy: FaultProxy, timeout_s: float = 5.0) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout_s)


def gone(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except ConnectionError:
        return True


def echoed(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    answer = b""
    while len(answer) < len(data):
        piece = client.recv(4096)
        if not piece:
            break
        answer += piece
    return answer


def test_without_a_fault_every_byte_arrives(proxy: FaultProxy) -> None:
    data = bytes(range(256)) * 400
    with connected(proxy) as client:
        assert echoed(client, data) == data
    assert proxy.connections == 1


def test_a_cut_breaks_what_is_open_and_lets_the_next_one_in(proxy: FaultProxy) -> None:
    with connected(proxy) as client:
        assert echoed(client, b"one") == b"one"
        proxy.cut()
        assert gone(client)
    with connected(proxy) as client:
        assert echoed(client, b"two") == b"two"


def test_a_black_hole_swallows_and_keeps_the_connection_open(proxy: FaultProxy) -> None:
    with connected(proxy, 0.2) as client:
        assert echoed(client, b"before") == b"before"
        proxy.blackhole()
        client.sendall(b"gone")
        with pytest.raises(TimeoutError):
            client.recv(1)
    assert proxy.swallowed_bytes == 4


def test_a_refusing_proxy_lets_nobody_in_until_it_is_healed(proxy: FaultProxy) -> None:
    proxy.refuse()
    with connected(proxy) as client:
        assert gone(client)
    proxy.heal()
    with connected(proxy) as client:
        assert echoed(client, b"hello") == b"hello"


def test_garble_changes_bytes_and_keeps_their_number(proxy: FaultProxy) -> None:
    proxy.garble(1.0)
    data = b"x" * 1000
    with connected(proxy) as client:
        answer = echoed(client, data)
    assert len(answer) == len(data)
    assert answer != data


def test_throttled_and_delayed_bytes_arrive_whole(proxy: FaultProxy) -> None:
    proxy.throttle(200_000.0)
    proxy.delay(0.001)
    data = b"slow " * 500
    with connected(proxy) as client:
        assert echoed(client, data) == data
