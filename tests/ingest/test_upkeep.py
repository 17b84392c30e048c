"""What ingest does beside the batches: gauges that tell the truth, a warning before the disk is full, logs as JSON lines."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import psycopg
import pytest
from tests.harness.brokers import TestBroker
from tests.harness.moments import yesterday
from tests.ingest.sending import a_report, arrivals_of, settings_of, wait_until, write_arrivals

from telstraat_ingest.logs import JsonLines
from telstraat_ingest.metrics import Metrics
from telstraat_ingest.upkeep import Upkeep
from telstraat_ingest.writing.write import Writer
from telstraat_store import places


def test_upkeep_measures_adds_up_and_warns_once(
    database: str, mosquitto: TestBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        segment = places.draw_segment(connection, "Elm", [(4.0, 50.0), (4.1, 50.0)])
        places.add_sensor(connection, "elm-1", segment, from_at=yesterday())
        write_arrivals(Writer(connection), arrivals_of([a_report("elm-1", seq) for seq in (1, 2, 5)]))
    settings = settings_of(
        database, mosquitto, disk_path=tmp_path, disk_warn_percent=1, upkeep_every_s=0.2, rollup_every_s=0.05
    )
    metrics, stop = Metrics(), threading.Event()
    upkeep = threading.Thread(target=Upkeep(settings, metrics, stop).run)
    with caplog.at_level(logging.WARNING):
        upkeep.start()
        assert wait_until(lambda: metrics.value("missing_reports") == 2)
        assert wait_until(lambda: metrics.value("rollup_marks_total") > 0 and metrics.value("rollup_dirty") == 0)
        stop.set()
        upkeep.join()
    assert metrics.value("database_bytes") > 1e6
    assert 0 < metrics.value("disk_used_ratio") <= 1
    warnings = [record for record in caplog.records if getattr(record, "event", "") == "disk_fills"]
    assert len(warnings) <= 1
    with psycopg.connect(database) as connection:
        assert connection.execute("select sum(quarters) from rollup_day").fetchone() == (3,)


def test_the_server_is_present_while_the_broker_is_there(database: str, mosquitto: TestBroker) -> None:
    metrics, stop = Metrics(), threading.Event()
    settings = settings_of(database, mosquitto, upkeep_every_s=0.2, rollup_every_s=0.05)
    upkeep = threading.Thread(target=Upkeep(settings, metrics, stop).run)
    upkeep.start()
    try:
        with psycopg.connect(database, autocommit=True) as connection:

            def is_present() -> bool:
                return connection.execute("select from server_presence").fetchone() is not None

            assert wait_until(lambda: metrics.value("database_bytes") > 0)  # a round without a broker
            assert not is_present()
            metrics.broker_up.set(1)
            assert wait_until(is_present)
    finally:
        stop.set()
        upkeep.join()


def test_a_log_line_is_one_object() -> None:
    record = logging.makeLogRecord(
        {
            "name": "telstraat_ingest.writing.write",
            "levelname": "WARNING",
            "msg": "it was %s",
            "args": ("late\n",),
            "event": "late",
            "count": 3,
        }
    )
    line = JsonLines().format(record)
    assert "\n" not in line
    content = json.loads(line)
    assert {key: content[key] for key in ("level", "part", "message", "event", "count")} == {
        "level": "warning", "part": "ingest.write", "message": "it was late\n", "event": "late", "count": 3,
    }  # fmt: skip
