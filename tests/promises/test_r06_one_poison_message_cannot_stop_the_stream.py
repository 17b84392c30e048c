"""R6: garbage goes to quarantine with its reason; every good message around it is stored."""

from __future__ import annotations

import random
import resource
from datetime import timedelta

import psycopg
import pytest
from tests.harness.brokers import TestBroker, client_of
from tests.harness.moments import yesterday
from tests.ingest.sending import Ingest, a_report, an_arrival, arrivals_of, wait_until, write_arrivals

from telstraat_contract.messages import MAX_PAYLOAD_BYTES, Health, Report, encode
from telstraat_contract.topics import Channel, topic
from telstraat_ingest import registry, rows
from telstraat_ingest.quarantine import Reason
from telstraat_ingest.write import Writer

GOOD = encode(a_report("poison-1", 1))
TOPIC = topic("poison-1", Channel.REPORT)
GARBAGE = {
    "truncated": (TOPIC, GOOD[:100], "malformed"),
    "empty": (TOPIC, b"", "malformed"),
    "not JSON": (TOPIC, b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "malformed"),
    "invalid UTF-8": (TOPIC, GOOD.replace(b"unknown", b"\xff\xfe\xfd"), "malformed"),
    "a wrong type": (TOPIC, GOOD.replace(b'"observed_s":900', b'"observed_s":"all"'), "malformed"),
    "out of range": (TOPIC, GOOD.replace(b'"observed_s":900', b'"observed_s":901'), "malformed"),
    "not a number": (TOPIC, GOOD.replace(b'"observed_s":900', b'"observed_s":NaN'), "malformed"),
    "not aligned": (TOPIC, GOOD.replace(b':00:00Z"', b':00:01Z"'), "malformed"),
    "deeply nested": (TOPIC, b"[" * 16_000, "malformed"),
    "too large": (TOPIC, b"x" * 10_000_000, "too_large"),
    "of a later version": (TOPIC, GOOD.replace(b'"v":1', b'"v":2'), "version"),
    "a forged name": (TOPIC, GOOD.replace(b'"poison-1"', b'"poison-2"'), "forged_name"),
    "an unknown sensor": (topic("nobody", Channel.REPORT), GOOD.replace(b"poison-1", b"nobody"), "unknown_sensor"),
    "an endless topic": (f"telstraat/v1/{'ü' * 9000}/report", GOOD, "topic"),
    "a foreign topic": ("telstraat/v2/poison-1/report", GOOD, "topic"),
    "the server's topic": (topic("poison-1", Channel.RECEIPT), GOOD, "topic"),
    "too old": (TOPIC, encode(a_report("poison-1", 1, yesterday() - timedelta(days=401))), "too_old"),
    "in the future": (TOPIC, encode(a_report("poison-1", 1, yesterday() + timedelta(days=3))), "in_the_future"),
    # What JSON may carry and PostgreSQL may not: the database itself refuses it, and only it.
    "a null character": (topic("poison-1", Channel.HEALTH),
                         encode(Health(sensor="poison-1", at=yesterday(), epoch=1, version="1\0")), "refused_by_store"),
}  # fmt: skip


def test_every_reason_that_is_documented_is_tested_somewhere() -> None:
    tested = {reason for _, _, reason in GARBAGE.values()} | {"contradicts", "retired_sensor"}
    assert tested == {str(reason) for reason in Reason}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_lies_in_quarantine_and_its_neighbours_in_the_table(database: str, kind: str) -> None:
    where, payload, reason = GARBAGE[kind]
    good = arrivals_of([a_report("poison-1", seq) for seq in range(11, 31)])
    with psycopg.connect(database, autocommit=True) as connection:
        registry.add_sensor(connection, "poison-1")
        written = write_arrivals(Writer(connection), [*good[:7], an_arrival(where, payload), *good[7:]])
        assert connection.execute("select count(*) from report").fetchone() == (20,)
        found = connection.execute(
            "select reason, payload_bytes, octet_length(payload) <= %s from quarantine", (MAX_PAYLOAD_BYTES,)
        )
        assert found.fetchall() == [(reason, len(payload), True)]
        assert [one.reason for one in written.rejected] == [reason]


