"""A running `telstraat demo` of a test: its words, its processes by what they do, and its proof."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.harness.processes import alive, family, wait_until, wait_until_gone

from telstraat_demo.run.reconciliation import Difference, closed_reports, differences, stored_reports, waiting_reports

READY_S = 120.0
WORDS_OF = {
    "database": ("/bin/postgres -D",),
    "broker": ("mosquitto -c", "amqtt_broker"),
    "ingest": ("telstraat_cli ingest",),
    "api": ("telstraat_cli api", "telstraat_demo.pages.server"),
    "town": ("telstraat_demo.town.keeper",),
    "device": ("telstraat_demo.run.street_device", "telstraat_cli device"),
}


class Demo:
    """One run of the demo in a folder, stopped and looked for left-overs at the end."""

    def __init__(
        self, folder: Path, *words: str, env: dict[str, str] | None = None, before: tuple[str, ...] = ()
    ) -> None:
        self.folder = folder
        command = [*before, sys.executable, "-m", "telstraat_cli", "demo", "--dir", str(folder), "--no-browser", *words]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "COLUMNS": "300", "PYTHONUNBUFFERED": "1", **(env or {})},
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._seen: set[int] = set()

    @property
    def text(self) -> str:
        """Everything it has said."""
        return "".join(self.lines)

    def wait_for(self, words: str, wait_s: float = READY_S, times: int = 1) -> None:
        """Wait until it has said something, so many times."""
        wait_until(
            lambda: self.text.count(words) >= times or self.process.poll() is not None,
            wait_s,
            f"{words!r} {times} times in:\n{self.text}",
        )
        assert self.text.count(words) >= times, f"it ended without saying {words!r}:\n{self.text}"

    def ready(self) -> Self:
        """Wait until the page can be looked at."""
        self.wait_for("Ctrl-C stops everything")
        self._seen.update(family(self.process.pid))
        return self

    def pid_of(self, role: str) -> int:
        """Return the process that does something; also when it has just been started again."""
        results: list[int] = []

        def look() -> bool:
            results[:] = [
                pid for pid in family(self.process.pid) if any(word in words_of(pid) for word in WORDS_OF[role])
            ]
            return bool(results)

        wait_until(look, 30, f"a process of the {role}")
        self._seen.update(family(self.process.pid))
        return results[0]

    def dsn(self) -> str:
        """Return the address of its database."""
        port = (self.folder / "database" / "postgres.port").read_text().strip()
        return f"postgresql://telstraat@127.0.0.1:{port}/telstraat?passfile={self.folder}/database/postgres.pass"

    def outbox(self, sensor: str = "demo-street") -> Path:
        """Return the file in which its device keeps reports."""
        return self.folder / "devices" / sensor / "state" / "outbox.sqlite"

    def closed(self, sensor: str = "demo-street") -> int:
        """Return how many quarters its device has closed."""
        try:
            return len(closed_reports(self.outbox(sensor)))
        except sqlite3.OperationalError:  # not made yet
            return 0

    def proof(self, sensor: str = "demo-street", wait_s: float = 60.0) -> list[Difference]:
        """Wait until all closed reports have a receipt, then compare outbox and table."""
        wait_until(lambda: waiting_reports(self.outbox(sensor)) == 0, wait_s, "a receipt for every report")
        closed = closed_reports(self.outbox(sensor))  # before the table: what closes in between is not compared
        keys = {(report.epoch, report.seq) for report in closed}
        stored = [row for row in stored_reports(self.dsn(), sensor) if (row.epoch, row.seq) in keys]
        return differences(closed, stored)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Stop it as a person would and return its exit code; nothing may be left behind."""
        self._seen.update(family(self.process.pid))
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(60)
        self._reader.join()
        wait_until_gone(sorted(self._seen))
        return code

    def crash(self) -> None:
        """End it as a crash would; its children must end by themselves."""
        self._seen.update(family(self.process.pid))
        self.process.kill()
        self.process.wait()
        wait_until_gone(sorted(self._seen), 40)
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as words:
            self.lines.extend(iter(words.readline, ""))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join()


def words_of(pid: int) -> str:
    """Return the command line of a process, empty when it has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def left_over(folder: Path) -> list[int]:
    """Return the processes that have a folder in their command line."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if pid != os.getpid() and alive(pid) and str(folder) in words_of(pid)]
