"""Real sockets of guests who send too much, too slowly, never read, or take every place."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import logging
import select
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import psycopg
import pytest
from tests.api.conftest import NOON, served
from tests.api.streets import add_reports, add_segment, add_sensor, plausible_days

from telstraat_api.errors import TooManyStreamsError
from telstraat_api.http.bodies import BODY_MAX, LIMITS
from telstraat_api.http.connections import HEAD_BYTES_MAX, HEADERS_MAX, BoundedProtocol
from telstraat_api.live import LiveHub
from telstraat_api.settings import ApiSettings, database_of
from telstraat_store.errors import ExportsBusyError, UnavailableError
from telstraat_store.export.files import Exporter

SHORT_S = 0.5
ROUTES = ["/api/v1/evaluations", "/api/v1/measures", "/api/v1/keys", "/api/v1/claims", "/api/v1/imports/segments",
          "/api/v1/workshops/1/notes", "/v1/reports/traffic", "/advanced/reports/traffic", "/v0/reports/1", "/sign-in",
          "/sign-in/mail", "/api/v1/segments", "/", "/nowhere", "/healthz"]  # fmt: skip


@pytest.fixture(autouse=True)
def short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("head_s", "body_s", "write_s"):
        monkeypatch.setattr(BoundedProtocol, name, SHORT_S)


@contextlib.contextmanager
def guest(address: str) -> Iterator[socket.socket]:
    url = httpx.URL(address)
    with socket.create_connection((url.host, url.port or 80), timeout=20) as connection:
        yield connection


def all_of(connection: socket.socket) -> bytes:
    """Read until the server hangs up; a wait without an end is an error of its own."""
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            answer += piece
    return answer


def memory_mb() -> float:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1000


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_that_says_it_is_too_long_is_refused_unread(address: str, path: str) -> None:
    with guest(address) as connection:
        connection.sendall(
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 600000000\r\nConnection: close\r\n\r\n" % path.encode()
        )
        status, _, rest = all_of(connection).partition(b"\r\n")
    assert b" 413 " in status
    assert b"up to" in rest


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_without_a_length_is_refused_when_it_is_too_long(client: httpx.Client, path: str) -> None:
    before = memory_mb()
    pieces = (b"x" * 65_536 for _ in range(1000))
    answer = client.post(path, content=pieces)
    if answer.status_code not in {403, 404, 405}:  # answered without reading a body at all
        assert answer.status_code == 413, answer.text
        assert "up to" in answer.text
    assert memory_mb() - before < 30


def test_each_address_takes_what_it_needs_and_a_stranger_no_more_than_usual(client: httpx.Client) -> None:
    body = b'{"features": []}' + b" " * BODY_MAX
    assert client.post("/api/v1/imports/segments", content=body).status_code == 413
    known = client.post("/api/v1/imports/segments", content=body, headers={"Authorization": "Bearer tst_x"})
    assert known.status_code in {401, 422}
    assert client.post("/sign-in", content=b"x" * (LIMITS["/sign-in"] + 1)).status_code == 413


def test_half_a_head_is_answered_and_closed_in_time(address: str) -> None:
    for text in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: 1\r\n"):
        with guest(address) as connection:
            connection.sendall(text)
            answer = all_of(connection)
        assert answer == b"" or b" 408 " in answer.partition(b"\r\n")[0]


def test_a_head_that_comes_byte_by_byte_has_one_deadline(address: str) -> None:
    with guest(address) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(b"GET / HTTP/1.1\r\n")
        connection.settimeout(0.05)
        for _ in range(1000):
            connection.sendall(b"X")
            with contextlib.suppress(TimeoutError):
                assert b" 408 " in connection.recv(65_536)
                return
        pytest.fail("a byte now and then has kept the connection open")


def test_a_body_that_does_not_come_is_not_waited_for(address: str) -> None:
    for path in (b"/v1/reports/traffic", b"/api/v1/keys"):
        with guest(address) as connection:
            connection.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{" % path)
            assert all_of(connection) == b""


def test_a_thousand_half_requests_are_gone_and_others_are_served_meanwhile(address: str, client: httpx.Client) -> None:
    with contextlib.ExitStack() as stack:
        guests = [stack.enter_context(guest(address)) for _ in range(900)]
        for connection in guests:
            with contextlib.suppress(ConnectionError):  # the first may be late already
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert client.get("/static/street/street.js").status_code in {200, 404}
        for connection in guests:
            all_of(connection)


def test_whoever_leaves_in_the_middle_of_a_body_leaves_nothing_in_the_log(
    address: str, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ROUTES:
        with guest(address) as connection:
            connection.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{" % path.encode())
        with guest(address) as connection:  # and one that is sent away at the deadline
            connection.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{" % path.encode())
            all_of(connection)
    assert client.get("/healthz").status_code == 200
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_beyond_a_number_of_waits_the_address_with_most_of_them_loses_its_oldest_quarter(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedProtocol, "waiting_max", 20)
    for name in ("head_s", "body_s"):
        monkeypatch.setattr(BoundedProtocol, name, 60.0)
    url = httpx.URL(address)
    half = b"POST /v1/reports/traffic HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
    with contextlib.ExitStack() as stack:
        polite = stack.enter_context(
            socket.create_connection((url.host, url.port or 80), timeout=20, source_address=("127.0.0.9", 0))
        )
        polite.sendall(half)
        many = [stack.enter_context(guest(address)) for _ in range(60)]
        for connection in many[-15:]:
            connection.sendall(half)
        assert [all_of(connection) for connection in many[:40]] == [b""] * 40
        for connection in (polite, many[-1]):
            connection.sendall(b"123456789")
            assert b" 400 " in connection.recv(65_536).partition(b"\r\n")[0]


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(HEADERS_MAX + 2)) + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * (HEAD_BYTES_MAX + 100) + b"\r\n\r\n",
        b"GET /?q=" + b"a" * (HEAD_BYTES_MAX + 100) + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * (4 * HEAD_BYTES_MAX),
    ],
    ids=["many headers", "a huge header", "a huge address", "a header without an end"],
)
def test_a_head_that_is_too_long_is_refused(address: str, head: bytes) -> None:
    with guest(address) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(head)
        answer = all_of(connection)
    assert answer == b"" or b" 431 " in answer.partition(b"\r\n")[0]


def test_a_reader_that_does_not_read_is_let_go(address: str, connection: psycopg.Connection, segment: int) -> None:
    sensor = add_sensor(connection, "long-street", segment)
    add_reports(connection, plausible_days(sensor, NOON, NOON.replace(month=5)))
    with guest(address) as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        path = f"/api/v1/reports/file.csv?segments={segment}&bucket=quarter&from=2026-03-01&to=2026-05-01"
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 8)
        poll = select.poll()
        poll.register(reader, select.POLLHUP | select.POLLERR)
        assert poll.poll(20_000), "the server waits for ever for somebody who does not read"


def test_pipelined_requests_are_answered_in_their_order(address: str) -> None:
    with guest(address) as connection:
        connection.sendall(
            b"GET /nowhere-1 HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere-2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        answer = all_of(connection)
    assert answer.index(b"nowhere-1") < answer.index(b"nowhere-2")


def test_json_nested_without_end_is_refused(client: httpx.Client) -> None:
    for path in ("/api/v1/keys", "/v1/reports/traffic", "/v1/segments/area"):
        for text in ("[" * 60_000, '{"a":' * 10_000, "(" * 60_000):
            answer = client.post(path, content=text, headers={"Content-Type": "application/json"})
            assert 400 <= answer.status_code < 500, answer.text


def test_a_squeezed_body_is_not_unpacked(client: httpx.Client) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    answer = client.post("/v1/reports/traffic", content=bomb[:BODY_MAX], headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 400


def test_one_address_never_takes_the_last_place_for_files() -> None:
    async def tried() -> None:
        exporter = Exporter(exports_max=2, licence="CC0-1.0", attribution="")
        async with exporter.place("192.0.2.1"):
            with pytest.raises(ExportsBusyError, match="your address"):
                exporter.check_room("192.0.2.1")
            async with exporter.place("192.0.2.2"):
                with pytest.raises(ExportsBusyError, match="under way already"):
                    exporter.check_room("192.0.2.3")
        exporter.check_room("192.0.2.1")

    asyncio.run(tried())


def test_one_address_holds_a_part_of_the_live_streams_only() -> None:
    async def tried() -> None:
        settings = ApiSettings(live_streams_per_address=2)
        hub = LiveHub(database_of(settings), settings)
        async with hub.watch(1, "192.0.2.1"), hub.watch(1, "192.0.2.1"):
            with pytest.raises(TooManyStreamsError):
                hub.check_room("192.0.2.1")
            hub.check_room("192.0.2.2")

    asyncio.run(tried())


@pytest.mark.parametrize("state", ["53100", "53300", "57P03", "57P01", "57P02", "25006", "08006"])
def test_a_database_in_trouble_is_503_with_a_sentence_and_a_time(database: str, state: str) -> None:
    async def tried() -> None:
        store = database_of(ApiSettings(dsn=database))
        await store.open()
        try:
            with pytest.raises(UnavailableError, match="try again in a minute"):
                await store.execute(f"do $$ begin raise exception 'trouble' using errcode = '{state}'; end $$")
            assert await store.row("select 1 as n") == {"n": 1}  # and goes on by itself
        finally:
            await store.close()

    asyncio.run(tried())


def test_a_database_that_is_away_is_503_with_retry_after() -> None:
    settings = ApiSettings(dsn="postgresql://127.0.0.1:1/none", pool_wait_s=0.2)
    with served(settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        for path in ("/api/v1/segments", "/v1/segments", "/"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0


def test_https_is_remembered_also_behind_a_proxy_that_is_trusted(client: httpx.Client, settings: ApiSettings) -> None:
    forwarded = {"X-Forwarded-Proto": "https"}
    assert "strict-transport-security" not in client.get("/healthz").headers
    assert client.get("/healthz", headers=forwarded).headers["strict-transport-security"] == "max-age=31536000"
    stranger = msgspec.structs.replace(settings, trusted_proxies="192.0.2.1")
    with served(stranger) as address:
        assert "strict-transport-security" not in httpx.get(f"{address}/healthz", headers=forwarded, timeout=60).headers


def test_security_txt_names_a_contact_and_never_expires_silently(client: httpx.Client, settings: ApiSettings) -> None:
    answer = client.get("/.well-known/security.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"].startswith(("mailto:", "http"))
    left = datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC)
    assert 150 < left.days < 365
    with served(msgspec.structs.replace(settings, security_contact="mailto:safe@example.org")) as address:
        assert "Contact: mailto:safe@example.org\n" in httpx.get(f"{address}/.well-known/security.txt", timeout=60).text


def test_every_limit_belongs_to_an_address_that_there_is(client: httpx.Client) -> None:
    paths = json.loads(client.get("/api/v1/openapi.json").text)["paths"]
    assert {path for path in LIMITS if path.startswith("/api/")} <= set(paths)


def test_a_new_street_is_added_with_a_body_of_usual_length(
    client: httpx.Client, connection: psycopg.Connection
) -> None:
    assert add_segment(connection)
    assert (
        client.post(
            "/v1/reports/traffic", json={"id": 1, "time_start": "2026-03-01", "time_end": "2026-03-02"}
        ).status_code
        == 200
    )
