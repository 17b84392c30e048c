"""What a chaos run has to tell beside its verdict: what was hurt, and what ingesters and sensors counted until they were killed.

A process that is killed takes with it what it counted since it was last asked: such figures say "at least".
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from telstraat_demo.stack.ports import LOOPBACK
from telstraat_demo.stack.processes import SupervisedService
from telstraat_firmware_sim.chaos.schedule import Entry

ASK_EVERY_S = 0.5
PATIENCE_S = 0.3  # a paused ingester does not answer
INGESTER_FIGURES = ("received", "inserted", "duplicates", "receipts", "broker_connects", "database_failures")
SAMPLE = re.compile(rf"^telstraat_ingest_({'|'.join(INGESTER_FIGURES)})_total (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Figures:
    """The figures of a run."""

    faults: Mapping[str, int]
    """How often each kind of fault was carried out."""
    ingesters: Mapping[str, int]
    """Messages received, rows inserted, duplicates and so on; at least."""
    sensors: Mapping[str, int]
    """Reports sent, sent again, receipts and so on; at least."""


class IngesterFigures:
    """Asks the ingesters for their metrics again and again, from a thread of its own."""

    def __init__(self, ports: Mapping[str, int], services: Mapping[str, SupervisedService]) -> None:
        self._ports = ports
        self._services = services
        self._of_life: dict[tuple[str, int], dict[str, int]] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingester-figures", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def close(self) -> dict[str, int]:
        """Ask once more, end, and return the sums over all lives of all ingesters."""
        self._end.set()
        self._thread.join()
        self._ask_all()
        return summed(self._of_life.values())

    def _run(self) -> None:
        while not self._end.wait(ASK_EVERY_S):
            self._ask_all()

    def _ask_all(self) -> None:
        for name, port in self._ports.items():
            child = self._services[name].child
            if child is None or not child.running:
                continue
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._of_life[name, child.pid] = samples_of(port)


def samples_of(port: int) -> dict[str, int]:
    """Return what an ingester says."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    return {name: int(float(value)) for name, value in SAMPLE.findall(text)}


def sums_of_sensors(folder: Path) -> dict[str, int]:
    """Return the sums of what processes of sensors have left in files of a folder."""
    return summed(json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json"))


def summed(several: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add up figures by name."""
    total: Counter[str] = Counter()
    for figures in several:
        total.update(figures)
    return dict(total)


def faults_of(entries: Iterable[Entry]) -> dict[str, int]:
    """Count the faults that were really carried out, by kind."""
    return dict(
        sorted(
            Counter(
                e.what.removeprefix("do ") for e in entries if e.what.startswith("do ") and e.outcome == "ok"
            ).items()
        )
    )
