"""Rounds of letters beside the API: what is due is noted and handed over, again and again for as long as the service runs.

Any number of processes may go their rounds at once: a letter is one row in the database, and is marked as handed over before the
mail server is spoken to. Should a process be killed in between, that letter is not sent again: its reader rather misses one than
gets two.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import psycopg

from telstraat_api.errors import ApiError
from telstraat_api.settings import ApiSettings
from telstraat_store.connection import Database
from telstraat_store.errors import TelstraatStoreError

log = logging.getLogger("telstraat.api")


class LetterRounds:
    """Goes one kind of round, and rests `every_s` seconds after each."""

    def __init__(
        self,
        name: str,
        go: Callable[[Database, ApiSettings, datetime], Awaitable[object]],
        every_s: float,
        database: Database,
        settings: ApiSettings,
    ) -> None:
        self.name = name
        self.go = go
        self.every_s = every_s
        self.database = database
        self.settings = settings
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, where this site sends mail at all."""
        if self.settings.mail_host:
            self.task = asyncio.create_task(self._rounds(), name=self.name)

    async def stop(self) -> None:
        """End; a letter that is under way may go."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def _rounds(self) -> None:
        while True:
            try:
                await self.go(self.database, self.settings, datetime.now(UTC))
            except (psycopg.Error, TelstraatStoreError, ApiError, OSError) as error:
                log.warning("%s wait: %s", self.name, type(error).__name__)
            await asyncio.sleep(self.every_s)
