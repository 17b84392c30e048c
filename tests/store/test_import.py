"""The counts of others: three formats, again harmless, stopped and gone on, refused with a reason, and never divided twice."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from tests.ingest.sending import a_report, arrivals_of, write_arrivals

from telstraat_cli.main import main
from telstraat_ingest.writing.write import Writer
from telstraat_store import places
from telstraat_store.counts import rollup
from telstraat_store.errors import CountsFileError, NoSuchRecordError
from telstraat_store.imports import CountsFile, Reading, Refusal, writing
from telstraat_store.imports.writing import Result, Source, import_file
from telstraat_store.summaries.refreshing import refresh_all
from telstraat_store.summaries.street_summary import DayKind
from telstraat_store.summaries.summary_table import due_streets

START = datetime(2025, 3, 1, 10, tzinfo=UTC)
PORTAL_COLUMNS = [
    "Installation ID", "Street", "City", "Date and Time (Local)", "Pedestrian Total", "Bike Total", "Car Total",
    "Large vehicle Total", "Night Total", "Speed V85 km/h",
    *(f"Speed Car {share} km/h (%)" for share in ("0-10", "10-20", "20-30", "30-40", "40-50", "50-60", "60-70", "70+")),
    *(f"{name} ({way})" for name in ("Pedestrian", "Bike", "Car", "Heavy", "Night") for way in ("A > B", "B > A")),
    "Mode motorcycle (A > B)", "Mode motorcycle (B > A)", "Uptime",
]  # fmt: skip


def api_row(number: int, **other: Any) -> dict[str, Any]:
    at = (START + timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    row: dict[str, Any] = {
        "instance_id": -1,
        "segment_id": 9000000001,
        "date": at,
        "interval": "hourly",
        "uptime": 0.75,
    }
    for name in ("heavy", "car", "bike", "pedestrian", "night"):
        row |= {f"{name}_lft": 1.5 + number, f"{name}_rgt": 2.0, name: 3.5 + number}
    hist = [0.0] * 25
    hist[6] = 100.0
    return row | {"v85": 38.5, "car_speed_hist_0to120plus": hist, "timezone": "Europe/Brussels"} | other


def write_csv(path: Path, columns: list[str], rows: Iterable[Iterable[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def portal_row(local: str, cars: int = 4, uptime: str = "Good uptime - 1") -> list[object]:
    values: dict[str, object] = dict.fromkeys(PORTAL_COLUMNS, 0)
    values |= {"Installation ID": 77, "Street": "Elm", "City": "Town", "Date and Time (Local)": local, "Uptime": uptime}
    values |= {"Car (A > B)": cars, "Car (B > A)": 1, "Speed V85 km/h": "", "Speed Car 30-40 km/h (%)": 100.0}
    return [values[name] for name in PORTAL_COLUMNS]


@pytest.fixture
def connection(database: str) -> Iterable[psycopg.Connection]:
    with psycopg.connect(database) as connection:
        places.draw_segment(connection, "Elm", [(4.0, 50.0), (4.1, 50.0)], segment_id=9000000001)
        places.draw_segment(
            connection, "Toronto", [(-79.0, 43.0), (-79.1, 43.0)], timezone="America/Toronto", segment_id=77
        )
        connection.commit()
        yield connection


def brought(connection: psycopg.Connection, path: Path, **other: Any) -> Result:
    return import_file(connection, path, Source("others"), **other)


def test_api_rows_are_kept_as_published_and_read_as_hours(connection: psycopg.Connection, tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps({"status_code": 200, "report": [api_row(number) for number in range(30)]}))
    result = brought(connection, path)
    assert (result.kind, result.new, result.refused) == ("telraam-api", 30, {})
    results = connection.execute(
        "select car_lft, uptime, motorcycle_lft, car_speed[7] from segment_hour order by period_start limit 1"
    )
    assert results.fetchone() == (1.5, 0.75, None, 3.5 * 0.75), "never divided again"
    days = connection.execute("select day::text, hours, car_lft from segment_day order by day").fetchall()
    assert days == [("2025-03-01", 13, 13 * 1.5 + 78), ("2025-03-02", 17, 17 * 1.5 + sum(range(13, 30)))]


def test_a_street_with_new_imported_counts_is_summarised_again(connection: psycopg.Connection, tmp_path: Path) -> None:
    def all_term(_timezone: str, days: Sequence[date]) -> list[DayKind]:
        return [DayKind.TERM for _ in days]

    now = START + timedelta(days=30)
    refresh_all(connection, all_term, now)
    assert due_streets(connection, now, 10) == []
    path = tmp_path / "answer.json"
    path.write_text(json.dumps({"status_code": 200, "report": [api_row(number) for number in range(30)]}))
    brought(connection, path)
    assert [row["segment_id"] for row in due_streets(connection, now, 10)] == [9000000001]


def test_rows_as_csv_are_the_same(connection: psycopg.Connection, tmp_path: Path) -> None:
    rows = [api_row(0), api_row(1, date="2025-03-01 12:00:00 CET"), api_row(2, uptime=0.0)]
    columns = list(rows[0])
    path = write_csv(tmp_path / "rows.csv", columns, ([row[name] for name in columns] for row in rows))
    assert brought(connection, path).new == 3
    assert connection.execute("select count(*) from segment_hour").fetchone() == (2,), "uptime 0 is no data"


def test_the_same_file_and_the_same_rows_change_nothing(connection: psycopg.Connection, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_text(json.dumps([api_row(number) for number in range(5)]))
    second.write_text(json.dumps([api_row(3), api_row(4, car_lft=99.0), api_row(5)]))
    assert brought(connection, first).new == 5
    assert (brought(connection, first).skipped, brought(connection, first).new) == (5, 0)
    result = brought(connection, second)
    assert (result.new, result.changed, result.same) == (1, 1, 1)
    assert connection.execute("select max(car_lft) from segment_hour").fetchone() == (99.0,)


def test_an_import_that_was_stopped_goes_on(
    connection: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([api_row(number) for number in range(25)]))
    monkeypatch.setattr(writing, "CHUNK", 10)

    def stop(done: int) -> None:
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        brought(connection, path, progress=stop)
    connection.rollback()
    assert connection.execute("select count(*) from imported").fetchone() == (10,)
    result = brought(connection, path)
    assert (result.skipped, result.new, result.rows) == (10, 15, 25)


def test_the_portals_local_times_are_read_where_the_street_is(connection: psycopg.Connection, tmp_path: Path) -> None:
    # On 2024-11-03 the clock of Toronto showed the hour from 1:00 twice; on 2025-03-09 it left out the hour from 2:00.
    times = ["2024-11-03 00:00", "2024-11-03 01:00", "2024-11-03 01:00", "2024-11-03 02:00", "2025-03-09 02:00"]
    path = write_csv(tmp_path / "portal.csv", PORTAL_COLUMNS, (portal_row(time) for time in times))
    result = brought(connection, path)
    assert (result.kind, result.new) == ("telraam-portal", 4)
    assert list(result.refused) == [
        "Date and Time (Local) ... does not exist in America/Toronto: the clock was put forward"
    ]
    starts = [row[0].astimezone(UTC).hour for row in connection.execute("select period_start from imported order by 1")]
    assert starts == [4, 5, 6, 7]
    assert connection.execute("select sum(hours) from segment_day").fetchone() == (4,)


def test_quarters_become_hours_by_the_same_rule_as_own_counts(connection: psycopg.Connection, tmp_path: Path) -> None:
    rows = [portal_row("2025-06-01 10:00", 4), portal_row("2025-06-01 10:15", 8, "Poor uptime - 0.5"),
            portal_row("2025-06-01 10:30", 0, "Bad uptime - 0")]  # fmt: skip
    assert brought(connection, write_csv(tmp_path / "quarters.csv", PORTAL_COLUMNS, rows)).new == 3
    assert connection.execute("select car_lft, quarters, uptime from segment_hour").fetchall() == [(24.0, 2, 0.375)]
    hours = write_csv(tmp_path / "hours.csv", PORTAL_COLUMNS, [portal_row("2025-06-01 10:00", 13)])
    assert brought(connection, hours).new == 1
    assert connection.execute("select car_lft from segment_hour").fetchall() == [(13.0,)], "what is given goes first"


def test_the_plain_format_divides_what_was_not_divided(connection: psycopg.Connection, tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text(
        "segment;period_start;period_s;uptime;corrected;car_lft;car_rgt\n"
        "elm;2025-03-01T10:00:00+01:00;3600;0.5;no;10;\n"
        "elm;2025-03-01T11:00:00+01:00;3600;0.5;yes;10;4\n"
    )
    assert brought(connection, path, streets={"elm": 9000000001}).new == 2
    rows = connection.execute("select car_lft, car_rgt, is_corrected from imported order by period_start").fetchall()
    assert rows == [(20.0, None, False), (10.0, 4.0, True)]


def test_what_cannot_be_taken_is_refused_with_its_reason(
    connection: psycopg.Connection, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad: list[dict[str, Any]] = [
        {"segment_id": 123}, {"date": "2025-03-01T10:00:00"}, {"date": "yesterday"}, {"date": "2025-03-01T10:07:00Z"},
        {"date": "2099-01-01T00:00:00Z"}, {"uptime": -1}, {"car_lft": "NaN"}, {"car_lft": "many"}, {"interval": "daily"},
        {"car_speed_hist_0to120plus": [1, 2]}, {"date": "2025-03-01 10:00:00 XYZ"},
    ]  # fmt: skip
    rows: list[Any] = [api_row(number, **values) for number, values in enumerate(bad)]
    path = tmp_path / "bad.json"
    path.write_text(json.dumps([*rows, "no row", api_row(20), api_row(20)]))
    refused = tmp_path / "refused.csv"
    words = ["db", "--dsn", database, "import", str(path), "--source", "others", "--refused", str(refused)]
    assert main(words) == 0
    assert "1 new, 0 changed, 0 the same, 13 refused" in capsys.readouterr().out
    with refused.open() as file:
        reasons = [row["reason"] for row in csv.DictReader(file)]
    assert len(reasons) == 13
    for part in ("is not one of ours", "has no offset", "is not a time", "not the start of", "in the future", "between 0 and",
                 "is not a number", "is a whole day", "neither 8 nor 25", "twice", "not a time zone"):  # fmt: skip
        assert any(part in reason for reason in reasons), part


def test_another_source_does_not_write_over_the_first(connection: psycopg.Connection, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_text(json.dumps([api_row(0)]))
    second.write_text(json.dumps([api_row(0, car_lft=7.0), api_row(1)]))
    brought(connection, first)
    result = import_file(connection, second, Source("second"))
    assert (result.new, list(result.refused)) == (1, ["another source has this period already: ..."])


def test_own_counts_go_before_imported_ones(connection: psycopg.Connection, database: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
    path.write_text(json.dumps([api_row(0, date=(now + timedelta(hours=n)).isoformat()) for n in range(2)]))
    brought(connection, path)
    with psycopg.connect(database, autocommit=True) as own:
        places.add_sensor(own, "own-1", 9000000001, from_at=now)
        write_arrivals(Writer(own), arrivals_of([a_report("own-1", 1, now)]))
        rollup.refresh_all(own)
    rows = connection.execute("select car_lft, source_id is null from segment_hour order by period_start").fetchall()
    assert rows == [(12.0, True), (1.5, False)]


def test_a_file_of_no_known_format_is_refused_as_a_whole(connection: psycopg.Connection, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    for text, message in (
        ("a,b\n1,2\n", "are neither"),
        ("{]", "is not JSON"),
        ('{"a": 1}', "no list 'report'"),
        ("", "is empty"),
    ):
        path.write_text(text)
        with pytest.raises(CountsFileError, match=message):
            brought(connection, path)
    path.write_text("[]")
    with pytest.raises(NoSuchRecordError, match="no such segment"):
        brought(connection, path, streets={"elm": 4})
    with pytest.raises(CountsFileError, match="No such file"):
        brought(connection, tmp_path / "none.csv")


def test_a_local_time_without_a_known_street_cannot_be_read(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "portal.csv", PORTAL_COLUMNS, [portal_row("2025-06-01 10:00")])
    (refused,) = CountsFile(path, Reading(lambda _: None)).rows()
    assert isinstance(refused, Refusal)
    assert "local times cannot be read" in refused.reason


def plain(*rows: str, columns: str = "car_lft") -> str:
    return "\n".join([f"segment,period_start,period_s,uptime,corrected,{columns}", *rows, ""])


@pytest.mark.parametrize(
    ("zone", "day", "quarters"),
    [
        ("Asia/Kolkata", "2025-07-01", 96),
        ("Asia/Kathmandu", "2025-07-01", 96),
        ("Australia/Lord_Howe", "2025-04-06", 98),  # the clock is put back by half an hour
        ("Australia/Lord_Howe", "2025-10-05", 94),
        ("Europe/Brussels", "2025-03-30", 92),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_local_day_of_quarters_is_as_long_as_it_was(
    connection: psycopg.Connection, tmp_path: Path, zone: str, day: str, quarters: int, whole: bool
) -> None:
    street = places.draw_segment(connection, "Half", [(4.0, 50.0), (4.1, 50.0)], timezone=zone)
    connection.commit()
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    given = range(-8, quarters + 8) if whole else range(quarters)  # with and without what lies around it
    rows = [f"{street},{(midnight + timedelta(minutes=15 * n)).isoformat()},900,1,yes,1" for n in given]
    path = tmp_path / "quarters.csv"
    path.write_text(plain(*rows))
    assert brought(connection, path).new == len(rows)
    result = connection.execute("select car_lft, uptime from segment_day where day = %s", (day,)).fetchall()
    assert result == [(quarters, 1.0)]


def test_a_class_is_scaled_by_the_quarters_in_which_it_was_counted(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "quarters.csv"
    path.write_text(
        plain(
            "77,2025-06-01T08:00:00Z,900,1,yes,3,1",
            "77,2025-06-01T08:15:00Z,900,1,yes,5,",
            "77,2025-06-01T08:30:00Z,900,0,yes,9,9",
            columns="bike_lft,car_lft",
        )
    )
    brought(connection, path)
    rows = connection.execute("select bike_lft, car_lft, heavy_lft, quarters, uptime from segment_hour").fetchall()
    assert rows == [(16.0, 4.0, None, 2, 0.5)]


def test_quarters_that_a_given_hour_covers_are_not_added_to_it(connection: psycopg.Connection, tmp_path: Path) -> None:
    street = places.draw_segment(connection, "Pune", [(4.0, 50.0), (4.1, 50.0)], timezone="Asia/Kolkata")
    connection.commit()
    hour, quarters = tmp_path / "hour.csv", tmp_path / "quarters.csv"
    quarters.write_text(plain(*(f"{street},2025-07-01T10:{n * 15:02}:00+05:30,900,1,yes,5" for n in range(4))))
    brought(connection, quarters)
    assert connection.execute("select sum(car_lft) from segment_day").fetchone() == (20.0,)
    hour.write_text(plain(f"{street},2025-07-01T10:00:00+05:30,3600,1,yes,21"))
    brought(connection, hour)
    assert connection.execute("select sum(car_lft) from segment_day").fetchone() == (21.0,)
    assert connection.execute("select sum(car_lft) from segment_hour").fetchone() == (21.0,)


def test_a_street_whose_zone_was_wrong_has_its_days_added_up_again(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "hours.csv"
    path.write_text(plain(*(f"77,2025-07-01T{n:02}:00:00Z,3600,1,yes,1" for n in range(24))))
    brought(connection, path)
    counts = "select day::text, car_lft from segment_day order by day"
    assert connection.execute(counts).fetchall() == [("2025-06-30", 4.0), ("2025-07-01", 20.0)]
    connection.execute("update segment set timezone = 'UTC' where segment_id = 77")
    assert connection.execute(counts).fetchall() == [("2025-07-01", 24.0)]


def test_speeds_in_bins_of_five_and_of_ten_are_added_to_the_coarser(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    coarse = [0.0] * 8
    coarse[3] = 100.0
    rows = [api_row(0), api_row(1, car_speed_hist_0to120plus=None, car_speed_hist_0to70plus=coarse)]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows))
    brought(connection, path)
    row = connection.execute("select car_speed from segment_day").fetchone()
    assert row == ([0, 0, 0, 3.5 * 0.75 + 4.5 * 0.75, 0, 0, 0, 0],)


def test_what_was_refused_is_read_again_once_its_street_is_there(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "early.json"
    path.write_text(json.dumps([api_row(number, segment_id=9000000002) for number in range(3)]))
    assert sum(brought(connection, path).refused.values()) == 3
    places.draw_segment(connection, "Late", [(4.0, 50.2), (4.1, 50.2)], segment_id=9000000002)
    connection.commit()
    result = brought(connection, path)
    assert (result.new, result.skipped, sum(result.refused.values())) == (3, 0, 0)
    assert connection.execute("select count(*) from import_refusal").fetchone() == (0,)
    assert brought(connection, path).skipped == 3


def test_an_import_that_was_stopped_forgets_none_of_its_refused_lines(
    connection: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "early.json"
    path.write_text(json.dumps([api_row(number, segment_id=9000000001 + number // 10) for number in range(20)]))
    monkeypatch.setattr(writing, "CHUNK", 15)

    def stop(done: int) -> None:
        if done == 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        brought(connection, path, progress=stop)
    connection.rollback()
    places.draw_segment(connection, "Late", [(4.0, 50.2), (4.1, 50.2)], segment_id=9000000002)
    connection.commit()
    result = brought(connection, path)
    assert (result.new, result.same) == (10, 10)


def test_a_file_that_is_read_otherwise_is_read_again(connection: psycopg.Connection, tmp_path: Path) -> None:
    path = tmp_path / "renamed.csv"
    path.write_text(plain("Elm,2025-03-01T10:00:00+01:00,3600,1,yes,7"))
    assert brought(connection, path, streets={"Elm": 77}).new == 1
    assert brought(connection, path, streets={"Elm": 77}).skipped == 1
    assert brought(connection, path, streets={"Elm": 9000000001}).new == 1


PLAIN = ["segment", "period_start", "period_s", "uptime", "corrected", "car_lft"]


def test_a_period_that_comes_again_in_a_later_chunk_changes_nothing(
    connection: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "CHUNK", 3)
    rows = [[9000000001, (START + timedelta(hours=hour)).isoformat(), 3600, 1, "yes", hour] for hour in range(8)]
    path = write_csv(tmp_path / "again.csv", PLAIN, [*rows, [*rows[0][:-1], 777]])
    result = brought(connection, path)
    assert (result.new, result.changed, sum(result.refused.values())) == (8, 0, 1)
    assert "line 2 has it" in next(iter(result.examples.values())).reason
    assert connection.execute("select max(car_lft) from imported").fetchone() == (7,)


def test_a_half_hour_that_comes_a_second_time_is_no_hour_of_its_own(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    starts = [START, START + timedelta(minutes=30), START]
    rows = [[9000000001, at.isoformat(), 1800, 1, "yes", count] for at, count in zip(starts, (5, 7, 99), strict=True)]
    result = brought(connection, write_csv(tmp_path / "halves.csv", PLAIN, rows))
    assert (result.new, sum(result.refused.values())) == (1, 1)
    assert connection.execute("select car_lft from imported").fetchall() == [(12,)]


@pytest.mark.parametrize("name", ["²", "①", "9" * 5000, "a\0b", "a\ud800b"])
def test_a_street_of_odd_letters_refuses_its_line_and_no_other(
    connection: psycopg.Connection, tmp_path: Path, name: str
) -> None:
    rows = [dict(zip(PLAIN, [street, START.isoformat(), 3600, 1, "yes", 5], strict=True)) for street in (name, 77)]
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(rows))
    result = brought(connection, path)
    assert (result.new, sum(result.refused.values())) == (1, 1)
    assert "is not one of ours" in next(iter(result.examples.values())).reason
