"""Messages that the database fails on one by one, for no reason known to be theirs: all of them, or only these."""

from __future__ import annotations

import psycopg

from telstraat_ingest.writing.batch import Batch

_TOPICS_MAX = 5
"""So many sensors in a row without a success are everybody: it is not tried on with the thousands that may follow."""


class Singles:
    """What came of the messages of one batch, by kind: what is asked is whether the database takes any of the kind."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._failed: list[tuple[Batch, psycopg.Error]] = []

    def took(self, batch: Batch) -> None:
        """Note that a part of the batch is committed."""
        self._taken |= kinds_of(batch)

    def failed(self, batch: Batch, error: psycopg.Error) -> None:
        """Note a message that the database fails on; raise the error where it seems to fail on all."""
        self._failed.append((batch, error))
        topics = {single.arrivals[0].topic for single, _ in self._failed}
        if len(topics) >= _TOPICS_MAX and not kinds_of(batch) <= self._taken:
            raise error

    def left_out(self) -> list[tuple[Batch, psycopg.Error]]:
        """Return the messages that are singled out; raise where no other of the same kind was taken: then all have to wait."""
        for batch, error in self._failed:
            if not kinds_of(batch) <= self._taken:
                raise error
        return self._failed


def kinds_of(batch: Batch) -> set[str]:
    """Return which tables a batch goes to: that of reports, those of the sensors' words, quarantine."""
    kinds = {
        "report": batch.reports,
        "word": batch.health or batch.status,
        "live": batch.live,
        "quarantine": batch.rejected,
    }
    return {kind for kind, messages in kinds.items() if messages}
