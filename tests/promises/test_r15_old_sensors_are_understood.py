"""R15: every payload of every released message version is stored by today's ingest."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from tests.ingest.sending import an_arrival

from telstraat_contract.topics import UP, topic
from telstraat_ingest.writing.batch import Dates, read_batch
from telstraat_ingest.writing.decode import Decoder
from telstraat_ingest.writing.write import Writer
from telstraat_store import places

GOLDEN = Path(__file__).resolve().parents[1] / "contract" / "golden"
PAYLOADS = sorted(path for channel in UP for path in GOLDEN.glob(f"v*-{channel}*.json"))


def test_there_is_a_golden_payload_for_everything_a_sensor_says() -> None:
    kinds = {path.stem.split("-")[1] for path in PAYLOADS}
    assert kinds == {str(channel) for channel in UP}


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_todays_ingest_takes_it(database: str, path: Path) -> None:
    sensor = json.loads(path.read_text())["sensor"]
    channel = next(channel for channel in UP if path.stem.split("-")[1] == channel)
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, sensor)
        arrivals = [an_arrival(topic(sensor, channel), path.read_bytes())]
        written = Writer(connection).write(read_batch(arrivals, Decoder(), Dates(max_age_days=100_000)))
        assert written.rejected == []
        assert written.inserted == (channel == "report")
