"""A hall takes part in a workshop while others read pages: how long until everybody sees a note, and whether anything is lost.

    python -m bench.api.workshop [--participants 100] [--readers 50] [--seconds 300] [--kills]

Every participant is a client of its own with a stream of its own. In the first half they write notes, in the second they vote and
change their minds. What is measured of a note is the time from its confirmation to its arrival on each of the other streams. With
`--kills` the API is killed (SIGKILL) after a third and the database after two thirds; clients send again what was not confirmed.
At the end every confirmed note must be in the database once, every confirmed ballot must be the one that counts, and all of it
must be in what a screen that is loaded anew shows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import psycopg
from bench.api.throughput import memory_mb
from bench.store.questions import cpu_s

from telstraat_demo.stack.postgres import Postgres
from telstraat_store.accounts.secrets import hashed, new_secret
from telstraat_store.places import draw_segment
from telstraat_store.schema.migrate import migrate

LINES = [("Schoolstraat", [(4.70, 50.87), (4.702, 50.871)]), ("Kerksteeg", [(4.702, 50.871), (4.705, 50.872)])]
PATHS = ("/", "/street/{}", "/measures", "/workshops", "/api/v1/segments")
TRIES = 200
SCRIPT = {"accept": "application/json"}


@dataclass
class Hall:
    """What everybody has sent and seen."""

    address: str
    room: int
    confirmed: dict[int, float] = field(default_factory=dict)  # note: when its writer had the answer
    bodies: dict[int, str] = field(default_factory=dict)
    seen: dict[int, list[float]] = field(default_factory=dict)  # note: when it came on each stream
    ballots: dict[int, tuple[int, list[str]]] = field(default_factory=dict)  # participant: sequence and targets
    posts: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    again: int = 0
    failed: int = 0
    listening: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)  # everybody has joined and listens
    half: float = 0.0
    end: float = float("inf")


def start_api(dsn: str, port: int) -> subprocess.Popen[str]:
    """Start the API as users do, and wait until it listens."""
    env = {**os.environ, "TELSTRAAT_DSN": dsn, "TELSTRAAT_API_PORT": str(port), "TELSTRAAT_API_JOBS_AT_ONCE": "0"}
    code = "from telstraat_cli.main import main; import sys; sys.exit(main(['api']))"
    process = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    process.stdout.readline()
    return process


async def insist(hall: Hall, client: httpx.AsyncClient, path: str, data: dict[str, Any]) -> httpx.Response | None:
    """Send until there is an answer, as phones do; None when there was none in all tries."""
    for _ in range(TRIES):
        started = time.monotonic()
        try:
            answer = await client.post(path, data=data, headers=SCRIPT)
        except httpx.HTTPError:
            hall.again += 1
            await asyncio.sleep(0.3 + 0.4 * random.random())
            continue
        if answer.status_code in {429, 500, 502, 503}:
            hall.again += 1
            await asyncio.sleep(0.5 + 0.5 * random.random())
            continue
        hall.posts.append(time.monotonic() - started)
        return answer
    hall.failed += 1
    return None


async def listen(hall: Hall, client: httpx.AsyncClient) -> None:
    """Keep a stream open, and open it again where it left off."""
    revision = 0
    while time.monotonic() < hall.end:
        try:
            async with client.stream(
                "GET", f"/workshops/{hall.room}/events", params={"since": revision}, timeout=40
            ) as s:
                async for line in s.aiter_lines():
                    if line.startswith('data: {"rev'):
                        changes = json.loads(line[6:])
                        hall.listening += revision == 0
                        revision = changes["revision"]
                        now = time.monotonic()
                        if changes["since"]:
                            for note in changes.get("notes", ()):
                                hall.seen.setdefault(note["id"], []).append(now)
                    if time.monotonic() > hall.end:
                        return
        except httpx.HTTPError:
            await asyncio.sleep(0.3 + 0.7 * random.random())


async def take_part(hall: Hall, code: str, number: int) -> None:
    """Join, write notes in the first half, vote in the second."""
    headers = {"origin": hall.address}
    async with httpx.AsyncClient(base_url=hall.address, headers=headers, timeout=20) as client:
        page = await client.get(f"/join/{code}")
        once = re.findall(r'name="once" value="([^"]+)"', page.text)[0]
        await client.post(f"/join/{code}", data={"first_name": f"P{number}", "once": once})
        listening = asyncio.create_task(listen(hall, client))
        await hall.ready.wait()
        await asyncio.sleep(20 * random.random())
        while time.monotonic() < hall.half - 3:
            body = f"Participant {number} sees something at {time.time():.2f}"
            data = {"client_id": str(uuid4()), "kind": "observation", "body": body}
            answer = await insist(hall, client, f"/workshops/{hall.room}/notes", data)
            if answer is not None and answer.status_code == 201:
                note = answer.json()["note"]["id"]
                hall.confirmed[note], hall.bodies[note] = time.monotonic(), body
            elif answer is not None:
                hall.failed += 1
            await asyncio.sleep(15 + 10 * random.random())
        await asyncio.sleep(max(0.0, hall.half + 2 - time.monotonic()))
        sequence, notes = 0, sorted(hall.confirmed)
        while time.monotonic() < hall.end - 4 and notes:
            sequence += 1
            targets = [f"n{note}" for note in random.sample(notes, min(3, len(notes)))]
            answer = await insist(
                hall, client, f"/workshops/{hall.room}/ballot", {"sequence": sequence, "vote": targets}
            )
            if answer is not None and answer.status_code == 200:
                hall.ballots[number] = (sequence, sorted(answer.json()["ballot"]))
                assert hall.ballots[number][1] == sorted(targets)
            else:
                hall.failed += 1
            await asyncio.sleep(8 + 8 * random.random())
        await listening


async def read(hall: Hall, segment: int) -> None:
    """Read other pages, one every two seconds."""
    async with httpx.AsyncClient(base_url=hall.address, timeout=20) as client:
        while time.monotonic() < hall.end:
            started = time.monotonic()
            try:
                await client.get(random.choice(PATHS).format(segment), headers={"accept": "text/html"})
                hall.reads.append(time.monotonic() - started)
            except httpx.HTTPError:
                hall.again += 1
            await asyncio.sleep(1 + 2 * random.random())


class Kills:
    """The processes of a run: the database's cluster and the API, which may be killed and started again."""

    def __init__(self, server: Postgres, dsn: str) -> None:
        self.server = server
        self.dsn = dsn
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.api = start_api(dsn, self.port)
        # The kernel ends a database with the thread that started it: this one stays until the end.
        self.hand = ThreadPoolExecutor(1)

    async def kill(self, which: Callable[[], None]) -> None:
        """Kill one of them while the hall goes on."""
        await asyncio.get_running_loop().run_in_executor(self.hand, which)

    def kill_api(self) -> None:
        """Kill the API and start another one."""
        self.api.send_signal(signal.SIGKILL)
        self.api.wait()
        self.api = start_api(self.dsn, self.port)

    def kill_database(self) -> None:
        """Kill the database and start it again."""
        self.server.kill()
        self.server.start()


