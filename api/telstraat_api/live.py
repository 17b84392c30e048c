"""Live counts for any number of browsers through one listening connection.

`LISTEN telstraat_live` brings the open quarters that ingest relays; while somebody watches a street, its sensors are
asked for them by `NOTIFY telstraat_watch`. New reports are noticed by `telstraat_report`, and by a look every few seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from telstraat_api.errors import ApiError, TooManyStreamsError
from telstraat_api.settings import ApiSettings
from telstraat_contract.errors import ContractError
from telstraat_contract.messages import Live, decode
from telstraat_contract.topics import Channel
from telstraat_store.connection import Database
from telstraat_store.errors import TelstraatStoreError
from telstraat_store.places.fleet import ask_for_live_counts, newest_arrivals

log = logging.getLogger("telstraat.api.live")
QUEUE_MAX = 50
RETRY_S = 2.0


@dataclass(frozen=True)
class Event:
    """What a browser is told: `live` with an open quarter, `report` when one was committed, `closing` at the end."""

    name: str
    live: Live | None = None
    sensor_id: int = 0
    at: datetime | None = None


@dataclass(eq=False)
class Stream:
    """One browser that watches one street."""

    segment_id: int
    asker: str = "?"  # address of the browser
    told_at: datetime | None = None  # the newest report that this browser knows of
    events: asyncio.Queue[Event] = field(default_factory=lambda: asyncio.Queue(QUEUE_MAX))

    def put(self, event: Event) -> None:
        """Hand an event over; a browser that does not keep up loses the oldest."""
        if self.events.full():
            with suppress(asyncio.QueueEmpty):
                self.events.get_nowait()
        self.events.put_nowait(event)


class LiveHub:
    """Brings the database's notifications to the browsers that watch."""

    def __init__(self, database: Database, settings: ApiSettings) -> None:
        self.database = database
        self.settings = settings
        self.streams: set[Stream] = set()
        self.sensors: dict[str, tuple[int, int]] = {}  # by name: number, and the watched segment each stands at
        self.latest: dict[int, dict[int, Live]] = {}  # by segment and sensor: the open quarter last heard of
        self.closing = False
        self.failures = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._woken = asyncio.Event()
        self._asked = asyncio.Event()

    def start(self) -> None:
        """Begin to listen, to ask and to look."""
        jobs = (self._listen, self._ask, self._look)
        self._tasks = [asyncio.create_task(self._for_ever(job), name=job.__name__) for job in jobs]

    def close(self) -> None:
        """Tell every browser that the server stops, so that no open stream holds it up."""
        self.closing = True
        for stream in self.streams:
            stream.put(Event("closing"))

    async def stop(self) -> None:
        """Close, and end the tasks."""
        self.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def check_room(self, asker: str) -> None:
        """Raise `TooManyStreamsError` when no further browser may watch, or none of that address."""
        if len(self.streams) >= self.settings.live_streams_max:
            raise TooManyStreamsError(f"all {self.settings.live_streams_max} live streams are taken; try again later")
        if sum(stream.asker == asker for stream in self.streams) >= self.settings.live_streams_per_address:
            raise TooManyStreamsError("your address holds as many live streams as one may; close one")

    @asynccontextmanager
    async def watch(self, segment_id: int, asker: str = "?") -> AsyncIterator[Stream]:
        """Watch a street until left."""
        stream = Stream(segment_id, asker)
        self.streams.add(stream)
        for sensor_id, live in self.latest.get(segment_id, {}).items():
            stream.put(Event("live", live, sensor_id))
        self._asked.set()
        try:
            yield stream
        finally:
            self.streams.discard(stream)
            if segment_id not in self.watched():
                self.latest.pop(segment_id, None)

    def watched(self) -> set[int]:
        """Return the segments that somebody watches."""
        return {stream.segment_id for stream in self.streams}

    def tell(self, segment_id: int, event: Event) -> None:
        """Hand an event to everybody who watches the segment."""
        for stream in self.streams:
            if stream.segment_id == segment_id:
                stream.put(event)

    def heard(self, channel: str, payload: str) -> None:
        """Take a notification from the database."""
        if channel != "telstraat_live":
            self._woken.set()
            return
        try:
            live: Live = decode(Channel.LIVE, payload.encode())
        except ContractError as error:
            log.warning("a live notification cannot be read: %s", error)
            return
        if live.sensor in self.sensors:
            sensor_id, segment_id = self.sensors[live.sensor]
            self.latest.setdefault(segment_id, {})[sensor_id] = live
            self.tell(segment_id, Event("live", live, sensor_id))

    async def _for_ever(self, job: object) -> None:
        while not self.closing:
            try:
                await job()  # type: ignore[operator]
            except (psycopg.Error, TelstraatStoreError, ApiError, OSError) as error:
                self.failures += 1
                log.warning("live counts pause: %s", error)
                await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self.database.dsn, autocommit=True, application_name="telstraat api live"
        )
        async with connection:
            await connection.execute("listen telstraat_live")
            await connection.execute("listen telstraat_report")
            async for notification in connection.notifies():
                self.heard(notification.channel, notification.payload)

    async def _ask(self) -> None:
        self._asked.clear()
        if watched := self.watched():
            async with self.database.connection() as connection:
                rows = await ask_for_live_counts(connection, watched)
            self.sensors = {row["name"]: (row["sensor_id"], row["segment_id"]) for row in rows}
        with suppress(TimeoutError):
            await asyncio.wait_for(self._asked.wait(), self.settings.watch_every_s)

    async def _look(self) -> None:
        self._woken.clear()
        if watched := self.watched():
            async with self.database.connection() as connection:
                newest = await newest_arrivals(connection, watched)
            for stream in self.streams:
                at = newest.get(stream.segment_id)
                if at is not None and at != stream.told_at:
                    stream.told_at = at
                    stream.put(Event("report", at=at))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), self.settings.poll_every_s)
        await asyncio.sleep(0.1)  # many reports committed together are one event
