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

from telstraat_contract.messages import MAX_PAYLOAD_BYTES, Report, Status, encode
from telstraat_contract.quarters import QUARTER
from telstraat_contract.topics import Channel, topic
from telstraat_ingest.limits import SensorLimits
from telstraat_ingest.writing.quarantine import Reason
from telstraat_ingest.writing.write import Writer
from telstraat_store import places
from telstraat_store.reports import copy_rows

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
    "a time outside the calendar": (TOPIC, GOOD.replace(GOOD[GOOD.index(b'"period_start"'):GOOD.index(b',"observed_s"')],
                                                        b'"period_start":"0001-01-01T00:00:00+14:00"'), "malformed"),
}  # fmt: skip


def test_every_reason_that_is_documented_is_tested_somewhere() -> None:
    tested = {reason for _, _, reason in GARBAGE.values()} | {
        "contradicts",
        "retired_sensor",
        "refused_by_store",
        "not_taken",
        "over_limit",
    }
    assert tested == {str(reason) for reason in Reason}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_lies_in_quarantine_and_its_neighbours_in_the_table(database: str, kind: str) -> None:
    where, payload, reason = GARBAGE[kind]
    good = arrivals_of([a_report("poison-1", seq) for seq in range(11, 31)])
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "poison-1")
        written = write_arrivals(Writer(connection), [*good[:7], an_arrival(where, payload), *good[7:]])
        assert connection.execute("select count(*) from report").fetchone() == (20,)
        result = connection.execute(
            "select reason, payload_bytes, octet_length(payload) <= %s from quarantine", (MAX_PAYLOAD_BYTES,)
        )
        assert result.fetchall() == [(reason, len(payload), True)]
        assert [item.reason for item in written.rejected] == [reason]


def test_the_same_garbage_again_is_counted_and_not_kept_twice(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "poison-1")
        writer = Writer(connection)
        for _ in range(3):
            write_arrivals(writer, [an_arrival(TOPIC, b"rubbish")])
        assert connection.execute("select times from quarantine").fetchall() == [(3,)]


def test_a_retired_sensor_is_told_to_stop_sending(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "poison-1")
        places.retire_sensor(connection, "poison-1")
        written = write_arrivals(Writer(connection), arrivals_of([a_report("poison-1", 1)]))
        assert [item.reason for item in written.rejected] == ["retired_sensor"]
        assert written.receipts["poison-1"][0].refused == ((1, 1),)


def test_a_bad_one_among_a_hundred_over_the_broker_stops_nothing(database: str, fresh_mosquitto: TestBroker) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "poison-1")
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


REFUSE = """
create function refuse() returns trigger language plpgsql as $$ begin
    raise exception 'not number %%', new.{column} using errcode = '{state}'; end $$;
create trigger refuses before insert on {table} for each row when ({when}) execute function refuse();
"""


@pytest.mark.parametrize("state", ["22003", "23514", "P0001", "54000", "XX000"])
def test_what_the_store_refuses_is_isolated_and_told_as_refused(database: str, state: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "poison-1")
        refuse = REFUSE.format(column="seq", state=state, table="report", when="new.seq = 5")
        connection.execute(refuse.replace("%%", "%").encode())
        writer = Writer(connection)
        written = write_arrivals(writer, arrivals_of([a_report("poison-1", seq) for seq in range(1, 11)]))
        assert [item.reason for item in written.rejected] == ["refused_by_store"]
        assert connection.execute("select array_agg(seq order by seq) from report").fetchone() == (
            [1, 2, 3, 4, 6, 7, 8, 9, 10],
        )
        assert connection.execute("select reason, detail from quarantine").fetchall() == [
            ("refused_by_store", "not number 5")
        ]
        assert {value for receipt in written.receipts["poison-1"] for value in receipt.refused} == {(5, 5)}


