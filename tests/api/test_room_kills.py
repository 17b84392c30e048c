"""Server and database are killed while people write: what was confirmed is there once, in every phase, and is told to whoever comes back."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
from tests.api.people import browser, session_of
from tests.api.rooms import SCRIPT, code_of, join, lead, make_workshop, state_of
from tests.api.streets import add_segment

from telstraat_demo.stack.postgres import Postgres
from telstraat_store.schema.migrate import migrate


@pytest.fixture
def durable(reachable_folder: Path) -> Iterator[Postgres]:
    """A PostgreSQL that keeps its promises, of this test's own, to be killed."""
    server = Postgres(reachable_folder / "killed")
    server.start()
    server.create_database("rooms")
    migrate(server.dsn("rooms"))
    yield server
    server.forget()


class Api:
    """The API in a process of its own, which may be killed and started again on its port."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        env = {**os.environ, "TELSTRAAT_DSN": self.dsn, "TELSTRAAT_API_PORT": str(self.port)}
        code = "from telstraat_cli.main import main; import sys; sys.exit(main(['api']))"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout
        assert re.search(r"http://\S+", self.process.stdout.readline())

    def kill(self) -> None:
        """Kill it without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture
def api(durable: Postgres) -> Iterator[Api]:
    api = Api(durable.dsn("rooms"))
    yield api
    api.kill()


class Writer(threading.Thread):
    """A phone that writes notes, one after the other, each until it is confirmed."""

    def __init__(self, phone: httpx.Client, room: int, number: int, done: threading.Event) -> None:
        super().__init__()
        self.phone, self.room, self.number, self.done = phone, room, number, done
        self.confirmed: dict[int, str] = {}

    def run(self) -> None:
        """Write until done."""
        while not self.done.is_set():
            body = f"{self.number}: note {len(self.confirmed)}"
            data = {"kind": "observation", "body": body, "client_id": str(uuid4())}
            while True:
                try:
                    answer = self.phone.post(f"/workshops/{self.room}/notes", data=data, headers=SCRIPT)
                except httpx.HTTPError:
                    time.sleep(0.2)
                    continue
                if answer.status_code == 201:
                    self.confirmed[answer.json()["note"]["id"]] = body
                    break
                time.sleep(0.3)  # the database is away, or one writes faster than people type


def until(writers: list[Writer], more: int) -> None:
    """Wait until every phone has so many more notes confirmed."""
    before = [len(writer.confirmed) for writer in writers]
    while any(len(writer.confirmed) < old + more for writer, old in zip(writers, before, strict=True)):
        time.sleep(0.05)


def test_nothing_that_was_confirmed_is_lost_or_doubled_when_server_and_database_are_killed(
    api: Api, durable: Postgres
) -> None:
    with psycopg.connect(durable.dsn("rooms"), autocommit=True) as connection:
        streets = [add_segment(connection, "Schoolstraat")]
        session = session_of(connection, "professional", "leader@example.org")
    done = threading.Event()
    with browser(api.address, session) as leader:
        room = make_workshop(leader, streets)
        lead(leader, room, "phase", phase="collect")
        code = code_of(leader, room)
        phones = [browser(api.address) for _ in range(3)]
        for phone in phones:
            join(phone, code)
        known = state_of(phones[0], room)["revision"]
        writers = [Writer(phone, room, number, done) for number, phone in enumerate(phones)]
        for writer in writers:
            writer.start()
        until(writers, 1)
        api.kill()
        api.start()
        until(writers, 1)
        durable.kill()
        durable.start()
        until(writers, 1)
        done.set()
        for writer in writers:
            writer.join()
        state = state_of(leader, room)
        missed = state_of(phones[0], room, since=known)
        for phone in phones:
            phone.close()
    confirmed = {note: body for writer in writers for note, body in writer.confirmed.items()}
    assert {note["id"]: note["body"] for note in state["notes"]} == confirmed
    assert {note["id"] for note in missed["notes"]} == set(confirmed)
    assert state["room"]["phase"] == "collect"
