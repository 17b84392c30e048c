"""Keeps the town going beside the pages: `python -m telstraat_demo.town.keeper FOLDER API_ADDRESS` (database and broker: environment).

Fills what is missing of the past, has it added up, lets the sensors count on as clients of the broker, and tells the story
through the API. It may be killed at any moment and started again: it goes on where it was.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo

import httpx
import psycopg

from telstraat_demo.errors import StackError
from telstraat_demo.town.clients import clients_of, sent_until
from telstraat_demo.town.fill import SUMS_SHARE, FillProgress, TownFiller, read_fill_progress, write_fill_progress
from telstraat_demo.town.history import Drawn
from telstraat_demo.town.life import TownLife
from telstraat_demo.town.people import NEIGHBOUR, VISITORS, key_of, settle_in
from telstraat_demo.town.plan import quarter
from telstraat_demo.town.story import Story
from telstraat_demo.town.workshop import hold_workshop
from telstraat_store.errors import TelstraatStoreError
from telstraat_store.places.claims import date_claim_back

BROKER_VARIABLE = "TELSTRAAT_DEMO_TOWN_BROKER"
DSN_VARIABLE = "TELSTRAAT_DEMO_TOWN_DSN"
RETRY_S = 5.0
TRIES = 5
LOOK_S = 0.5
log = logging.getLogger("telstraat.demo.town")


class Keeper:
    """One run over one town."""

    def __init__(self, folder: Path, api: str, dsn: str, broker: str) -> None:
        self.folder, self.api, self.dsn, self.broker = folder, api, dsn, broker
        self.life = TownLife.read(folder)
        self.filler = TownFiller(folder, self.life.plan, self.life.town, self.life.cast, self.life.watches)
        self.stopping = threading.Event()
        self.progress = read_fill_progress(folder)

    def run(self) -> int:
        """Keep the town until told to stop."""
        while not self.stopping.is_set():
            began_s = time.monotonic()
            until = quarter(datetime.now(UTC))
            ahead = self._filled(until)
            if ahead is None:
                continue
            log.info("%d quarters written in %.1f s", self.filler.quarters, time.monotonic() - began_s)
            clients = [(drawn, self.filler.since(drawn, until)) for drawn in ahead]
            sensors = clients_of(self.folder, self.broker, clients, until)
            del ahead, clients  # months of arrays
            sensors.start()
            try:
                # A thread that a stop does not wait for: what it was doing is done at the next start.
                threading.Thread(target=self._make_ready, args=(began_s,), name="story", daemon=True).start()
                while sensors.running and not self.stopping.wait(LOOK_S):
                    pass
            finally:
                sensors.stop()
                sensors.join()
        return 0

    def _filled(self, until: datetime) -> list[Drawn] | None:
        """Fill up to a moment and return what every watch sees from then on; None, after a pause, when the database fails."""
        try:
            return self.filler.fill(self.dsn, until, lambda sensor: sent_until(self.folder, sensor), self._note_reports)
        except (psycopg.OperationalError, OSError) as error:  # the database is away, or a disk is full
            log.warning("%s; once more in %g s", " ".join(str(error).split()), RETRY_S)
            self.stopping.wait(RETRY_S)
            return None

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """Let the sensors say good-bye, and end."""
        self.stopping.set()

    def _make_ready(self, began_s: float) -> None:
        """Have what was filled added up, and at the first start tell the story."""
        if not self.progress.stories:
            self._add_up_and_tell()
            log.info("the town is ready after %.1f s", time.monotonic() - began_s)
        elif self.filler.quarters:
            self._works(lambda: self.filler.add_up(self.dsn, self._note_sums))

    def _add_up_and_tell(self) -> None:
        """Tell the story, have hours and days added up, then have the plan evaluated from them."""
        with psycopg.connect(self.dsn) as connection:
            settle_in(connection)
            keys = {person.email: key_of(connection, person) for person in (*VISITORS, NEIGHBOUR)}
        life = self.life
        story = Story(self.api, keys, life.plan, life.cast, life.segments, life.town.timezone)
        try:
            is_whole = self._works(lambda: self._hold(story.tell(life.own_sensors())))
            self._date_claims_back()
            is_whole = self._works(lambda: self.filler.add_up(self.dsn, self._note_sums)) and is_whole
            self._note(1.0)
            is_whole = self._works(story.evaluate) and is_whole
        finally:
            story.close()
        if not is_whole:
            log.error("the story could not be told to its end: the next start tries again")
        self.progress = FillProgress(1.0, self.filler.quarters, stories=is_whole)
        write_fill_progress(self.folder, self.progress)

    def _date_claims_back(self) -> None:
        """Let the citizen's sensors be theirs since these began to count."""
        with psycopg.connect(self.dsn) as connection:
            for sensor in self.life.own_sensors().values():
                date_claim_back(connection, sensor, self.life.plan.first_moment)

    def _hold(self, workshop_id: int) -> None:
        """Have the workshop's room as its evening left it."""

        async def hold() -> None:
            life = self.life
            async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
                await hold_workshop(connection, workshop_id, life.segments, life.plan, ZoneInfo(life.town.timezone))

        asyncio.run(hold())

    def _works(self, step: Callable[[], None]) -> bool:
        """Do a step of the story, again while the pages are away for a moment; counts come without it, too."""
        for _ in range(TRIES):
            try:
                step()
            except (httpx.TransportError, StackError, TelstraatStoreError, psycopg.OperationalError) as error:
                log.warning("%s; once more in %g s", " ".join(str(error).split()), RETRY_S)
                if self.stopping.wait(RETRY_S):
                    break
            else:
                return True
        return False

    def _note_reports(self, share: float) -> None:
        if self.stopping.is_set():
            raise SystemExit
        self._note((1.0 - SUMS_SHARE) * share)

    def _note_sums(self, share: float) -> None:
        self._note(1.0 - SUMS_SHARE + SUMS_SHARE * share)

    def _note(self, share: float) -> None:
        if share > self.progress.share:
            self.progress = FillProgress(min(1.0, share), self.filler.quarters)
            write_fill_progress(self.folder, self.progress)


def main(argv: list[str]) -> int:
    """Keep the town of a folder."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    keeper = Keeper(Path(argv[0]), argv[1], os.environ[DSN_VARIABLE], os.environ[BROKER_VARIABLE])
    signal.signal(signal.SIGTERM, keeper.stop)
    return keeper.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
