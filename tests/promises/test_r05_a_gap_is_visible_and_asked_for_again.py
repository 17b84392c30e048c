"""R5: what is missing is recorded and asked for; what comes, what is lost and what is refused closes the gap."""

from __future__ import annotations

from datetime import timedelta

import psycopg
from tests.harness.brokers import TestBroker, client_of
from tests.ingest.sending import Ingest, a_report, arrivals_of, receipt_of, write_arrivals

from telstraat_contract.messages import MAX_RANGES, Health, encode
from telstraat_contract.topics import Channel, topic
from telstraat_ingest.writing.write import Writer
from telstraat_store import places

DROPPED = (3, 17, 18, 40, 77)


def test_five_of_a_hundred_are_dropped_asked_for_and_come(database: str, mosquitto: TestBroker) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "gap-1")
    mosquitto.let_in("gap-1")
    reports = {seq: a_report("gap-1", seq, observed_s=seq) for seq in range(1, 91)}
    with Ingest(database, mosquitto), client_of(mosquitto, "gap-1") as sensor:
        assert sensor.subscribe(topic("gap-1", Channel.RECEIPT))
        for seq, report in reports.items():
            if seq not in DROPPED:
                sensor.publish(topic("gap-1", Channel.REPORT), encode(report))
        receipt = receipt_of(sensor)
        while receipt.seen < 90:
            receipt = receipt_of(sensor)
        assert (receipt.through, receipt.want) == (2, ((3, 3), (17, 18), (40, 40), (77, 77)))
        with psycopg.connect(database) as connection:
            assert connection.execute("select count(*), min(since_at) is not null from stream_gap").fetchone() == (
                4,
                True,
            )
        for first, last in receipt.want:
            for seq in range(first, last + 1):
                sensor.publish(topic("gap-1", Channel.REPORT), encode(reports[seq]))
        while receipt.through < 90:
            receipt = receipt_of(sensor)
        assert receipt.want == ()
        with psycopg.connect(database) as connection:
            assert connection.execute("select count(*) from stream_gap").fetchone() == (0,)
            assert connection.execute("select count(*), sum(seq) from report").fetchone() == (90, 90 * 91 // 2)


def test_what_the_device_has_lost_is_no_longer_asked_for_and_stays_on_record(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "gap-2")
        writer = Writer(connection)
        write_arrivals(writer, arrivals_of([a_report("gap-2", 5)]))
        health = Health(sensor="gap-2", at=a_report("gap-2", 1).period_start, epoch=7, last_seq=5, lost=((1, 3),))
        (receipt,) = write_arrivals(writer, arrivals_of([health])).receipts["gap-2"]
        assert (receipt.through, receipt.want) == (3, ((4, 4),))
        # It comes after all: from the broker's queue, say. Then it was not lost.
        (receipt,) = write_arrivals(writer, arrivals_of([a_report("gap-2", 2)])).receipts["gap-2"]
        assert connection.execute("select lost::text from stream").fetchone() == ("{[1,2),[3,4)}",)


def test_every_number_is_committed_or_missing_or_lost_or_refused(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "gap-3")
        writer = Writer(connection)
        future = a_report("gap-3", 6, a_report("gap-3", 6).period_start.replace(year=2035))
        health = Health(
            sensor="gap-3", at=a_report("gap-3", 1).period_start, epoch=7, last_seq=9, lost=((2, 2), (8, 8))
        )
        write_arrivals(writer, arrivals_of([a_report("gap-3", 1), a_report("gap-3", 4), future, health]))
        row = connection.execute("select seen, missing::text, lost::text, refused::text from stream").fetchone()
        assert row == (9, "{[3,4),[5,6),[7,8),[9,10)}", "{[2,3),[8,9)}", "{[6,7)}")


def test_more_gaps_than_a_receipt_holds_are_told_in_turn(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "gap-4")
        writer = Writer(connection)
        first = a_report("gap-4", 1).period_start.replace(month=1, day=1)
        odd = [a_report("gap-4", seq, first + seq * timedelta(minutes=15)) for seq in range(1, 2 * MAX_RANGES + 100, 2)]
        (receipt,) = write_arrivals(writer, arrivals_of(odd)).receipts["gap-4"]
        assert len(receipt.want) == MAX_RANGES
        assert receipt.seen == 2 * MAX_RANGES + 1, "what is beyond the gaps that fit is not yet receipted"
        assert len(encode(receipt)) < 16_384
