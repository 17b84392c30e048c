"""Rooms for tests: a workshop with its room, somebody who leads it, and phones that take part."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx

SCRIPT = {"accept": "application/json"}
NEW = {"title": "School street", "question": "Where do the cars go?", "place": "Library", "held_day": "2026-05-04"}


def make_workshop(leader: httpx.Client, streets: list[int], **fields: Any) -> int:
    """Make a workshop by its form and return its number."""
    answer = leader.post("/workshops/new", data={**NEW, "street": [str(n) for n in streets], **fields})
    assert answer.status_code == 303, answer.text
    return int(re.findall(r"/workshops/(\d+)/lead", answer.headers["location"])[0])


def lead(leader: httpx.Client, room: int, do: str, **fields: Any) -> httpx.Response:
    """Do something as whoever leads."""
    return leader.post(f"/workshops/{room}/lead", data={"do": do, **fields}, headers=SCRIPT)


def code_of(leader: httpx.Client, room: int) -> str:
    """Return the code that stands on the wall."""
    text = leader.get(f"/workshops/{room}/screen").text
    codes = re.findall(r"data-code>([A-Z0-9]{5}) ([A-Z0-9]{5})<", text)
    return "".join(codes[0])


def join(phone: httpx.Client, code: str, name: str = "") -> httpx.Response:
    """Take part as people do: read the page, send its form."""
    page = phone.get(f"/join/{code}")
    once = re.findall(r'name="once" value="([^"]+)"', page.text)
    return phone.post(f"/join/{code}", data={"first_name": name, "once": once[0] if once else ""})


def write(phone: httpx.Client, room: int, body: str, client_id: str | None = None, **fields: Any) -> httpx.Response:
    """Write a note as a phone's script does."""
    data = {"kind": "observation", "body": body, "client_id": client_id or str(uuid4()), **fields}
    return phone.post(f"/workshops/{room}/notes", data=data, headers=SCRIPT)


def state_of(client: httpx.Client, room: int, since: int = 0, *, leads: bool = False) -> dict[str, Any]:
    """Return the state of a room, or what changed in it."""
    answer = client.get(f"/workshops/{room}/state", params={"since": since, **({"lead": "true"} if leads else {})})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


@contextmanager
def listening(client: httpx.Client, room: int, **params: Any) -> Iterator[Iterator[dict[str, Any]]]:
    """Listen to a room's stream: yields what changes, beats left out."""
    headers = params.pop("headers", {})
    with client.stream("GET", f"/workshops/{room}/events", params=params, headers=headers, timeout=30) as answer:
        assert answer.status_code == 200
        yield changes_in(answer.iter_lines())


def changes_in(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Yield the changes that a stream tells."""
    for line in lines:
        if line.startswith("data: ") and len(line) > len("data: {}"):
            yield json.loads(line.removeprefix("data: "))
