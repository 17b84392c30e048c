"""R2: acknowledged is not delivered. A report leaves the device only on ingest's receipt, whatever the broker forgot.

The broker acknowledges every publish, is killed before it has saved anything, and comes back knowing nothing: all reports
arrive. Without the receipts all of them would be lost.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
from tests.device.wires import Wire, device_settings, wire
from tests.harness.brokers import TestBroker
from tests.harness.moments import yesterday
from tests.harness.processes import wait_until
from tests.harness.truth_keeper import TruthKeeper
from tests.ingest.sending import Ingest

from telstraat_contract.quarters import QUARTER
from telstraat_demo.run.reconciliation import closed_reports
from telstraat_demo.stack.broker import Kind
from telstraat_device.quarters.periods import SavedState
from telstraat_device.quarters.tally import Quarter, Tally
from telstraat_store import places

REPORTS = 200


class ForgetfulBroker(TestBroker):
    """A broker that saves nothing: what it has acknowledged dies with it."""

    def _write_config(self) -> Path:
        path = super()._write_config()
        text = path.read_text()
        assert "persistence true" in text
        path.write_text(text.replace("persistence true", "persistence false"))
        return path


def past_quarters(many: int) -> list[Quarter]:
    """Return closed quarters up to yesterday, every one different."""
    first = yesterday() - many * QUARTER
    starts = [int((first + n * QUARTER).timestamp()) for n in range(many)]
    return [
        Quarter(s, Tally({"car": (n, many - n), "bike": (n, 3)}, observed_s=float(n))) for n, s in enumerate(starts)
    ]


def all_acknowledged(w: Wire, many: int) -> bool:
    """Tell whether the broker has acknowledged every report."""
    return w.publisher.counters.sent == many and not w.publisher._of_mid


@pytest.fixture(params=["mosquitto", "amqtt"])
def forgetful_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TestBroker]:
    kind: Kind = request.param
    broker = ForgetfulBroker(tmp_path / "broker", kind=kind)
    broker.start()
    yield broker
    broker.stop()


def test_two_hundred_acknowledged_reports_survive_a_broker_that_forgets(
    database: str, forgetful_broker: TestBroker, tmp_path: Path, truth_keeper: TruthKeeper
) -> None:
    broker = forgetful_broker
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "r2")
    broker.let_in("r2")
    settings = device_settings(tmp_path, "r2", broker.port, send={"per_second": 1000, "window": 1000, "resend_s": 600})
    with wire(settings, now_s=time.time()) as w:
        assert w.outbox.save(SavedState(), past_quarters(REPORTS))
        wait_until(lambda: all_acknowledged(w, REPORTS), what="every publish acknowledged")
        broker.kill()
        assert w.outbox.waiting_count() == REPORTS, "an acknowledgement is not a receipt"
        broker.start()
        with Ingest(database, broker):
            wait_until(lambda: w.outbox.waiting_count() == 0, 60, "every receipt")
        truth_keeper.closed(*closed_reports(w.outbox.folder / "outbox.sqlite"))
    assert truth_keeper.differences() == []
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from report").fetchone() == (REPORTS,)


def test_a_broker_killed_after_every_few_acknowledgements_loses_nothing(
    database: str, forgetful_broker: TestBroker, tmp_path: Path, truth_keeper: TruthKeeper
) -> None:
    broker = forgetful_broker
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "r2b")
    broker.let_in("r2b")
    settings = device_settings(tmp_path, "r2b", broker.port, send={"per_second": 1000, "resend_s": 600})
    many = 6
    with wire(settings, now_s=time.time()) as w:
        for n, quarter in enumerate(past_quarters(many), 1):
            assert w.outbox.save(SavedState(), [quarter])
            wait_until(partial(all_acknowledged, w, n), what=f"report {n} acknowledged")
            broker.kill()
            broker.start()
        with Ingest(database, broker):
            wait_until(lambda: w.outbox.waiting_count() == 0, 60, "every receipt")
        truth_keeper.closed(*closed_reports(w.outbox.folder / "outbox.sqlite"))
    assert truth_keeper.differences() == []
