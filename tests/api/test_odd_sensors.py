"""Odd sensors: found in their counts by a job that an operator's look begins, and shown beside silent and late ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
from psycopg.types.json import Jsonb
from tests.api.people import signed_in
from tests.api.streets import add_hours, add_segment
from tests.harness.databases import one_row

from telstraat_analytics.words import word
from telstraat_api.evaluations.odd_sensors import odd_sensors
from telstraat_api.jobs.kinds import JobRun
from telstraat_api.settings import ApiSettings


def test_a_sensor_that_looks_and_counts_nothing_is_odd_and_its_page_says_since_when(
    connection: psycopg.Connection, database: str, address: str, tmp_path: Path
) -> None:
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    odd, sound = (add_segment(connection, name) for name in ("Kerkstraat", "Molenweg"))
    installation = add_hours(connection, odd, 40, 30, end)
    add_hours(connection, sound, 40, 30, end)
    connection.execute(
        "update rollup_hour set car_lft = 0, car_rgt = 0, car_lft_seen = 0, car_rgt_seen = 0"
        " where installation_id = %s and hour_start >= %s",
        (installation, end - timedelta(days=6)),
    )
    connection.execute("insert into stream (sensor_id, epoch_no, epoch) select sensor_id, 1, 1 from sensor")
    with signed_in(connection, address, "operator") as operator:
        assert "Nobody has looked yet" in operator.get("/operate/sensors").text
        operator.get("/operate/sensors")
        assert one_row(connection, "select count(*) from job where kind = 'odd-sensors'") == (1,)
        run = JobRun({"day": end.date().isoformat()}, ApiSettings(dsn=database), 1, lambda *_: None)
        result = odd_sensors(run)
        assert [(each["segment_id"], each["kind"]) for each in result["findings"]] == [(odd, "silent")]
        assert result["streets"] == 2
        connection.execute(
            "update job set state = 'done', result = %s, progress = 1, begun_at = now(), ended_at = now()",
            (Jsonb(result),),
        )
        page = operator.get("/operate/sensors", params={"state": "odd"}).text
        assert f"hours-{odd}" in page
        assert f"hours-{sound}" not in page
        assert "looked for at" in page
        assert f"hours-{odd}" in operator.get("/operate").text
        sensor = one_row(connection, "select sensor_id from installation where installation_id = %s", installation)[0]
        german = operator.get(f"/operate/sensors/{sensor}", params={"lang": "de"}).text
        assert word("kind.silent", "de") in german


def test_a_town_without_counts_has_no_odd_sensor(
    connection: psycopg.Connection, database: str, client: httpx.Client
) -> None:
    assert client.get("/healthz").status_code == 200
    run = JobRun({"day": "2026-03-02"}, ApiSettings(dsn=database), 1, lambda *_: None)
    assert odd_sensors(run) == {"day": "2026-03-02", "streets": 0, "findings": []}
