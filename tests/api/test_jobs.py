"""Jobs: deferred once, computed in a process of its own, cancelled, handed back, taken up after a crash, and never kept twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from tests.harness.processes import family, kill, paused, wait_until, wait_until_gone

from telstraat_demo.stack.postgres import Postgres
from telstraat_firmware_sim.chaos.fault_proxy import FaultProxy
from telstraat_store.connection import Row
from telstraat_store.jobs import deferred, runs
from telstraat_store.jobs.deferred import NewJob
from telstraat_store.jobs.queue import SILENT_S

T = TypeVar("T")


def on(dsn: str, ask: Callable[[psycopg.AsyncConnection[Any]], Awaitable[T]]) -> T:
    """Ask the store over a connection of its own."""

    async def answer() -> T:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            return await ask(connection)

    return asyncio.run(answer())


def defer(dsn: str, **values: Any) -> int:
    row, _ = on(dsn, lambda c: deferred.defer(c, NewJob("trial", **values)))
    return int(row["job_id"])


def job(dsn: str, job_id: int) -> Row:
    row = on(dsn, lambda c: deferred.find_job(c, job_id))
    assert row is not None
    return row


def wait_for(dsn: str, job_id: int, *states: str, wait_s: float = 60) -> Row:
    wait_until(lambda: job(dsn, job_id)["state"] in states, wait_s, f"job {job_id} {states}, is {job(dsn, job_id)}")
    return job(dsn, job_id)


@contextlib.contextmanager
def working(dsn: str, *options: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of its own; ended as it comes."""
    environment = {**os.environ, **{f"TELSTRAAT_API_{name.upper()}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", "telstraat_cli", "work", "--dsn", dsn, *options]
    worker = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline().startswith(b"worker ")
        yield worker
    finally:
        children = family(worker.pid)
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)
        wait_until_gone(children)
        assert worker.stdout is not None
        worker.stdout.close()


def process_of(worker: subprocess.Popen[bytes]) -> int:
    """Return the process of the job that a worker runs."""
    wait_until(lambda: family(worker.pid), 30, "a process of the job")
    return family(worker.pid)[0]


def test_a_job_is_computed_elsewhere_and_says_how_far_it_is(database: str) -> None:
    number = defer(database, arguments={"seconds": 3, "megabytes": 20})
    assert job(database, number)["state"] == "waiting"
    with working(database) as worker:
        wait_until(lambda: 0 < job(database, number)["progress"] < 1, 30, "progress")
        running = job(database, number)
        assert running["state"] == "running"
        assert running["doing"] == "Trying whether workers work"
        assert running["first_answers"]["seconds"] < 3
        result = wait_for(database, number, "done")["result"]
    assert result["process"] not in {worker.pid, os.getpid()}
    assert result["megabytes"] == 20


def test_the_same_key_is_one_job_for_as_long_as_it_waits_or_runs(database: str) -> None:
    first = defer(database, key="plan 7")
    assert defer(database, key="plan 7") == first
    assert defer(database, key="plan 8") != first
    assert on(database, lambda c: deferred.cancel_job(c, first))
    assert defer(database, key="plan 7") != first


def test_a_deferred_job_goes_with_the_transaction_that_defers_it(database: str) -> None:
    async def break_off(connection: psycopg.AsyncConnection[Any]) -> None:
        with contextlib.suppress(ZeroDivisionError):
            async with connection.transaction():
                await deferred.defer(connection, NewJob("trial"))
                raise ZeroDivisionError

    on(database, break_off)
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from job").fetchone() == (0,)
        assert connection.execute("select count(*) from procrastinate_jobs").fetchone() == (0,)


def test_what_cannot_be_computed_says_why_and_may_be_tried_again(database: str) -> None:
    number = defer(database, arguments={"refuse": "nothing was counted there"})
    with working(database):
        assert wait_for(database, number, "failed")["error"] == "nothing was counted there"
        assert on(database, lambda c: deferred.retry_job(c, number))
        assert wait_for(database, number, "failed")["run"] == 2
    assert not on(database, lambda c: deferred.cancel_job(c, number))


def test_a_job_that_takes_too_much_memory_or_time_is_ended_and_says_so(database: str) -> None:
    greedy = defer(database, arguments={"megabytes": 3000})
    slow = defer(database, arguments={"seconds": 600})
    with working(database, job_memory_mb="1000", job_timeout_s="6"):
        assert "memory" in wait_for(database, greedy, "failed")["error"]
        assert "longer than 6 s" in wait_for(database, slow, "failed")["error"]