@pytest.mark.parametrize("state", ["42P01", "42501", "0A000", "38000", "40001", "55P03", "58030", "XX002"])
def test_a_trigger_that_is_broken_for_one_sensor_stops_no_other_and_takes_no_report_from_its_device(
    database: str, state: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for name in ("poison-1", "good-1", "good-2"):
            places.add_sensor(connection, name)
        broken = REFUSE.format(column="seq", state=state, table="report", when="new.seq > 100")
        connection.execute(broken.replace("%%", "%").encode())
        poison = [a_report("poison-1", seq, yesterday() + (seq - 101) * QUARTER) for seq in (101, 102)]
        writer = Writer(connection)
        written = write_arrivals(
            writer, arrivals_of([poison[0], a_report("good-1", 1), poison[1], a_report("good-2", 1)])
        )
        assert (written.inserted, set(written.receipts)) == (2, {"good-1", "good-2"})
        assert [str(item.reason) for item in written.rejected] == ["not_taken"] * 2
        assert connection.execute("select reason, count(*) from quarantine group by 1").fetchall() == [("not_taken", 2)]
        connection.execute("drop trigger refuses on report")
        assert write_arrivals(writer, arrivals_of(poison)).inserted == 2, "its device has kept them"


@pytest.mark.parametrize("word", [False, True])
def test_a_table_that_takes_nothing_is_waited_for_whatever_other_tables_take(database: str, word: bool) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for number in range(9):
            places.add_sensor(connection, f"good-{number}")
        table = "sensor_health" if word else "report"
        connection.execute(f"alter table {table} rename to elsewhere".encode())
        words = [Status(sensor=f"good-{number}", state="online", epoch=7) for number in range(9)]
        arrivals = arrivals_of([*words, *(a_report(f"good-{number}", 1) for number in range(9))])
        writer = Writer(connection)
        with pytest.raises(psycopg.errors.UndefinedTable):
            write_arrivals(writer, arrivals)
        connection.execute(f"alter table elsewhere rename to {table}".encode())
        writer.forget()
        written = write_arrivals(writer, arrivals)
        assert (connection.execute("select count(*) from report").fetchone(), written.rejected) == ((9,), [])
        assert connection.execute("select count(*) from quarantine").fetchone() == (0,)


@pytest.mark.parametrize(("bare", "stored"), [("false", 1), ("true", 0)])
def test_what_even_quarantine_refuses_is_isolated_a_second_time_and_never_waits(
    database: str, bare: str, stored: int
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "poison-1")
        for table, column, when in (
            ("report", "seq", "new.seq = 5"),
            ("quarantine", "topic", f"{bare} or octet_length(new.payload) > 0"),
        ):
            refuse = REFUSE.format(column=column, state="22003", table=table, when=when).replace("%%", "%")
            connection.execute(refuse.replace("refuse()", f"refuse_{table}()").encode())
        written = write_arrivals(Writer(connection), arrivals_of([a_report("poison-1", seq) for seq in range(1, 11)]))
        assert connection.execute("select count(*) from report").fetchone() == (9,)
        assert connection.execute("select count(*) from quarantine where payload = ''").fetchone() == (stored,)
        assert [item.reason for item in written.rejected] == ["refused_by_store"]
        refused = [value for receipt in written.receipts["poison-1"] for value in receipt.refused]
        assert refused == [], "what is not kept is not receipted: the sensor keeps it"


def test_one_epoch_too_many_waits_on_its_device_and_nobody_waits_for_it(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for name in ("poison-1", "good-1"):
            places.add_sensor(connection, name)
        writer = Writer(connection, SensorLimits(epochs_a_day=3))
        many = [a_report("poison-1", 1, epoch=epoch) for epoch in range(1, 7)]
        states = [Status(sensor="poison-1", state="online", epoch=epoch, last_seq=1) for epoch in range(7, 10)]
        written = write_arrivals(writer, arrivals_of([*many, *states, a_report("good-1", 1)]))
        assert (written.inserted, len(written.rejected)) == (4, 6)
        assert {item.reason for item in written.rejected} == {Reason.OVER_LIMIT}
        assert {receipt.epoch for receipt in written.receipts["poison-1"]} == {1, 2, 3}
        assert [receipt.refused for receipt in written.receipts["poison-1"]] == [(), (), ()]
        connection.execute("update stream set first_at = first_at - interval '25 hours'")
        again = write_arrivals(writer, arrivals_of(many))
        assert (again.inserted, again.rejected) == (3, []), "a day later there is room, and the device sends it again"


def test_the_last_epoch_that_can_be_numbered_stops_nobody(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for name in ("poison-1", "good-1"):
            places.add_sensor(connection, name)
        connection.execute(
            "insert into stream (sensor_id, epoch_no, epoch, first_at) select sensor_id, n, 1000000 + n, now() - interval '2 days'"
            " from sensor cross join generate_series(1, 32766) n where name = 'poison-1'"
        )
        one_too_many = [a_report("poison-1", 1, epoch=1), a_report("poison-1", 1, epoch=2), a_report("good-1", 1)]
        written = write_arrivals(Writer(connection), arrivals_of(one_too_many))
        assert (written.inserted, [item.reason for item in written.rejected]) == (2, [Reason.OVER_LIMIT])
        assert connection.execute("select max(epoch_no) from stream").fetchone() == (32_767,)


def test_quarantine_keeps_so_much_of_a_topic_and_counts_the_rest(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "poison-1")
        writer = Writer(connection, SensorLimits(quarantine_kb=100))
        bad = b'{"v":1,"sensor":"poison-1","epoch":7,"seq":%d,"rubbish":"' + b"x" * 10_000 + b'"}'
        refused = set()
        for seq in range(1, 51):
            written = write_arrivals(writer, [an_arrival(TOPIC, bad % seq)])
            refused |= {value for receipt in written.receipts.get("poison-1", []) for value in receipt.refused}
        row = connection.execute(
            "select count(*), sum(octet_length(payload)) < 100 * 1024, sum(times), max(times) from quarantine"
        ).fetchone()
        assert row == (10, True, 50, 41)
        assert refused == {(seq, seq) for seq in range(1, 10)}, "refused is told only of what is kept"


def test_a_message_that_trips_ingest_itself_up_is_set_aside_alone(
    database: str, fresh_mosquitto: TestBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "poison-1")
    fresh_mosquitto.let_in("poison-1")
    measured = copy_rows.measured

    def trips(report: Report) -> bytes:
        if report.seq == 5:
            raise ZeroDivisionError("a mistake of ours")
        return measured(report)

    monkeypatch.setattr(copy_rows, "measured", trips)
    with Ingest(database, fresh_mosquitto, batch_wait_ms=300), client_of(fresh_mosquitto, "poison-1") as sensor:
        for seq in range(1, 11):
            sensor.publish(TOPIC, encode(a_report("poison-1", seq)))
        with psycopg.connect(database, autocommit=True) as connection:
            assert wait_until(lambda: connection.execute("select count(*) from report").fetchone() == (9,))
            query = "select reason, detail from quarantine"
            expected = [("refused_by_store", "unforeseen ZeroDivisionError: a mistake of ours")]
            assert wait_until(lambda: connection.execute(query).fetchall() == expected)


def test_a_database_that_only_reads_blames_no_message(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "poison-1")
        writer = Writer(connection)
        arrivals = arrivals_of([a_report("poison-1", seq) for seq in range(1, 5)])
        connection.execute("set default_transaction_read_only = on")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            write_arrivals(writer, arrivals)
        connection.execute("set default_transaction_read_only = off")
        assert write_arrivals(writer, arrivals).inserted == 4
        assert connection.execute("select count(*) from quarantine").fetchone() == (0,)
