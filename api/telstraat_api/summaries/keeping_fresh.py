"""Makes summaries that are due while the service runs: some streets, then a rest that is longer than the work."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from datetime import UTC, datetime

import psycopg

from telstraat_api.settings import ApiSettings
from telstraat_api.summaries.day_kinds import kinds_of_days
from telstraat_store.summaries.refreshing import refresh_some

log = logging.getLogger("telstraat.api")
REST = 4
"""So many times as long as the work takes: a fifth of one core at most, some minutes after midnight."""


class SummaryKeeper:
    """The task of one service; several services take turns by a lock of the database."""

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for summaries that are due, unless the settings say never."""
        if self.settings.summaries_every_s:
            self.task = asyncio.create_task(self.keep())

    async def stop(self) -> None:
        """End; what was being made is made at the next start."""
        if self.task is not None:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task

    async def keep(self) -> None:
        """Look again and again; a database that is away is looked at later."""
        while True:
            await asyncio.sleep(self.settings.summaries_every_s)
            try:
                while True:
                    began_s = time.monotonic()
                    if not await asyncio.to_thread(self.make_some):
                        break
                    await asyncio.sleep(REST * (time.monotonic() - began_s))
            except psycopg.Error as error:
                log.debug("summaries: %s", error)

    def make_some(self) -> int:
        """Make some summaries on a connection of its own and return how many."""
        with psycopg.connect(
            self.settings.dsn, autocommit=True, connect_timeout=5, application_name="telstraat summaries",
            options="-c jit=off -c timezone=UTC",
        ) as connection:  # fmt: skip
            return refresh_some(connection, kinds_of_days, datetime.now(UTC))