def test_a_running_job_is_cancelled_from_outside_and_its_process_ends(database: str) -> None:
    number, other = defer(database, arguments={"seconds": 600}), defer(database)
    with working(database) as worker:
        wait_until(lambda: job(database, number)["progress"] > 0, 30, "progress")
        computing = process_of(worker)
        assert on(database, lambda c: deferred.cancel_job(c, number))
        wait_until_gone([computing])
        assert wait_for(database, other, "done")
    row = job(database, number)
    assert (row["state"], row["result"]) == ("cancelled", None)


def test_a_job_whose_process_is_killed_is_tried_again_until_it_has_failed(database: str) -> None:
    number = defer(database, arguments={"seconds": 600})
    with working(database, job_crashes_max="1") as worker:
        for run in (1, 2):
            wait_until(lambda run=run: job(database, number)["run"] == run and family(worker.pid), 60, f"run {run}")  # type: ignore[misc]
            kill(process_of(worker))
        assert "broke off 2 times" in wait_for(database, number, "failed")["error"]


def test_a_job_of_a_killed_worker_is_taken_up_by_another_and_has_one_result(database: str) -> None:
    number = defer(database, arguments={"seconds": 4})
    with working(database) as first:
        wait_until(lambda: job(database, number)["progress"] > 0, 30, "progress")
        orphan = process_of(first)
        kill(first.pid)
        wait_until_gone([orphan])
        with working(database):
            assert wait_for(database, number, "done", wait_s=90)["run"] == 2
    assert job(database, number)["crashes"] == 1


def test_a_worker_that_is_stopped_hands_its_job_back_at_once(database: str) -> None:
    number = defer(database, arguments={"seconds": 6})
    with working(database, job_grace_s="0") as first:
        wait_until(lambda: job(database, number)["progress"] > 0, 30, "progress")
        first.send_signal(signal.SIGTERM)
        first.wait(30)
    row = job(database, number)
    assert (row["state"], row["crashes"]) == ("waiting", 0)
    with working(database):
        assert wait_for(database, number, "done")["run"] == 2


def test_a_worker_that_is_stopped_finishes_what_it_can_in_its_grace(database: str) -> None:
    number = defer(database, arguments={"seconds": 2})
    with working(database, job_grace_s="60") as first:
        wait_until(lambda: job(database, number)["progress"] > 0, 30, "progress")
        first.send_signal(signal.SIGTERM)
        first.wait(60)
    assert (job(database, number)["state"], job(database, number)["run"]) == ("done", 1)


def test_a_worker_that_was_held_still_writes_nothing_over_the_one_that_took_its_job(database: str) -> None:
    number = defer(database, arguments={"seconds": 5})
    with working(database) as held:
        wait_until(lambda: job(database, number)["progress"] > 0, 30, "progress")
        old = process_of(held)
        with paused(held.pid), working(database):
            row = wait_for(database, number, "done", wait_s=90)
        wait_until_gone([old])
        wait_until(lambda: not family(held.pid), 30, "the held worker has given up")
        after = defer(database)
        wait_for(database, after, "done")
    assert job(database, number) == row
    assert row["run"] == 2


def test_a_database_that_is_away_for_longer_than_silence_costs_no_job_its_run(
    database: str, postgres: Postgres, fault_proxy: Callable[[int], FaultProxy]
) -> None:
    proxy = fault_proxy(postgres.port)
    through = database.replace(f":{postgres.port}/", f":{proxy.port}/")
    numbers = [defer(database, arguments={"seconds": seconds}) for seconds in (3, 40)]
    with working(through, "--at-once", "2"):
        for number in numbers:
            wait_until(lambda number=number: job(database, number)["progress"] > 0, 60, "progress")  # type: ignore[misc]
        proxy.refuse()
        proxy.cut()
        time.sleep(SILENT_S + 5)  # one ends meanwhile, the other goes on
        assert [job(database, number)["state"] for number in numbers] == ["running", "running"]
        proxy.heal()
        rows = [wait_for(database, number, "done", wait_s=120) for number in numbers]
        after = defer(database)
        wait_for(database, after, "done")
    assert [(row["run"], row["crashes"]) for row in rows] == [(1, 0), (1, 0)]


