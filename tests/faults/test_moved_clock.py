"""A moved clock moves every process alike, lets every wait end, and is moved on while they run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from tests.harness.databases import quick_cluster
from tests.harness.moved_clock import NOT_HERE, MovedClock
from tests.harness.moved_run import BEFORE, moments, read_moment

pytestmark = pytest.mark.skipif(bool(NOT_HERE), reason=NOT_HERE)

LEAP_DAY = datetime(2028, 2, 29, 23, 59, 50, tzinfo=UTC)
WAITS = """
import asyncio, json, queue, select, sqlite3, subprocess, threading, time
from datetime import UTC, datetime
began = time.monotonic()
time.sleep(0.01)
threading.Event().wait(0.01)
with (condition := threading.Condition()):
    condition.wait(0.01)
try:
    queue.Queue().get(timeout=0.01)
except queue.Empty:
    pass
select.select([], [], [], 0.01)
asyncio.run(asyncio.sleep(0.01))
print(json.dumps({
    "python": datetime.now(UTC).timestamp(), "time": time.time(), "local": time.mktime(time.localtime()),
    "date": float(subprocess.check_output(["date", "+%s"])),
    "sqlite": sqlite3.connect(":memory:").execute("select unixepoch()").fetchone()[0],
    "waited": time.monotonic() - began,
}))
"""


@pytest.fixture
def clock(reachable_folder: Path) -> MovedClock:
    folder = Path(tempfile.mkdtemp(dir=reachable_folder))
    folder.chmod(0o755)
    return MovedClock(folder)


@pytest.fixture
def moved_environment(clock: MovedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the test starts now has the moved clock."""
    for name, text in clock.environment.items():
        monkeypatch.setenv(name, text)


@pytest.mark.parametrize(
    "moment", [LEAP_DAY, datetime(2038, 1, 19, 3, 14, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC)]
)
def test_every_way_to_ask_for_the_time_is_moved_and_every_wait_ends(clock: MovedClock, moment: datetime) -> None:
    clock.set(moment)
    environment = {**os.environ, **clock.environment, "TZ": "Australia/Lord_Howe"}
    done = subprocess.run([sys.executable, "-c", WAITS], env=environment, capture_output=True, check=True, timeout=60)
    content = json.loads(done.stdout)
    assert content.pop("waited") > 0.05
    for way, seconds in content.items():
        assert -1 <= seconds - moment.timestamp() < 60, way


@pytest.mark.usefixtures("moved_environment")
def test_a_server_that_runs_already_is_moved_on(clock: MovedClock, reachable_folder: Path) -> None:
    clock.set(LEAP_DAY)
    server = quick_cluster(reachable_folder / "moved-postgres")
    server.start()
    try:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            for moment in (LEAP_DAY, LEAP_DAY + timedelta(days=400)):
                clock.set(moment)
                row = connection.execute("select now()").fetchone()
                assert row is not None
                assert moment <= row[0] < moment + timedelta(seconds=60)
            assert connection.execute("select pg_sleep(0.01)").fetchone()
    finally:
        server.forget()


def test_every_special_moment_has_a_name_and_lies_just_ahead() -> None:
    named = moments(datetime(2026, 11, 30, 10, 26, tzinfo=UTC), seed=7)
    at = {name: moment + BEFORE for name, moment in named.items()}
    assert at["29 February"] == datetime(2028, 2, 29, tzinfo=UTC)
    assert at["New Year"] == datetime(2027, 1, 1, tzinfo=UTC)
    assert at["a full hour"] == datetime(2026, 11, 30, 11, tzinfo=UTC)
    assert at["Europe, clocks go forward"] == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert at["Europe, clocks go back"] == datetime(2027, 10, 31, 1, tzinfo=UTC)
    assert at["the US, clocks go forward"] == datetime(2027, 3, 14, 7, tzinfo=UTC)
    assert at["Lord Howe, clocks go back"] == datetime(2027, 4, 3, 15, tzinfo=UTC)
    assert at["Lord Howe, clocks go forward"] == datetime(2027, 10, 2, 15, 30, tzinfo=UTC)
    assert moments(datetime(2028, 2, 29, tzinfo=UTC), 0)["29 February"].year == 2032


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("+7d", datetime(2026, 12, 7, tzinfo=UTC)),
        ("2028-02-29 23:59:50", LEAP_DAY),
        ("2028-03-01T00:59:50+01:00", LEAP_DAY),
    ],
)
def test_a_moment_is_read_as_people_write_it(text: str, moment: datetime) -> None:
    assert read_moment(text, datetime(2026, 11, 30, tzinfo=UTC), {}) == moment


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tomorrow", "'tomorrow' is no moment: write 2028-02-29"),
        ("", "is no moment"),
        ("2027-02-29", "is no moment"),
        ("+99999999999d", "is no moment"),
        ("+999999d", "outside of the years 1970 to 2199"),
        ("9999-12-31", "outside of the years"),
    ],
)
def test_what_is_no_moment_is_refused_with_a_way_out(text: str, message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        read_moment(text, datetime.now(UTC), {})
