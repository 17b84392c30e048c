"""The reading rule, from rows in the table to numbers in the answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
from tests.api.conftest import NOON, served
from tests.api.streets import QUARTER, add_reports, add_segment, add_sensor, plausible_days

from telstraat_api.settings import ApiSettings
from telstraat_store.counts import reading
from telstraat_store.counts.rollup import refresh_all

HOUR = timedelta(hours=1)


@pytest.fixture
def client(module_client: httpx.Client) -> httpx.Client:
    return module_client


@pytest.fixture
def connection(module_connection: psycopg.Connection) -> psycopg.Connection:
    return module_connection


@pytest.fixture
def sensor(connection: psycopg.Connection, segment: int) -> int:
    return add_sensor(connection, f"sensor-{segment}", segment)


def periods(client: httpx.Client, segment: int, bucket: str, start: datetime, end: datetime, **more: Any) -> list[Any]:
    answer = client.get(
        f"/api/v1/segments/{segment}/reports",
        params={"bucket": bucket, "from": start.isoformat(), "to": end.isoformat(), **more},
    )
    assert answer.status_code == 200, answer.text
    results: list[Any] = answer.json()["periods"]
    return results


def test_a_quarter_is_scaled_up_by_what_was_observed(
    client: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int
) -> None:
    add_reports(
        connection, [{"sensor_id": sensor, "period_start": NOON, "observed_s": 600, "car_lft": 8, "bike_rgt": 3}]
    )
    [quarter] = periods(client, segment, "quarter", NOON, NOON + HOUR)
    assert quarter["observed_s"] == 600
    assert quarter["uptime"] == 0.6667
    assert quarter["raw"]["car"] == {"lft": 8, "rgt": 0}
    assert quarter["corrected"]["car"] == {"lft": 12.0, "rgt": 0.0}
    assert quarter["corrected"]["bike"] == {"lft": 0.0, "rgt": 4.5}
    assert quarter["start"] == "2026-03-02T12:00:00+01:00"


def test_a_quarter_seen_in_two_epochs_is_two_part_observations(
    client: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int
) -> None:
    add_reports(
        connection,
        [
            {"sensor_id": sensor, "period_start": NOON, "observed_s": 300, "car_lft": 2, "epoch_no": 1},
            {"sensor_id": sensor, "period_start": NOON, "observed_s": 150, "car_lft": 1, "epoch_no": 2},
        ],
    )
    [quarter] = periods(client, segment, "quarter", NOON, NOON + HOUR)
    assert (quarter["observed_s"], quarter["raw"]["car"]["lft"], quarter["corrected"]["car"]["lft"]) == (450, 3, 6.0)


@pytest.mark.parametrize("bucket", ["quarter", "hour", "day", "month"])
def test_what_two_devices_of_one_name_saw_counts_once_and_is_flagged(
    client: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int, bucket: str
) -> None:
    twice = [
        {"sensor_id": sensor, "period_start": NOON, "observed_s": 900, "car_lft": 10, "epoch_no": epoch}
        for epoch in (1, 2)
    ]
    add_reports(connection, twice)
    [period] = periods(client, segment, bucket, NOON, NOON + HOUR)
    times = 1 if bucket == "quarter" else 4
    assert (period["raw"]["car"]["lft"], period["corrected"]["car"]["lft"]) == (20, 10.0 * times)
    assert period["observed_s"] == 900
    assert "shared_name" in period["flags"]


def test_an_hour_is_filled_up_from_its_quarters_with_data(
    client: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int
) -> None:
    add_reports(
        connection,
        [
            {"sensor_id": sensor, "period_start": NOON, "observed_s": 900, "car_lft": 10},
            {"sensor_id": sensor, "period_start": NOON + QUARTER, "observed_s": 450, "car_lft": 4},
            {"sensor_id": sensor, "period_start": NOON + 2 * QUARTER, "observed_s": 0},
        ],
    )
    [hour] = periods(client, segment, "hour", NOON, NOON + HOUR)
    assert hour["corrected"]["car"]["lft"] == pytest.approx(4 / 2 * (10 + 4 * 900 / 450))
    assert hour["raw"]["car"]["lft"] == 14
    assert (hour["quarters"], hour["observed_s"], hour["uptime"]) == (2, 1350, 0.375)


def test_a_blind_quarter_is_told_as_blind_and_not_as_empty(
    client: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int
) -> None:
    add_reports(connection, [{"sensor_id": sensor, "period_start": NOON, "observed_s": 0}])
    [quarter] = periods(client, segment, "quarter", NOON, NOON + HOUR)
    assert (quarter["observed_s"], quarter["corrected"], quarter["quarters"]) == (0, None, 0)
    assert periods(client, segment, "hour", NOON, NOON + HOUR) == []


def test_two_sensors_at_a_street_are_averaged_by_the_time_they_observed(
    client: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int
) -> None:
    other = add_sensor(connection, f"other-{segment}", segment)
    add_reports(connection, [{"sensor_id": sensor, "period_start": NOON, "observed_s": 900, "car_lft": 30}])
    add_reports(connection, [{"sensor_id": other, "period_start": NOON, "observed_s": 300, "car_lft": 14}])
    [quarter] = periods(client, segment, "quarter", NOON, NOON + HOUR)
    assert quarter["corrected"]["car"]["lft"] == pytest.approx((30 * 900 + 42 * 300) / 1200)
    assert (quarter["sensors"], quarter["sensor_s"], quarter["observed_s"]) == (2, 1200, 900)


def test_a_sensor_that_moved_counts_for_each_street_in_its_time(
    client: httpx.Client, connection: psycopg.Connection
) -> None:
    before, after = add_segment(connection, "Before"), add_segment(connection, "After")
    sensor = add_sensor(connection, "mover", before, until_at=NOON + QUARTER)
    add_sensor(connection, "mover", after, from_at=NOON + QUARTER)
    add_reports(
        connection,
        [{"sensor_id": sensor, "period_start": NOON + n * QUARTER, "car_lft": n + 1} for n in range(3)],
    )
    answers = [
        [p["raw"]["car"]["lft"] for p in periods(client, s, "quarter", NOON, NOON + HOUR)] for s in (before, after)
    ]
    assert answers == [[1], [2, 3]]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-03-28", 24), ("2026-10-25", 25)])
def test_a_local_day_is_as_long_as_it_was(
    client: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int, day: str, hours: int
) -> None:
    start = datetime.fromisoformat(day + "T00:00:00+00:00") - timedelta(hours=4)
    rows = [{"sensor_id": sensor, "period_start": start + n * QUARTER, "car_lft": 1} for n in range(4 * 33)]
    add_reports(connection, rows)
    following = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    url = f"/api/v1/segments/{segment}/reports"
    [period] = client.get(url, params={"bucket": "day", "from": day, "to": following}).json()["periods"]
    assert period["raw"]["car"]["lft"] == 4 * hours
    assert (period["observed_s"], period["uptime"]) == (hours * 3600, 1.0)
    told_hours = client.get(url, params={"bucket": "hour", "from": day, "to": following}).json()["periods"]
    assert len(told_hours) == len({hour["start"] for hour in told_hours}) == hours


@pytest.mark.parametrize("bucket", ["hour", "day", "week", "month", "year"])
def test_the_rollups_say_what_the_quarters_say(
    client: httpx.Client,
    connection: psycopg.Connection,
    segment: int,
    sensor: int,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = add_sensor(connection, f"other-{segment}", segment, from_at=NOON - timedelta(days=2))
    add_reports(connection, plausible_days(sensor, NOON - timedelta(days=6), NOON, seed=3))
    add_reports(connection, plausible_days(other, NOON - timedelta(days=2), NOON, seed=4))
    refresh_all(connection)
    added_up = periods(client, segment, bucket, NOON - timedelta(days=9), NOON, speed="true")
    monkeypatch.setattr(reading, "QUARTERS_ADDED_UP", 0)
    rolled_up = periods(client, segment, bucket, NOON - timedelta(days=9), NOON, speed="true")
    assert added_up == rolled_up
    assert added_up


@pytest.mark.parametrize("bucket", ["hour", "day", "week", "month"])
@pytest.mark.parametrize("timezone", ["Europe/Brussels", "Asia/Kolkata", "America/Toronto"])
def test_a_long_window_holds_what_is_not_added_up_yet(
    client: httpx.Client,
    connection: psycopg.Connection,
    bucket: str,
    timezone: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segment = add_segment(connection, timezone=timezone)
    sensor, moved = (
        add_sensor(connection, f"{name}-{segment}", segment, from_at=NOON - timedelta(days=40)) for name in "ab"
    )
    wide = (NOON - timedelta(days=40), NOON)
    add_reports(connection, plausible_days(sensor, NOON - timedelta(days=30), NOON - timedelta(days=8), seed=3))
    refresh_all(connection)
    add_reports(connection, plausible_days(sensor, NOON - timedelta(days=8), NOON, seed=5))
    add_reports(connection, plausible_days(moved, NOON - timedelta(days=15, hours=7), NOON, seed=6))
    added_up = periods(client, segment, bucket, *wide, speed="true")
    monkeypatch.setattr(reading, "QUARTERS_ADDED_UP", 0)
    assert periods(client, segment, bucket, *wide, speed="true") == added_up, "no ingest has run"
    values: dict[str, str | int] = {
        "segments": segment,
        "bucket": bucket,
        "from": wide[0].isoformat(),
        "to": wide[1].isoformat(),
    }
    columns = client.get("/api/v1/reports/columns", params=values).json()["columns"]
    assert columns["car_lft_seen"] == [period["raw"]["car"]["lft"] for period in added_up]
    if bucket in {"hour", "day"}:
        text = client.get("/api/v1/reports/file.csv", params=values).text
        assert text.count(",counted\r\n") + text.count(",counted\n") == len(added_up)
    refresh_all(connection)
    assert periods(client, segment, bucket, *wide, speed="true") == added_up
    assert sum(period["raw"]["car"]["lft"] for period in added_up) > 0


def test_imported_counts_fill_in_where_the_street_has_none_of_its_own(
    client: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int
) -> None:
    connection.execute("insert into import_source (name, format) values ('the city', 'plain')")
    for hour, cars in ((NOON - HOUR, 40.5), (NOON, 99.0)):
        connection.execute(
            "insert into imported_hour (segment_id, hour_start, source_id, quarters, uptime, car_lft)"
            " values (%s, %s, 1, 4, 0.75, %s)",
            (segment, hour, cars),
        )
    connection.execute(
        "insert into imported (segment_id, period_start, period_s, source_id, uptime, is_corrected, car_lft)"
        " values (%s, %s, 3600, 1, 0.75, true, 40.5)",
        (segment, NOON - HOUR),
    )
    add_reports(connection, [{"sensor_id": sensor, "period_start": NOON, "car_lft": 10}])
    first, second = periods(client, segment, "hour", NOON - HOUR, NOON + HOUR)
    assert (first["source"], first["raw"], first["corrected"]["car"]["lft"], first["uptime"]) == (1, None, 40.5, 0.75)
    assert (second["source"], second["raw"]["car"]["lft"]) == (None, 10)


def test_speeds_are_added_up_and_v85_is_told(
    client: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int
) -> None:
    bins = [0] * 25
    bins[6] = 10
    add_reports(connection, [{"sensor_id": sensor, "period_start": NOON, "car_lft": 10, "car_speed": bins}])
    [hour] = periods(client, segment, "hour", NOON, NOON + HOUR, speed=True)
    assert hour["speed"]["cars"] == bins
    assert hour["speed"]["v85_kmh"] == 34.0  # 85 % lies at 34.25, between two grid points: the lower one


def test_flags_and_confidence_are_told_per_quarter(
    client: httpx.Client, connection: psycopg.Connection, segment: int, sensor: int
) -> None:
    row = {"sensor_id": sensor, "period_start": NOON, "car_lft": 3, "car_conf": 90, "flags": 16 + 128, "light": "k"}
    add_reports(connection, [row])
    [quarter] = periods(client, segment, "quarter", NOON, NOON + HOUR)
    assert quarter["flags"] == ["restarted", "too_dark"]
    assert quarter["confidence"] == {"pedestrian": None, "bike": None, "car": 90.0, "heavy": None}
    assert quarter["light"] == "dusk"


def test_more_rows_than_an_answer_holds_is_refused_with_a_way_out(client: httpx.Client, segment: int) -> None:
    answer = client.get(f"/api/v1/segments/{segment}/reports", params={"from": "1900-01-01"})
    assert answer.status_code == 422
    assert "1900-01-01" in answer.json()["detail"]


@pytest.mark.parametrize("timezone", ["Europe/Brussels", "Asia/Kolkata"])
@pytest.mark.parametrize("settled", ["", "a quarter is missing"])
def test_the_usual_street_reads_the_same_from_the_sums_as_from_the_quarters(
    client: httpx.Client, connection: psycopg.Connection, module_database: str, timezone: str, settled: str
) -> None:
    noon = (datetime.now(UTC) - timedelta(days=1)).replace(hour=11, minute=0, second=0, microsecond=0)
    segment = add_segment(connection, timezone=timezone)
    stood = (noon - timedelta(days=5, minutes=30), noon - timedelta(hours=20, minutes=15))
    alone = add_sensor(connection, f"alone-{segment}", segment, from_at=stood[0], until_at=stood[1])
    rows = plausible_days(alone, noon - timedelta(days=6), noon, seed=9)
    if settled:
        rows = [{**row, "seq": number} for number, row in enumerate(rows, 1) if number != 400]
    rows[150]["observed_s"] = 0
    add_reports(connection, rows)
    connection.execute(
        "update stream set missing = case when %s then '{[400,401)}'::int4multirange else '{}'::int4multirange end"
        " where sensor_id = %s",
        (bool(settled), alone),
    )
    windows = [(noon - timedelta(days=9), noon), (noon - timedelta(days=3, hours=2), noon - timedelta(days=1))]

    def read(reader: httpx.Client) -> list[Any]:
        return [
            periods(reader, segment, bucket, start, end, speed="true")
            for bucket in ("hour", "day")
            for start, end in windows
        ]

    with served(ApiSettings(dsn=module_database)) as address, httpx.Client(base_url=address, timeout=60) as public:
        from_quarters, shown_from_quarters = read(client), read(public)
        refresh_all(connection)
        assert read(client) == from_quarters
        assert read(public) == shown_from_quarters
    assert all(from_quarters)
    assert all(shown_from_quarters)


@pytest.mark.parametrize(("day", "quarters"), [("2025-10-05", 94), ("2026-04-05", 98)])
def test_a_day_on_which_the_clock_changes_by_half_an_hour_is_not_scaled_up(
    client: httpx.Client, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, day: str, quarters: int
) -> None:
    segment = add_segment(connection, timezone="Australia/Lord_Howe")
    sensor = add_sensor(connection, f"half-{segment}", segment)
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Australia/Lord_Howe")).astimezone(UTC)
    reports = [{"sensor_id": sensor, "period_start": start + n * QUARTER, "car_lft": 1} for n in range(quarters)]
    add_reports(connection, reports)
    window = (start, start + quarters * QUARTER)
    for _ in range(2):  # from the quarters, then as added up
        [period] = periods(client, segment, "day", *window)
        assert (period["uptime"], period["corrected"]["car"]["lft"]) == (1, quarters)
        refresh_all(connection)
        monkeypatch.setattr(reading, "QUARTERS_ADDED_UP", 0)