def test_an_api_that_is_killed_loses_no_job_and_leaves_no_process(database: str) -> None:
    number = defer(database, arguments={"seconds": 4})
    command = [sys.executable, "-m", "telstraat_cli", "api", "--dsn", database, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as first:
        wait_until(lambda: job(database, number)["progress"] > 0, 60, "progress")
        orphans = family(first.pid)
        assert orphans
        kill(first.pid)
    wait_until_gone(orphans)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as second:
        row = wait_for(database, number, "done", wait_s=120)
        second.send_signal(signal.SIGTERM)
    assert (row["run"], row["crashes"]) == (2, 1)


def test_an_earlier_run_of_a_job_can_write_nothing_any_more(database: str) -> None:
    number = defer(database)
    place = job(database, number)["queue_id"]
    first = on(database, lambda c: runs.begin(c, number, place, "first"))
    assert first is not None
    assert on(database, lambda c: runs.begin(c, number, place, "twice")) is None
    assert on(database, lambda c: runs.hand_back(c, first, crashes_max=2, is_crash=True))
    place = job(database, number)["queue_id"]
    second = on(database, lambda c: runs.begin(c, number, place, "second"))
    assert second is not None
    assert not on(database, lambda c: runs.report(c, first, 0.9, "late"))
    assert not on(database, lambda c: runs.end_well(c, first, {"late": True}))
    assert not on(database, lambda c: runs.end_badly(c, first, "late"))
    assert not on(database, lambda c: runs.hand_back(c, first, crashes_max=2, is_crash=False))
    assert on(database, lambda c: runs.end_well(c, second, {"answer": 1}))
    assert job(database, number)["result"] == {"answer": 1}


def test_a_job_expires_that_nobody_began_in_time_or_that_nobody_waits_for(database: str) -> None:
    late = defer(database, expires_s=0)
    left = defer(database, gone_after_s=0.2)
    awaited = defer(database, gone_after_s=3600)

    def sweep() -> runs.Swept:
        return on(database, lambda c: runs.sweep(c, silent_s=15, crashes_max=2))

    wait_until(lambda: sweep() and job(database, left)["state"] == "expired", 10, "expired")
    assert job(database, late)["state"] == "expired"
    assert job(database, awaited)["state"] == "waiting"
    on(database, lambda c: deferred.look_at(c, awaited))
    assert job(database, awaited)["looked_at"] > job(database, awaited)["deferred_at"]


def test_a_thousand_waiting_jobs_are_computed_by_priority_and_each_once(database: str) -> None:
    async def many(connection: psycopg.AsyncConnection[Any]) -> None:
        for number in range(1000):
            await deferred.defer(connection, NewJob("unknown to this version", {"number": number}))

    on(database, many)
    low, high = defer(database), defer(database, priority=5)
    with working(database):
        wait_for(database, low, "done")
    assert job(database, high)["begun_at"] < job(database, low)["begun_at"]
    assert on(database, deferred.count_jobs) == {"waiting": 1000, "done": 2}


def test_jobs_go_with_their_account_and_come_back_with_a_backup(
    database: str, empty_database: str, tmp_path: Path
) -> None:
    from telstraat_store.schema.backup import backup, restore

    with psycopg.connect(database, autocommit=True) as connection:
        row = connection.execute("insert into account (email, role) values ('a@example.org', 'citizen') returning 1, account_id").fetchone()  # fmt: skip
        assert row is not None
        gone = defer(database, account_id=row[1])
        number = defer(database, arguments={"seconds": 0.1})
        connection.execute("delete from account where account_id = %s", (row[1],))
    assert on(database, lambda c: deferred.find_job(c, gone)) is None
    backup(database, tmp_path / "backup.zip")
    restore(empty_database, tmp_path / "backup.zip")
    with working(empty_database):
        wait_for(empty_database, number, "done")


def test_the_queue_in_our_migration_is_the_one_that_the_library_ships(database: str, empty_database: str) -> None:
    from procrastinate.schema import SchemaManager

    def described(dsn: str) -> list[Any]:
        with psycopg.connect(dsn) as connection:
            queries = (
                "select table_name, column_name, data_type, column_default from information_schema.columns where table_name like 'procrastinate%' order by 1, 2",
                "select proname, prosrc from pg_proc where proname like 'procrastinate%' order by 1",
                "select tgname, pg_get_triggerdef(oid) from pg_trigger where tgname like 'procrastinate%' order by 1",
                "select indexname, indexdef from pg_indexes where tablename like 'procrastinate%' order by 1",
                "select typname, enumlabel from pg_enum e join pg_type t on t.oid = enumtypid where typname like 'procrastinate%' order by 1, enumsortorder",
            )
            return [connection.execute(query).fetchall() for query in queries]

    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(SchemaManager.get_schema().encode())
    assert described(database) == described(empty_database)


@pytest.mark.parametrize("word", ["cancelled", "expired"])
def test_a_job_that_has_ended_otherwise_may_be_tried_again(database: str, word: str) -> None:
    number = defer(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("update job set state = %s, ended_at = now() where job_id = %s", (word, number))
    assert on(database, lambda c: deferred.retry_job(c, number))
    with working(database):
        wait_for(database, number, "done")
