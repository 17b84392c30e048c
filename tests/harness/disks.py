"""A disk of a few megabytes, for what happens when it is full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a file system of that size at `folder`; skips loudly where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={megabytes}m,mode=0711"
    tried = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "telstraat-test", str(folder)], capture_output=True)
    if tried.returncode != 0:
        pytest.skip(f"SMALL DISK NOT POSSIBLE: uid {os.getuid()} may not mount here ({tried.stderr.decode().strip()})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, leave_bytes: int = 0) -> Path:
    """Fill the disk under `folder` but for `leave_bytes`; remove the returned file to make room again."""
    ballast = folder / "ballast"
    state = os.statvfs(folder)
    with ballast.open("wb", buffering=0) as file:  # a buffer's rest would be written, and refused, on closing
        left = max(state.f_bavail * state.f_frsize - leave_bytes, 0)
        while left > 0:
            try:
                left -= file.write(b"\0" * min(left, 1 << 20))
            except OSError:
                break
    return ballast


def largest(folder: Path) -> list[tuple[int, str]]:
    """Return the ten largest files below `folder`, with their bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(((path.stat().st_size, str(path)) for path in files), reverse=True)[:10]
