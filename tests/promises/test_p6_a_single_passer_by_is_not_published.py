"""P6: no public answer tells a quarter below the smallest number, not directly, not by subtraction, not by asking again."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from tests.api.conftest import served
from tests.api.streets import QUARTER, add_reports, add_segment, add_sensor

from telstraat_api.settings import ApiSettings
from telstraat_store.counts.rollup import refresh_all

SMALLEST = ApiSettings().quarter_min
HOUR = timedelta(hours=1)
HOURS = 6
CLASSES = ("pedestrian", "bike", "car", "heavy")


def quiet_street(sensor: int, first: datetime, rng: random.Random) -> list[dict[str, Any]]:
    """Quarters in which often nobody, sometimes one, sometimes many pass."""
    return [
        {"sensor_id": sensor, "period_start": first + n * QUARTER, "seq": n + 1}
        | {
            f"{kind}_{way}": rng.choice([0, 0, 5, 6, 9, 12, 30, rng.randint(1, 4)])
            for kind in CLASSES
            for way in ("lft", "rgt")
        }
        for n in range(4 * HOURS)
    ]


def read(client: httpx.Client, segment: int, bucket: str, first: datetime) -> list[dict[str, Any]]:
    window = {"bucket": bucket, "from": first.isoformat(), "to": (first + HOURS * HOUR).isoformat()}
    answer = client.get(f"/api/v1/segments/{segment}/reports", params=window)
    assert answer.status_code == 200, answer.text
    periods: list[dict[str, Any]] = answer.json()["periods"]
    return periods


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whoever_asks_at_every_moment_learns_no_small_quarter(database: str, seed: int) -> None:
    rng = random.Random(seed)
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - (HOURS + 2) * HOUR
    with (
        psycopg.connect(database, autocommit=True) as connection,
        served(ApiSettings(dsn=database, keep_s=0)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        segment = add_segment(connection, timezone="UTC")
        sensor = add_sensor(connection, "quiet-1", segment)
        waiting = quiet_street(sensor, first, rng)
        rng.shuffle(waiting)
        arrived: set[int] = set()
        known: dict[str, Any] = {}
        answers: set[int] = set()
        while waiting:
            some, waiting = waiting[:5], waiting[5:]
            add_reports(connection, some)
            arrived |= {row["seq"] for row in some}
            gaps = [f"[{n},{n + 1})" for n in range(1, max(arrived)) if n not in arrived]
            connection.execute("update stream set missing = %s::int4multirange", ("{" + ",".join(gaps) + "}",))
            if rng.random() < 0.5:
                refresh_all(connection)
            for hour in read(client, segment, "hour", first):
                assert hour["quarters"] == 4
                assert known.setdefault(hour["start"], hour) == hour  # never changes, so two answers have no difference
            visible: dict[tuple[str, str, str], list[int | None]] = {}
            for quarter in read(client, segment, "quarter", first):
                for kind in CLASSES:
                    for way, n in quarter["raw"][kind].items():
                        assert n is None or n == 0 or n >= SMALLEST, (quarter["start"], kind, way)
                        answers.add(n or 0)
                        visible.setdefault((quarter["start"][:13], kind, way), []).append(n)
            # All quarters of an hour or none: with three of them and the hour, the fourth would be known.
            assert all(len(four) == 4 and four.count(None) in {0, 4} for four in visible.values())
        assert len(known) == HOURS
        assert {0, 30} <= answers
