"""Small files that failed once, beside the repository in `shared/cases`: each gives what the README there says.

    python -m pytest tests/cases

Without that folder the tests are skipped, and say so; TELSTRAAT_CASES names another one.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from telstraat_cli.main import main
from telstraat_store import places
from telstraat_store.imports.writing import Result, Source, import_file

CASES = Path(os.environ.get("TELSTRAAT_CASES") or Path(__file__).resolve().parents[3] / "shared" / "cases")
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"CASES NOT CHECKED: no folder {CASES}; set TELSTRAAT_CASES")
ZONES = {1001: "Europe/Brussels", 1004: "Australia/Lord_Howe", 1006: "Asia/Kolkata"}
BIKE = "select bike_lft, bike_rgt, uptime, pedestrian_lft, car_lft, motorcycle_lft from imported order by period_start"


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database) as connection:
        for number, zone in ZONES.items():
            places.draw_segment(connection, str(number), [(4.0, 50.0), (4.1, 50.0)], timezone=zone, segment_id=number)
        connection.commit()
        yield connection


def brought(connection: psycopg.Connection, name: str, **known: Any) -> Result:
    return import_file(connection, CASES / "import" / name, Source(name), **known)


def evaluated(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, dict[str, Any]]:
    code = main(["evaluate", *words, "--json"])
    printed = capsys.readouterr()
    return code, printed.err, json.loads(printed.out)["evaluations"][0] if printed.out else {}


def test_local_times_are_asked_about_and_give_the_answer_of_their_utc_twin(capsys: pytest.CaptureFixture[str]) -> None:
    code, text, _ = evaluated(capsys, str(CASES / "evaluate" / "m_local.toml"))
    assert code == 2
    assert "are they local or UTC?" in text
    code, text, _ = evaluated(capsys, str(CASES / "evaluate" / "m_local.toml"), "--times", "utc")
    assert code == 2
    assert "speak against it" in text
    _, _, local = evaluated(capsys, str(CASES / "evaluate" / "m_local.toml"), "--times", "local")
    _, _, twin = evaluated(capsys, str(CASES / "evaluate" / "m_utc.toml"))
    assert local["effect"] == twin["effect"]
    assert twin["effect"]["low"] < 0 < twin["effect"]["high"]


def test_a_class_that_was_not_counted_is_absent(connection: psycopg.Connection) -> None:
    assert brought(connection, "c1_bike_quarters.csv").new == 2
    assert brought(connection, "c2_api_quarterly.json").new == 1
    hour = datetime(2025, 6, 1, 8, tzinfo=UTC)
    row = connection.execute(
        "select bike_lft, bike_rgt, pedestrian_lft, motorcycle_lft, car_rgt, night_lft from segment_hour where period_start = %s",
        (hour,),
    ).fetchone()
    assert row == (16.0, 20.0, None, None, None, None)


def test_a_decimal_comma_is_understood(connection: psycopg.Connection) -> None:
    assert brought(connection, "a1_decimal_comma.csv").new == 1
    assert connection.execute(BIKE).fetchall() == [(12.5, 9.0, 0.75, None, None, None)]


def test_windows_1252_is_read_and_said(connection: psycopg.Connection) -> None:
    result = brought(connection, "a3_latin1.csv", streets={"Münsterstraße": 1001})
    assert (result.new, result.notes) == (1, ["a3_latin1.csv is not UTF-8: read as Windows-1252"])


def test_a_line_that_names_the_separator_is_understood(connection: psycopg.Connection) -> None:
    assert brought(connection, "a4_sep.csv").new == 1


def test_odd_cells_are_refused_with_their_reasons_and_clear_ones_taken(connection: psycopg.Connection) -> None:
    result = brought(connection, "a5_odd.csv")
    assert (result.new, sum(result.refused.values())) == (3, 8)
    starts = [start for (start,) in connection.execute("select period_start from imported order by 1")]
    assert starts == [
        datetime(2025, 3, 1, 12, tzinfo=UTC),
        datetime(2025, 3, 1, 23, tzinfo=UTC),
        datetime(2025, 3, 2, tzinfo=UTC),
    ]


def test_the_doubled_hour_of_a_sorted_file_is_one_group_or_refused(connection: psycopg.Connection) -> None:
    result = brought(connection, "b3_dst_sorted.csv")
    assert result.new == 0
    assert "twice" in next(iter(result.refused))


@pytest.mark.parametrize("as_quarters", [False, True])
def test_a_day_of_half_hour_zones_holds_all_its_hours(
    connection: psycopg.Connection, tmp_path: Path, *, as_quarters: bool
) -> None:
    path = CASES / "import" / "d_kolkata.csv"
    if as_quarters:
        path = quarters_of(path, tmp_path / "quarters.csv")
    import_file(connection, path, Source("kolkata"))
    days = connection.execute(
        "select day::text, car_lft from segment_day where segment_id = 1006 order by day"
    ).fetchall()
    assert {count for _, count in days} == {321.0}
    assert days[0] == ("2025-07-01", 321.0)


def quarters_of(path: Path, out: Path) -> Path:
    """Write the rows of a file of hours as quarters, each a fourth of its hour."""
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    rows = [head]
    for line in lines:
        segment, start, _, uptime, corrected, cars = line.split(",")
        for quarter in range(4):
            at = datetime.fromisoformat(start) + timedelta(minutes=15 * quarter)
            rows.append(",".join([segment, at.isoformat(), "900", uptime, corrected, str(float(cars) / 4)]))
    out.write_text("\n".join(rows), encoding="utf-8")
    return out


def imported_streets(capsys: pytest.CaptureFixture[str], database: str, name: str) -> str:
    assert main(["segments", "--dsn", database, "import", str(CASES / "geojson" / name)]) == 0
    return capsys.readouterr().out


def test_lines_of_several_parts_are_merged_where_they_join(
    connection: psycopg.Connection, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = imported_streets(capsys, database, "g01_multi.geojson")
    rows = connection.execute(
        "select name, jsonb_array_length(geometry::jsonb->'coordinates') from segment where segment_id > 1006"
    )
    assert ("Multi joined", 3) in rows.fetchall()
    assert re.match(r"\d segments added", printed)


def test_a_street_without_a_line_is_refused_by_itself(
    connection: psycopg.Connection, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "1 segments added, 0 redrawn, 0 known, 1 refused" in imported_streets(capsys, database, "g05_null.geojson")


def test_miles_per_hour_become_kilometres(
    connection: psycopg.Connection, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    imported_streets(capsys, database, "g14_osmid.geojson")
    assert connection.execute("select speed_limit_kmh from segment where name = 'OT export'").fetchone() == (48,)
