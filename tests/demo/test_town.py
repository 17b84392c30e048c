"""The demo's town: its reports are the simulator's, nothing is filled twice, and its story is in the database."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import psycopg
import pytest
from tests.harness.demos import Demo
from tests.harness.moments import yesterday
from tests.harness.processes import kill, wait_until

from telstraat_demo.errors import StackError
from telstraat_demo.stack.home import Home
from telstraat_demo.town.cast import Cast, SensorStay, sensor_name, watches_of
from telstraat_demo.town.clients import clients_of
from telstraat_demo.town.fill import TownFiller, read_fill_progress, read_filled
from telstraat_demo.town.history import draw
from telstraat_demo.town.life import TownLife, live_traffic
from telstraat_demo.town.people import settle_in
from telstraat_demo.town.plan import TownPlan, epoch_of, quarter, read_town_plan, write_town_plan
from telstraat_demo.town.workshop import NOTES, VOTES, hold_workshop
from telstraat_firmware_sim.demand.profiles import CLASSES
from telstraat_firmware_sim.town import overbeke
from telstraat_store.counts.rollup import refresh_all
from telstraat_store.reports import copy_rows
from telstraat_store.reports.copy_arrays import packed
from telstraat_store.reports.past import write_past
from telstraat_store.work.workshops import add_workshop

NOW = yesterday() - timedelta(days=9) + timedelta(hours=12, minutes=7)
SMALL = ("--months", "8", "--past", "60", "--pace", "120", "--size", "160x120", "--fps", "4")
HOUR = timedelta(hours=1)


def plan(**changes: object) -> TownPlan:
    values: dict[str, object] = {
        "seed": 3,
        "months": 0.4,
        "began_at": NOW,
        "live_from": NOW.replace(hour=10, minute=0),
        "scene": "day",
    }
    return TownPlan(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def life(database: str, tmp_path: Path) -> TownLife:
    with psycopg.connect(database) as connection:
        return TownLife.begin(connection, tmp_path, plan())


def filler(folder: Path, life: TownLife) -> TownFiller:
    return TownFiller(folder, life.plan, life.town, life.cast, life.watches)


def is_open(watch: SensorStay) -> bool:
    return watch.from_at is None and watch.until_at is None


def rows_of(database: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database) as connection:
        query = (
            "select sensor_id, epoch_no, period_start, seq, observed_s, car_lft, car_speed from report order by 1, 2, 3"
        )
        return connection.execute(query).fetchall()


def test_arrays_become_the_very_rows_that_reports_become_one_by_one() -> None:
    town, cast = overbeke(3), Cast()
    watches = watches_of(plan(), town, cast)
    drawn = next(each for each in draw(plan(), town, cast, watches, plan().eras(NOW)[0]) if is_open(each.watch))
    start, end = NOW - timedelta(days=3), quarter(NOW)
    reports = list(drawn.reports(start, end))
    arrays = drawn.arrays(start, end)
    assert len(reports) == len(arrays) > 200
    first = reports[0].seq - 1  # as messages they are numbered from the era's start
    one_by_one = b""
    for ordinal, report in enumerate(reports):
        numbered = msgspec.structs.replace(report, seq=report.seq - first)
        one_by_one += copy_rows.head(ordinal, 7, 2) + copy_rows.measured(numbered)
    assert packed(arrays, 7, 2) == one_by_one


def test_the_past_is_filled_once_whatever_was_killed_in_between(database: str, tmp_path: Path, life: TownLife) -> None:
    until = quarter(NOW)

    def dies(share: float) -> None:
        if share > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filler(tmp_path, life).fill(database, until, lambda _: None, dies)
    half = rows_of(database)
    assert half
    (tmp_path / "filled.json").unlink()  # it had committed, and was killed before it could note so
    filler(tmp_path, life).fill(database, until, lambda _: None, lambda _: None)
    whole = rows_of(database)
    assert len(whole) > len(half)
    assert set(map(str, half)) < set(map(str, whole))
    filler(tmp_path, life).fill(database, until, lambda _: None, lambda _: None)
    assert rows_of(database) == whole


def test_a_later_run_fills_only_what_is_missing_since(database: str, tmp_path: Path, life: TownLife) -> None:
    until = quarter(NOW)
    filler(tmp_path, life).fill(database, until, lambda _: None, lambda _: None)
    before = rows_of(database)
    later = until + timedelta(days=2)
    sensor = next(watch.sensor for watch in life.watches if is_open(watch))
    sent = {sensor: until + HOUR}  # as a client of the broker, which is not filled again
    again = filler(tmp_path, life)
    again.fill(database, later, sent.get, lambda _: None)
    after = rows_of(database)
    assert after[: len(before)] != after
    assert again.quarters == len(after) - len(before)
    with psycopg.connect(database) as connection:
        doubled = connection.execute(
            "select count(*) from (select from report group by sensor_id, period_start having count(*) > 1) x"
        ).fetchone()
        since = connection.execute(
            "select min(period_start) from report join sensor using (sensor_id) where name = %s and period_start >= %s",
            (sensor, until),
        ).fetchone()
    assert doubled == (0,)
    assert since
    assert since[0] >= until + HOUR


def test_a_clock_that_was_set_back_doubles_nothing(database: str, tmp_path: Path, life: TownLife) -> None:
    filler(tmp_path, life).fill(database, quarter(NOW), lambda _: None, lambda _: None)
    earlier = quarter(NOW - timedelta(days=1))
    again = filler(tmp_path, life)
    ahead = again.fill(database, earlier, lambda _: None, lambda _: None)
    assert again.quarters == 0
    passwords = tmp_path / "passwords"
    assert passwords.is_dir()
    clients = clients_of(
        tmp_path, "mqtt://127.0.0.1:1", [(each, again.since(each, earlier)) for each in ahead], earlier
    )
    try:
        starts = [report.period_start for sensor in clients.sensors for report in sensor._reports]
        assert starts
        assert min(starts) >= quarter(NOW)
    finally:
        for sensor in clients.sensors:
            sensor.close()


@pytest.mark.parametrize("months", [0.01, 0.5, 2.0, 14.0])
def test_the_story_lies_within_a_past_of_any_length(months: float) -> None:
    short = plan(months=months)
    first = datetime(short.first_day.year, short.first_day.month, short.first_day.day, tzinfo=UTC)
    assert first < short.moved_at < short.began_at
    assert first < short.silent_from < short.began_at
    assert short.knows_before == (months > 7)


def test_a_time_beyond_the_first_weeks_is_another_period_of_the_simulator(
    database: str, tmp_path: Path, life: TownLife
) -> None:
    filler(tmp_path, life).fill(database, quarter(NOW), lambda _: None, lambda _: None)
    much_later = quarter(NOW + timedelta(days=75))
    assert len(life.plan.eras(much_later)) == 2
    ahead = filler(tmp_path, life).fill(database, much_later, lambda _: None, lambda _: None)
    assert {each.era.number for each in ahead} == {1}
    with psycopg.connect(database) as connection:
        days = connection.execute("select distinct period_start::date from report order by 1").fetchall()
    assert all(b[0] - a[0] == timedelta(days=1) for a, b in pairwise(days))


def test_sums_of_the_filled_past_are_those_of_its_quarters(database: str, tmp_path: Path, life: TownLife) -> None:
    filler(tmp_path, life).fill(database, quarter(NOW), lambda _: None, lambda _: None)
    filler(tmp_path, life).add_up(database, lambda _: None)
    with psycopg.connect(database, autocommit=True) as connection:
        refresh_all(connection)
        quarters = connection.execute("select sum(car_lft + car_rgt) from report").fetchone()
        days = connection.execute("select sum(car_lft_seen + car_rgt_seen) from rollup_day").fetchone()
        hours = connection.execute("select sum(car_lft_seen + car_rgt_seen) from rollup_hour").fetchone()
    assert quarters == days == hours
    assert quarters
    assert quarters[0] > 10_000


def test_what_came_long_ago_counts_as_heard_long_ago(database: str, tmp_path: Path, life: TownLife) -> None:
    filler(tmp_path, life).fill(database, quarter(NOW), lambda _: None, lambda _: None)
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "select max(extract(epoch from received_at - period_start)), min(extract(epoch from received_at - period_start))"
            " from report where period_start < now() - interval '1 hour'"
        ).fetchone()
    assert row == (905, 905)


def test_other_reports_in_the_same_stream_are_refused(database: str, tmp_path: Path, life: TownLife) -> None:
    every = draw(life.plan, life.town, life.cast, life.watches, life.plan.eras(NOW)[0])
    drawn = next(each for each in every if is_open(each.watch))
    arrays = drawn.arrays(NOW - HOUR * 9, quarter(NOW - HOUR * 4))
    with psycopg.connect(database, autocommit=True) as connection:
        assert write_past(connection, drawn.watch.sensor, 5, arrays) == len(arrays)
        assert write_past(connection, drawn.watch.sensor, 5, arrays) == 0
        np.asarray(arrays.observed_s)[0] -= 1
        with pytest.raises(Exception, match="other reports"):
            write_past(connection, drawn.watch.sensor, 5, arrays)
        with pytest.raises(Exception, match="no sensor"):
            write_past(connection, "nobody", 5, arrays)


def test_a_database_with_the_town_of_another_folder_is_refused(database: str, tmp_path: Path, life: TownLife) -> None:
    with psycopg.connect(database) as connection, pytest.raises(StackError, match=r"town of an earlier demo"):
        TownLife.begin(connection, tmp_path / "other" / "town", plan())


def test_the_streets_come_from_the_map_and_the_rest_of_it_is_ground(database: str, life: TownLife) -> None:
    with psycopg.connect(database) as connection:
        segments = connection.execute(
            "select name, speed_limit_kmh, jsonb_array_length(geometry->'coordinates') from segment"
        ).fetchall()
        ground = connection.execute("select count(*) from ground").fetchone()
    assert {name for name, _, _ in segments} == set(life.segments) == {street.name for street in life.town.streets}
    assert len(segments) == 24
    assert max(points for _, _, points in segments) > 20  # curves
    assert ("Noordring", 50) in {(name, limit) for name, limit, _ in segments}
    assert ground
    assert ground[0] > 20


def test_a_plan_stays_as_it_was_begun(tmp_path: Path) -> None:
    write_town_plan(tmp_path, plan())
    assert read_town_plan(tmp_path) == plan()
    assert read_town_plan(tmp_path / "none") is None
    eras = plan().eras(NOW + timedelta(days=200))
    assert all(a.end == b.start for a, b in pairwise(eras))
    assert eras[-1].start <= NOW + timedelta(days=200) < eras[-1].end
    assert epoch_of(1, "a") == epoch_of(1, "a") != epoch_of(2, "a")


def test_every_street_of_the_story_plays_one_part() -> None:
    town, cast = overbeke(1), Cast()
    single = [cast.live, cast.school, cast.works, cast.silent, cast.moved_from, cast.moved_to]
    parts = [*single, *cast.treated, *cast.boundary, *cast.controls]
    assert len(parts) == len(set(parts)) == 6 + 3 + 4 + 7
    named = {*parts, *cast.school_edge, *cast.school_controls, *cast.night_blind, *cast.citizens}
    assert named <= {street.name for street in town.streets}
    assert len({sensor_name(street, 1) for street in town.streets}) == 24


def test_no_quarter_of_a_street_is_watched_by_two_sensors_of_the_story() -> None:
    town = overbeke(1)
    watches = watches_of(plan(), town, Cast())
    for street in town.streets:
        at = [watch for watch in watches if watch.street == street.name]
        assert len(at) == 1, street.name
    moved = [watch for watch in watches if watch.from_at]
    assert len(moved) == 1
    [before] = [watch for watch in watches if watch.sensor == moved[0].sensor and not watch.from_at]
    assert before.until_at == moved[0].from_at


@pytest.fixture(scope="module")
def demo(reachable_folder: Path) -> Iterator[Demo]:
    folder = reachable_folder / "town-demo"
    with Demo(folder, *SMALL) as running:
        running.ready()
        wait_until(lambda: read_fill_progress(folder / "town").stories, 600, "the town's story")
        yield running
    Home(folder).forget()


def get(demo: Demo, path: str) -> str:
    address = next(line.split()[0] for line in demo.lines if line.startswith("http://"))
    with urllib.request.urlopen(address + path, timeout=20) as answer:
        return str(answer.read().decode())


def test_the_town_is_there_with_its_story(demo: Demo) -> None:
    assert "Overbeke" in get(demo, "/")
    segments = json.loads(get(demo, "/api/v1/segments"))["features"]
    assert len(segments) == 24
    [circulation, school] = json.loads(get(demo, "/api/v1/measures"))["measures"]
    assert (len(circulation["treated"]), len(circulation["controls"])) == (3, 7)
    assert school["first_day"] > datetime.now(UTC).date().isoformat()
    [evaluation] = json.loads(get(demo, "/api/v1/evaluations"))["evaluations"]
    assert evaluation["answered"]
    assert "fell by" in evaluation["sentence"]["en"][0]
    progress = json.loads(get(demo, "/demo/progress"))
    assert progress == {"percent": 100, "full": True, "stories": True}
    assert "is being filled" not in get(demo, "/")
    with psycopg.connect(demo.dsn()) as connection:
        people = connection.execute("select role, count(*) from account group by role order by role").fetchall()
        owned = connection.execute("select owned_since from sensor where account_id is not null").fetchall()
    assert dict(people) == {"citizen": 2, "professional": 2, "operator": 1}
    assert len(owned) == 2
    assert max(since for (since,) in owned) < datetime.now(UTC) - timedelta(days=200)  # they have a past to look at


def test_the_live_street_was_counted_before_and_no_quarter_twice(demo: Demo) -> None:
    wait_until(lambda: demo.closed("town-live") >= 1, 90, "a closed quarter")
    assert demo.proof("town-live") == []
    with psycopg.connect(demo.dsn()) as connection:
        rows = connection.execute(
            "select r.period_start, count(*), min(v.name) from report r join sensor v using (sensor_id)"
            " join installation i on i.sensor_id = r.sensor_id and r.period_start >= i.from_at"
            " and r.period_start < coalesce(i.until_at, 'infinity')"
            " where i.segment_id = (select segment_id from installation join sensor using (sensor_id) where name = 'town-live')"
            " group by 1 order by 1"
        ).fetchall()
    assert {count for _, count, _ in rows} == {1}
    assert len({name for _, _, name in rows}) == 2


def test_the_keeper_may_be_killed_and_goes_on(demo: Demo) -> None:
    with psycopg.connect(demo.dsn()) as connection:
        before = connection.execute("select count(*) from report").fetchone()
    kill(demo.pid_of("town"))
    demo.wait_for("town is back")
    folder = demo.folder / "town"
    wait_until(lambda: all(sent for sent in read_filled(folder).values()), 30, "the town's note")
    with psycopg.connect(demo.dsn()) as connection:
        after = connection.execute("select count(*) from report").fetchone()
        doubled = connection.execute(
            "select count(*) from (select from report group by sensor_id, period_start having count(*) > 1) x"
        ).fetchone()
        measures = connection.execute("select count(*), count(distinct name) from measure").fetchone()
    assert before
    assert after
    assert after[0] >= before[0]
    assert doubled == (0,)
    assert measures
    assert measures[0] == measures[1]


def test_the_workshop_is_held_once_however_often_it_is_begun(database: str, life: TownLife) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        settle_in(connection)

    async def hold() -> list[tuple[int, ...]]:
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
            values: dict[str, object] = {
                "title": "School",
                "place": "",
                "held_at": None,
                "segments": [],
                "first_day": None,
                "last_day": None,
            }
            listed = await connection.execute("select workshop_id from workshop")
            known = await listed.fetchone()
            number = (
                known[0]
                if known
                else await add_workshop(
                    connection, 1, {**values, "question": "", "measure_id": None, "published": True}
                )
            )
            await hold_workshop(connection, number, life.segments, life.plan, ZoneInfo("Europe/Brussels"))
            cursor = await connection.execute(
                "select (select count(*) from workshop_note), (select count(*) from workshop_participant),"
                " (select count(*) from workshop_vote), (select count(*) from workshop_group), (select sum(votes) from workshop_note)"
            )
            return await cursor.fetchall()

    first = asyncio.run(hold())
    assert first == [(len(NOTES), 6, sum(map(len, VOTES.values())), 3, sum(map(len, VOTES.values())))]
    assert asyncio.run(hold()) == first


def test_the_live_street_is_as_busy_as_its_past_would_go_on(life: TownLife) -> None:
    begins_at = life.plan.live_from
    traffic = live_traffic(life.plan, begins_at)
    every = draw(life.plan, life.town, life.cast, life.watches, life.plan.eras(NOW)[0])
    drawn = next(each for each in every if each.watch.street == life.cast.live)
    cars = drawn.truth.demand.passed[:, CLASSES.index("car")].sum(axis=1)
    first = int((begins_at - drawn.era.start).total_seconds()) // 900
    by_plan = traffic.per_hour["car"] * sum(traffic.day_shape)
    assert by_plan == pytest.approx(cars[first : first + 96].sum(), rel=0.2)
    night = traffic.day_shape[3]
    assert night < 0.2 < max(traffic.day_shape) / 5
