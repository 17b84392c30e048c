"""Where the demo keeps its things: one folder that belongs to it, used by one demo at a time, which `--clean` may remove."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from telstraat_demo.errors import StackError
from telstraat_demo.stack.postgres import Postgres

MARK = "telstraat-demo"
MARK_TEXT = "This folder belongs to telstraat demo; telstraat demo --clean removes it.\n"
NEEDED_BYTES = 400_000_000  # a fresh database takes 40 MB and its log 80 MB; the rest is room to work
TOWN_BYTES = 1_000_000_000  # 14 months of 24 streets take 300 MB and the log 260 MB
DATABASE = "database"


def default_folder(name: str = "demo") -> Path:
    """Return the folder for a user who names none."""
    if named := os.environ.get("XDG_DATA_HOME"):
        return Path(named) / "telstraat" / name
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "telstraat" / name
    return Path.home() / ".local" / "share" / "telstraat" / name


class Home:
    """The demo's folder, held for as long as the demo runs."""

    def __init__(self, folder: Path, needed_bytes: int = NEEDED_BYTES) -> None:
        self.folder = folder.expanduser().absolute()
        self.needed_bytes = needed_bytes
        self._lock: int | None = None

    def take(self) -> Self:
        """Make the folder the demo's, or say why not: somebody else's files, no permission, no room, in use."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not (self.folder / MARK).exists() and any(self.folder.iterdir()):
                raise StackError(f"{self.folder} holds other things: give the demo an empty or a new folder with --dir")
            self._hold()
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise StackError(f"{self.folder} cannot be used: {error.strerror}; name another with --dir") from error
        if free < self.needed_bytes:
            self.release()
            raise StackError(
                f"the disk of {self.folder} has {free // 1_000_000} MB left, the demo needs "
                f"{self.needed_bytes // 1_000_000} MB: make room, or name a folder on another disk with --dir"
            )
        return self

    def release(self) -> None:
        """Let another demo use the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def forget(self) -> bool:
        """Remove the folder and the database's; tell whether there was one. Never one that is not the demo's."""
        if not self.folder.exists():
            return False
        if not (self.folder / MARK).exists():
            raise StackError(f"{self.folder} is not a folder of the demo: it is left as it is")
        self._hold()
        if (self.folder / DATABASE).exists():
            Postgres(self.folder / DATABASE).forget()
        shutil.rmtree(self.folder)
        self.release()
        return True

    def _hold(self) -> None:
        handle = os.open(self.folder / MARK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise StackError(
                f"another demo runs in {self.folder}: stop that one first, or name another folder with --dir"
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, MARK_TEXT.encode())
        self._lock = handle

    def __enter__(self) -> Self:
        return self.take()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
