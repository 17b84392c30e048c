"""Any order of closing, sending, losing, killing, copying and putting back an old copy: each quarter arrives, and counts once.

The server here is its rules and no more: a row is one (epoch, quarter), numbers that were heard of and have not come are wanted.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter, defaultdict
from itertools import count
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.device.toys import NOON_S, QUARTER_S

from telstraat_contract.messages import Receipt, Report, decode
from telstraat_contract.topics import Channel
from telstraat_device.delivery.outbox import Outbox, QueuedReport
from telstraat_device.delivery.ranges import joined
from telstraat_device.quarters.periods import SavedState
from telstraat_device.quarters.tally import Quarter, Tally

INFINITY = float("inf")
TALKS_MAX = 20


class Ingest:
    """What the server knows."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], Report] = {}
        self.had: dict[int, set[int]] = defaultdict(set)
        self.seen: Counter[int] = Counter()

    def hear(self, epoch: int, last_seq: int) -> Receipt:
        """Take a state, and answer."""
        self.seen[epoch] = max(self.seen[epoch], last_seq)
        return self.receipt(epoch)

    def take(self, row: QueuedReport) -> Receipt:
        """Take a report, and answer."""
        report: Report = decode(Channel.REPORT, row.payload)
        self.rows.setdefault((report.epoch, int(report.period_start.timestamp())), report)
        self.had[report.epoch].add(report.seq)
        return self.hear(report.epoch, report.seq)

    def receipt(self, epoch: int) -> Receipt:
        """Return what the sensor is told."""
        missing = set(range(1, self.seen[epoch] + 1)) - self.had[epoch]
        through = min(missing, default=self.seen[epoch] + 1) - 1
        return Receipt(epoch=epoch, through=through, seen=self.seen[epoch], want=joined((s, s) for s in missing))


class Device:
    """An outbox whose disk can be copied, and put back."""

    def __init__(self, folder: Path, ingest: Ingest) -> None:
        self.ingest = ingest
        self._folders = (folder / f"disk-{n}" for n in count())
        self._numbers = count()
        self._copy: tuple[Path, set[int]] | None = None
        self.on_disk: set[int] = set()
        self._start(next(self._folders))

    def _start(self, folder: Path) -> None:
        self.folder, self.outbox = folder, Outbox(folder, "elm-1")
        self.state, _, _ = self.outbox.begin()

    def close(self, many: int) -> None:
        """Close quarters that nobody has closed before."""
        starts = [NOON_S + next(self._numbers) * QUARTER_S for _ in range(many)]
        assert self.outbox.save(
            self.state, [Quarter(s, Tally({"car": (1, 0)}), s, s + 900.0, self.state.generation) for s in starts]
        )
        self.on_disk |= set(starts)

    def kill(self) -> None:
        """Go on from what lies on the disk."""
        after = next(self._folders)
        shutil.copytree(self.folder, after)
        self.outbox.close()
        self._start(after)

    def copy(self) -> None:
        """Copy the disk as it lies."""
        self._copy = next(self._folders), set(self.on_disk)
        shutil.copytree(self.folder, self._copy[0])

    def rolled_back(self) -> None:
        """Go on from the copy; what only this disk held is gone with it."""
        if self._copy is None:
            return
        self.outbox.close()
        after = next(self._folders)
        shutil.copytree(self._copy[0], after)
        self.on_disk = set(self._copy[1])
        self._start(after)

    def ask(self, *, answered: bool) -> None:
        """Tell the streams; the answer may be lost."""
        for stream in {s.epoch: s for s in (*self.outbox.unconfirmed(), self.outbox.current())}.values():
            receipt = self.ingest.hear(stream.epoch, stream.announced_seq)
            if answered:
                self.apply(receipt)

    def send(self, many: int, *, arrives: bool, answered: bool, newest: bool) -> None:
        """Send some reports; they or the answers may be lost."""
        rows = self.outbox.sendable(many, INFINITY, newest=newest)
        self.outbox.mark_sending(rows)
        for row in rows:
            receipt = self.ingest.take(row) if arrives else None
            if receipt is not None and answered:
                self.apply(receipt)

    def apply(self, receipt: Receipt) -> None:
        """Believe a receipt; what is closed after a copy was noticed gets a new epoch, as the service does it."""
        noticed = bool(self.outbox.rolled_back)
        self.outbox.apply_receipt(receipt, float(NOON_S))
        if self.outbox.rolled_back and not noticed:
            self.state = SavedState(generation=self.state.generation + 1)
            assert self.outbox.save(self.state)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("close"), st.integers(1, 5)),
        st.tuples(st.sampled_from(["send", "send newest", "send, lost", "send, answer lost"]), st.integers(1, 6)),
        st.tuples(st.sampled_from(["ask", "ask, answer lost", "kill", "copy", "put back", "put back"]), st.just(0)),
    ),
    min_size=8,
    max_size=40,
)
COPIED = [("close", 3), ("send", 2), ("copy", 0), ("close", 4), ("send", 9), ("put back", 0)]
"""How every example begins: with a copy whose next numbers are used up."""


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_is_put_back_every_quarter_arrives_and_counts_once(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        ingest = Ingest()
        device = Device(Path(name), ingest)
        for verb, many in COPIED + steps:
            if verb == "close":
                device.close(many)
            elif verb.startswith("send"):
                lost = verb == "send, lost"
                device.send(many, arrives=not lost, answered=verb != "send, answer lost", newest="newest" in verb)
            elif verb.startswith("ask"):
                device.ask(answered=verb == "ask")
            else:
                {"kill": device.kill, "copy": device.copy, "put back": device.rolled_back}[verb]()
        for _ in range(TALKS_MAX):
            device.ask(answered=True)
            device.send(100, arrives=True, answered=True, newest=False)
        assert device.outbox.waiting_count() == 0
        starts = Counter(start for _, start in ingest.rows)
        assert device.on_disk <= set(starts), "a quarter that the disk holds is lost"
        assert set(starts.values()) <= {1}, "a quarter counts twice"
        device.outbox.close()
