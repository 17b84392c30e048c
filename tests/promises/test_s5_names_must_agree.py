"""S5: the sensor in the payload is the one in the topic, which the broker has checked against the password."""

from __future__ import annotations

import psycopg
from tests.harness.brokers import TestBroker, client_of
from tests.ingest.sending import Ingest, a_report, wait_until

from telstraat_contract.messages import Health, Status, encode
from telstraat_contract.topics import Channel, topic
from telstraat_store import places


def test_a_forged_name_is_quarantined_and_changes_nothing_of_the_other(database: str, mosquitto: TestBroker) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "ash-1")
        places.add_sensor(connection, "ash-2")
    mosquitto.let_in("ash-1", "ash-2")
    at = a_report("ash-2", 1).period_start
    with Ingest(database, mosquitto), client_of(mosquitto, "ash-1") as forger:
        forger.publish(topic("ash-1", Channel.REPORT), encode(a_report("ash-2", 1)))
        forger.publish(
            topic("ash-1", Channel.HEALTH), encode(Health(sensor="ash-2", at=at, epoch=7, last_seq=9, lost=((1, 9),)))
        )
        forger.publish(topic("ash-1", Channel.STATUS), encode(Status(sensor="ash-2", state="offline")))
        with psycopg.connect(database, autocommit=True) as connection:
            forged = "select count(*) from quarantine where reason = 'forged_name'"
            assert wait_until(lambda: connection.execute(forged).fetchone() == (3,))
            for table in ("report", "stream", "sensor_health"):
                assert connection.execute(f"select count(*) from {table}").fetchone() == (0,), table
            rows = connection.execute("select distinct name from quarantine join sensor using (sensor_id)").fetchall()
            assert rows == [("ash-1",)], "it is held against who sent it"
