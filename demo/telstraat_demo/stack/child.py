"""One child process: started so that it dies with its owner, its output in a log file of limited size, stopped in steps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from telstraat_demo.stack.account import Account

LAUNCH = Path(__file__).with_name("launch.py")
LOG_MAX_BYTES = 5_000_000
STOP_S = 10.0
KILL_S = 5.0


FOR_REAL_SERVICES = ("TELSTRAAT_DEVICE_", "TELSTRAAT_DSN", "TELSTRAAT_INGEST_DSN", "TELSTRAAT_API_DSN")
"""Variables that name a real broker or database begin so: what is started here must never reach those."""


def environment() -> dict[str, str]:
    """Return our environment without what is meant for real services."""
    return {name: text for name, text in os.environ.items() if not name.upper().startswith(FOR_REAL_SERVICES)}


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to start: its name for people, its words, and how it wants to end."""

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    stop_s: float = STOP_S
    cwd: Path | None = None


class Child:
    """A running program. Start it from a thread that stays: the kernel takes the end of that thread for the owner's."""

    def __init__(self, program: Program) -> None:
        self.program = program
        rotate(program.log)
        program.log.parent.mkdir(parents=True, exist_ok=True)
        self._log_from = program.log.stat().st_size if program.log.exists() else 0
        user = f"{program.account.uid}:{program.account.gid}" if program.account else "-"
        words = [
            *(sys.executable, "-I", "-S", str(LAUNCH)),
            *(str(os.getpid()), str(int(program.orphan_signal)), user, "--", *program.argv),
        ]
        with program.log.open("ab") as log:
            self.process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**environment(), **program.env},
                cwd=program.cwd,
                start_new_session=True,  # Ctrl-C reaches the owner alone, which stops its children in order
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal, None while it runs."""
        return self.process.poll()

    def how_it_ended(self) -> str:
        """Say in words how it ended."""
        code = self.process.poll()
        if code is None:
            return "still runs"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def stop(self) -> None:
        """Ask it to end, then insist."""
        if self.running:
            self.process.send_signal(self.program.stop_signal)
        try:
            self.process.wait(self.program.stop_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, without asking."""
        if self.running:
            self.process.kill()
        self.process.wait(KILL_S)

    def last_words(self, lines: int = 12) -> str:
        """Return the end of what it has written since it was started."""
        if not self.program.log.exists():
            return ""
        with self.program.log.open("rb") as log:
            log.seek(min(self._log_from, self.program.log.stat().st_size))
            tail = deque(log, maxlen=lines)
        return b"".join(tail).decode("utf-8", "replace").strip()


def rotate(log: Path, max_bytes: int = LOG_MAX_BYTES) -> None:
    """Put a log that has grown too long aside and go on in the same, emptied file: its writer keeps it open."""
    if not log.exists() or log.stat().st_size <= max_bytes:
        return
    log.with_suffix(log.suffix + ".1").write_bytes(log.read_bytes())
    os.truncate(log, 0)
