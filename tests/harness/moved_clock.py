"""The wall clock of processes, moved: the library that they load, and the file that says by how much.

libfaketime 0.9.10 cannot do it: with its monotonic clock a wait of threads never ends (`sem_clockwait` is not its own), without
it `time.sleep` fails. This moves the wall clock alone, in Python, PostgreSQL, Mosquitto, SQLite, OpenSSL and Chromium alike.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

VARIABLE = "TELSTRAAT_MOVED_CLOCK"
SOURCE = Path(__file__).with_suffix(".c")
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
NOT_HERE = "" if COMPILER else "NO C COMPILER: NO TEST RUNS WITH A MOVED CLOCK (apt install gcc libc6-dev)"


_OWN = os.environ.get(VARIABLE)  # of this process, as it was started


def moved_ns() -> int:
    """Return by how much the clock of this process is moved."""
    return int(struct.unpack("q", Path(_OWN).read_bytes())[0]) if _OWN else 0


class MovedClock:
    """A clock of its own for every process that gets `environment`, in a folder that all their accounts can enter.

    Raises
    ------
    subprocess.CalledProcessError
        The library does not compile here.
    """

    def __init__(self, folder: Path) -> None:
        library, self._file = folder / "moved_clock.so", folder / "moved_ns"
        assert COMPILER, NOT_HERE
        subprocess.run([COMPILER, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"], check=True)
        self._file.write_bytes(struct.pack("q", 0))
        self._file.chmod(0o644)
        # Of two libraries the first would move what the second has moved: this one stands alone.
        self.environment = {"LD_PRELOAD": str(library), VARIABLE: str(self._file)}

    def set(self, moment: datetime) -> None:
        """Let it be `moment` now, and go on from there; also for processes that run already."""
        real_ns = time.time_ns() - moved_ns()
        by_ns = int(moment.astimezone(UTC).timestamp()) * 10**9 - real_ns
        with self._file.open("r+b") as file:  # in its place: the processes have it mapped
            file.write(struct.pack("q", by_ns))
