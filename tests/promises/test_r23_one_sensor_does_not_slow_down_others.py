"""R23: what one sensor may cost is bounded; beyond it the sensor waits and nobody else, and no report is lost by that."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from tests.harness.brokers import TestBroker, client_of
from tests.harness.moments import yesterday
from tests.ingest.sending import Ingest, a_report, arrivals_of, receipt_of, wait_until, write_arrivals

from telstraat_contract.messages import MAX_RANGES, SEQ_MAX, Health, Report, encode
from telstraat_contract.quarters import QUARTER
from telstraat_contract.topics import Channel, topic
from telstraat_ingest.limits import SensorLimits
from telstraat_ingest.receiving.fairness import Fairness
from telstraat_ingest.receiving.log_limit import LogLimit
from telstraat_ingest.writing.multiranges import parse_ranges
from telstraat_ingest.writing.write import Writer
from telstraat_store import places

FLOOD, STEADY = "flood-1", "steady-1"
MOST = 250


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as opened:
        places.add_sensor(opened, FLOOD)
        places.add_sensor(opened, STEADY)
        yield opened


def a_loss(first: int, many: int = MAX_RANGES) -> Health:
    ranges = tuple((first + 3 * at, first + 3 * at + 1) for at in range(many))
    return Health(sensor=FLOOD, at=yesterday(), epoch=7, last_seq=ranges[-1][1], lost=ranges)


def ranges_of(connection: psycopg.Connection) -> dict[str, tuple[tuple[int, int], ...]]:
    row = connection.execute("select missing::text, lost::text, refused::text from stream").fetchone()
    assert row is not None
    return dict(zip(("missing", "lost", "refused"), map(parse_ranges, row), strict=True))


def test_ranges_of_lost_reports_are_bounded_and_their_number_stays_exact(connection: psycopg.Connection) -> None:
    writer = Writer(connection, SensorLimits(stream_ranges=MOST))
    for at in range(10):
        write_arrivals(writer, arrivals_of([a_loss(1 + at * 3 * MAX_RANGES)]))
        result = ranges_of(connection)
        assert max(len(ranges) for ranges in result.values()) <= MOST
    everything = Health(sensor=FLOOD, at=yesterday(), epoch=7, last_seq=6000, lost=((1, 6000),))
    write_arrivals(writer, arrivals_of([everything]))
    row = connection.execute("select lost_earlier, missing::text, through from stream").fetchone()
    assert row is not None
    total = row[0] + sum(last - first + 1 for first, last in ranges_of(connection)["lost"])
    assert (row[1], row[2], total) == ("{}", 6000, 6000)


def test_gaps_beyond_the_bound_are_asked_for_again_and_never_count_as_settled(connection: psycopg.Connection) -> None:
    writer = Writer(connection, SensorLimits(stream_ranges=MOST))
    start = yesterday() - timedelta(days=20)
    odd = [a_report(FLOOD, seq, start + seq * QUARTER) for seq in range(1, 1001, 2)]
    even = {seq: a_report(FLOOD, seq, start + seq * QUARTER) for seq in range(2, 1001, 2)}
    (receipt,) = write_arrivals(writer, arrivals_of(odd)).receipts[FLOOD]
    assert len(ranges_of(connection)["missing"]) == MOST
    requests = 0
    while receipt.want:
        requests += 1
        assert requests < 20
        seqs = [seq for first, last in receipt.want for seq in range(first, last + 1)]
        assert all(seq > receipt.seen or seq in seqs for seq in even if seq > receipt.through)
        for seq in seqs:
            even.pop(seq, None)
        again = [a_report(FLOOD, seq, start + seq * QUARTER) for seq in seqs]
        receipt = write_arrivals(writer, arrivals_of(again)).receipts[FLOOD][-1]
        if receipt.seen >= 999 and not receipt.want:
            break
    assert connection.execute("select count(*) from report").fetchone() == (999 if 1000 in even else 1000,)


def test_the_highest_number_is_bounded_like_any_other(connection: psycopg.Connection) -> None:
    writer = Writer(connection, SensorLimits(stream_ranges=MOST))
    write_arrivals(writer, arrivals_of([a_report(FLOOD, SEQ_MAX, yesterday())]))
    for at in range(3):
        write_arrivals(writer, arrivals_of([a_loss(2 + at * 3 * MAX_RANGES)]))
    missing = ranges_of(connection)["missing"]
    assert len(missing) == MOST
    assert missing[-1][1] == SEQ_MAX - 1


def test_a_sensor_above_its_allowance_waits_and_the_log_names_it(
    connection: psycopg.Connection, database: str, fresh_mosquitto: TestBroker, caplog: pytest.LogCaptureFixture
) -> None:
    fresh_mosquitto.let_in(FLOOD, STEADY)
    with (
        caplog.at_level(logging.WARNING),
        Ingest(database, fresh_mosquitto, sensor_per_minute=60, sensor_burst=60) as ingest,
        client_of(fresh_mosquitto, FLOOD) as flood,
        client_of(fresh_mosquitto, STEADY) as steady,
    ):
        assert steady.subscribe(topic(STEADY, Channel.RECEIPT))
        assert flood.subscribe(topic(FLOOD, Channel.RECEIPT))
        for seq in range(1, 91):
            flood.publish(topic(FLOOD, Channel.REPORT), encode(a_report(FLOOD, seq)))
            if seq % 10 == 0:
                steady.publish(topic(STEADY, Channel.REPORT), encode(a_report(STEADY, seq // 10)))
        while receipt_of(steady).through < 9:
            pass
        value = ingest.service.metrics.value
        assert wait_until(lambda: value("throttled_total") > 0 and value("throttled_sensors") == 1)
        sensors = [record.sensor for record in caplog.records if getattr(record, "event", "") == "throttled"]  # type: ignore[attr-defined]
        assert sensors == [FLOOD]
        row = connection.execute(
            "select count(*) from report join sensor using (sensor_id) where name = %s", (FLOOD,)
        ).fetchone()
        assert row is not None
        last = 0
        while not flood.received.empty():
            last = receipt_of(flood).through
        assert last <= row[0] < 90, "what was left out has no receipt"


def of(sensor: str, many: int) -> list[Report]:
    return [a_report(sensor, seq) for seq in range(1, many + 1)]


def test_a_batch_takes_its_share_of_each_sensor_in_order_and_leaves_the_rest_in_order() -> None:
    pending = arrivals_of([*of("a", 5), *of("b", 2), *of("a", 1), *of("c", 4)])
    taken, rest = Fairness(6000, 6000, batch=3).share(pending, 100)
    assert [item.mid for item in taken] == [1, 2, 3, 6, 7, 9, 10, 11]
    assert [item.mid for item in rest] == [4, 5, 8, 12]
    taken, rest = Fairness(6000, 6000, batch=3).share(pending, 4)
    assert [item.mid for item in taken + rest] == [1, 2, 3, 6, 4, 5, 7, 8, 9, 10, 11, 12]


def test_an_allowance_is_used_up_by_numbers_and_by_bytes_and_comes_back_with_time() -> None:
    fairness = Fairness(per_minute=60, burst=10, batch=1)
    where, other = topic(FLOOD, Channel.REPORT), topic(STEADY, Channel.REPORT)
    assert [fairness.admits(where, 0, 100.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert fairness.admits(other, 0, 100.0)
    assert [fairness.admits(where, 2048, 102.9), fairness.admits(where, 2048, 103.0)] == [False, True]
    assert fairness.left_out == 3


def test_what_could_be_said_without_end_is_said_once_and_then_counted() -> None:
    log_limit = LogLimit(every_s=3600)
    assert [log_limit.due("a") for _ in range(3)] == [1, 0, 0]
    assert log_limit.due("b", 5) == 5
    again = LogLimit(every_s=0)
    assert [again.due("a") for _ in range(2)] == [1, 1]