def test_the_same_garbage_again_is_counted_and_not_kept_twice(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        registry.add_sensor(connection, "poison-1")
        writer = Writer(connection)
        for _ in range(3):
            write_arrivals(writer, [an_arrival(TOPIC, b"rubbish")])
        assert connection.execute("select times from quarantine").fetchall() == [(3,)]


def test_a_retired_sensor_is_told_to_stop_sending(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        registry.add_sensor(connection, "poison-1")
        registry.retire(connection, "poison-1")
        written = write_arrivals(Writer(connection), arrivals_of([a_report("poison-1", 1)]))
        assert [one.reason for one in written.rejected] == ["retired_sensor"]
        assert written.receipts["poison-1"][0].refused == ((1, 1),)


def test_a_bad_one_among_a_hundred_over_the_broker_stops_nothing(database: str, fresh_mosquitto: TestBroker) -> None:
    with psycopg.connect(database) as connection:
        registry.add_sensor(connection, "poison-1")
    fresh_mosquitto.let_in("poison-1")
    spread = random.Random(6)
    bad = [payload for where, payload, _ in GARBAGE.values() if where == TOPIC and len(payload) < 20_000]
    with Ingest(database, fresh_mosquitto) as ingest, client_of(fresh_mosquitto, "poison-1") as sensor:
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for seq in range(1, 86):
            if spread.random() < 0.15:
                sensor.publish(TOPIC, spread.choice(bad))
            sensor.publish(TOPIC, encode(a_report("poison-1", seq)))
        sensor.publish(TOPIC, bad[0])
        with psycopg.connect(database, autocommit=True) as connection:
            assert wait_until(lambda: connection.execute("select count(*) from report").fetchone() == (85,))
            assert wait_until(lambda: connection.execute("select count(*) > 0 from quarantine").fetchone() == (True,))
        assert wait_until(lambda: ingest.service.metrics.value("quarantined_total", reason="malformed") > 0)
        grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
        assert grown_kb < 50_000


def test_a_message_that_trips_ingest_itself_up_is_set_aside_alone(
    database: str, fresh_mosquitto: TestBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(database) as connection:
        registry.add_sensor(connection, "poison-1")
    fresh_mosquitto.let_in("poison-1")
    measured = rows.measured

    def trips(report: Report) -> bytes:
        if report.seq == 5:
            raise ZeroDivisionError("a mistake of ours")
        return measured(report)

    monkeypatch.setattr(rows, "measured", trips)
    with Ingest(database, fresh_mosquitto, batch_wait_ms=300), client_of(fresh_mosquitto, "poison-1") as sensor:
        for seq in range(1, 11):
            sensor.publish(TOPIC, encode(a_report("poison-1", seq)))
        with psycopg.connect(database, autocommit=True) as connection:
            assert wait_until(lambda: connection.execute("select count(*) from report").fetchone() == (9,))
            found = "select reason, detail from quarantine"
            expected = [("refused_by_store", "unforeseen ZeroDivisionError: a mistake of ours")]
            assert wait_until(lambda: connection.execute(found).fetchall() == expected)


def test_a_database_that_only_reads_blames_no_message(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        registry.add_sensor(connection, "poison-1")
        writer = Writer(connection)
        arrivals = arrivals_of([a_report("poison-1", seq) for seq in range(1, 5)])
        connection.execute("set default_transaction_read_only = on")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            write_arrivals(writer, arrivals)
        connection.execute("set default_transaction_read_only = off")
        assert write_arrivals(writer, arrivals).inserted == 4
        assert connection.execute("select count(*) from quarantine").fetchone() == (0,)
