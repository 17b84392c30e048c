"""Changes of rooms for any number of phones, through one listening connection per process.

`LISTEN telstraat_room` says which room has a new revision. What changed is read and written out once for everybody who was
up to date; who was away, or reads slowly, is sent what they lack from their own last revision, and holds up nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from telstraat_api.errors import TooManyStreamsError
from telstraat_api.web.workshops.room_shapes import framed_changes
from telstraat_store.connection import Database
from telstraat_store.errors import NoSuchRecordError, TelstraatStoreError
from telstraat_store.work.room_changes import RoomChanges, room_changes, room_revisions
from telstraat_store.work.rooms import CHANNEL, close_room, rooms_past_their_end

log = logging.getLogger("telstraat.api.rooms")
GATHERED_S = 0.1
"""What changes within this time is sent together."""

FRAMES_KEPT = 200
RETRY_S = 1.0
LOOK_EVERY_S = 5.0
FORGET_EVERY_S = 60.0
STREAMS_MAX = 3000
STREAMS_EACH = 4
READS_AT_ONCE = 4


@dataclass(frozen=True)
class RoomFrame:
    """What changed between two revisions, as it is sent: to participants and the screen, and to whoever leads."""

    since: int
    revision: int
    for_room: bytes
    for_lead: bytes


@dataclass(eq=False)
class RoomStream:
    """One browser that looks at a room. `who` is a participant or an account: each may hold a few."""

    room: WatchedRoom
    who: str
    is_lead: bool
    revision: int
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_participant(self) -> bool:
        """Tell whether it is the stream of a phone that takes part."""
        return self.who.startswith("p")


@dataclass(eq=False)
class WatchedRoom:
    """A room that somebody looks at: the newest revision heard of, and the newest that was written out."""

    workshop_id: int
    heard: int = 0
    revision: int = -1
    is_open: bool = True
    streams: set[RoomStream] = field(default_factory=set)
    frames: deque[RoomFrame] = field(default_factory=lambda: deque(maxlen=FRAMES_KEPT))
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class RoomHub:
    """Brings the changes of rooms to the browsers that look at them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.rooms: dict[int, WatchedRoom] = {}
        self.closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._reads = asyncio.Semaphore(READS_AT_ONCE)

    def start(self) -> None:
        """Begin to listen, to look, and to forget the people of rooms that have ended."""
        self._tasks = [asyncio.create_task(self._for_ever(job)) for job in (self._listen, self._look, self._forget)]

    def close(self) -> None:
        """Let every stream end, so that none holds up a server that stops."""
        self.closing = True
        for room in self.rooms.values():
            for stream in room.streams:
                stream.woken.set()

    async def stop(self) -> None:
        """Close, and end the tasks."""
        self.close()
        tasks = [*self._tasks, *(room.task for room in self.rooms.values() if room.task)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def is_over_for(self, stream: RoomStream) -> bool:
        """Tell whether a stream has to end: the server stops, or it is a participant's and the room is closed."""
        return self.closing or (stream.is_participant and not stream.room.is_open)

    @asynccontextmanager
    async def watch(self, workshop_id: int, who: str, since: int, *, is_lead: bool) -> AsyncIterator[RoomStream]:
        """Look at a room until left.

        Raises
        ------
        TooManyStreamsError
            No further browser may look, or none of this participant.
        """
        self.check_place(workshop_id, who)
        room = self.rooms.setdefault(workshop_id, WatchedRoom(workshop_id))
        stream = RoomStream(room, who, is_lead, since)
        room.streams.add(stream)
        if room.task is None:
            room.task = asyncio.create_task(self._for_ever(lambda: self._write_out(room)))
        room.woken.set()
        try:
            yield stream
        finally:
            room.streams.discard(stream)
            if not room.streams and room.task is not None:
                room.task.cancel()
                self.rooms.pop(workshop_id, None)

    def check_place(self, workshop_id: int, who: str) -> None:
        """Raise `TooManyStreamsError` when no further browser may look, or none of this participant."""
        if sum(len(room.streams) for room in self.rooms.values()) >= STREAMS_MAX:
            raise TooManyStreamsError(f"all {STREAMS_MAX} places are taken; try again later")
        room = self.rooms.get(workshop_id)
        if room is not None and sum(stream.who == who for stream in room.streams) >= STREAMS_EACH:
            raise TooManyStreamsError("this room is open in as many windows of yours as one may have; close one")

    async def frames(self, stream: RoomStream, wait_s: float) -> list[bytes]:
        """Return what a stream lacks, waiting for it; nothing after `wait_s`."""
        while not self.closing:
            stream.woken.clear()
            frames = await self._lacked(stream)
            if frames:
                return frames
            try:
                await asyncio.wait_for(stream.woken.wait(), wait_s)
            except TimeoutError:
                return []
        return []

    async def _lacked(self, stream: RoomStream) -> list[bytes]:
        room = stream.room
        if room.revision < 0 or stream.revision == room.revision:
            return []
        frames = [frame for frame in room.frames if frame.since >= stream.revision]
        if frames and frames[0].since == stream.revision:
            stream.revision = frames[-1].revision
            return [frame.for_lead if stream.is_lead else frame.for_room for frame in frames]
        since = stream.revision if stream.revision < room.revision else 0  # ahead of us: another room of that number
        try:
            changes = await self._read(room.workshop_id, since)
        except (psycopg.Error, TelstraatStoreError, OSError):
            await asyncio.sleep(RETRY_S)
            stream.woken.set()
            return []
        stream.revision = changes.revision
        return [framed_changes(changes, since, is_lead=stream.is_lead)]

    async def _read(self, workshop_id: int, since: int) -> RoomChanges:
        async with self._reads, self.database.connection() as connection:
            changes = await room_changes(connection, workshop_id, since)
        if changes is None:
            raise NoSuchRecordError(f"workshop {workshop_id} has no room")
        return changes

    def heard(self, payload: str) -> None:
        """Take a notification from the database: a room's number and its new revision."""
        number, _, revision = payload.partition(" ")
        room = self.rooms.get(int(number)) if number.isdigit() and revision.isdigit() else None
        if room is not None:
            room.heard = max(room.heard, int(revision))
            room.woken.set()

    async def _write_out(self, room: WatchedRoom) -> None:
        await room.woken.wait()
        room.woken.clear()
        if room.revision >= 0:
            if room.heard <= room.revision:
                return
            await asyncio.sleep(GATHERED_S)
        try:
            changes = await self._read(room.workshop_id, max(room.revision, 0))
        except (psycopg.Error, TelstraatStoreError, OSError):
            room.woken.set()
            raise
        if room.revision > 0 and changes.revision > room.revision:
            written = [framed_changes(changes, room.revision, is_lead=lead) for lead in (False, True)]
            room.frames.append(RoomFrame(room.revision, changes.revision, *written))
        room.revision = changes.revision
        room.is_open = room.is_open if changes.room is None else bool(changes.room["is_open"])
        for stream in room.streams:
            stream.woken.set()

    async def _for_ever(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while not self.closing:
            try:
                await job()
            except (psycopg.Error, TelstraatStoreError, OSError) as error:
                log.warning("rooms pause: %s", error)
                await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self.database.dsn, autocommit=True, application_name="telstraat api rooms"
        )
        async with connection:
            await connection.execute(f"listen {CHANNEL}")
            await self._look_once()  # what was told while nobody listened
            async for notification in connection.notifies():
                self.heard(notification.payload)

    async def _look(self) -> None:
        await asyncio.sleep(LOOK_EVERY_S)
        await self._look_once()

    async def _look_once(self) -> None:
        if self.rooms:
            async with self.database.connection() as connection:
                for number, revision in (await room_revisions(connection, list(self.rooms))).items():
                    self.heard(f"{number} {revision}")

    async def _forget(self) -> None:
        async with self.database.connection() as connection:
            for number in await rooms_past_their_end(connection):
                await close_room(connection, number)
        await asyncio.sleep(FORGET_EVERY_S)
