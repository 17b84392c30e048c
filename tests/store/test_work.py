"""What people work on is written whole or not at all, whatever breaks between two statements."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
import pytest

from telstraat_store import places
from telstraat_store.connection import Row
from telstraat_store.errors import DuplicateError, NoSuchRecordError, StaleRecordError
from telstraat_store.places import installations
from telstraat_store.work import measures

T = TypeVar("T")
VALUES = {"name": "School street", "kind": "school_street", "description": "", "first_day": "2026-03-02",
          "timezone": "Europe/Brussels", "published": False}  # fmt: skip
LINE = [(4.70, 50.87), (4.701, 50.871)]
SINCE = datetime(2026, 3, 1, tzinfo=UTC)


def with_connection(dsn: str, work: Callable[[psycopg.AsyncConnection[Any]], Awaitable[T]]) -> T:
    """Do something over an asynchronous connection, as the API does."""

    async def connected() -> T:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            return await work(connection)

    return asyncio.run(connected())


def add(dsn: str, streets: dict[str, list[int]]) -> Row:
    return with_connection(dsn, lambda connection: measures.add_measure(connection, None, VALUES, {}, streets))


@pytest.fixture
def streets(database: str) -> list[int]:
    with psycopg.connect(database) as connection:
        return [places.draw_segment(connection, name, LINE) for name in ("Elm", "Oak", "Ash")]


def counted(dsn: str, table: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(f"select count(*) from {table}").fetchone()
        assert row
        return int(row[0])


def test_a_measure_whose_street_does_not_exist_is_not_there(database: str, streets: list[int]) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        add(database, {"treated": [streets[0], 999_999]})
    assert (counted(database, "measure"), counted(database, "measure_segment")) == (0, 0)


def test_a_connection_that_is_killed_between_a_measure_and_its_streets_leaves_neither(
    database: str, streets: list[int]
) -> None:
    broken: list[BaseException] = []

    def write() -> None:
        try:
            add(database, {"treated": streets[:1], "controls": streets[1:]})
        except psycopg.OperationalError as error:
            broken.append(error)

    with psycopg.connect(database) as holder, psycopg.connect(database, autocommit=True) as watcher:
        holder.execute(
            "lock table measure_segment in access exclusive mode"
        )  # the writer waits for its second statement
        writer = threading.Thread(target=write)
        writer.start()
        waiting: list[int] = []
        while not waiting:
            rows = watcher.execute(
                "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%%measure_segment%%'"
                " and datname = current_database()"
            ).fetchall()
            waiting = [row[0] for row in rows]
            time.sleep(0.01)
        watcher.execute("select pg_terminate_backend(%s)", (waiting[0],))
        writer.join(20)
    assert broken
    assert (counted(database, "measure"), counted(database, "measure_segment")) == (0, 0)


def test_who_was_slower_changes_neither_the_measure_nor_its_streets(database: str, streets: list[int]) -> None:
    read_by_both = add(database, {"treated": streets[:1], "controls": streets[1:]})

    def changed(name: str, treated: list[int]) -> Row | None:
        given = {"treated": treated, "controls": []}
        return with_connection(
            database, lambda connection: measures.change_measure(connection, read_by_both, {"name": name}, {}, given)
        )

    first = changed("first", streets[1:2])
    with pytest.raises(StaleRecordError):
        changed("second", streets[2:])
    now = with_connection(database, lambda connection: measures.find_measure(connection, read_by_both["measure_id"]))
    assert now == first
    assert now
    assert (now["name"], now["treated"], now["controls"]) == ("first", [streets[1]], [])


@pytest.mark.parametrize("is_asynchronous", [False, True], ids=["command line", "API"])
def test_a_move_that_fails_leaves_the_sensor_where_it_stood(
    database: str, streets: list[int], *, is_asynchronous: bool
) -> None:
    with psycopg.connect(database) as connection:
        sensor = places.add_sensor(connection, "elm-1", streets[0], from_at=SINCE)

    def move(segment: int, from_at: datetime) -> int:
        if is_asynchronous:
            return with_connection(
                database, lambda opened: installations.install(opened, sensor.sensor_id, segment, from_at=from_at)
            )
        with psycopg.connect(database) as opened:
            return installations.install(opened, sensor.sensor_id, segment, from_at=from_at)

    def standing() -> list[tuple[int, datetime | None]]:
        with psycopg.connect(database) as opened:
            return opened.execute("select segment_id, until_at from installation order by installation_id").fetchall()

    with pytest.raises(NoSuchRecordError, match="there is no segment 999999"):
        move(999_999, datetime(2026, 4, 1, tzinfo=UTC))
    with pytest.raises(DuplicateError, match="already"):
        move(streets[1], datetime(2026, 2, 1, tzinfo=UTC))
    assert standing() == [(streets[0], None)]
    at = datetime(2026, 5, 1, tzinfo=UTC)
    move(streets[1], at)
    assert standing() == [(streets[0], at), (streets[1], None)]
    with psycopg.connect(database) as connection:
        places.retire_sensor(connection, "elm-1")
    with pytest.raises(NoSuchRecordError, match="or it is retired"):
        move(streets[2], datetime(2027, 1, 1, tzinfo=UTC))
