"""R16: a storage that was put back to an older copy, its numbers used up meanwhile, loses nothing and doubles nothing.

A device's state folder is copied; the device goes on, and all that it closes is committed. Then the copy takes the folder's
place, quarters are closed without a connection, and the device comes back: the table is what was closed before and since.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest
from tests.device.wires import Wire, device_settings, wire
from tests.harness.brokers import TestBroker
from tests.harness.moments import DAY, yesterday
from tests.harness.processes import wait_until
from tests.harness.truth_keeper import TruthKeeper
from tests.ingest.sending import Ingest

from telstraat_contract.messages import Report
from telstraat_contract.quarters import QUARTER
from telstraat_demo.run.reconciliation import closed_reports
from telstraat_device.delivery.outbox import Outbox
from telstraat_device.delivery.outbox_file import FILE
from telstraat_device.quarters.periods import SavedState
from telstraat_device.quarters.tally import Quarter, Tally
from telstraat_device.settings import Settings
from telstraat_store import places

COPIED, USED_UP = 10, 20


def quarters(first: int, last: int, cars: int = 1) -> list[Quarter]:
    """Return closed quarters of the last days by number."""
    begin = yesterday() - DAY
    numbers = range(first, last + 1)
    starts = [int((begin + n * QUARTER).timestamp()) for n in numbers]
    return [Quarter(s, Tally({"car": (n, cars)}, observed_s=float(n))) for n, s in zip(numbers, starts, strict=True)]


def all_arrive(w: Wire) -> None:
    wait_until(lambda: w.outbox.waiting_count() == 0, 60, "every receipt")


def closed(settings: Settings) -> list[Report]:
    return closed_reports(Path(settings.storage.folder) / FILE)


def live_on_and_put_the_copy_back(settings: Settings, tmp_path: Path) -> list[Report]:
    """Close and commit quarters, some after the copy was made; return all of them, the copy in the folder's place."""
    state = Path(settings.storage.folder)
    with wire(settings, now_s=time.time()) as w:
        w.outbox.save(SavedState(), quarters(1, COPIED))
        all_arrive(w)
        shutil.copytree(state, tmp_path / "copy")
        w.outbox.save(SavedState(), quarters(COPIED + 1, USED_UP))
        all_arrive(w)
    before = closed(settings)
    shutil.rmtree(state)
    (tmp_path / "copy").rename(state)
    return before


def close_without_a_connection(settings: Settings, *several: Sequence[Quarter]) -> None:
    """Close quarters while nobody is connected, each time in a run of its own."""
    for closing in several:
        outbox = Outbox(Path(settings.storage.folder), settings.sensor.name)
        state, _, _ = outbox.begin()
        assert outbox.save(state, closing)
        outbox.close()


def entered(database: str, broker: TestBroker, sensor: str, tmp_path: Path) -> Settings:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, sensor)
    broker.let_in(sensor)
    return device_settings(tmp_path, sensor, broker.port, send={"per_second": 1000, "window": 1000})


@pytest.mark.parametrize("since", [4, 10, 30], ids=["fewer", "as many", "more"])
def test_what_was_closed_since_an_old_copy_was_put_back_arrives_once(
    database: str, fresh_mosquitto: TestBroker, tmp_path: Path, truth_keeper: TruthKeeper, since: int
) -> None:
    """With fewer, as many and more quarters than the numbers that were used up since the copy was made."""
    settings = entered(database, fresh_mosquitto, "r16", tmp_path)
    with Ingest(database, fresh_mosquitto):
        truth_keeper.closed(*live_on_and_put_the_copy_back(settings, tmp_path))
        half = USED_UP + since // 2
        close_without_a_connection(settings, quarters(USED_UP + 1, half), quarters(half + 1, USED_UP + since))
        with wire(settings, now_s=time.time()) as w:
            all_arrive(w)
            assert "put back" in w.outbox.rolled_back
            w.outbox.save(SavedState(), quarters(USED_UP + since + 1, USED_UP + since + 2))
            all_arrive(w)
            assert all(stream.lost == () for stream in w.outbox.streams())
    truth_keeper.closed(*closed(settings)[COPIED:])
    assert truth_keeper.differences() == []
    with psycopg.connect(database) as connection:
        row = connection.execute("select count(*), count(distinct period_start) from report").fetchone()
        assert row == (USED_UP + since + 2, USED_UP + since + 2)
        assert connection.execute("select count(*) from stream_gap").fetchone() == (0,)


def test_a_quarter_that_was_open_in_the_copy_does_not_count_twice(
    database: str, fresh_mosquitto: TestBroker, tmp_path: Path, truth_keeper: TruthKeeper
) -> None:
    """It was closed and committed before the copy came back: what the copy makes of it is set aside, with its reason."""
    settings = entered(database, fresh_mosquitto, "r16", tmp_path)
    with Ingest(database, fresh_mosquitto):
        truth_keeper.closed(*live_on_and_put_the_copy_back(settings, tmp_path))
        again, new = quarters(COPIED + 1, COPIED + 1, cars=0), quarters(USED_UP + 1, USED_UP + 3)
        close_without_a_connection(settings, again, new)
        with wire(settings, now_s=time.time()) as w:
            all_arrive(w)
    truth_keeper.closed(*closed(settings)[COPIED + 1 :])
    assert truth_keeper.differences() == []
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from report").fetchone() == (USED_UP + 3,)
        assert connection.execute("select reason from quarantine").fetchall() == [("contradicts",)]


def test_while_ingest_is_away_nothing_new_leaves_a_storage_that_may_be_a_copy(
    database: str, fresh_mosquitto: TestBroker, tmp_path: Path, truth_keeper: TruthKeeper
) -> None:
    """What the broker took in ingest's place could be lost there, and then be covered by a receipt for another report."""
    settings = entered(database, fresh_mosquitto, "r16", tmp_path)
    with Ingest(database, fresh_mosquitto):
        truth_keeper.closed(*live_on_and_put_the_copy_back(settings, tmp_path))
    close_without_a_connection(settings, quarters(USED_UP + 1, USED_UP + 25))
    with wire(settings, now_s=time.time()) as w:
        wait_until(lambda: w.publisher.counters.connects == 1)
        time.sleep(1.5)
        assert w.publisher.counters.sent == 0
        fresh_mosquitto.kill()
        fresh_mosquitto.start()
        with Ingest(database, fresh_mosquitto):
            all_arrive(w)
    truth_keeper.closed(*closed(settings)[COPIED:])
    assert truth_keeper.differences() == []
