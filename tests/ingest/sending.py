"""Sensors' words for the tests of ingest, and an ingester in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import msgspec
from tests.harness.brokers import TestBroker, TestClient, password_of
from tests.harness.moments import yesterday

from telstraat_contract.messages import Counts, Directed, Health, Live, Receipt, Report, Status, decode, encode
from telstraat_contract.quarters import QUARTER
from telstraat_contract.topics import Channel, Topic
from telstraat_ingest.broker_access import INGEST_USER
from telstraat_ingest.service import IngestService
from telstraat_ingest.settings import IngestSettings
from telstraat_ingest.writing.batch import Dates, read_batch
from telstraat_ingest.writing.decode import Decoder
from telstraat_ingest.writing.quarantine import Arrival, arrival
from telstraat_ingest.writing.write import BatchResult, Writer

EPOCH = 7


def a_report(sensor: str, seq: int, start: datetime | None = None, **other: Any) -> Report:
    """Return a plausible report: the `seq`-th quarter of yesterday, unless told otherwise."""
    report = Report(
        sensor=sensor,
        epoch=EPOCH,
        seq=seq,
        period_start=start or yesterday() + (seq - 1) * QUARTER,
        observed_s=900,
        counts=Counts(
            car=Directed(3, seq % 50), pedestrian=Directed(1, 0), bike=Directed(2, 2), motorcycle=Directed(1, 0)
        ),
    )
    return msgspec.structs.replace(report, **other)


def receipt_of(sensor: TestClient, timeout_s: float = 10.0) -> Receipt:
    """Wait for the next receipt."""
    result = decode(Channel.RECEIPT, bytes(sensor.received.get(timeout=timeout_s).payload))
    assert isinstance(result, Receipt)
    return result


def wait_until(is_so: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    """Wait until something is so, and tell whether it came."""
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        if is_so():
            return True
        time.sleep(0.02)
    return is_so()


def settings_of(dsn: str, broker: TestBroker, port: int | None = None, **other: Any) -> IngestSettings:
    """Return settings of an ingester for tests: its password in a file beside the broker's."""
    path = broker.access / "ingest.secret"
    path.write_text(password_of(INGEST_USER))
    values = {"rollup_every_s": 0.1, "name": f"test-{port or 0}", **other}
    return IngestSettings(
        dsn=dsn, broker=f"mqtt://{broker.host}:{port or broker.port}", broker_password_file=path, **values
    )


class Ingest:
    """An ingester in a thread, ready when the block begins and gone when it ends."""

    def __init__(self, dsn: str, broker: TestBroker, port: int | None = None, **settings: Any) -> None:
        self.service = IngestService(settings_of(dsn, broker, port, **settings))
        self.error: BaseException | None = None
        self._ready = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.service.run(self._ready.set)
        except Exception as error:  # noqa: BLE001 - handed to the test
            self.error = error
            self._ready.set()

    def __enter__(self) -> Self:
        """Start, and wait until broker and database are there."""
        self.thread.start()
        assert self._ready.wait(15), "the ingester did not get ready"
        if self.error is not None:
            raise self.error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and raise what the ingester died of."""
        self.service.stop()
        self.thread.join(15)
        if self.error is not None and error is None:
            raise self.error


def arrivals_of(messages: Sequence[Report | Health | Status | Live]) -> list[Arrival]:
    """Return messages as they come from the broker."""
    return [
        arrival(1, number % 65_535 + 1, 1, str(Topic(message.sensor, message.channel)), encode(message), 0.0)
        for number, message in enumerate(messages)
    ]


def an_arrival(topic: str, payload: bytes) -> Arrival:
    """Return anything as it comes from the broker."""
    return arrival(1, 1, 1, topic, payload, 0.0)


def write_arrivals(writer: Writer, arrivals: Sequence[Arrival]) -> BatchResult:
    """Decode and write one batch."""
    return writer.write(read_batch(arrivals, Decoder(), Dates()))
