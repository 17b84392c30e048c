"""R14: a backup that has not been restored is none. After restoring, sensors send again what came since by themselves."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import psycopg
import pytest
from tests.harness.databases import Databases
from tests.harness.moments import yesterday
from tests.ingest.sending import a_report, arrivals_of, write_arrivals

from telstraat_cli.main import main
from telstraat_contract.messages import Health, Report
from telstraat_ingest.writing.write import Writer
from telstraat_store import places
from telstraat_store.counts import rollup
from telstraat_store.errors import BackupError
from telstraat_store.schema.backup import backup, restore

NIGHT = [a_report("back-1", seq, car_speed=tuple(range(25))) for seq in range(1, 41)]
MORNING = [a_report("back-1", seq) for seq in range(41, 61)]
TABLES = (
    "segment",
    "sensor",
    "installation",
    "stream",
    "report",
    "quarantine",
    "sensor_health",
    "rollup_hour",
    "rollup_day",
)


def filled(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        segment = places.draw_segment(connection, "Elm", [(4.0, 50.0), (4.1, 50.0)])
        places.add_sensor(connection, "back-1", segment, from_at=yesterday())
        write_arrivals(Writer(connection), arrivals_of([*NIGHT, a_report("back-1", 5, observed_s=5)]))
        rollup.refresh_all(connection)


def content(dsn: str) -> dict[str, list[tuple[object, ...]]]:
    with psycopg.connect(dsn) as connection:
        return {table: connection.execute(f"select * from {table} order by 1, 2, 3").fetchall() for table in TABLES}


def test_what_is_restored_is_what_was_backed_up(database: str, empty_database: str, tmp_path: Path) -> None:
    filled(database)
    path = tmp_path / "night.telstraat"
    manifest = backup(database, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {table.name: table.rows for table in manifest.tables}["report"] == 40
    restore(empty_database, path)
    assert content(empty_database) == content(database)
    with psycopg.connect(empty_database) as connection:  # and life goes on: numbers continue, triggers work
        places.add_sensor(connection, "back-2", places.draw_segment(connection, "Oak", [(4.0, 50.0), (4.1, 50.0)]))
        assert connection.execute("select count(*) > 0 from rollup_dirty").fetchone() == (True,)


def test_reports_since_the_backup_come_back_by_themselves(database: str, empty_database: str, tmp_path: Path) -> None:
    filled(database)
    backup(database, tmp_path / "night.telstraat")
    with psycopg.connect(database, autocommit=True) as connection:
        write_arrivals(Writer(connection), arrivals_of(MORNING))
    restore(empty_database, tmp_path / "night.telstraat")
    device: dict[int, Report] = {report.seq: report for report in NIGHT + MORNING}
    with psycopg.connect(empty_database, autocommit=True) as connection:
        writer = Writer(connection)
        health = Health(sensor="back-1", at=yesterday(), epoch=7, last_seq=60)
        (receipt,) = write_arrivals(writer, arrivals_of([health])).receipts["back-1"]
        assert receipt.want == ((41, 60),)
        again = [device[seq] for first, last in receipt.want for seq in range(first, last + 1)]
        (receipt,) = write_arrivals(writer, arrivals_of(again)).receipts["back-1"]
        assert (receipt.through, receipt.want) == (60, ())
    rows = "select seq, observed_s, period_start, car_lft, car_speed from report order by seq"
    with psycopg.connect(database) as original, psycopg.connect(empty_database) as other:
        assert original.execute(rows).fetchall() == other.execute(rows).fetchall()


def test_an_ingester_that_was_running_notices_a_database_restored_under_it(database: str, databases: Databases) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "back-1")
        writer = Writer(connection)
        write_arrivals(writer, arrivals_of(NIGHT[:5]))
        connection.execute("truncate report, stream")
        written = write_arrivals(writer, arrivals_of(NIGHT[5:9]))
        assert (written.inserted, written.receipts["back-1"][0].want) == (4, ((1, 5),))


def test_a_damaged_backup_restores_nothing(database: str, empty_database: str, tmp_path: Path) -> None:
    filled(database)
    whole, damaged = tmp_path / "whole.telstraat", tmp_path / "damaged.telstraat"
    backup(database, whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(damaged, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, data.replace(b"\t900\t", b"\t899\t") if name == "report.copy" else data)
    with pytest.raises(BackupError, match="is damaged and nothing was restored"):
        restore(empty_database, damaged)
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select count(*) from sensor").fetchone() == (0,)
    (tmp_path / "text").write_text("hello")
    with pytest.raises(BackupError, match="is not a backup"):
        restore(empty_database, tmp_path / "text")


def test_a_backup_is_never_restored_over_something(database: str, tmp_path: Path) -> None:
    filled(database)
    backup(database, tmp_path / "night.telstraat")
    with pytest.raises(BackupError, match="the database is not empty"):
        restore(database, tmp_path / "night.telstraat")


def test_the_documented_recipe_works_as_written(
    database: str, empty_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(database)
    path = str(tmp_path / "night.telstraat")
    assert main(["db", "--dsn", database, "backup", path]) == 0
    assert main(["db", "--dsn", empty_database, "restore", path]) == 0
    assert main(["db", "--dsn", empty_database, "status"]) == 0
    assert "40 reports" in capsys.readouterr().out
    assert main(["db", "--dsn", empty_database, "export", str(tmp_path / "hours.csv"), "--step", "hour"]) == 0
    assert (tmp_path / "hours.csv").read_text().count(",counted\n") == 10