async def run(
    kills: Kills, segments: list[int], session: str, args: argparse.Namespace
) -> tuple[Hall, dict[str, float]]:
    """Run the hall and return what it saw, and what the API used."""
    address = f"http://127.0.0.1:{kills.port}"
    leader = httpx.AsyncClient(
        base_url=address, cookies={"telstraat_session": session}, headers={"origin": address}, timeout=20
    )
    new = {"title": "A hall", "question": "Where do the cars go?", "street": [str(n) for n in segments]}
    made_at = await leader.post("/workshops/new", data=new)
    room = int(re.findall(r"/workshops/(\d+)/", made_at.headers["location"])[0])
    screen = (await leader.get(f"/workshops/{room}/screen")).text
    code = "".join(re.findall(r"data-code>([A-Z0-9]{5}) ([A-Z0-9]{5})<", screen)[0])
    hall = Hall(address, room)
    await insist(hall, leader, f"/workshops/{room}/lead", {"do": "phase", "phase": "collect"})
    tasks = [asyncio.create_task(take_part(hall, code, n)) for n in range(args.participants)]
    while hall.listening < args.participants:
        await asyncio.sleep(0.2)
    begin = time.monotonic()
    hall.half, hall.end = begin + args.seconds / 2, begin + args.seconds
    hall.ready.set()
    before = cpu_s(kills.api.pid)
    tasks += [asyncio.create_task(read(hall, segments[0])) for _ in range(args.readers)]
    most = 0.0

    async def watch_memory() -> None:
        nonlocal most
        while time.monotonic() < hall.end:
            with suppress(OSError):  # just killed
                most = max(most, memory_mb(kills.api.pid))
            await asyncio.sleep(1)

    watching = asyncio.create_task(watch_memory())
    if args.kills:
        await asyncio.sleep(begin + args.seconds / 3 - time.monotonic())
        await kills.kill(kills.kill_api)
        before = 0.0
    await asyncio.sleep(hall.half - time.monotonic())
    await insist(hall, leader, f"/workshops/{room}/lead", {"do": "phase", "phase": "vote"})
    if args.kills:
        await asyncio.sleep(begin + args.seconds * 2 / 3 - time.monotonic())
        await kills.kill(kills.kill_database)
    for task in tasks:
        await task
    await watching
    used = cpu_s(kills.api.pid) - before
    await asyncio.sleep(1)
    screen = (await leader.get(f"/workshops/{room}/screen")).text
    await leader.aclose()
    on_screen = {int(n) for n in re.findall(r'"id":(\d+),"kind":"observation"', screen)}
    return hall, {
        "memory_mb": most,
        "cpu_share": used / args.seconds,
        "not_on_screen": len(set(hall.confirmed) - on_screen),
    }


