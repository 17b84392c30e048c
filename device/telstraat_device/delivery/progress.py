"""How far the outbox has come, in a second small file: so that a damaged outbox can say what it has lost.

Two slots, written in turn, each in a block of its own: a torn write or a lost sector leaves the other. A third block holds a
copy of the outbox's first page, which says where its tables are: it is the same for years, and without it no table can be read.
"""

from __future__ import annotations

import contextlib
import logging
import os
import zlib
from pathlib import Path

import msgspec
from msgspec import Struct

FILE = "outbox.progress"
SLOT_BYTES = 4096
SLOTS = 2
HEADER = 8
SQLITE_HEADER = 100  # changes with every transaction; what follows does not
STREAMS_MAX = 48  # what fits into a slot
log = logging.getLogger(__name__)


class StreamProgress(Struct, array_like=True, frozen=True):
    """How far one stream is."""

    generation: int
    epoch: int
    last_seq: int
    through: int
    sent_seq: int


class OutboxProgress(Struct, frozen=True):
    """What was on the disk when a quarter was last closed, or a report sent."""

    sensor: str
    saves: int
    streams: tuple[StreamProgress, ...] = ()
    turn: int = 0


class ProgressFile:
    """The file; `read` gives the newest that is intact."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._turn: int | None = None

    def read(self) -> OutboxProgress | None:
        """Return the newest slot whose checksum is right, None where there is none."""
        content = b""
        with contextlib.suppress(OSError):
            content = self.path.read_bytes()
        slots = [slot_of(content[n * SLOT_BYTES : (n + 1) * SLOT_BYTES]) for n in range(SLOTS)]
        newest = max((slot for slot in slots if slot is not None), key=lambda slot: slot.turn, default=None)
        self._turn = newest.turn if newest else 0
        return newest

    def write(self, progress: OutboxProgress) -> None:
        """Write it into the slot that is not the newest; a disk that does not take it is told elsewhere."""
        if self._turn is None:
            self.read()
        turn = (self._turn or 0) + 1
        body = msgspec.json.encode(msgspec.structs.replace(progress, turn=turn))
        slot = (f"{zlib.crc32(body):08x}".encode() + body).ljust(SLOT_BYTES)
        if self._put(slot, turn % SLOTS * SLOT_BYTES):
            self._turn = turn

    def first_page(self) -> bytes:
        """Return the copy of the outbox's first page, empty where there is none."""
        with contextlib.suppress(OSError):
            return self.path.read_bytes()[SLOTS * SLOT_BYTES :]
        return b""

    def keep_first_page(self, outbox: Path) -> None:
        """Copy the outbox's first page when its tables are elsewhere than the copy says."""
        with contextlib.suppress(OSError), outbox.open("rb") as file:
            page = file.read(SLOT_BYTES)
            if len(page) == SLOT_BYTES and page[SQLITE_HEADER:] != self.first_page()[SQLITE_HEADER:]:
                self._put(page, SLOTS * SLOT_BYTES)

    def _put(self, block: bytes, at: int) -> bool:
        """Write a block, and have it on the disk; return whether it is."""
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                os.pwrite(file, block, at)
                os.fdatasync(file)
            finally:
                os.close(file)
        except OSError as error:
            log.warning("%s cannot be written: %s", self.path, error.strerror)
            return False
        return True


def slot_of(content: bytes) -> OutboxProgress | None:
    """Return what a slot says, None where it is not as it was written."""
    body = content[HEADER:].rstrip(b" ")
    if content[:HEADER] != f"{zlib.crc32(body):08x}".encode():
        return None
    try:
        return msgspec.json.decode(body, type=OutboxProgress)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def progress_of(sensor: str, saves: int, rows: list[tuple[int, ...]]) -> OutboxProgress:
    """Return how far the streams are, the current one last; those that ingest has committed whole are left out."""
    streams = [StreamProgress(*row) for row in rows]
    unsettled = [stream for stream in streams[:-1] if stream.through < stream.last_seq]
    return OutboxProgress(sensor, saves, tuple([*unsettled, *streams[-1:]][-STREAMS_MAX:]))
