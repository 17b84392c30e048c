"""How set-up writes: whole or not at all, on the disk before anything counts on it, secrets for their owner alone."""

from __future__ import annotations

import os
from pathlib import Path

SECRET_MODE = 0o600
OPEN_MODE = 0o644


def write_whole(file: Path, text: str, mode: int = OPEN_MODE) -> None:
    """Write a file beside the old one and put it in its place; a power cut leaves the one or the other."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        os.fchmod(descriptor, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8", closefd=False) as out:
            out.write(text)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_secret(file: Path, text: str) -> None:
    """Write what only its owner may read."""
    write_whole(file, f"{text}\n", SECRET_MODE)