def lost(hall: Hall, dsn: str) -> dict[str, int]:
    """Return what was confirmed and is not in the database, or there twice."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select note_id, body from workshop_note where workshop_id = %s", (hall.room,)
        ).fetchall()
        cast = connection.execute(
            "select p.first_name, array_agg('n' || v.note_id order by 'n' || v.note_id) from workshop_vote v"
            " join workshop_participant p using (participant_id) where p.workshop_id = %s group by 1",
            (hall.room,),
        ).fetchall()
        tallies = connection.execute(
            "select count(*) from workshop_note n where workshop_id = %s"
            " and votes <> (select count(*) from workshop_vote v where v.note_id = n.note_id)",
            (hall.room,),
        ).fetchone()
    stored: dict[int, str] = dict(rows)
    counted = {int(name.removeprefix("P")): sorted(targets) for name, targets in cast}
    return {
        "notes lost": sum(stored.get(note) != body for note, body in hall.bodies.items()),
        "notes doubled": len(rows) - len({body for _, body in rows}),
        "ballots lost": sum(counted.get(number) != targets for number, (_, targets) in hall.ballots.items()),
        "wrong tallies": tallies[0] if tallies else -1,
    }


def told_of(hall: Hall, used: dict[str, float], losses: dict[str, int], args: argparse.Namespace) -> list[str]:
    """Return the table."""
    waits = [max(0.0, at - confirmed) for note, confirmed in hall.confirmed.items() for at in hall.seen.get(note, ())]
    everywhere = sum(len(hall.seen.get(note, ())) >= args.participants for note in hall.confirmed)

    def times(values: list[float]) -> str:
        low, high, top = (1000 * float(v) for v in (*np.percentile(values or [0], [50, 95]), max(values, default=0)))
        return f"{low:,.0f} / {high:,.0f} / {top:,.0f}"

    rows = {
        "from confirmation to the others' screens, p50 / p95 / longest, ms": times(waits),
        "a note's or ballot's answer, ms": times(hall.posts),
        "a reader's page, ms": times(hall.reads),
        "notes confirmed; of them on every stream": f"{len(hall.confirmed):,}; {everywhere:,}",
        "ballots that stand at the end": f"{len(hall.ballots):,}",
        "sent again after no answer; failed": f"{hall.again:,}; {hall.failed:,}",
        **{name: str(count) for name, count in losses.items()},
        "not on a screen that is loaded anew": f"{used['not_on_screen']:.0f}",
        "the API's memory at most, MB": f"{used['memory_mb']:.0f}",
        "the API's share of a core": f"{100 * used['cpu_share']:.0f} %",
    }
    head = f"{args.participants} participants, {args.readers} readers, {args.seconds} s"
    kills = ", API and database killed" if args.kills else ""
    return [f"| {head}{kills} | |", "| --- | ---: |", *(f"| {name} | {value} |" for name, value in rows.items())]


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--participants", type=int, default=100)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--kills", action="store_true")
    parser.add_argument("--pg-bin", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        server = Postgres(Path(folder) / "postgres", bin_dir=args.pg_bin)
        server.start()
        try:
            server.create_database("bench")
            dsn = server.dsn("bench")
            migrate(dsn)
            with psycopg.connect(dsn, autocommit=True) as connection:
                segments = [draw_segment(connection, name, line) for name, line in LINES]
                session = new_secret("tss_")
                account = "insert into account (email, role) values ('leader@example.org', 'professional') returning account_id"
                row = connection.execute(account).fetchone()
                assert row
                connection.execute(
                    "insert into browser_session (account_id, hash, expires_at) values (%s, %s, %s)",
                    (row[0], hashed(session), datetime(2199, 1, 1, tzinfo=UTC)),
                )
            kills = Kills(server, dsn)
            try:
                hall, used = asyncio.run(run(kills, segments, session, args))
                losses = lost(hall, dsn)
            finally:
                kills.api.terminate()
                kills.api.wait()
        finally:
            server.forget()
    print("\n".join(told_of(hall, used, losses, args)))
    sys.exit(1 if any(losses.values()) or used["not_on_screen"] else 0)


if __name__ == "__main__":
    main()
