"""R7: with a full or read-only disk the device keeps counting and says so; the oldest goes first, the loss is recorded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.device.toys import LINE, NOON_S, ToyCore, ToyStreet
from tests.device.wires import Server, device_settings, quarters, server_of
from tests.harness.brokers import TestBroker
from tests.harness.disks import fill, small_disk

from telstraat_contract.messages import Health
from telstraat_device.delivery.outbox import Outbox, RetentionLimits
from telstraat_device.delivery.ranges import holds
from telstraat_device.quarters.clock import AnchoredClock
from telstraat_device.quarters.periods import SavedState
from telstraat_device.service import DeviceService

EVERY = 10


@pytest.fixture
def small_folder(reachable_folder: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    with small_disk(reachable_folder / "r7-disk", 1) as folder:
        yield folder


def has_alarm(server: Server, word: str) -> bool:
    """Tell whether the last health message has an alarm with a word in it."""
    health = [message for message in server.heard if isinstance(message, Health)]
    return bool(health) and any(word in alarm for alarm in health[-1].alarms)


def test_a_device_on_a_full_disk_counts_on_says_so_and_recovers(
    small_folder: Path, mosquitto: TestBroker, tmp_path: Path
) -> None:
    settings = device_settings(
        tmp_path,
        "r7",
        mosquitto.port,
        storage={"folder": str(small_folder), "save_s": 0.02},
        send={"health_s": 0.1, "flush_s": 30},
    )
    frames = 30_000
    service = DeviceService(
        settings, AnchoredClock(datetime.fromtimestamp(NOON_S, UTC)), line=LINE, make_counter=ToyCore
    )
    street = ToyStreet(frames, every=EVERY, pause_s=0.0002)
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(service.run(lambda: street)))
    with server_of(mosquitto, "r7") as server:
        thread.start()
        server.listen(lambda: len(server.reports) >= 3)
        ballast = fill(small_folder)
        server.listen(lambda: has_alarm(server, "storage takes nothing"), 30)
        counted = service.counters.crossings
        server.listen(lambda: service.counters.crossings > counted + 50)
        sent_when_full = max(server.seqs)
        assert service.outbox.current().last_seq >= sent_when_full, "only what is on the disk is sent"
        ballast.unlink()
        server.listen(lambda: not has_alarm(server, "storage") and max(server.seqs) > sent_when_full, 30)
        server.listen(lambda: not thread.is_alive() or answered(server), 90)
        thread.join(30)
    assert codes == [0]
    by_seq = {report.seq: report for report in server.reports}
    counts = [report.counts for report in by_seq.values()]
    crossed = sum(p.lft + p.rgt for c in counts for p in (c.pedestrian, c.bike, c.car, c.heavy))
    assert crossed == frames // EVERY
    assert sum(report.observed_s for report in by_seq.values()) == frames - 1


def answered(server: Server) -> bool:
    """Give a receipt for what has come, as ingest does; the device ends once it has all."""
    have, through = set(server.seqs), 0
    while through + 1 in have:
        through += 1
    server.receipt(through=through)
    return False


def test_on_a_small_disk_the_oldest_goes_first_and_the_loss_is_recorded(small_folder: Path) -> None:
    outbox = Outbox(small_folder, "r7", RetentionLimits(days=400, megabytes=50))
    outbox.begin()
    for number in range(1, 1801):
        outbox.save(SavedState(), quarters(number, number))
    stream = outbox.streams()[-1]
    waiting = {row.seq for row in outbox.waiting(5000)}
    assert len(waiting) > 200
    assert stream.lost[0][0] == 1, "the oldest went first"
    assert min(waiting) == stream.lost[-1][1] + 1
    assert all(holds(stream.lost, seq) != (seq in waiting) for seq in range(1, stream.last_seq + 1))
    in_memory = outbox.waiting_count() - len(waiting)
    assert stream.last_seq + in_memory == 1800, "nothing is gone that is not told"
    outbox.close()
    again = Outbox(small_folder, "r7")
    assert again.streams()[-1].lost == stream.lost
    again.close()
